"""The fast way to count minutes: comparisons on rows that fit the cache, and sums of eight booleans at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]
Volts = NDArray[np.float32]


SEGMENT = 255
"""Words whose bytewise sum cannot overflow a byte."""


class Thresholds(NamedTuple):
    """Set values, each exactly a float32. [V]"""

    lo: float
    hi: float
    assess_lo: float
    assess_hi: float
    dead_below: float


class RowCounts(NamedTuple):
    """Minutes per row by what the voltage says; the rest of a row is missing. [min]"""

    ok: Counts
    over: Counts
    under: Counts
    offscale: Counts
    dead: Counts


def count_rows(rows: NDArray[np.floating], masks: Sequence[Mask], at: Thresholds, workers: int) -> RowCounts:
    """Count the minutes of each row that no mask takes out.

    Parameters
    ----------
    rows : ndarray, shape (rows, minutes)
        Voltages, NaN where there is none. [V]
    masks : sequence of ndarray of bool, shape (rows, minutes)
        Minutes taken out.
    at : Thresholds
        Set values. [V]
    workers : int
        Threads that share the rows.

    Returns
    -------
    RowCounts
        Columns of shape (rows,). [min]

    Examples
    --------
    >>> at = Thresholds(198.0, 235.5, 154.0, 264.0, 11.0)
    >>> [int(column[0]) for column in count_rows(np.array([[220.0, 240.0, 190.0, 100.0, 0.0, np.nan]]), [], at, 1)]
    [1, 1, 1, 1, 1]
    """
    minutes = rows.shape[1]
    sums = np.zeros((6, len(rows), max(-(-minutes // (8 * SEGMENT)), 1)), dtype=np.uint64)

    def count(begin: int, end: int) -> None:
        counter = RowCounter(minutes, at)
        for first in range(begin, end, counter.chunk):
            part = slice(first, min(first + counter.chunk, end))
            counter.count(_without(rows[part].astype(np.float32, copy=False), [m[part] for m in masks]), sums[:, part])

    _share(count, len(rows), workers)
    at_least_lo, at_most_hi, ok, above, below, dead = _bytes_summed(sums).sum(axis=2)
    over, under, below = at_least_lo - ok, at_most_hi - ok, np.maximum(below, dead)
    return RowCounts(ok, over - above, under - below, above + below - dead, dead)


class RowCounter:
    """Counts minutes per row for six conditions, in scratch masks that stay in the cache.

    Eight booleans are read as one 64-bit word; a byte of the sum of up to `SEGMENT` words cannot overflow.
    """

    CHUNK_BYTES = 524_288

    def __init__(self, minutes: int, at: Thresholds) -> None:
        words = max(-(-minutes // 8), 1)
        self.minutes, self.at = minutes, at
        self.chunk = max(self.CHUNK_BYTES // (words * 8), 1)
        self.masks = np.zeros((3, self.chunk, words * 8), dtype=np.bool_)
        self.some = np.empty((self.chunk // 2, minutes), dtype=np.float32)
        self.starts = np.arange(0, words, SEGMENT)

    def count(self, v: Volts, sums: NDArray[np.uint64]) -> None:
        """Write into `sums`, shape (6, rows, segments), the bytewise sums of six conditions."""
        at_least_lo, at_most_hi, ok = self.masks[:, : len(v), : self.minutes]
        np.greater_equal(v, self.at.lo, out=at_least_lo)
        np.less_equal(v, self.at.hi, out=at_most_hi)
        np.logical_and(at_least_lo, at_most_hi, out=ok)
        sums[:3] = self._sums(3, len(v))
        over, under = (np.flatnonzero((kept != sums[2]).any(axis=1)) for kept in sums[:2])
        if len(over):
            some, rows = self._picked(v, over)
            self._compare(np.greater, some, self.at.assess_hi, 0)
            sums[3:4, rows] = self._sums(1, len(some))
        if len(under):
            some, rows = self._picked(v, under)
            self._compare(np.less, some, self.at.assess_lo, 0)
            self._compare(np.less, some, self.at.dead_below, 1)
            sums[4:, rows] = self._sums(2, len(some))

    def _picked(self, v: Volts, rows: NDArray[np.intp]) -> tuple[Volts, NDArray[np.intp] | slice]:
        """The rows, copied side by side; all of them as they are where most are picked."""
        if len(rows) > len(self.some):
            return v, slice(None)
        return np.take(v, rows, axis=0, out=self.some[: len(rows)], mode="clip"), rows

    def _compare(self, compare: np.ufunc, v: Volts, limit: float, mask: int) -> None:
        compare(v, limit, out=self.masks[mask, : len(v), : self.minutes])

    def _sums(self, masks: int, rows: int) -> NDArray[np.uint64]:
        """Bytewise sums of the first masks, shape (masks, rows, segments)."""
        words = self.masks[:masks, :rows].view(np.uint64)
        if len(self.starts) == 1:
            return np.asarray(np.add.reduce(words, axis=2, keepdims=True))
        return np.asarray(np.add.reduceat(words, self.starts, axis=2))


def _without(v: Volts, masks: Sequence[Mask]) -> Volts:
    """The voltages, NaN where any mask holds."""
    if not masks:
        return v
    kept = v.copy()
    for mask in masks:
        kept[np.asarray(mask, dtype=np.bool_)] = np.nan
    return kept


def _share(count: Callable[[int, int], None], rows: int, workers: int) -> None:
    """Let each worker count its share of the rows."""
    if workers <= 1:
        count(0, rows)
        return
    edges = [rows * n // workers for n in range(workers + 1)]
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(count, edges[:-1], edges[1:]))


def _bytes_summed(words: NDArray[np.uint64]) -> Counts:
    """The eight bytes of each word, added: first in pairs to 16 bits, then by one multiplication."""
    low = np.uint64(0x00FF00FF00FF00FF)
    pairs = (words & low) + ((words >> np.uint64(8)) & low)
    return ((pairs * np.uint64(0x0001000100010001)) >> np.uint64(48)).astype(np.int64)
