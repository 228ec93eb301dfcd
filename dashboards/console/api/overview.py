"""What the first page shows, without its map."""

from fastapi import APIRouter

from dashboards.console.guard import ThisConsole
from dashboards.console.views.kpi_span import home
from dashboards.console.views.overview import RegionRow, YearTile, region_rows, supply_year, voltage_year
from dashboards.console.views.overview_map import conditions

router = APIRouter(tags=["kpi"])


@router.get("/overview/supply")
def supply(console: ThisConsole) -> YearTile:
    """Supply reliability of the county, this year so far."""
    return supply_year(console, home(console.register))


@router.get("/overview/voltage")
def voltage(console: ThisConsole) -> YearTile:
    """Voltage compliance of the county, this year so far."""
    return voltage_year(console, home(console.register))


@router.get("/overview/regions")
def regions(console: ThisConsole) -> tuple[RegionRow, ...]:
    """The regions right below the county and how they are now, the worst first."""
    known = conditions(console.alarms().records(only_standing=True))
    return region_rows(console, home(console.register), known)
