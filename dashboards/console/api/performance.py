"""How good the alarms themselves are."""

from typing import Annotated

from fastapi import APIRouter, Query

from dashboards.console.guard import ThisConsole
from dashboards.console.views.alarms_asked import period
from dashboards.console.views.performance import PerformancePage, alarm_performance

router = APIRouter(tags=["alarms"])


@router.get("/alarm-performance")
def performance(
    console: ThisConsole,
    first_day: Annotated[str, Query(alias="from", max_length=10)] = "",
    last_day: Annotated[str, Query(alias="to", max_length=10)] = "",
) -> PerformancePage:
    """Rates, floods, chatter and response over some local days, beside the limits of IEC 62682."""
    now_ms = console.now_ms()
    days = period(first_day, last_day, console.centre.timezone, now_ms=now_ms)
    return alarm_performance(console.alarms(), console.register, days.start_ms, days.end_ms, now_ms=now_ms)
