"""Which interruptions are one event, and at which level of the network it happened (O4)."""

import numpy as np

from analytics.live_path import Units
from analytics.spans import Bool, Int, Spans
from analytics.topology import FEEDER, SERVICE, TRANSFORMER, Facts, Topology, climb, parent_at, row_at

TOGETHER_MS = 90_000
"""Interruptions that start within this belong to one event. [ms]"""


def group_events(unit: Int, asset: Int, start_ms: Int, units: Units, topology: Topology) -> tuple[Int, Int]:
    """Return per interruption the asset at which its event happened, and the number of the event.

    An event is raised to the asset above as long as everything that asset supplies went out within `TOGETHER_MS`:
    all transformers of a feeder make one feeder event; some of them make a transformer event each.

    Parameters
    ----------
    unit, asset, start_ms : ndarray of int64, shape (n,)
        The interruptions: unit, the asset at which it is known so far, and its start. [ms since 1970-01-01T00:00Z]
    units : Units
        As `counted_units` gives them.
    topology : Topology
        Who supplies whom, with dates.

    Returns
    -------
    asset, event : ndarray of int64, shape (n,)

    Examples
    --------
    >>> from analytics.live_path import counted_units
    >>> from analytics.topology import simple_topology
    >>> county = simple_topology([-1, 0, 0], [0, 10, 20], [FEEDER, TRANSFORMER, TRANSFORMER])
    >>> units = counted_units(county, 0, 1000)
    >>> group_events(np.array([0, 1]), np.array([1, 2]), np.array([0, 60]), units, county)[0].tolist()
    [0, 0]

    References
    ----------
    .. [1] The method is steppe's own: rule O4; tests/analytics/test_evidence_rules.py works it by hand.
    """
    place = asset.copy()
    supplies = _assets_with_units(units, topology)
    for kind in (SERVICE, TRANSFORMER, FEEDER):
        row = row_at(topology, place, start_ms)
        movable = (row >= 0) & (topology.kind[row] == kind)
        above = parent_at(topology, place, start_ms)
        place = np.where(movable & _all_out(place, above, start_ms, movable, supplies, topology), above, place)
    return place, _clusters(place, start_ms)


def _assets_with_units(units: Units, topology: Topology) -> Bool:
    """Which assets supply at least one unit at some time, or are one."""
    home = Facts(Spans(units.asset, units.start_ms, units.end_ms), np.arange(len(units.asset)))
    found = np.zeros(topology.assets, np.bool_)
    found[climb(home, topology).spans.key] = True
    return found


def _all_out(place: Int, above: Int, start_ms: Int, movable: Bool, supplies: Bool, topology: Topology) -> Bool:
    """Whether everything that the asset above supplies goes out in the row's cluster."""
    use = movable & (above >= 0)
    cluster = np.full(len(place), -1, np.int64)
    cluster[use] = _clusters(above[use], start_ms[use])
    out = np.unique(np.stack([cluster[use], place[use]]), axis=1)[0]
    distinct = np.bincount(out, minlength=int(cluster.max(initial=-1)) + 1)
    all_of_it = np.zeros(len(place), np.bool_)
    for row in np.flatnonzero(use):
        valid = (topology.parent == above[row]) & supplies[topology.asset]
        valid &= (topology.from_ms <= start_ms[row]) & (start_ms[row] < topology.to_ms)
        all_of_it[row] = distinct[cluster[row]] >= int(valid.sum())
    return all_of_it


def _clusters(key: Int, start_ms: Int) -> Int:
    """Number the groups of equal keys whose starts lie within `TOGETHER_MS` of their first."""
    order = np.lexsort((start_ms, key))
    number = np.zeros(len(key), np.int64)
    current, first_ms, group = None, 0, -1
    for row in order:
        if key[row] != current or start_ms[row] - first_ms > TOGETHER_MS:
            current, first_ms, group = key[row], int(start_ms[row]), group + 1
        number[row] = group
    return number
