"""Which alarm explains which: the asset graph, causes above consequences, quorum and first-out. Arrays only.

Assets form a directed graph: an edge from child to parent says that the parent supplies or carries the child (feeder →
transformer → station → panel → gateway → device; source → works → network → village). An alarm explains another where
its asset lies above the other's and the table says that its class can cause the other's class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse import csgraph

QUORUM_SHARE = 0.7
QUORUM_COUNT = 3
CLOCK_SKEW_MS = 2_000
"""Two gateways' clocks may differ by this much. [ms]"""


class CycleFound(ValueError):
    """Some assets lie above themselves."""

    def __init__(self, members: Sequence[int]) -> None:
        super().__init__(f"the assets {', '.join(map(str, members))} lie on a cycle: none may be above itself")
        self.members = tuple(members)
        """Some of the assets on cycles, by number."""


@dataclass(frozen=True, eq=False)
class AssetGraph:
    """Assets and everything above each of them."""

    above: sparse.csr_array
    """Shape (n, n), boolean: `above[i, j]` where j is i itself or lies above it."""
    depth: NDArray[np.int64]
    """Shape (n,): longest way up to an asset without a parent."""


@dataclass(frozen=True, eq=False)
class Active:
    """Alarms whose condition holds; all arrays have shape (k,)."""

    asset: NDArray[np.int64]
    """Number of the asset in the graph."""
    kind: NDArray[np.int64]
    """Number of the alarm's class in the table of explanations."""
    onset_ms: NDArray[np.int64]
    """When the condition began, before its on-delay. [ms since 1970-01-01T00:00Z]"""


def asset_graph(n: int, child: ArrayLike, parent: ArrayLike) -> AssetGraph:
    """Return the graph of `n` assets with an edge from each `child` to its `parent`.

    Parameters
    ----------
    n : int
        Number of assets.
    child, parent : array_like of int, shape (m,)
        Assets by number; an asset may have several parents.

    Raises
    ------
    CycleFound
        If the edges form a cycle; a ValueError that names the assets on it by number.

    Notes
    -----
    The transitive closure is computed once: ``above = I ∨ E ∨ E² ∨ …``

    Examples
    --------
    >>> feeder_transformer_station = asset_graph(3, child=[1, 2], parent=[0, 1])
    >>> feeder_transformer_station.above.toarray().astype(int).tolist()
    [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    >>> feeder_transformer_station.depth.tolist()
    [0, 1, 2]

    References
    ----------
    .. [1] OPC UA Part 9, FirstInGroup; Prometheus Alertmanager, inhibition.
    """
    rows, columns = np.asarray(child, np.int64), np.asarray(parent, np.int64)
    edges = sparse.csr_array((np.ones(len(rows), bool), (rows, columns)), shape=(n, n))
    _refuse_cycles(edges)
    above = sparse.eye_array(n, dtype=bool, format="csr")
    depth = np.zeros(n, np.int64)
    level = edges
    while level.nnz:
        above = above + level
        depth[np.unique(level.nonzero()[0])] += 1
        level = level @ edges
    return AssetGraph(above, depth)


def explanations(
    graph: AssetGraph, active: Active, max_lag_ms: ArrayLike, *, skew_ms: int = CLOCK_SKEW_MS
) -> sparse.csr_array:
    """Return which active alarm explains which.

    Parameters
    ----------
    graph : AssetGraph
        Of n assets.
    active : Active
        k alarms.
    max_lag_ms : array_like of int, shape (kinds, kinds)
        Row: class of the cause; column: class of the consequence. How long after the cause's onset a consequence may
        begin; negative where the class explains nothing. [ms]
    skew_ms : int
        How long before its cause a consequence may have been seen: clock skew, and the time between two polls. [ms]

    Returns
    -------
    csr_array of bool, shape (k, k)
        ``[i, j]`` where alarm j explains alarm i. An alarm never explains itself, nor one that began more than
        `skew_ms` before it. Two of one class on one asset may explain each other: two instruments saw the same.

    Examples
    --------
    >>> graph = asset_graph(2, child=[1], parent=[0])
    >>> feeder_and_station = Active(np.array([0, 1]), np.array([0, 1]), np.array([1000, 4000]))
    >>> explanations(graph, feeder_and_station, [[60_000, 60_000], [-1, -1]]).toarray().astype(int).tolist()
    [[0, 0], [1, 0]]

    References
    ----------
    .. [1] Prometheus Alertmanager, inhibition rules with source and target matchers.
    """
    lags = np.asarray(max_lag_ms, np.int64)
    consequence, cause = graph.above[active.asset][:, active.asset].nonzero()
    lag_ms = active.onset_ms[consequence] - active.onset_ms[cause]
    allowed_ms = lags[active.kind[cause], active.kind[consequence]]
    keep = (allowed_ms >= 0) & (lag_ms <= allowed_ms) & (lag_ms >= -skew_ms) & (consequence != cause)
    size = len(active.asset)
    return sparse.csr_array((np.ones(keep.sum(), bool), (consequence[keep], cause[keep])), shape=(size, size))


def root_causes(
    graph: AssetGraph, active: Active, explained_by: sparse.csr_array, *, skew_ms: int = CLOCK_SKEW_MS
) -> NDArray[np.int64]:
    """Return for each alarm the number of the alarm at the root of it; its own where nothing explains it.

    Parameters
    ----------
    graph : AssetGraph
        Of n assets.
    active : Active
        k alarms.
    explained_by : csr_array of bool, shape (k, k)
        From `explanations`.
    skew_ms : int
        Onsets this close count as equal. [ms]

    Returns
    -------
    ndarray of int, shape (k,)
        Among the alarms that explain it and are themselves unexplained, the first out: earliest onset, instants within
        `skew_ms` counting as equal, then the asset higher up, then the lower number. Where two explain each
        other, the first out of the two is the root.

    Examples
    --------
    >>> graph = asset_graph(3, child=[1, 2], parent=[0, 1])
    >>> active = Active(np.array([2, 1, 0]), np.array([0, 0, 0]), np.array([5000, 4000, 4500]))
    >>> root_causes(graph, active, explanations(graph, active, [[60_000]])).tolist()
    [2, 2, 2]

    References
    ----------
    .. [1] OPC UA Part 9, FirstInGroup.
    """
    order = first_out_order(graph, active, skew_ms=skew_ms)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    root = np.arange(len(order))
    for alarm in order:
        causes = explained_by.indices[explained_by.indptr[alarm] : explained_by.indptr[alarm + 1]]
        earlier = causes[rank[causes] < rank[alarm]]
        if len(earlier):
            root[alarm] = root[earlier[np.argmin(rank[earlier])]]
    return root


def first_out_order(graph: AssetGraph, active: Active, *, skew_ms: int = CLOCK_SKEW_MS) -> NDArray[np.int64]:
    """Return the alarms' numbers from the first out to the last.

    Onsets within `skew_ms` of the first of their cluster count as equal; then the asset higher up is first.

    Examples
    --------
    >>> graph = asset_graph(2, child=[1], parent=[0])
    >>> first_out_order(graph, Active(np.array([1, 0]), np.array([0, 0]), np.array([1000, 2000]))).tolist()
    [1, 0]
    """
    by_time = np.argsort(active.onset_ms, kind="stable")
    cluster = np.zeros(len(by_time), np.int64)
    began_ms, number = -(10**18), -1
    for position in by_time:
        if active.onset_ms[position] - began_ms > skew_ms:
            began_ms, number = int(active.onset_ms[position]), number + 1
        cluster[position] = number
    return np.lexsort((np.arange(len(cluster)), graph.depth[active.asset], cluster))


def quorum(group: ArrayLike, silent: ArrayLike) -> NDArray[np.int64]:
    """Return the groups of which so many members are silent that the group itself must be.

    Parameters
    ----------
    group : array_like of int, shape (n,)
        Gateway (or terminal) of each member, from 0.
    silent : array_like of bool, shape (n,)
        The member gave nothing in the present poll.

    Returns
    -------
    ndarray of int
        Groups with at least `QUORUM_COUNT` silent members that are at least `QUORUM_SHARE` of all.

    Examples
    --------
    >>> quorum([0, 0, 0, 0, 1, 1], [True, True, True, False, True, True]).tolist()
    [0]

    References
    ----------
    .. [1] Decided here: 70 % and at least 3.
    """
    member, quiet = np.asarray(group, np.int64), np.asarray(silent, bool)
    if member.size == 0:
        return np.empty(0, np.int64)
    total = np.bincount(member)
    count = np.bincount(member[quiet], minlength=len(total))
    return np.flatnonzero((count >= QUORUM_COUNT) & (count >= QUORUM_SHARE * total))


def _refuse_cycles(edges: sparse.csr_array) -> None:
    count, label = csgraph.connected_components(edges, directed=True, connection="strong")
    loops = np.flatnonzero(edges.diagonal())
    sizes = np.bincount(label, minlength=count)
    members: Sequence[int] = [*loops.tolist(), *np.flatnonzero(sizes[label] > 1).tolist()]
    if members:
        raise CycleFound(members[:10])
