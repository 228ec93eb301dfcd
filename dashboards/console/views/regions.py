"""One region: its month, the regions below it, its assets and how they are, on the way from the league to the gacha."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from analytics.kpi.regions import assets_in, path_of
from dashboards.console.geography import make_sheet
from dashboards.console.site import Console
from dashboards.console.views.alarms_names import Words
from dashboards.console.views.kpi import PartRow, part_rows
from dashboards.console.views.kpi_asked import Asked
from dashboards.console.views.kpi_bounds import Axis, Bounds, axis_of, voltage_bounds
from dashboards.console.views.kpi_span import Month, month_of, way_to
from dashboards.console.views.overview import RegionRow, region_rows
from dashboards.console.views.overview_map import Condition, CountyMap, State, conditions, draw_map
from dashboards.console.words import Language
from ingest.register import Region

KINDS = ("substation", "feeder", "transformer", "customer_group", "water_works", "sewage_station", "village")
"""What the page lists, in this order; gateways and meters are equipment of these."""
MOST_ASSETS = 120
SICK = {"no_supply": 0, "no_data": 1, "ok": 2}


@dataclass(frozen=True)
class AssetRow:
    """One asset of the region."""

    asset: str
    kind: str
    name: Words
    region: Region | None
    customers: int
    state: State
    priority: int | None
    responsible: str
    phone: str


@dataclass(frozen=True)
class RegionPage:
    """Everything that the page of a region shows."""

    region: Region
    way: tuple[Region, ...]
    month: Month
    supply: Bounds
    voltage: Bounds
    parts: tuple[PartRow, ...]
    """Regions below with supply of their own, the worst first."""
    states: tuple[RegionRow, ...]
    """How all regions below are now, the worst first."""
    map: CountyMap | None
    assets: tuple[AssetRow, ...]
    """Those that something is wrong with first."""
    assets_in_all: int
    by_kind: tuple[tuple[str, int], ...]
    """Kind → how many."""
    customers: int

    @property
    def axis(self) -> Axis:
        """Where the bars are drawn."""
        return axis_of(self.supply, *(part.supply for part in self.parts))

    @property
    def voltage_axis(self) -> Axis:
        """Where the bar of the voltage is drawn."""
        return axis_of(self.voltage)


def read_region(console: Console, region: Region, language: Language) -> RegionPage:
    """Return a region as it is now. Raises StoreError, AlarmDatabaseError or BadInput."""
    register = console.register
    month = month_of("", console.now_ms(), console.centre.timezone)
    asked = Asked(console, console.published(), region, month, "mv")
    known = conditions(console.alarms().records(only_standing=True))
    inside = assets_in(region.code, register)
    sheet = make_sheet(register, inside)
    rows = sorted(_assets(console, inside, known), key=_sickest_first)
    voltage = asked.published.voltage(region.code, month.from_day, month.to_day)
    kinds = Counter(row.kind for row in rows)
    return RegionPage(
        region=region,
        way=way_to(region, register),
        month=month,
        supply=asked.bounds(asked.rs),
        voltage=voltage_bounds(voltage, asked.targets["composite_voltage"]),
        parts=part_rows(asked),
        states=region_rows(console, region.code, known),
        map=draw_map(sheet, register, known, language) if sheet else None,
        assets=tuple(rows[:MOST_ASSETS]),
        assets_in_all=len(rows),
        by_kind=tuple((kind, kinds[kind]) for kind in KINDS if kinds[kind]),
        customers=sum(row.customers for row in rows),
    )


def topmost(console: Console) -> list[Region]:
    """Return the regions that lie in no other, by code."""
    regions = console.register.regions
    return sorted(
        (one for one in regions.values() if len(path_of(one.code, console.register)) == 1), key=lambda r: r.code
    )


def _assets(console: Console, inside: frozenset[str], known: dict[str, Condition]) -> Iterator[AssetRow]:
    register = console.register
    for asset in inside:
        stay = register.assets[asset][-1]
        if stay.kind in KINDS:
            how = known.get(asset, Condition("ok", None))
            yield AssetRow(
                asset=asset,
                kind=stay.kind,
                name=Words(stay.name or asset, stay.name_zh or stay.name or asset),
                region=register.regions.get(stay.region),
                customers=stay.customers,
                state=how.state,
                priority=how.priority,
                responsible=stay.responsible,
                phone=stay.phone,
            )


def _sickest_first(row: AssetRow) -> tuple[int, int, int, str]:
    return row.priority or 9, SICK[row.state], KINDS.index(row.kind), row.asset
