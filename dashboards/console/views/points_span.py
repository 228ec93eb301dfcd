"""Which time is looked at: a day, a week, a month or a year of local days, or any window, and in which steps."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

import numpy as np

from dashboards.console.errors import Unusable
from ingest.days import DAY_MS, day_bounds, day_numbers, day_text

SpanName = Literal["day", "week", "month", "year"]
SPAN_NAMES: tuple[SpanName, ...] = get_args(SpanName)
DAYS: dict[SpanName, int] = {"day": 1, "week": 7, "month": 30, "year": 365}
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
STEP_MS: dict[SpanName, int] = {
    "day": 5 * MINUTE_MS,
    "week": 30 * MINUTE_MS,
    "month": 2 * HOUR_MS,
    "year": DAY_MS,
}
"""As many steps as a narrow screen has columns: what lies between them is in the band from smallest to largest."""
STEPS = 400
LONGEST_MS = 400 * DAY_MS
FIRST_DAY = date(1990, 1, 1)
EASY_STEPS_MS = (
    *(seconds * 1000 for seconds in (1, 2, 5, 10, 15, 30)),
    *(minutes * MINUTE_MS for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR_MS for hours in (1, 2, 3, 6, 12, 24)),
)


@dataclass(frozen=True)
class Window:
    """A time and its steps."""

    start_ms: int
    end_ms: int
    step_ms: int


@dataclass(frozen=True)
class Span(Window):
    """Whole local days."""

    name: SpanName
    first_day: str
    """`YYYY-MM-DD`."""
    last_day: str
    earlier: str
    """Last day of the span before."""
    later: str | None
    """Last day of the span after, today at most; None where this one reaches today."""


def span_of(name: str, on: str, *, timezone: str, now_ms: int) -> Span:
    """Return the span of a name that ends with the local day `on` (today if empty). Raises Unusable."""
    if name not in SPAN_NAMES:
        raise Unusable("points.unusable.span")
    known: SpanName = name
    today = date.fromisoformat(local_day(now_ms, timezone))
    last = parse_day(on) if on else today
    if last > today:
        raise Unusable("points.unusable.future")
    first = last - timedelta(days=DAYS[known] - 1)
    return Span(
        start_ms=day_bounds(first.isoformat(), timezone)[0],
        end_ms=day_bounds(last.isoformat(), timezone)[1],
        step_ms=STEP_MS[known],
        name=known,
        first_day=first.isoformat(),
        last_day=last.isoformat(),
        earlier=max(first - timedelta(days=1), FIRST_DAY).isoformat(),
        later=min(last + timedelta(days=DAYS[known]), today).isoformat() if last < today else None,
    )


def window_of(from_ms: int, to_ms: int, steps: int = STEPS) -> Window:
    """Return a window in at most so many easy steps. Raises Unusable."""
    if not 0 <= from_ms < to_ms < 2**42:
        raise Unusable("points.unusable.backwards")
    if to_ms - from_ms > LONGEST_MS:
        raise Unusable("points.unusable.long")
    wanted_ms = (to_ms - from_ms) / steps
    return Window(from_ms, to_ms, next(step_ms for step_ms in EASY_STEPS_MS if step_ms >= wanted_ms))


def parse_day(text: str) -> date:
    """Return the day of `YYYY-MM-DD`. Raises Unusable for anything else, and for a day no meter has seen."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Unusable("points.unusable.day") from error
    if not FIRST_DAY <= day <= date(2100, 1, 1):
        raise Unusable("points.unusable.day")
    return day


def local_day(t_ms: int, timezone: str) -> str:
    """Return the local day of an instant, `YYYY-MM-DD`."""
    return day_text(int(day_numbers(np.array([t_ms], np.int64), timezone)[0]))
