"""Sets of time spans per key, as arrays: who was in what state when.

A span is half-open, `[start_ms, end_ms)`, and belongs to a key (an asset, a unit, a device). A key and an instant
are packed into one integer, so that a whole county is one sorted line and every operation is a sort and a sweep.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

TIME_BITS = 42
"""Instants reach to the year 2109, keys to two million."""


class Spans(NamedTuple):
    """Half-open spans of time, each of one key; not necessarily sorted or disjoint."""

    key: Int
    start_ms: Int
    end_ms: Int

    def take(self, rows: NDArray[np.bool_] | Int) -> "Spans":
        """The rows of a mask or an index."""
        return Spans(self.key[rows], self.start_ms[rows], self.end_ms[rows])


class Parts(NamedTuple):
    """A line cut wherever any of several sets begins or ends."""

    key: Int
    start_ms: Int
    end_ms: Int
    inside: Bool
    """Shape (sets, parts): whether the part lies in the set."""


def spans(key: Sequence[int] | Int, start_ms: Sequence[int] | Int, end_ms: Sequence[int] | Int) -> Spans:
    """Return columns as spans; empty and reversed ones are left out."""
    columns = Spans(*(np.asarray(column, np.int64) for column in (key, start_ms, end_ms)))
    return columns.take(columns.end_ms > columns.start_ms)


def join(*sets: Spans) -> Spans:
    """Return the rows of all sets, one after the other."""
    return Spans(*(np.concatenate(columns) for columns in zip(*sets, strict=True)))


def pack(key: Int, t_ms: Int) -> Int:
    """Return key and instant as one integer that sorts by key, then by time."""
    return (key << TIME_BITS) | t_ms


def union(spans_: Spans) -> Spans:
    """Return the same time as sorted, disjoint spans; overlapping and touching ones are merged.

    Examples
    --------
    >>> union(spans([1, 1, 2], [0, 5, 3], [5, 9, 4])).end_ms.tolist()
    [9, 4]
    """
    if not len(spans_.key):
        return spans_
    order = np.argsort(pack(spans_.key, spans_.start_ms), kind="stable")
    start = pack(spans_.key, spans_.start_ms)[order]
    reach = np.maximum.accumulate(pack(spans_.key, spans_.end_ms)[order])
    first = np.flatnonzero(np.concatenate(([True], start[1:] > reach[:-1])))
    return _unpack(start[first], reach[np.append(first[1:] - 1, len(start) - 1)])


def cut(*sets: Spans) -> Parts:
    """Cut the line wherever a set begins or ends, and say which sets each part lies in.

    Parts that lie in no set are left out.

    Examples
    --------
    >>> parts = cut(spans([7], [0], [10]), spans([7], [4], [6]))
    >>> parts.start_ms.tolist(), parts.inside[1].tolist()
    ([0, 4, 6], [False, True, False])
    """
    starts = [pack(set_.key, set_.start_ms) for set_ in sets]
    ends = [pack(set_.key, set_.end_ms) for set_ in sets]
    edges = np.unique(np.concatenate([*starts, *ends]))
    if len(edges) < 2:
        return Parts(*_unpack(edges[:0], edges[:0]), np.zeros((len(sets), 0), np.bool_))
    inside = np.stack([_covered(edges, start, end) for start, end in zip(starts, ends, strict=True)])
    kept = inside.any(axis=0)
    return Parts(*_unpack(edges[:-1][kept], edges[1:][kept]), inside[:, kept])


def intersect(one: Spans, other: Spans) -> Spans:
    """Return the time that lies in both sets, sorted and disjoint."""
    parts = cut(one, other)
    return union(Spans(*parts[:3]).take(parts.inside[0] & parts.inside[1]))


def subtract(one: Spans, other: Spans) -> Spans:
    """Return the time of `one` that does not lie in `other`, sorted and disjoint."""
    parts = cut(one, other)
    return union(Spans(*parts[:3]).take(parts.inside[0] & ~parts.inside[1]))


def clip(spans_: Spans, start_ms: int | Int, end_ms: int | Int) -> Spans:
    """Return what lies between two instants, given once or per span."""
    return spans(spans_.key, np.maximum(spans_.start_ms, start_ms), np.minimum(spans_.end_ms, end_ms))


def total_ms(spans_: Spans, keys: int) -> Int:
    """Return the summed length per key, shape (keys,). [ms] Overlaps count twice: `union` them first."""
    sums = np.zeros(keys, np.int64)
    np.add.at(sums, spans_.key, spans_.end_ms - spans_.start_ms)
    return sums


def covering(spans_: Spans, key: Int, t_ms: Int) -> Int:
    """Return per (key, instant) which of the sorted, disjoint spans holds it; -1 for none."""
    if not len(spans_.key):
        return np.full(len(key), -1, np.int64)
    at = pack(key, t_ms)
    row = np.searchsorted(pack(spans_.key, spans_.start_ms), at, side="right") - 1
    held = (row >= 0) & (pack(spans_.key, spans_.end_ms)[row] > at)
    return np.where(held, row, -1)


def _covered(edges: Int, start: Int, end: Int) -> Bool:
    depth = np.zeros(len(edges), np.int64)
    np.add.at(depth, np.searchsorted(edges, start), 1)
    np.add.at(depth, np.searchsorted(edges, end), -1)
    return np.asarray(np.cumsum(depth)[:-1] > 0)


def _unpack(start: Int, end: Int) -> Spans:
    mask = (1 << TIME_BITS) - 1
    return Spans(start >> TIME_BITS, start & mask, end & mask)
