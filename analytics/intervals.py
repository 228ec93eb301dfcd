"""Intervals of units: the union that keeps nested records from counting twice, and the cut to a period.

Time is int64 milliseconds since 1970-01-01T00:00Z, and every interval is half-open, `[start, end)`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ms = NDArray[np.int64]


@dataclass(frozen=True)
class Intervals:
    """Half-open intervals by unit, one element per interval."""

    unit: Ms
    start_ms: Ms
    end_ms: Ms

    def __len__(self) -> int:
        return len(self.unit)


def union_intervals(unit: ArrayLike, start_ms: ArrayLike, end_ms: ArrayLike, *, merge_gap_ms: int = 0) -> Intervals:
    """Merge overlapping and touching intervals of each unit (R1).

    Parameters
    ----------
    unit : array_like of int, shape (n,)
        Unit of each interval; equal numbers are merged with one another.
    start_ms, end_ms : array_like of int, shape (n,)
        Half-open intervals. [ms since 1970-01-01T00:00Z]
    merge_gap_ms : int
        Intervals closer than this are merged too (R7). [ms]

    Returns
    -------
    Intervals
        Sorted by unit and start; m ≤ n of them.

    Raises
    ------
    ValueError
        If the columns differ in length or an interval does not end after it starts (R8).

    Examples
    --------
    >>> merged = union_intervals([7, 7, 7], [0, 5, 30], [10, 20, 40])
    >>> merged.start_ms.tolist(), merged.end_ms.tolist()
    ([0, 30], [20, 40])
    """
    units, start, end = interval_columns(unit, start_ms, end_ms)
    order, first = group_touching(units, start, end, merge_gap_ms)
    heads = np.flatnonzero(first)
    if not len(heads):
        return Intervals(units, start, end)
    return Intervals(units[order][heads], start[order][heads], np.maximum.reduceat(end[order], heads))


def clip_intervals(intervals: Intervals, from_ms: ArrayLike, to_ms: ArrayLike) -> Intervals:
    """Cut intervals to a window and drop what lies outside (R2, R11).

    Parameters
    ----------
    intervals : Intervals
        Of shape (n,).
    from_ms, to_ms : int or array_like of int, shape (n,)
        The window, or one window per interval. [ms since 1970-01-01T00:00Z]

    Returns
    -------
    Intervals
        Those with time inside the window, cut to it.

    Examples
    --------
    >>> clip_intervals(union_intervals([1, 2], [-5, 90], [5, 95]), 0, 50).end_ms.tolist()
    [5]
    """
    start, end = np.maximum(intervals.start_ms, from_ms), np.minimum(intervals.end_ms, to_ms)
    inside = end > start
    return Intervals(intervals.unit[inside], start[inside], end[inside])


def interval_columns(unit: ArrayLike, start_ms: ArrayLike, end_ms: ArrayLike) -> tuple[Ms, Ms, Ms]:
    """Three int64 columns of one length, each interval ending after it starts; `ValueError` otherwise (R8)."""
    units, start, end = (np.asarray(column, dtype=np.int64) for column in (unit, start_ms, end_ms))
    if not units.shape == start.shape == end.shape or units.ndim != 1:
        raise ValueError(f"columns differ in length: {units.shape}, {start.shape}, {end.shape}")
    if (end <= start).any():
        raise ValueError(f"interval {int(np.flatnonzero(end <= start)[0])} does not end after it starts")
    return units, start, end


def group_touching(units: Ms, start: Ms, end: Ms, merge_gap_ms: int = 0) -> tuple[Ms, NDArray[np.bool_]]:
    """Sort intervals by unit and start, and mark in that order the first of each group that touches."""
    order = np.lexsort((start, units))
    if not len(order):
        return order, np.zeros(0, dtype=np.bool_)
    _, dense = np.unique(units[order], return_inverse=True)
    origin, span = int(start.min()), int(end.max() - start.min()) + merge_gap_ms + 1
    shift = dense.astype(np.int64) * span - origin
    reach = np.maximum.accumulate(end[order] + shift)
    gap = (start[order] + shift)[1:] - reach[:-1]
    new_unit = dense[1:] != dense[:-1]
    return order, np.concatenate(([True], new_unit | (gap > 0) & (gap >= merge_gap_ms)))
