"""Data health: who sends, how late, how much of what was promised, and what could not be taken. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analytics.alarms.watch import site_assets
from dashboards.console.views.alarms_names import Place, place
from ingest.deadletter import DeadLetters, Letter
from ingest.lines import measurement
from ingest.register import Register
from ingest.sites import Gap, HourBalance, Incident, Sites, SiteState
from ingest.store import Store

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LATE_MS, GONE_MS = 10 * 60_000, 30 * 60_000
"""A site is heard at least once a minute: silent for this long it is late, and for this long it is gone. [ms]"""
GAP_MS = 15 * 60_000
"""Batches missing for a shorter time are still on their way. [ms]"""
GOOD = 0.995
"""Share of the promised readings from which on an hour or a day is drawn as whole."""
NEWEST_LETTERS = 20
COUNTERS = ("requests", "timeouts", "refused", "bad_crc", "garbage_bytes")

Voice = Literal["heard", "late", "gone", "never"]


@dataclass(frozen=True)
class Run:
    """Neighbouring hours that are alike."""

    first: int
    count: int
    share: float | None
    """Of the promised readings that came with a value; None for no data."""


@dataclass(frozen=True)
class SiteHealth:
    """One site at one glance."""

    site: str
    place: Place
    voice: Voice
    heard_ms: int | None
    """When anything of it was received last. [ms since 1970-01-01T00:00Z]"""
    said_goodbye: bool
    """Its death came: it is off by its own word, or its line is."""
    points: int
    expected: float
    """Readings promised in the last 24 whole hours."""
    received: int
    bad: int
    """Of the received, those of instruments that did not answer."""
    hours: tuple[float | None, ...]
    """Per hour, oldest first, the share of the promised readings that came with a value; None for no promise."""
    clock: str
    """`synced`, `unsynced`, `unknown`."""
    clock_steps: int
    spool_batches: int
    """Waiting at the site, by its last word."""
    oldest_ms: int | None
    """When the oldest of them was sampled. [ms since 1970-01-01T00:00Z]"""
    missing_batches: int
    """Neither here nor reported as dropped."""
    dropped_readings: int
    """Let go by a full spool, by its own report."""
    set_aside: str
    """File of a damaged spool that waits for a person; empty for none."""
    version: str

    @property
    def good_share(self) -> float | None:
        """Share of the promised readings that came with a value; None where none was promised."""
        return min((self.received - self.bad) / self.expected, 1.0) if self.expected else None

    @property
    def in_order(self) -> bool:
        """Whether nobody needs to look: heard, whole, on time, and nothing waits or is missing."""
        share = self.good_share
        lost = self.missing_batches or self.spool_batches or self.set_aside
        return self.voice == "heard" and self.clock != "unsynced" and not lost and share is not None and share >= GOOD

    @property
    def runs(self) -> tuple[Run, ...]:
        """The hours again, neighbours of one share as one."""
        found: list[Run] = []
        for number, share in enumerate(self.hours):
            kind = None if not share else 1.0 if share >= GOOD else share
            if found and found[-1].share == kind:
                found[-1] = Run(found[-1].first, found[-1].count + 1, kind)
            else:
                found.append(Run(number, 1, kind))
        return tuple(found)


@dataclass(frozen=True)
class LineHealth:
    """What a field line has been through since its gateway started."""

    line: str
    """`site/line`."""
    counters: Mapping[str, float]
    """Requests, timeouts, refused, bad_crc, garbage_bytes."""
    latency_ms: float | None
    """Kept by 95 of 100 answers. [ms]"""
    t_ms: int

    @property
    def lost_share(self) -> float | None:
        """Share of the requests that were not answered well; None before the first."""
        asked = self.counters.get("requests", 0.0)
        lost = self.counters.get("timeouts", 0.0) + self.counters.get("bad_crc", 0.0)
        return lost / asked if asked else None


@dataclass(frozen=True)
class Health:
    """Everything about the data's way."""

    sites: tuple[SiteHealth, ...]
    """Those that are silent or miss most first."""
    gaps: tuple[Gap, ...]
    letters: tuple[Letter, ...]
    """The newest messages that could not be taken."""
    letter_count: int
    letters_gone: int
    """Went because the file was full."""
    journal_bytes: int
    journal_max_bytes: int
    incidents: tuple[Incident, ...]

    @property
    def silent(self) -> int:
        """Sites that are not heard."""
        return sum(site.voice != "heard" for site in self.sites)


def health(
    sites: Sites, letters: DeadLetters, register: Register, journal: Path, journal_max_mb: float, *, now_ms: int
) -> Health:
    """Return what is known of the data's way up to the store. Raises JournalError."""
    end_ms = now_ms // HOUR_MS * HOUR_MS
    assets = site_assets(register)
    with sites.reading():
        known = {state.site: state for state in sites.states()}
        hours = {name: sites.hours(name, end_ms - DAY_MS, end_ms) for name in sorted({*known, *assets})}
        gaps = sites.gaps(now_ms=now_ms, older_than_ms=GAP_MS)
        incidents = sites.incidents()
    found = [_site(register, assets, known.get(name), name, balance, now_ms) for name, balance in hours.items()]
    kept = letters.letters()
    return Health(
        sites=tuple(sorted(found, key=_worst)),
        gaps=tuple(gap for gap in gaps if gap.closed_ms is None),
        letters=tuple(sorted(kept, key=lambda letter: -letter.last_ms)[:NEWEST_LETTERS]),
        letter_count=len(kept),
        letters_gone=letters.gone(),
        journal_bytes=sum(part.stat().st_size for part in journal.parent.glob(f"{journal.name}*") if part.is_file()),
        journal_max_bytes=int(journal_max_mb * 1_000_000),
        incidents=tuple(reversed(incidents)),
    )


def lines(store: Store, sites: Sites) -> tuple[LineHealth, ...]:
    """Return the field lines on which damage can be seen, the worst first. Raises StoreDown or StoreRefused."""
    with sites.reading():
        lists = {site: sites.point_list(site) for site in sites.names()}
    names = [
        f"{site}/{info.name}"
        for site, announced in lists.items()
        if announced is not None
        for info in announced.points
        if _is_line(info.name)
    ]
    newest = store.latest(names) if names else {}
    found: dict[str, dict[str, tuple[float, int]]] = {}
    for name, latest in newest.items():
        found.setdefault(_line_of(name), {})[measurement(name)] = (latest.value, latest.t_ms)
    return tuple(
        sorted((_line(name, values) for name, values in found.items()), key=lambda one: -(one.lost_share or 0))
    )


def _site(
    register: Register,
    assets: Mapping[str, str],
    state: SiteState | None,
    name: str,
    hours: Sequence[HourBalance],
    now_ms: int,
) -> SiteHealth:
    status = state.status if state else None
    heard_ms = max(filter(None, (state.status_ms, state.last_batch_ms)), default=None) if state else None
    return SiteHealth(
        site=name,
        place=place(register, assets.get(name, name)),
        voice=_voice(heard_ms, now_ms),
        heard_ms=heard_ms,
        said_goodbye=status is not None and not status.online,
        points=state.points if state else 0,
        expected=sum(hour.expected for hour in hours),
        received=sum(hour.received for hour in hours),
        bad=sum(hour.bad for hour in hours),
        hours=tuple(_hour_share(hour) for hour in hours),
        clock=status.clock if status else "unknown",
        clock_steps=state.clock_steps if state else 0,
        spool_batches=status.spool_batches if status else 0,
        oldest_ms=status.oldest_ms if status else None,
        missing_batches=state.missing_batches if state else 0,
        dropped_readings=state.dropped_readings if state else 0,
        set_aside=(status.set_aside or "") if status else "",
        version=status.version if status else "",
    )


def _voice(heard_ms: int | None, now_ms: int) -> Voice:
    if heard_ms is None:
        return "never"
    silent_ms = now_ms - heard_ms
    return "gone" if silent_ms > GONE_MS else "late" if silent_ms > LATE_MS else "heard"


def _hour_share(hour: HourBalance) -> float | None:
    return min((hour.received - hour.bad) / hour.expected, 1.0) if hour.expected else None


def _worst(site: SiteHealth) -> tuple[int, float, str]:
    order = {"never": 1, "gone": 0, "late": 2, "heard": 3}
    return order[site.voice], 1.0 if site.good_share is None else site.good_share, site.site


def _is_line(name: str) -> bool:
    """`gateway.LINE.timeouts_count`, as `edge.linestats` names them."""
    parts = name.split(".")
    return len(parts) == 3 and parts[0] == "gateway" and _counter(parts[2]) is not None


def _counter(quantity: str) -> str | None:
    name = quantity.removesuffix("_count")
    return name if name in COUNTERS or quantity == "latency95_ms" else None


def _line_of(point: str) -> str:
    site, name = point.split("/", 1)
    return f"{site}/{name.split('.')[1]}"


def _line(name: str, values: Mapping[str, tuple[float, int]]) -> LineHealth:
    counters = {quantity.removesuffix("_count"): value for quantity, (value, _) in values.items() if value == value}
    latency_ms = counters.pop("latency95_ms", None)
    return LineHealth(name, counters, latency_ms, max(t_ms for _, t_ms in values.values()))
