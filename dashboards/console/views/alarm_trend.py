"""The trend around an alarm as a drawing: a line in a box of 1000 by 200, its limits, its times. Reads only.

Everything is in thousandths of the box, so that it scales with the screen and needs no script.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dashboards.console.views.alarms_limits import Limits
from ingest.store import Buckets, Store

HOUR_MS = 3_600_000
BEFORE_MS, AFTER_MS = 90 * 60_000, 30 * 60_000
LONGEST_MS = 7 * 24 * HOUR_MS
SMALLEST_STEP_MS = 60_000
STEPS = 250
WIDTH, HEIGHT = 1000, 200
TIMES = 5
ROOM = 0.08
"""Free share of the box above and below what is drawn."""
GAP_STEPS = 3
FAR = 2.0
"""A limit further from the readings than this times their range is left out."""


@dataclass(frozen=True)
class Line:
    """A limit across the box."""

    y_pct: float
    value: float
    is_high: bool


@dataclass(frozen=True)
class Tick:
    """A number at an edge of the box."""

    at_pct: float
    value: float


@dataclass(frozen=True)
class Drawing:
    """What is to be drawn."""

    start_ms: int
    end_ms: int
    path: str
    """Of the means, broken where nothing came; SVG path data in a box of 1000 by 200."""
    band: str
    """Between the smallest and the largest reading of each step; empty where they are equal throughout."""
    limits: tuple[Line, ...]
    values: tuple[Tick, ...]
    times: tuple[Tick, ...]
    """Instants. [ms since 1970-01-01T00:00Z]"""
    onset_pct: float
    onset_y_pct: float
    returned_pct: float | None
    worst: float | None
    """The reading furthest beyond a limit since the onset; None where none was beyond."""


def draw(
    store: Store, point: str, bounds: Limits, onset_ms: int, returned_ms: int | None, *, now_ms: int
) -> Drawing | None:
    """Return the trend from a while before the onset to now, or to a while after the return; None without readings.

    Raises StoreDown or StoreRefused.
    """
    over_ms = now_ms if returned_ms is None else min(returned_ms + AFTER_MS, now_ms)
    end_ms = max(over_ms, onset_ms + AFTER_MS)
    start_ms = max(onset_ms - BEFORE_MS, end_ms - LONGEST_MS)
    step_ms = max((end_ms - start_ms) // STEPS // SMALLEST_STEP_MS * SMALLEST_STEP_MS, SMALLEST_STEP_MS)
    found = store.buckets(point, start_ms, end_ms, step_ms)
    return drawing(found, bounds, (start_ms, end_ms), step_ms, onset_ms, returned_ms)


def drawing(
    found: Buckets, bounds: Limits, span_ms: tuple[int, int], step_ms: int, onset_ms: int, returned_ms: int | None
) -> Drawing | None:
    """Return the drawing of a point's buckets; None where none holds a value."""
    held = found.valued > 0
    if not held.any():
        return None
    start_ms, end_ms = span_ms
    low, high, mean = found.low[held], found.high[held], found.mean[held]
    worst = _worst(found, bounds, onset_ms - step_ms)
    bounds = _near(bounds, float(low.min()), float(high.max()))
    marks = [bound for bound in (bounds.low, bounds.high) if bound is not None]
    bottom, top = _range([float(low.min()), float(high.max()), *marks])
    middle_ms = np.minimum(found.start_ms[held] + step_ms // 2, end_ms)
    x = (middle_ms - start_ms) / (end_ms - start_ms) * WIDTH
    level = {name: _y(values, bottom, top) for name, values in (("low", low), ("high", high), ("mean", mean))}
    pieces = np.split(np.arange(len(x)), np.flatnonzero(np.diff(middle_ms) > GAP_STEPS * step_ms) + 1)
    nearest = int(np.argmin(np.abs(middle_ms - onset_ms)))
    return Drawing(
        start_ms=start_ms,
        end_ms=end_ms,
        path="".join(_polyline(x[piece], level["mean"][piece]) for piece in pieces),
        band="".join(_band(x[p], level["low"][p], level["high"][p]) for p in pieces) if (high > low).any() else "",
        limits=tuple(_lines(bounds, bottom, top)),
        values=tuple(Tick(_pct(value, bottom, top), value) for value in _round_values(bottom, top)),
        times=tuple(_times(start_ms, end_ms)),
        onset_pct=_share(onset_ms, start_ms, end_ms),
        onset_y_pct=float(level["mean"][nearest]) / HEIGHT * 100,
        returned_pct=None if returned_ms is None else _share(returned_ms, start_ms, end_ms),
        worst=worst,
    )


def _worst(found: Buckets, bounds: Limits, from_ms: int) -> float | None:
    since = (found.valued > 0) & (found.start_ms >= from_ms)
    if not since.any():
        return None
    lowest, highest = float(found.low[since].min()), float(found.high[since].max())
    below = 0.0 if bounds.low is None else bounds.low - lowest
    above = 0.0 if bounds.high is None else highest - bounds.high
    if max(below, above) <= 0:
        return None
    return lowest if below >= above else highest


def _near(bounds: Limits, lowest: float, highest: float) -> Limits:
    """The limits that are not so far from the readings that they would flatten them."""
    reach = FAR * (highest - lowest) or abs(highest)

    def keep(bound: float | None) -> float | None:
        return bound if bound is not None and lowest - reach <= bound <= highest + reach else None

    return Limits(keep(bounds.low), keep(bounds.high))


def _range(values: Sequence[float]) -> tuple[float, float]:
    bottom, top = min(values), max(values)
    room = (top - bottom) * ROOM or max(abs(top) * ROOM, 1.0)
    return (0.0 if 0 <= bottom < room else bottom - room), top + room


def _y(values: np.ndarray, bottom: float, top: float) -> np.ndarray:
    return np.asarray((top - values) / (top - bottom) * HEIGHT)


def _pct(value: float, bottom: float, top: float) -> float:
    return (top - value) / (top - bottom) * 100


def _share(at_ms: int, start_ms: int, end_ms: int) -> float:
    return min(max((at_ms - start_ms) / (end_ms - start_ms) * 100, 0.0), 100.0)


def _polyline(x: np.ndarray, y: np.ndarray) -> str:
    steps = "L".join(f"{left:.0f} {right:.1f}" for left, right in zip(x.tolist(), y.tolist(), strict=True))
    return f"M{steps}" if len(x) > 1 else f"M{steps}h3"


def _band(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> str:
    return _polyline(np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]])) + "Z"


def _lines(bounds: Limits, bottom: float, top: float) -> Iterator[Line]:
    for value, is_high in ((bounds.high, True), (bounds.low, False)):
        if value is not None:
            yield Line(_pct(value, bottom, top), value, is_high)


def _round_values(bottom: float, top: float) -> list[float]:
    """Three to five round numbers within the box."""
    rough = (top - bottom) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(bottom / step)
    return [round(number * step, 10) for number in range(first, math.floor(top / step) + 1)]


def _times(start_ms: int, end_ms: int) -> Iterator[Tick]:
    """Whole steps of a clock within the span."""
    rough = (end_ms - start_ms) / TIMES
    steps = (5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880)
    step_ms = next((minutes * 60_000 for minutes in steps if minutes * 60_000 >= rough), 2880 * 60_000)
    for at_ms in range(-(-start_ms // step_ms) * step_ms, end_ms + 1, step_ms):
        yield Tick(_share(at_ms, start_ms, end_ms), at_ms)
