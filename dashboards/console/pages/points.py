"""One point: its trend over a day, a week, a month or a year, drawn or as a table."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from dashboards.console.guard import ThisConsole
from dashboards.console.render import page
from dashboards.console.views.points import read_facts, sources_of
from dashboards.console.views.points_alarms import alarms_in
from dashboards.console.views.points_span import SPAN_NAMES, span_of
from dashboards.console.views.points_table import coarse, table_rows
from dashboards.console.views.points_trend import read_trend

router = APIRouter()


@router.get("/points")
def points() -> Response:
    """Lead on to where points are searched."""
    return RedirectResponse("/register/points", 307)


@router.get("/points/{site}/{name}")
def point(
    request: Request, console: ThisConsole, site: str, name: str, span: str = "day", on: str = "", table: bool = False
) -> Response:
    """Show one point. The chart fetches its series once the page stands; the table, if asked for, stands in it."""
    now_ms, full_name = console.now_ms(), f"{site}/{name}"
    chosen = span_of(span, on, timezone=console.centre.timezone, now_ms=now_ms)
    store, sources = console.store(), sources_of(console, [site])
    facts = read_facts(store, sources, full_name, now_ms=now_ms)
    alarms = alarms_in(console.alarms(), sources.register, sources.setpoints, full_name, chosen)
    own = [row for row in alarms if row.holds and row.point == full_name]
    trend = read_trend(store, full_name, coarse(chosen), facts.pace_ms, now_ms=now_ms) if table else None
    return page(
        request,
        "points_one.html",
        full_name,
        facts=facts,
        span=chosen,
        spans=SPAN_NAMES,
        alarms=alarms,
        standing=min(own, key=lambda row: row.priority, default=None),
        table=table_rows(trend) if trend else None,
    )
