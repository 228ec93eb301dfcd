"""Small trends beside values: the last 24 hours as one line, its gaps left open."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dashboards.console.views.points_span import HOUR_MS
from ingest.store import Buckets, Store

SPAN_MS, STEP_MS = 24 * HOUR_MS, HOUR_MS // 2
WIDTH, HEIGHT = 96, 20
MOST = 60
"""Points of one page that get one; a site with more is looked at point by point."""


@dataclass(frozen=True)
class Spark:
    """A line to draw in a box of `WIDTH` by `HEIGHT`, and the scale that a line without axes needs."""

    path: str
    """SVG path: smallest and largest of each step, so that a spike shows."""
    low: float
    high: float


def read_sparks(store: Store, points: Sequence[str], *, now_ms: int) -> dict[str, Spark]:
    """Return point → its line, of the first `MOST` points, where there is a value. Raises StoreError."""
    start_ms = (now_ms - SPAN_MS) // STEP_MS * STEP_MS
    found = {point: store.buckets(point, start_ms, now_ms, STEP_MS) for point in points[:MOST]}
    return {point: spark(buckets, start_ms) for point, buckets in found.items() if (buckets.valued > 0).any()}


def spark(found: Buckets, start_ms: int) -> Spark:
    """Return the line of some steps, at least one of which has a value."""
    held = found.valued > 0
    low, high = float(found.low[held].min()), float(found.high[held].max())
    column = (found.start_ms[held] - start_ms) // STEP_MS
    rows = (found.low[held], found.high[held])
    return Spark(" ".join(_strokes(column, *(_pixels(row, low, high) for row in rows))), low, high)


def _pixels(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """From the top; a flat line runs through the middle."""
    if high == low:
        return np.full(len(value), HEIGHT / 2)
    return (high - value) / (high - low) * (HEIGHT - 2) + 1


def _strokes(column: np.ndarray, low: np.ndarray, high: np.ndarray) -> Iterator[str]:
    step, before = WIDTH * STEP_MS / SPAN_MS, None
    for k, bottom, top in zip(column.tolist(), low.tolist(), high.tolist(), strict=True):
        x = (k + 0.5) * step
        yield f"{'L' if before == k - 1 else 'M'}{x:.1f} {top:.1f}V{bottom:.1f}"
        before = k
