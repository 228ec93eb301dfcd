"""The spool's file beside its use: what counts as damage, how a damaged file is set aside, and the records of loss."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from edge.spool import Row, losses
from edge.wire import DroppedRange

OLDEST_FIRST = "SELECT seq, weight, readings, first_ms, last_ms FROM batch ORDER BY seq"
NEWEST_FIRST = "SELECT seq, weight, readings, first_ms, last_ms FROM batch ORDER BY seq DESC"
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Damaged(Exception):
    """A check of the file failed; the message is the verdict."""


def is_damage(error: BaseException) -> bool:
    """Whether the file itself is bad, and not the disk full or the path wrong."""
    return isinstance(error, Damaged) or getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE


def put_aside(path: Path) -> str:
    """Rename the file at `path`, with its log, and return its new name. Nothing is deleted or overwritten."""
    name = f"{path.name}.damaged-{max(_numbers_set_aside(path), default=0) + 1}"
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(path.with_name(name + suffix))
    return name


def newest_set_aside(path: Path) -> str | None:
    """Return the name of the file last set aside that is still there."""
    numbers = _numbers_set_aside(path)
    return f"{path.name}.damaged-{max(numbers)}" if numbers else None


def losses_on_file(path: Path) -> list[DroppedRange]:
    """Return what a damaged file still tells of the batches that wait in it."""
    gone: list[Row] = []
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as db:
        db.text_factory = lenient_text
        stream = db.execute("SELECT id FROM stream").fetchone()
        if stream is None or not re.fullmatch("[0-9a-f]{32}", stream[0]):
            return []
        with contextlib.suppress(sqlite3.Error):
            gone += [row for row in rows(db, OLDEST_FIRST) if _plausible(row)]
        return losses(stream[0], gone, "damaged")
    return []


def rows(db: sqlite3.Connection, query: str) -> Iterator[Row]:
    """Yield what the policies need to know of each batch; `query` is OLDEST_FIRST or NEWEST_FIRST."""
    return (Row(*row) for row in db.execute(query))


def record(db: sqlite3.Connection, gaps: Sequence[DroppedRange]) -> None:
    """Keep the records of loss, each joined to the one it continues."""
    for gap in gaps:
        longer = db.execute(
            "UPDATE dropped SET last_seq = ?, readings = readings + ?, first_ms = min(first_ms, ?),"
            " last_ms = max(last_ms, ?) WHERE stream = ? AND policy = ? AND last_seq = ? - 1",
            (gap.last_seq, gap.readings, gap.first_ms, gap.last_ms, gap.stream, gap.policy, gap.first_seq),
        )
        if longer.rowcount == 0:
            db.execute("INSERT OR REPLACE INTO dropped VALUES (?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(gap))


def lenient_text(raw: bytes) -> str:
    """Return text from a file that may be damaged."""
    return raw.decode("utf-8", "replace")


def _numbers_set_aside(path: Path) -> list[int]:
    pattern = re.compile(re.escape(path.name) + r"\.damaged-(\d+)")
    found = (pattern.fullmatch(each.name) for each in path.parent.iterdir())
    return [int(match[1]) for match in found if match]


def _plausible(row: Row) -> bool:
    return all(isinstance(each, int) and each >= 0 for each in (row.seq, row.readings, row.first_ms, row.last_ms))
