"""A trend as a table, for whoever has no script, no eyes for a chart, or wants the numbers."""

from dataclasses import dataclass, replace

from dashboards.console.views.points_span import HOUR_MS, Span, SpanName
from dashboards.console.views.points_trend import State, Trend
from ingest.days import DAY_MS

STEP_MS: dict[SpanName, int] = {"day": HOUR_MS, "week": 6 * HOUR_MS, "month": DAY_MS, "year": 7 * DAY_MS}


@dataclass(frozen=True)
class TableRow:
    """One step."""

    start_ms: int
    low: float | None
    mean: float | None
    high: float | None
    state: State
    """The worst of the step's data."""


GRAVITY: tuple[State, ...] = ("future", "good", "uncertain", "partly", "none", "bad")


def coarse(span: Span) -> Span:
    """Return the same span in as few steps as a person reads."""
    return replace(span, step_ms=STEP_MS[span.name])


def table_rows(trend: Trend) -> tuple[TableRow, ...]:
    """Return a row per step up to now, those without a value too."""
    columns = zip(trend.t_ms, trend.low, trend.mean, trend.high, strict=True)
    held = {t_ms - trend.step_ms // 2: (low, mean, high) for t_ms, low, mean, high in columns if mean is not None}
    rows = []
    for start_ms in range(trend.start_ms, trend.end_ms, trend.step_ms):
        low, mean, high = held.get(start_ms, (None, None, None))
        rows.append(TableRow(start_ms, low, mean, high, _state(trend, start_ms)))
    return tuple(row for row in rows if row.state != "future")


def _state(trend: Trend, start_ms: int) -> State:
    end_ms = start_ms + trend.step_ms
    touched = (one.state for one in trend.strip if one.start_ms < end_ms and one.end_ms > start_ms)
    return max(touched, key=GRAVITY.index, default="future")
