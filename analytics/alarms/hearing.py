"""Who speaks to the centre, and by which clock: what the journal itself tells of the sites, kept in `alarms.db`.

A site's clock is judged by its statuses alone: they are never spooled, so one that lies behind was set wrong, while
readings that lie behind may be a backlog. One status may have waited on the line, or in the broker; two in a row that
are off by the same have not.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from analytics.alarms.database import AlarmDatabase, Transaction
from analytics.alarms.derived import Derived
from analytics.alarms.evaluate import LIVE_MS
from analytics.alarms.events import Severity
from analytics.alarms.settings import AlarmSettings
from analytics.alarms.watch import site_assets
from edge.wire import MAX_FUTURE_MS, Status, WireError, decode
from ingest.journal import Entry
from ingest.register import Register

SITES, CLOCKS = "sites_heard:", "site_clock:"
CENTRE_ALARM = "steppe/centre#silent"
LEAST_SITES = 3
"""Fewer sites that are silent together are no word about the centre."""
SOONER = 3
"""The centre's silence is told in so small a part of the time that a site may be silent: the cause comes first."""
SAME_MS = 30_000
"""Two statuses that are off by the same, give or take this, were not held up on their way. [ms]"""
BEHIND_MS, AHEAD_MS = LIVE_MS, MAX_FUTURE_MS
"""Readings by a clock further behind are history and page nobody; further ahead, ingest sets them aside. [ms]"""
MINUTE_MS = 60_000


class SiteClock(msgspec.Struct, frozen=True):
    """How far a site's clock is off, by its last status."""

    ahead_ms: int
    """Negative for behind."""
    agreed: bool
    """The status before said the same."""
    since_ms: int
    """When it was first heard to be so. [ms since 1970-01-01T00:00Z]"""


def note(change: Transaction, kept: Mapping[str, str], entries: Sequence[Entry]) -> None:
    """Keep who has spoken and by which clock, inside the caller's transaction; `kept` is what `kept_clocks` gave."""
    clocks = dict(kept)
    for entry in entries:
        if entry.kind == "status":
            name = f"{CLOCKS}{entry.site}"
            clock = _clock(clocks.get(name), entry)
            if clock is not None:
                clocks[name] = msgspec.json.encode(clock).decode()
    for name in clocks.keys() - {name for name in kept if kept[name] == clocks[name]}:
        change.set_meta(name, clocks[name])
    for site, received_ms in {entry.site: entry.received_ms for entry in entries}.items():
        change.set_meta(f"{SITES}{site}", str(received_ms))


def kept_clocks(database: AlarmDatabase) -> dict[str, str]:
    """Return what is kept of the sites' clocks, for `note`."""
    return database.metas(CLOCKS)


def heard_ms(database: AlarmDatabase, register: Register) -> dict[str, int]:
    """Return the registered sites that were heard → when last. [ms since 1970-01-01T00:00Z]"""
    known = {point.split("/", 1)[0] for point in register.points}
    heard = {name.removeprefix(SITES): int(at) for name, at in database.metas(SITES).items()}
    return {site: at for site, at in heard.items() if site in known}


def silences(
    register: Register,
    settings: AlarmSettings,
    heard: Mapping[str, int],
    standing: Mapping[str, int],
    *,
    now_ms: int,
    since_ms: int,
) -> Iterator[Derived]:
    """Sites silent for too long, and the centre where every site fell silent at once.

    `heard` is site → last word, `standing` the alarms whose condition holds → onset, `since_ms` since when the engine
    has listened without a pause: one that was deaf itself raises nothing and clears nothing but by a word.
    """
    assets = site_assets(register)
    limit_ms = int(settings.site_silent_after_s * 1000)
    for site, last_ms in heard.items():
        alarm = f"{site}#silent"
        stands = alarm in standing and last_ms <= standing[alarm]
        if stands or (now_ms - last_ms > limit_ms and now_ms - since_ms > limit_ms):
            yield Derived(alarm, assets.get(site, site), "site_silent", Severity.HIGH, last_ms)
    yield from _centre(settings, heard, CENTRE_ALARM in standing, now_ms=now_ms, since_ms=since_ms)


def wrong_clocks(register: Register, clocks: Mapping[str, str]) -> Iterator[Derived]:
    """Sites whose clock takes their readings out of the present; value: how far ahead, negative for behind. [min]"""
    assets = site_assets(register)
    known = {point.split("/", 1)[0] for point in register.points}
    for name, text in clocks.items():
        site, clock = name.removeprefix(CLOCKS), msgspec.json.decode(text, type=SiteClock)
        if site in known and clock.agreed and not -BEHIND_MS <= clock.ahead_ms <= AHEAD_MS:
            minutes = round(clock.ahead_ms / MINUTE_MS, 1)
            yield Derived(
                f"{site}#clock", assets.get(site, site), "clock_wrong", Severity.HIGH, clock.since_ms, minutes
            )


def _centre(
    settings: AlarmSettings, heard: Mapping[str, int], stands: bool, *, now_ms: int, since_ms: int
) -> Iterator[Derived]:
    """The centre's own silence, from the first of the last words on: so it precedes every site's that it explains."""
    limit_ms = int(settings.site_silent_after_s * 1000)
    centre_ms = limit_ms // SOONER
    newest_ms = max(heard.values(), default=now_ms)
    spoke = [last_ms for last_ms in heard.values() if newest_ms - last_ms <= limit_ms]
    begins = len(spoke) >= LEAST_SITES and now_ms - since_ms > centre_ms
    if now_ms - newest_ms > centre_ms and (stands or begins):
        yield Derived(CENTRE_ALARM, "steppe", "centre_silent", Severity.CRITICAL, min(spoke), float(len(spoke)))


def _clock(kept: str | None, entry: Entry) -> SiteClock | None:
    """What a status tells of its site's clock; None for a death notice, which was written long before."""
    try:
        status = decode(entry.payload, Status)
    except WireError:
        return None
    if not status.online:
        return None
    ahead_ms = status.at_ms - entry.received_ms
    before = None if kept is None else msgspec.json.decode(kept, type=SiteClock)
    if before is not None and abs(before.ahead_ms - ahead_ms) <= SAME_MS:
        return SiteClock(ahead_ms, True, before.since_ms)
    return SiteClock(ahead_ms, False, entry.received_ms)
