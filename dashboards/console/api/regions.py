"""One region: its month, the regions below it, its assets."""

from fastapi import APIRouter

from dashboards.console.guard import ThisConsole
from dashboards.console.views.kpi_span import region_of
from dashboards.console.views.regions import RegionPage, read_region

router = APIRouter(tags=["kpi"])


@router.get("/regions/{code}")
def one_region(console: ThisConsole, code: str) -> RegionPage:
    """One region as it is now; the names on its map are in the centre's language."""
    return read_region(console, region_of(code, console.register), console.centre.language)
