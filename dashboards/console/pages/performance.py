"""`/alarms/performance`: how good the alarms themselves are."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from dashboards.console.guard import ThisConsole
from dashboards.console.render import page
from dashboards.console.views.alarms_asked import period
from dashboards.console.views.performance import alarm_performance

router = APIRouter()

DAYS = 7


@router.get("/alarms/performance")
def show_performance(
    request: Request,
    console: ThisConsole,
    first_day: Annotated[str, Query(alias="from", max_length=10)] = "",
    last_day: Annotated[str, Query(alias="to", max_length=10)] = "",
) -> Response:
    """Show the figures of some days beside what the standard asks for."""
    now_ms = console.now_ms()
    days = period(first_day, last_day, console.centre.timezone, now_ms=now_ms, days=DAYS)
    shown = alarm_performance(console.alarms(), console.register, days.start_ms, days.end_ms, now_ms=now_ms)
    return page(request, "performance.html", "performance.title", shown=shown, days=days)
