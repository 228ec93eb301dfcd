"""`/kpi`: a month of a region, met, not met, or not known, and why."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from dashboards.console.guard import ThisConsole
from dashboards.console.render import page
from dashboards.console.views.kpi import read_month
from dashboards.console.views.kpi_span import level_of, month_of, region_of

router = APIRouter()

Word = Annotated[str, Query(max_length=40)]
FIRST_ROWS, MOST_ROWS = 60, 5000


@router.get("/kpi")
def show_month(
    request: Request,
    console: ThisConsole,
    month: Word = "",
    region: Word = "",
    level: Word = "",
    rows: Annotated[int, Query(ge=1, le=MOST_ROWS)] = FIRST_ROWS,
) -> Response:
    """Show one month of one region."""
    wanted = month_of(month, console.now_ms(), console.centre.timezone)
    found = read_month(console, region_of(region, console.register), wanted, level_of(level))
    return page(request, "kpi.html", "kpi.title", kpi=found, shown=rows, behind=console.sums.is_behind)
