"""Expected against received, per point and local day: how much of what a site promised is in the store.

`sites.py` says the same per site and hour from the journal's own counts, whether the store has them yet or not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.wire import PointInfo, PointList
from ingest.columns import FIRST_BAD
from ingest.days import day_bounds
from ingest.store import Store


@dataclass(frozen=True)
class PointDay:
    """One point on one local day."""

    point: str
    """Full name."""
    day: str
    """Local day, `YYYY-MM-DD`."""
    expected: float
    """By the announced period; of a point by exception the least that it sends. [readings]"""
    received: int
    """Rows in the store, with a value or without."""
    good: int
    """Of these, rows with a value."""
    covered: float
    """Share of the day's periods that hold a row with a value: what a burst of rows cannot make up for. [0..1]"""


def completeness(store: Store, announced: PointList, day: str, timezone: str) -> list[PointDay]:
    """Return each announced point's day. Raises StoreDown or StoreRefused.

    A point by exception without a longest silence is expected to send nothing.
    """
    start_ms, end_ms = day_bounds(day, timezone)
    names = [f"{announced.site}/{info.name}" for info in announced.points]
    received, good = _counts(store, names, start_ms, end_ms)
    return [
        PointDay(
            point=name,
            day=day,
            expected=(end_ms - start_ms) / (1000 * _longest_pause_s(info)),
            received=int(received[i]),
            good=int(good[i]),
            covered=float(store.coverage([name], start_ms, end_ms, _period_ms(info))[0]),
        )
        for i, (name, info) in enumerate(zip(names, announced.points, strict=True))
    ]


def _counts(store: Store, names: list[str], start_ms: int, end_ms: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows per point, and rows with a value per point."""
    received, good = np.zeros(len(names), np.intp), np.zeros(len(names), np.intp)
    for piece in store.stream(names, start_ms, end_ms):
        received += np.bincount(piece.index, minlength=len(names))
        good += np.bincount(piece.index[piece.quality < FIRST_BAD], minlength=len(names))
    return received, good


def _longest_pause_s(info: PointInfo) -> float:
    """Between two readings; of a point by exception its longest silence. [s]"""
    if not info.by_exception:
        return info.period_s
    return float("inf") if info.max_silence_s is None else info.max_silence_s


def _period_ms(info: PointInfo) -> int:
    pause_s = _longest_pause_s(info)
    return max(int(1000 * (info.period_s if pause_s == float("inf") else pause_s)), 1)
