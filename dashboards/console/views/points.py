"""One point: what it is, what it reads now and how old that is, what it is held against, and who stands beside it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analytics.alarms.database import AlarmDatabase
from analytics.limits import Setpoint
from dashboards.console.errors import NotFound
from dashboards.console.site import Console
from dashboards.console.views.alarms_limits import setpoints_of
from dashboards.console.views.alarms_names import Place, place
from dashboards.console.views.alarms_rows import AlarmRow
from dashboards.console.views.points_alarms import alarms_in
from dashboards.console.views.points_limits import PointLimit, broken, limits_of
from dashboards.console.views.points_names import PointName, name_of
from dashboards.console.views.points_newest import NEVER, Newest, newest_of
from dashboards.console.views.points_projection import Projection, projected
from dashboards.console.views.points_span import Window
from dashboards.console.views.points_trend import Trend, pace_of, read_trend
from edge.wire import PointInfo
from ingest.days import DAY_MS
from ingest.register import PointEntry, Register
from ingest.store import Latest, Store

BESIDE = 12
"""So many points of the same asset are named at most."""


@dataclass(frozen=True)
class PointValue:
    """A point in a list: name, newest reading, limits."""

    name: PointName
    newest: Newest
    limits: tuple[PointLimit, ...]
    beyond: PointLimit | None
    """The limit that its value is beyond now; None for none, and for a value that is not usable."""


@dataclass(frozen=True)
class PointFacts:
    """Everything about a point but its past."""

    value: PointValue
    place: Place | None
    """None for a point that no register names: stored all the same, and nobody's yet."""
    entry: PointEntry | None
    pace_ms: float | None
    """Longest time between two readings that the site promised. [ms]"""
    by_exception: bool
    """Whether it is sent on change, and silence in between is no loss."""
    is_counter: bool
    day_share: float | None
    """Share of the last 24 hours' promised readings that came with a value; None where nothing was promised. [0..1]"""
    beside: tuple[PointValue, ...]
    """Other points of the same asset."""


@dataclass(frozen=True)
class Chart:
    """A point's past over a window, with all that is drawn into it. The API answers with this very object."""

    point: str
    unit: str
    now_ms: int
    trend: Trend
    limits: tuple[PointLimit, ...]
    alarms: tuple[AlarmRow, ...]
    projection: Projection | None


@dataclass(frozen=True)
class Sources:
    """What points are looked up in."""

    register: Register
    setpoints: Sequence[Setpoint]
    announced: Mapping[str, PointInfo]
    """Full name → what the site promised of the point."""


def read_facts(store: Store, sources: Sources, point: str, *, now_ms: int) -> PointFacts:
    """Return one point. Raises NotFound for one that is neither registered, nor announced, nor stored; StoreError."""
    entry, info = sources.register.points.get(point), sources.announced.get(point)
    beside = _beside(sources.register, entry)
    latest = store.latest([point, *beside])
    if entry is None and info is None and point not in latest:
        raise NotFound(point)
    last_day = Window(now_ms - DAY_MS, now_ms, DAY_MS)
    return PointFacts(
        value=value_of(sources, point, latest, now_ms=now_ms),
        place=place(sources.register, entry.asset) if entry else None,
        entry=entry,
        pace_ms=pace_of(info),
        by_exception=info.by_exception if info else False,
        is_counter=info.counter if info else False,
        day_share=read_trend(store, point, last_day, pace_of(info), now_ms=now_ms).good_share,
        beside=tuple(value_of(sources, other, latest, now_ms=now_ms) for other in beside),
    )


def read_chart(
    store: Store, database: AlarmDatabase, sources: Sources, point: str, window: Window, *, now_ms: int
) -> Chart:
    """Return a point's past over a window. Raises NotFound, StoreError or AlarmDatabaseError."""
    if point not in sources.register.points and point not in sources.announced and not store.latest([point]):
        raise NotFound(point)
    trend = read_trend(store, point, window, pace_of(sources.announced.get(point)), now_ms=now_ms)
    limits = limits_of(sources.register.points.get(point), sources.setpoints)
    return Chart(
        point=point,
        unit=name_of(point).unit,
        now_ms=now_ms,
        trend=trend,
        limits=limits,
        alarms=alarms_in(database, sources.register, sources.setpoints, point, window),
        projection=projected(trend.t_ms, trend.mean, limits, now_ms=now_ms),
    )


def value_of(sources: Sources, point: str, latest: Mapping[str, Latest], *, now_ms: int) -> PointValue:
    """Return a point with its newest reading, if `latest` has one."""
    pace_ms = pace_of(sources.announced.get(point))
    newest = newest_of(latest[point], pace_ms, now_ms=now_ms) if point in latest else NEVER
    limits = limits_of(sources.register.points.get(point), sources.setpoints)
    beyond = broken(limits, newest.value) if newest.is_usable and newest.value is not None else None
    return PointValue(name_of(point), newest, limits, beyond)


def sources_of(console: Console, sites: Iterable[str]) -> Sources:
    """Return what the points of some sites are looked up in. Raises JournalError."""
    deliveries = console.sites()
    lists = [said for site in set(sites) if (said := deliveries.point_list(site)) is not None]
    announced = {f"{said.site}/{info.name}": info for said in lists for info in said.points}
    return Sources(console.register, setpoints_of(Path(console.centre.register)), announced)


def _beside(register: Register, entry: PointEntry | None) -> list[str]:
    if entry is None:
        return []
    others = (other.point for other in register.points.values() if other.asset == entry.asset)
    return [point for point in others if point != entry.point][:BESIDE]
