"""Looks at each site as the centre knows it: heard lately, nothing missing, clock, version, certificate."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from edge import VERSION
from edge.findings import Finding, ok, warning, wrong
from ingest.authority import roll
from ingest.authority.folder import CentreFolder
from ingest.authority.roll import Roll
from ingest.config import Centre
from ingest.journal_file import JournalError
from ingest.sites import Sites, SiteState

QUIET_MS = 15 * 60_000
"""As the alarm engine's own default for a silent site. [ms]"""
CLOCK_OFF_MS = 5_000
FEW_DAYS = 14.0


def look_at_sites(centre: Centre, now_ms: int) -> Iterator[Finding]:
    """What is wrong with each site; one finding where nothing is."""
    states = _states(centre)
    found = [finding for state in states for finding in look_at_site(state, now_ms)]
    yield from found
    if not found:
        yield ok("sites", f"{len(states)} sites, all well", f"{len(states)} 个站点，全部正常")


def look_at_site(state: SiteState, now_ms: int) -> Iterator[Finding]:
    """What is wrong with one site, by what it said and sent."""
    check = f"site {state.site}"
    yield from _quiet(check, state, now_ms)
    if state.missing_batches:
        yield warning(
            check,
            (f"{state.missing_batches} batches have not come", f"有 {state.missing_batches} 批数据未到"),
            (
                "they may be under way; 'steppe ingest sites' shows since when",
                "可能仍在传输；用 steppe ingest sites 查看",
            ),
        )
    if state.status is None:
        return
    if state.status.set_aside:
        yield warning(
            check,
            (f"it kept a damaged spool: {state.status.set_aside}", f"保留了损坏的缓存：{state.status.set_aside}"),
            ("'steppe doctor' at the gateway, and look at its card", "在网关上运行 steppe doctor，检查存储卡"),
        )
    if state.status.version != VERSION:
        yield warning(
            check,
            (f"runs {state.status.version}, the centre {VERSION}", f"版本 {state.status.version}，中心为 {VERSION}"),
            ("upgrade the centre first, then its gateways", "先升级中心，再升级网关"),
        )
    yield from _clock(check, state)


def look_at_roll(folder: CentreFolder, centre: Centre, now_ms: int) -> Iterator[Finding]:
    """Sites whose certificate ends soon or has ended, and sites that were admitted and never heard."""
    file = folder.authority / roll.FILE
    if not file.is_file():
        return
    heard = {state.site for state in _states(centre)}
    with closing(Roll(file)) as opened:
        members = [one for one in opened.members() if not one.name.startswith("steppe-") and not one.revoked]
    for member in members:
        check, days = f"certificate {member.name}", member.days_left(now_ms)
        if days < FEW_DAYS:
            made = wrong if days < 0 else warning
            yield made(
                check,
                (f"{days:.0f} days left", f"剩余 {days:.0f} 天"),
                (
                    f"'steppe site renew {member.name}', and carry the bundle there",
                    f"运行 steppe site renew {member.name} 并送到现场",
                ),
            )
        if member.name not in heard:
            yield warning(
                f"site {member.name}",
                ("admitted, and never heard", "已登记，但从未收到数据"),
                ("install its bundle; 'steppe doctor' at the gateway", "安装站点包；在网关上运行 steppe doctor"),
            )


def _quiet(check: str, state: SiteState, now_ms: int) -> Iterator[Finding]:
    last_ms = max(state.status_ms or 0, state.last_batch_ms or 0)
    minutes = (now_ms - last_ms) / 60_000
    if state.status is not None and not state.status.online:
        what = (f"offline for {minutes:.0f} min", f"离线 {minutes:.0f} 分钟")
    elif now_ms - last_ms > QUIET_MS:
        what = (f"nothing heard for {minutes:.0f} min", f"已 {minutes:.0f} 分钟无消息")
    else:
        return
    remedy = (
        "its power, its SIM card, its antenna; then 'steppe doctor' there",
        "检查供电、SIM 卡、天线；再到现场运行 steppe doctor",
    )
    yield wrong(check, what, remedy)


def _clock(check: str, state: SiteState) -> Iterator[Finding]:
    """A status is made when it is sent, so that what lies between its stamp and its arrival is the clock's error."""
    if state.status is None or state.status_ms is None or not state.status.online:
        return
    off_ms = state.status.at_ms - state.status_ms
    remedy = (
        "'steppe doctor' at the gateway: time service, battery clock",
        "在网关上运行 steppe doctor：检查对时和时钟电池",
    )
    if abs(off_ms) > CLOCK_OFF_MS:
        yield wrong(check, (f"its clock is {off_ms / 1000:+.0f} s off", f"时钟偏差 {off_ms / 1000:+.0f} 秒"), remedy)
    elif state.status.clock == "unsynced":
        yield warning(check, ("its clock is not synchronised", "时钟未同步"), remedy)


def _states(centre: Centre) -> list[SiteState]:
    path = Path(centre.data_dir) / centre.journal.path
    if not path.exists():
        return []
    try:
        with closing(Sites(path)) as known:
            return known.states()
    except JournalError:
        return []  # `look_at_journal` says what is wrong with it
