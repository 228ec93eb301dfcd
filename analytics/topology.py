"""Who supplies whom, and since when: the tree of assets with its dates, as arrays.

One row per stay: an asset that moves between feeders has one row for each place. Facts travel over this tree, each
only while the row was valid: a sign of life climbs to everything that supplies it, a lost supply descends.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.spans import Bool, Int, Spans, spans

NO_PARENT = -1
FOREVER_MS = (1 << 42) - 1

SUBSTATION, FEEDER, TRANSFORMER, SERVICE = 0, 1, 2, 3
"""Kinds of asset that matter to supply; SERVICE is anything a customer is connected to below a transformer."""
KIND_NAMES = ("substation", "feeder", "transformer", "service")


@dataclass(frozen=True, eq=False)
class Topology:
    """Stays of assets; every array has shape (rows,)."""

    asset: Int
    """Which asset, numbered from 0."""
    parent: Int
    """The asset that supplies it; -1 for none."""
    from_ms: Int
    """First instant of the stay. [ms since 1970-01-01T00:00Z]"""
    to_ms: Int
    """First instant after the stay. [ms since 1970-01-01T00:00Z]"""
    customers: Int
    """Customers directly at the asset, its children's not counted. [customers]"""
    kind: NDArray[np.int8]
    """SUBSTATION, FEEDER, TRANSFORMER or SERVICE."""
    may_backfeed: Bool
    """True where the asset may be energised from below or beside (generator, closed ring): facts stop here."""

    def __post_init__(self) -> None:
        if np.any(self.asset[1:] < self.asset[:-1]):
            raise ValueError("topology: sort the rows by asset and then by from_ms")
        if np.any((self.asset[1:] == self.asset[:-1]) & (self.from_ms[1:] < self.to_ms[:-1])):
            raise ValueError("topology: the stays of one asset must not overlap")

    @property
    def assets(self) -> int:
        """How many assets there are."""
        return int(max(self.asset.max(initial=-1), self.parent.max(initial=-1))) + 1


class Facts(NamedTuple):
    """Spans on assets, each with the number of the thing that proves it."""

    spans: Spans
    source: Int


def simple_topology(
    parent: list[int], customers: list[int], kind: list[int], may_backfeed: list[bool] | None = None
) -> Topology:
    """Return a topology that never changed: asset i is supplied by parent[i]."""
    rows = len(parent)
    return Topology(
        asset=np.arange(rows, dtype=np.int64),
        parent=np.asarray(parent, np.int64),
        from_ms=np.zeros(rows, np.int64),
        to_ms=np.full(rows, FOREVER_MS),
        customers=np.asarray(customers, np.int64),
        kind=np.asarray(kind, np.int8),
        may_backfeed=np.asarray(may_backfeed or [False] * rows, np.bool_),
    )


def climb(facts: Facts, topology: Topology) -> Facts:
    """Return the facts on their own assets and on every asset of the supply path at that time (O11).

    They do not leave an asset that may be backfed: life below it may come from elsewhere.
    """
    return _travel(facts, topology, _upward(topology))


def descend(facts: Facts, topology: Topology) -> Facts:
    """Return the facts on their own assets and on every asset supplied from there at that time.

    They do not enter an asset that may be backfed: it may live without this supply.
    """
    return _travel(facts, topology, _downward(topology))


def around(facts: Facts, topology: Topology) -> Facts:
    """Return the facts on everything that shares their assets' direct supply at that time."""
    return descend(_step(facts, _upward(topology)), topology)


def parent_at(topology: Topology, asset: Int, t_ms: Int) -> Int:
    """Return per (asset, instant) the asset that supplied it; -1 for none."""
    row = row_at(topology, asset, t_ms)
    return np.where(row >= 0, topology.parent[row], NO_PARENT)


def row_at(topology: Topology, asset: Int, t_ms: Int) -> Int:
    """Return per (asset, instant) the row of the stay; -1 where it was not in service."""
    first = np.searchsorted(topology.asset, asset, side="left")
    last = np.searchsorted(topology.asset, asset, side="right")
    found = np.full(len(asset), -1, np.int64)
    for step in range(int((last - first).max(initial=0))):
        row = np.minimum(first + step, len(topology.asset) - 1)
        holds = (first + step < last) & (topology.from_ms[row] <= t_ms) & (t_ms < topology.to_ms[row])
        found[holds] = row[holds]
    return found


class _Edges(NamedTuple):
    """Steps that a fact may take, sorted by where it comes from."""

    origin: Int
    target: Int
    from_ms: Int
    to_ms: Int


def _upward(topology: Topology) -> _Edges:
    open_ = (topology.parent != NO_PARENT) & ~topology.may_backfeed
    return _Edges(
        topology.asset[open_], topology.parent[open_], topology.from_ms[open_], topology.to_ms[open_]
    )  # rows are sorted by asset


def _downward(topology: Topology) -> _Edges:
    open_ = np.flatnonzero((topology.parent != NO_PARENT) & ~topology.may_backfeed)
    rows = open_[np.argsort(topology.parent[open_], kind="stable")]
    return _Edges(topology.parent[rows], topology.asset[rows], topology.from_ms[rows], topology.to_ms[rows])


def _travel(facts: Facts, topology: Topology, edges: _Edges) -> Facts:
    gathered, moving = [facts], facts
    for _ in range(topology.assets):
        moving = _step(moving, edges)
        if not len(moving.source):
            break
        gathered.append(moving)
    else:
        raise ValueError("topology: an asset supplies itself; break the circle of parents")
    return Facts(
        Spans(*(np.concatenate(column) for column in zip(*(f.spans for f in gathered), strict=True))),
        np.concatenate([f.source for f in gathered]),
    )


def _step(facts: Facts, edges: _Edges) -> Facts:
    first = np.searchsorted(edges.origin, facts.spans.key, side="left")
    count = np.searchsorted(edges.origin, facts.spans.key, side="right") - first
    fact = np.repeat(np.arange(len(count)), count)
    edge = np.arange(len(fact)) - np.repeat(np.cumsum(count) - count, count) + first[fact]
    start = np.maximum(facts.spans.start_ms[fact], edges.from_ms[edge])
    end = np.minimum(facts.spans.end_ms[fact], edges.to_ms[edge])
    valid = end > start
    return Facts(spans(edges.target[edge], start, end), facts.source[fact[valid]])
