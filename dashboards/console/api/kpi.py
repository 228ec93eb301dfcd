"""The numbers: a month of a region, the year so far, one region."""

from typing import Annotated

from fastapi import APIRouter, Query

from dashboards.console.guard import ThisConsole
from dashboards.console.views.kpi import KpiMonth, read_month
from dashboards.console.views.kpi_span import level_of, month_of, region_of

router = APIRouter(tags=["kpi"])

Word = Annotated[str, Query(max_length=40)]


@router.get("/kpi")
def one_month(console: ThisConsole, month: Word = "", region: Word = "", level: Word = "") -> KpiMonth:
    """One month of one region: bounds, verdict, causes, days, parts, interruptions, and what would decide it.

    Without `month` the present one, without `region` the county, without `level` the 10 kV level of DL/T 836 (`mv`).
    """
    wanted = month_of(month, console.now_ms(), console.centre.timezone)
    return read_month(console, region_of(region, console.register), wanted, level_of(level))
