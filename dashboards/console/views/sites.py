"""Sites: who sends, who is silent, and what each one's points read now."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from analytics.alarms.database import AlarmDatabase
from analytics.alarms.watch import site_assets
from dashboards.console.errors import NotFound
from dashboards.console.views.alarms_names import Place, place
from dashboards.console.views.bar import priority
from dashboards.console.views.points import PointValue, Sources, value_of
from dashboards.console.views.points_span import HOUR_MS
from ingest.register import Register
from ingest.sites import HourBalance, Sites, SiteState
from ingest.store import Store

Presence = Literal["online", "offline", "never"]
DAY_HOURS = 24


@dataclass(frozen=True)
class SiteRow:
    """A site in the list."""

    site: str
    place: Place
    presence: Presence
    """`offline`: it said goodbye, or the broker said so for it."""
    heard_ms: int | None
    """When its last word of any kind was received. [ms since 1970-01-01T00:00Z]"""
    points: int
    alarms: int
    """Alarms standing on its points and devices."""
    priority: int | None
    """Of the gravest of them, 1 to 4."""


@dataclass(frozen=True)
class Delivery:
    """What is known of a site's batches, and what it said last of itself."""

    missing_batches: int
    """Sealed by the site, and neither here nor reported as dropped."""
    dropped_readings: int
    """Let go by its full spool, by its own report."""
    spool_batches: int | None
    """Waiting there when it last spoke; None where it has said nothing."""
    clock: str
    """`synced`, `unsynced` or `unknown`."""


@dataclass(frozen=True)
class SitePage:
    """One site: its delivery and its points."""

    row: SiteRow
    delivery: Delivery | None
    """None for a site that is registered and has never said anything."""
    hours: tuple[HourBalance, ...]
    """The last 24 whole hours."""
    devices: tuple[tuple[str, tuple[PointValue, ...]], ...]
    """Device → its points."""
    good_share: float | None
    """Share of the day's promised readings that came with a value; None where none were promised. [0..1]"""


def list_sites(sites: Sites, database: AlarmDatabase, register: Register) -> tuple[SiteRow, ...]:
    """Return every site that is registered or was heard: silent ones first, then those with the gravest alarms."""
    states = {state.site: state for state in sites.states()}
    known = states.keys() | {point.partition("/")[0] for point in register.points}
    assets, alarms = site_assets(register), _standing(database)
    rows = [_row(site, states.get(site), register, assets, alarms) for site in known]
    order = {"offline": 0, "never": 1, "online": 2}
    return tuple(sorted(rows, key=lambda row: (order[row.presence], row.priority or 9, row.site)))


def read_site(
    store: Store, sites: Sites, database: AlarmDatabase, sources: Sources, site: str, *, now_ms: int
) -> SitePage:
    """Return one site. Raises NotFound for one that is neither registered nor was ever heard, or StoreError."""
    registered = [point for point in sources.register.points if point.startswith(f"{site}/")]
    announced = [point for point in sources.announced if point.startswith(f"{site}/")]
    heard = site in sites.names()
    if not registered and not heard:
        raise NotFound(site)
    points = sorted({*registered, *announced})
    latest = store.latest(points)
    state = sites.state(site) if heard else None
    first_ms = (now_ms // HOUR_MS - DAY_HOURS) * HOUR_MS
    hours = tuple(sites.hours(site, first_ms, first_ms + DAY_HOURS * HOUR_MS)) if heard else ()
    return SitePage(
        row=_row(site, state, sources.register, site_assets(sources.register), _standing(database)),
        delivery=_delivery(state) if state else None,
        hours=hours,
        devices=_by_device([value_of(sources, point, latest, now_ms=now_ms) for point in points]),
        good_share=_good_share(hours),
    )


def _delivery(state: SiteState) -> Delivery:
    said = state.status
    spool, clock = (said.spool_batches, said.clock) if said else (None, "unknown")
    return Delivery(state.missing_batches, state.dropped_readings, spool, clock)


def _good_share(hours: Sequence[HourBalance]) -> float | None:
    expected = sum(hour.expected for hour in hours)
    return min(sum(hour.received - hour.bad for hour in hours) / expected, 1.0) if expected else None


def _row(
    site: str,
    state: SiteState | None,
    register: Register,
    assets: Mapping[str, str],
    alarms: Mapping[str, Counter[int]],
) -> SiteRow:
    standing = alarms.get(site, Counter())
    return SiteRow(
        site=site,
        place=place(register, assets.get(site, site)),
        presence=_presence(state),
        heard_ms=max((ms for ms in (state.status_ms, state.last_batch_ms) if ms), default=None) if state else None,
        points=state.points if state else 0,
        alarms=standing.total(),
        priority=min(standing, default=None),
    )


def _presence(state: SiteState | None) -> Presence:
    if state is None or (state.status is None and state.last_batch_ms is None):
        return "never"
    return "offline" if state.status is not None and not state.status.online else "online"


def _standing(database: AlarmDatabase) -> dict[str, Counter[int]]:
    """Site → priority → alarms whose condition holds."""
    found: dict[str, Counter[int]] = {}
    for record in database.records(only_standing=True):
        if record.alarm.condition:
            site = record.id.partition("#")[0].partition("/")[0]
            found.setdefault(site, Counter())[priority(record.alarm.severity)] += 1
    return found


def _by_device(values: Sequence[PointValue]) -> tuple[tuple[str, tuple[PointValue, ...]], ...]:
    devices: dict[str, list[PointValue]] = {}
    for value in values:
        devices.setdefault(value.name.device, []).append(value)
    return tuple((device, tuple(points)) for device, points in devices.items())
