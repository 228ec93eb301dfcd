"""The least and the most outage that all statements about durations allow together.

Each statement bounds the outage inside a window of time. With G(t) the outage up to t, each is a difference
constraint `least <= G(b) - G(a) <= most`, and the tightest bounds that follow from all of them are shortest paths in
the graph of instants. More statements can only shorten paths: more data never widens the bounds.
"""

from typing import NamedTuple

import numpy as np

from analytics.spans import Int

_FAR = np.int64(1) << 60


class Timeline(NamedTuple):
    """One unit's time as breakpoints; every array is sorted and has shape (breaks,)."""

    t_ms: Int
    lost_ms: Int
    """Proven outage up to the instant. [ms]"""
    open_ms: Int
    """Unresolved time up to the instant. [ms]"""


class Statements(NamedTuple):
    """Windows with bounds on the whole outage inside, proven and not; every array has shape (statements,)."""

    start_ms: Int
    end_ms: Int
    least_ms: Int
    most_ms: Int


class PoweredTime(NamedTuple):
    """Readings of powered-time counters at the unit; every array has shape (readings,)."""

    counter: Int
    t_ms: Int
    low_ms: Int
    high_ms: Int


class Bounds(NamedTuple):
    """Outage inside the unresolved time, proven outage not counted. [ms]"""

    least_ms: int
    most_ms: int
    consistent: bool
    """False if the statements contradict each other; then they were set aside."""


def bound_outage(timeline: Timeline, statements: Statements, powered: PoweredTime) -> Bounds:
    """Return the bounds on the outage hidden in a unit's unresolved time.

    Parameters
    ----------
    timeline : Timeline
        Shape (breaks,).
    statements : Statements
        Shape (statements,).
    powered : PoweredTime
        Shape (readings,); only those within the timeline are used.

    Returns
    -------
    Bounds
        The whole unresolved time where the statements contradict each other.

    Notes
    -----
    With G(t) the outage up to t, the tightest bounds that follow from all of::

        least <= G(b) − G(a) <= most          0 <= G(b) − G(a) <= open(b) − open(a)

    are shortest paths in the graph whose nodes are the instants.

    Examples
    --------
    Ten minutes are unresolved; the counter says that at most two of the first six were without supply:

    >>> minute = 60_000
    >>> line = Timeline(np.array([0, 10 * minute]), np.array([0, 0]), np.array([0, 10 * minute]))
    >>> said = Statements(*(np.array([x * minute]) for x in (0, 6, 0, 2)))
    >>> none = PoweredTime(*[np.zeros(0, np.int64)] * 4)
    >>> bound_outage(line, said, none).most_ms / minute
    6.0

    References
    ----------
    .. [1] T. H. Cormen et al., "Introduction to Algorithms", difference constraints and shortest paths.
    """
    whole = int(timeline.open_ms[-1] - timeline.open_ms[0])
    inner = (powered.t_ms >= timeline.t_ms[0]) & (powered.t_ms <= timeline.t_ms[-1])
    powered = PoweredTime(*(column[inner] for column in powered))
    times = (statements.start_ms, statements.end_ms, powered.t_ms)
    opens = [_at(timeline.t_ms, timeline.open_ms, t_ms) for t_ms in times]
    lost_start, lost_end, lost_at = (_at(timeline.t_ms, timeline.lost_ms, t_ms) for t_ms in times)
    edge = timeline.open_ms[[0, -1]]
    place = np.unique(np.concatenate([edge, *opens]))
    start, end, at = (np.searchsorted(place, column) for column in opens)
    lost = lost_end - lost_start
    counters, counter = np.unique(powered.counter, return_inverse=True)
    counter += len(place)
    zero = powered.t_ms - lost_at
    step = np.arange(len(place) - 1)
    edges = [
        (step, step + 1, np.diff(place)),
        (step + 1, step, np.zeros(len(step), np.int64)),
        (start, end, statements.most_ms - lost),
        (end, start, lost - statements.least_ms),
        (counter, at, zero - powered.low_ms),
        (at, counter, powered.high_ms - zero),
    ]
    origin, target, length = (np.concatenate(column) for column in zip(*edges, strict=True))
    nodes = len(place) + len(counters)
    first, last = np.searchsorted(place, edge)
    forth = _shortest(int(first), nodes, origin, target, length)
    back = _shortest(int(last), nodes, origin, target, length)
    if forth is None or back is None:
        return Bounds(0, whole, consistent=False)
    return Bounds(int(max(-back[first], 0)), int(min(forth[last], whole)), consistent=True)


def _at(breaks_ms: Int, sum_ms: Int, t_ms: Int) -> Int:
    return np.rint(np.interp(t_ms, breaks_ms, sum_ms)).astype(np.int64)


def _shortest(source: int, nodes: int, origin: Int, target: Int, length: Int) -> Int | None:
    """Bellman and Ford: the distances from `source`, or None if a circle has negative length."""
    distance = np.full(nodes, _FAR)
    distance[source] = 0
    for _ in range(nodes + 1):
        shorter = distance.copy()
        np.minimum.at(shorter, target, distance[origin] + length)
        if np.array_equal(shorter, distance):
            return distance
        distance = shorter
    return None
