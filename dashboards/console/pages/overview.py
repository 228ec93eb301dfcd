"""`/`: the operator's wall."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from dashboards.console.guard import ThisConsole
from dashboards.console.render import fragment, language_of, page
from dashboards.console.views.overview import read_overview

router = APIRouter()


@router.get("/")
def show_overview(request: Request, console: ThisConsole) -> Response:
    """Show the county on one page."""
    found = read_overview(console, language_of(request))
    return page(request, "overview.html", "overview.title", it=found, behind=console.sums.is_behind)


@router.get("/overview/now")
def show_now(request: Request, console: ThisConsole) -> Response:
    """Show the part that changes with the alarms again."""
    return fragment(request, "_overview_now.html", it=read_overview(console, language_of(request)))
