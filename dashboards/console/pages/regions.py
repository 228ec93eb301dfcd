"""`/regions`: from the league down to the gacha, one click each."""

from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from dashboards.console.errors import NotFound
from dashboards.console.guard import ThisConsole
from dashboards.console.render import language_of, page
from dashboards.console.views.kpi_span import region_of
from dashboards.console.views.regions import read_region, topmost

router = APIRouter()


@router.get("/regions")
def show_top(console: ThisConsole) -> Response:
    """Go to the topmost region."""
    regions = topmost(console)
    if not regions:
        raise NotFound("the register holds no region")
    return RedirectResponse(f"/regions/{quote(regions[0].code, safe='')}", 303)


@router.get("/regions/{code}")
def show_region(request: Request, console: ThisConsole, code: str) -> Response:
    """Show one region."""
    found = read_region(console, region_of(code, console.register), language_of(request))
    return page(request, "regions.html", "regions.title", it=found, behind=console.sums.is_behind)
