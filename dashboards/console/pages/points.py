"""One point: its trend over a day, a week, a month or a year, drawn or as a table."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from dashboards.console.guard import ThisConsole
from dashboards.console.render import page
from dashboards.console.site import Console
from dashboards.console.views.points import sources_of
from dashboards.console.views.points_page import PointPage, read_page
from dashboards.console.views.points_span import SPAN_NAMES, Span, span_of

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
    full_name = f"{site}/{name}"
    chosen = span_of(span, on, timezone=console.centre.timezone, now_ms=console.now_ms())
    asked = ("point", full_name, chosen.name, chosen.last_day, table)
    kept = console.kept(asked, lambda: _read(console, full_name, chosen, with_table=table))
    return page(request, "points_one.html", full_name, kept=kept, span=chosen, spans=SPAN_NAMES, point=kept.view)


def _read(console: Console, point: str, span: Span, *, with_table: bool) -> PointPage:
    sources, now_ms = sources_of(console, [point.partition("/")[0]]), console.now_ms()
    store, database = console.store(), console.alarms()
    return read_page(store, database, sources, point, span, with_table=with_table, now_ms=now_ms)
