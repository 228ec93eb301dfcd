"""Points: what they are, what they read now, and their past in steps."""

from typing import Annotated

from fastapi import APIRouter, Query

from dashboards.console.errors import Unusable
from dashboards.console.guard import ThisConsole
from dashboards.console.site import Console
from dashboards.console.views.points import Chart, PointFacts, read_chart, read_facts, sources_of
from dashboards.console.views.points_span import STEPS, Window, span_of, window_of
from dashboards.console.views.register import PointRow, Rows, search_points

router = APIRouter(tags=["points"])

Day = Annotated[str, Query(description="Last local day of the span, YYYY-MM-DD; today if empty")]
Instant = Annotated[int | None, Query(description="ms since 1970-01-01T00:00Z; both ends, in place of a span")]


@router.get("/points")
def points(console: ThisConsole, q: str = "", page: int = 1) -> Rows[PointRow]:
    """Search the registered points; every word of `q` must be in the name, the asset or the limits profile."""
    return search_points(console.index, q, page)


@router.get("/points/{site}/{name}")
def point(console: ThisConsole, site: str, name: str) -> PointFacts:
    """What one point is, and its newest reading with age and quality."""
    return read_facts(console.store(), sources_of(console, [site]), f"{site}/{name}", now_ms=console.now_ms())


@router.get("/points/{site}/{name}/series")
def series(
    console: ThisConsole,
    site: str,
    name: str,
    span: str = "day",
    on: Day = "",
    from_ms: Instant = None,
    to_ms: Instant = None,
    steps: Annotated[int, Query(ge=1, le=5000)] = STEPS,
) -> Chart:
    """One point's past: smallest, largest and mean of each step, what the data are worth, limits and alarms."""
    window = asked_window(console, span, on, from_ms, to_ms, steps)
    sources = sources_of(console, [site])
    return read_chart(console.store(), console.alarms(), sources, f"{site}/{name}", window, now_ms=console.now_ms())


def asked_window(console: Console, span: str, on: str, from_ms: int | None, to_ms: int | None, steps: int) -> Window:
    """Return the window that a request asks for: a span by name, or two instants. Raises Unusable."""
    if (from_ms is None) != (to_ms is None):
        raise Unusable("points.unusable.backwards")
    if from_ms is not None and to_ms is not None:
        return window_of(from_ms, to_ms, steps)
    return span_of(span, on, timezone=console.centre.timezone, now_ms=console.now_ms())
