"""The first page: are the year's targets met, can this be believed, what is wrong and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analytics.alarms import queries
from analytics.alarms.records import AlarmRecord
from analytics.kpi.ledger import Span
from analytics.kpi.published import unit_hours
from analytics.kpi.regions import path_of
from dashboards.console.site import Console
from dashboards.console.texts import local_time
from dashboards.console.views import alarms
from dashboards.console.views.alarms import AlarmList
from dashboards.console.views.alarms_limits import setpoints_of
from dashboards.console.views.kpi_asked import targets_of
from dashboards.console.views.kpi_bounds import (
    Axis,
    Bounds,
    axis_of,
    supply_bounds,
    voltage_bounds,
    voltage_bounds_over,
)
from dashboards.console.views.kpi_span import Month, home, month_of
from dashboards.console.views.overview_day import DAY_MS, LastDay, last_day
from dashboards.console.views.overview_map import Condition, CountyMap, conditions, draw_map
from dashboards.console.views.sites import SiteRow, list_sites
from dashboards.console.words import Language
from ingest.register import Region

YEAR_H = {False: 8760.0, True: 8784.0}
LATEST_SHOWN = 3
LATE_MS = 15 * 60_000
"""A site that is connected and has said nothing for so long is late. [ms]"""


@dataclass(frozen=True)
class YearTile:
    """A target's year so far."""

    year: str
    bounds: Bounds
    months: tuple[float | None, ...]
    """Best estimate of each month so far. [%]"""
    left: Span | None
    """What is left of the year's allowance, per customer [h] or per point [min]; None where nothing is known."""
    allowed: float
    """The year's allowance in the same unit."""

    @property
    def axis(self) -> Axis:
        """Where the bar is drawn."""
        return axis_of(self.bounds)


@dataclass(frozen=True)
class Belief:
    """How much of the county is seen."""

    sites: int
    silent: tuple[SiteRow, ...]
    late: int
    explained: int
    """Silent sites whose alarm another one explains."""
    latest: tuple[SiteRow, ...]
    """Of the connected sites those that were heard longest ago, a few."""


@dataclass(frozen=True)
class RegionRow:
    """One region under the map."""

    region: Region
    priorities: tuple[int, ...]
    """Of its alarms, the gravest first."""
    no_data: int
    no_supply: int


@dataclass(frozen=True)
class Overview:
    """Everything on the first page."""

    region: Region | None
    supply: YearTile
    voltage: YearTile
    belief: Belief
    map: CountyMap | None
    """None where the register has no coordinates."""
    regions: tuple[RegionRow, ...]
    alarms: AlarmList
    day: LastDay


def read_overview(console: Console, language: Language) -> Overview:
    """Return the first page. Raises StoreError, AlarmDatabaseError or BadInput."""
    register, now_ms = console.register, console.now_ms()
    database = console.alarms()
    records = database.records(only_standing=True)
    known = conditions(records)
    sheet = console.sheets.of(register)
    code = home(register)
    return Overview(
        region=register.regions.get(code),
        supply=supply_year(console, code),
        voltage=voltage_year(console, code),
        belief=_belief(list_sites(console.sites(), database, register), records, now_ms),
        map=draw_map(sheet, register, known, language) if sheet else None,
        regions=region_rows(console, code, known),
        alarms=alarms.standing(database, register, setpoints_of(Path(console.centre.register))),
        day=_day(console, now_ms),
    )


def supply_year(console: Console, region: str) -> YearTile:
    """Return a region's supply, this year so far. Raises StoreError."""
    published, months = console.published(), months_so_far(console)
    year = months[0].name[:4]
    target = targets_of(console, year)["reliability"]
    units = unit_hours(published.sums(region, months[0].from_day, months[-1].to_day))
    weight, heads = units.transformer, float(units.transformer.sum())
    hours = (unit_hours(published.sums(region, month.from_day, month.to_day)) for month in months)
    points = [supply_bounds(one.rs(one.transformer), target).point_pct for one in hours]
    allowed = (1 - target.value_pct / 100) * _hours_of(year)
    out = [float(weight @ column) / heads for column in (units.most, units.expected, units.least)] if heads else []
    left = Span(*(allowed - one for one in out)) if out else None
    return YearTile(year, supply_bounds(units.rs(weight), target), tuple(points), left, allowed)


def voltage_year(console: Console, region: str) -> YearTile:
    """Return a region's voltage compliance, this year so far. Raises StoreError."""
    published, months = console.published(), months_so_far(console)
    year = months[0].name[:4]
    target = targets_of(console, year)["composite_voltage"]
    by_month = [published.voltage(region, month.from_day, month.to_day) for month in months]
    bounds = voltage_bounds_over(by_month, target)
    points = tuple(voltage_bounds(one, target).point_pct for one in by_month)
    minutes = 60 * _hours_of(year)
    told = [month for month, pct in zip(months, points, strict=True) if pct is not None]
    passed = sum(min(month.end_ms, console.now_ms()) - month.start_ms for month in told) / 60_000
    allowed, left = (1 - target.value_pct / 100) * minutes, None
    if bounds.low_pct is not None and bounds.point_pct is not None and bounds.high_pct is not None:
        pcts = (bounds.low_pct, bounds.point_pct, bounds.high_pct)
        left = Span(*(allowed - (1 - pct / 100) * passed for pct in pcts))
    return YearTile(year, bounds, points, left, allowed)


def months_so_far(console: Console) -> list[Month]:
    """Return the months of the present year that have begun."""
    now_ms, timezone = console.now_ms(), console.centre.timezone
    today = local_time(now_ms, console.zone, "day")
    return [month_of(f"{today[:4]}-{number:02d}", now_ms, timezone) for number in range(1, int(today[5:7]) + 1)]


def warm(console: Console) -> None:
    """Read and work out what the first page shows of the year, so that nobody has to wait for it.

    The newest month comes first. Raises StoreError or BadInput.
    """
    code = home(console.register)
    console.published().warm([(month.from_day, month.to_day) for month in reversed(months_so_far(console))])
    supply_year(console, code)
    voltage_year(console, code)
    console.sheets.of(console.register)


def region_rows(console: Console, region: str, known: dict[str, Condition]) -> tuple[RegionRow, ...]:
    """Return the regions directly below one, those with the gravest alarms first."""
    register = console.register
    inside: dict[str, list[Condition]] = {c: [] for c, one in register.regions.items() if one.parent == region}
    for asset, how in known.items():
        stays = register.assets.get(asset)
        path = path_of(stays[-1].region, register) if stays else ()
        for code in path:
            if code in inside:
                inside[code].append(how)
    rows = [_region_row(register.regions[code], found) for code, found in inside.items()]
    return tuple(sorted(rows, key=lambda row: (row.priorities or (9,), row.region.code)))


def _region_row(region: Region, found: Sequence[Condition]) -> RegionRow:
    grades = sorted(how.priority for how in found if how.priority is not None)
    states = [how.state for how in found]
    return RegionRow(region, tuple(grades), states.count("no_data"), states.count("no_supply"))


def _belief(rows: Sequence[SiteRow], records: Sequence[AlarmRecord], now_ms: int) -> Belief:
    silent = tuple(row for row in rows if row.presence != "online")
    hidden = {record.id.partition("#")[0].partition("/")[0] for record in records if record.alarm.suppressed_by}
    late = sum(row.presence == "online" and now_ms - (row.heard_ms or 0) > LATE_MS for row in rows)
    latest = sorted((row for row in rows if row.presence == "online"), key=lambda row: row.heard_ms or 0)
    explained = sum(row.site in hidden for row in silent)
    return Belief(len(rows), silent, late, explained, tuple(latest[:LATEST_SHOWN]))


def _day(console: Console, now_ms: int) -> LastDay:
    database = console.alarms()
    with database.reading() as connection:
        found = queries.within(connection, now_ms - DAY_MS, now_ms)
        kinds = database.records_of({one.alarm for one in found})
    return last_day(found, dict(kinds), console.register, now_ms, console.zone)


def _hours_of(year: str) -> float:
    number = int(year)
    return YEAR_H[number % 4 == 0 and (number % 100 != 0 or number % 400 == 0)]
