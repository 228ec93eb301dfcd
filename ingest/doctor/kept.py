"""Looks at what ingest keeps: the journal and its readers, dead letters, and what happened to the files."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from edge.findings import Finding, ok, warning, wrong
from ingest.config import Centre
from ingest.deadletter import DeadLetters, dead_letters_path
from ingest.journal import Journal
from ingest.journal_file import JournalError
from ingest.sites import Sites

HIGH_LEVEL, FULL_LEVEL = 0.8, 0.98
BEHIND_MS, FAR_BEHIND_MS = 10 * 60_000, 24 * 3_600_000
"""A reader whose next entry came so long ago is behind, or has stopped. [ms]"""
RECENT_MS = 7 * 86_400_000
"""Damage to the journal is told of for a week. [ms]"""


def look_at_journal(centre: Centre, now_ms: int) -> Iterator[Finding]:
    """How full the journal is, who lags behind in it, and what befell it."""
    path = Path(centre.data_dir) / centre.journal.path
    if not path.exists():
        yield warning(
            "journal",
            (f"{path}: there is none, ingest has never run", f"{path}：不存在，接收进程从未运行"),
            (
                "start the centre: 'systemctl start steppe-centre.target' or 'steppe centre run'",
                "启动中心：steppe centre run",
            ),
        )
        return
    try:
        with closing(Journal(path)) as journal:
            yield _level(journal.size_bytes(), centre.journal.max_mb * 1e6)
            yield from _readers(journal, now_ms)
        with closing(Sites(path)) as sites:
            recent = [one for one in sites.incidents() if now_ms - one.at_ms < RECENT_MS]
    except JournalError as error:
        remedy = ("start ingest again: it saves what can be read", "重新启动接收进程：它会抢救可读数据")
        yield wrong("journal", (str(error), f"日志不可用：{error}"), remedy)
        return
    for incident in recent:
        remedy = ("check the disk; see 'steppe ingest sites'", "检查磁盘；见 steppe ingest sites")
        yield warning("journal incident", (incident.text, incident.text), remedy)


def look_at_letters(centre: Centre) -> Iterator[Finding]:
    """Messages that could not be taken and wait for a person."""
    path = dead_letters_path(centre)
    if not path.exists():
        return
    with closing(DeadLetters(path)) as kept:
        letters, gone = kept.letters(), kept.gone()
    if not letters and not gone:
        yield ok("dead letters", "none", "无")
        return
    newest = max(letters, key=lambda letter: letter.last_ms, default=None)
    reason = f"; the newest: {newest.topic}: {newest.reason}" if newest else ""
    yield warning(
        "dead letters",
        (f"{len(letters)} wait, {gone} older ones went{reason}", f"待处理 {len(letters)} 条，已丢弃 {gone} 条{reason}"),
        (
            "'steppe ingest deadletter list', then replay or drop",
            "用 steppe ingest deadletter list 查看，再 replay 或 drop",
        ),
    )


def _level(used_bytes: int, max_bytes: float) -> Finding:
    share = used_bytes / max_bytes
    what = (
        f"{used_bytes / 1e6:.1f} MB of {max_bytes / 1e6:.0f} MB, {share:.0%}",
        f"{used_bytes / 1e6:.1f} MB / {max_bytes / 1e6:.0f} MB,{share:.0%}",
    )
    remedy = (
        "raise [journal] max_mb, or find the reader that holds entries back ('steppe ingest readers')",
        "增大 [journal] max_mb，或用 steppe ingest readers 找出滞后的读取方",
    )
    if share >= FULL_LEVEL:
        return wrong("journal", what, remedy)
    return warning("journal", what, remedy) if share > HIGH_LEVEL else ok("journal", *what)


def _readers(journal: Journal, now_ms: int) -> Iterator[Finding]:
    newest = journal.newest()
    for reader, position in journal.readers().items():
        waiting = journal.read(position, 1)
        late_ms = now_ms - waiting[0].received_ms if waiting else 0
        if late_ms <= BEHIND_MS:
            yield ok(f"reader {reader}", "keeps up", "正常跟进")
            continue
        made = wrong if late_ms > FAR_BEHIND_MS else warning
        yield made(
            f"reader {reader}",
            (
                f"{newest - position} entries, {late_ms / 60_000:.0f} min behind",
                f"滞后 {newest - position} 条，{late_ms / 60_000:.0f} 分钟",
            ),
            (
                f"start its process again; off for good: 'steppe ingest readers CENTRE.TOML --forget {reader}'",
                f"重启对应进程；如已永久停用：steppe ingest readers CENTRE.TOML --forget {reader}",
            ),
        )
