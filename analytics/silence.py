"""Why a unit is silent: rules O1, O2 and O3.

Silence of one meter is never an outage and never supply. It becomes a *probable* outage only with corroboration, and
even then it moves the expected value alone, never the bounds: those wait for proof.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.live_path import LOST_HERE, SUPPLIED, UNKNOWN, Pieces, Units, neighbours
from analytics.runs import Devices, Runs
from analytics.spans import Bool, Int, Spans, covering, pack, spans
from analytics.topology import Topology, parent_at

UNEXPLAINED, COMMUNICATION, BACKHAUL, PROBABLE_OUTAGE = 0, 1, 2, 3
"""What a silence is taken for. COMMUNICATION: the parent lives and all below it are silent (O2)."""

SILENT_SHARE = 0.6
"""Of the siblings, for a silence to count as common (O1)."""
GASPS = 5
GASP_SPREAD_MS = 60_000


class _Context(NamedTuple):
    """The middle of each silence, and who is related to it."""

    t_ms: Int
    asset: Int
    parent: Int
    grandparent: Int


def explain_silence(
    pieces: Pieces, units: Units, live: Spans, runs: Runs, devices: Devices, topology: Topology, *, longer_than_ms: int
) -> NDArray[np.int8]:
    """Return per piece what its silence is taken for; pieces that are not silences are UNEXPLAINED.

    Parameters
    ----------
    pieces, units
        The units' time, as `unit_pieces` gives it.
    live : Spans
        Proven life per asset.
    runs, devices, topology
        As `infer_supply` takes them.
    longer_than_ms : int
        Shorter silences are left UNEXPLAINED. [ms]

    Returns
    -------
    ndarray of int8, shape (pieces,)
        UNEXPLAINED, COMMUNICATION, BACKHAUL or PROBABLE_OUTAGE.

    Notes
    -----
    PROBABLE_OUTAGE needs one of (O1): at least `GASPS` siblings lost their supply within a minute of its start; or at
    least `SILENT_SHARE` of the siblings are silent with it, while something else below the parent's own supplier lives
    and the way its readings come is proven open by another device. BACKHAUL (O3): nobody on that way is heard, and
    they belong to different parents. COMMUNICATION (O2): the parent lives, most siblings are silent.

    Examples
    --------
    Both meters of a transformer are silent from minute 2 to 8 while its terminal speaks:

    >>> from analytics.evidence import infer_supply
    >>> from analytics.runs import find_runs, simple_devices, voltage_readings
    >>> from analytics.topology import FEEDER, SERVICE, TRANSFORMER, simple_topology
    >>> county = simple_topology([-1, 0, 1, 1], [0, 0, 1, 1], [FEEDER, TRANSFORMER, SERVICE, SERVICE])
    >>> minute = np.array([*range(11), 0, 1, 2, 8, 9, 10, 0, 1, 2, 8, 9, 10])
    >>> readings = voltage_readings([0] * 11 + [1] * 6 + [2] * 6, minute * 60_000, [1.0] * 23)
    >>> devices = simple_devices([1, 2, 3])
    >>> evidence = infer_supply(find_runs(readings, devices), devices, county, 0, 600_000)
    >>> sorted(set(evidence.silence.tolist())) == [UNEXPLAINED, COMMUNICATION]
    True

    References
    ----------
    .. [1] The method is steppe's own: rules O1 to O3; tests/analytics/test_evidence_rules.py works it by hand.
    """
    before, after = neighbours(pieces)
    silent = (pieces.state == UNKNOWN) & (before == SUPPLIED) & ((after == SUPPLIED) | (after < 0))
    silent &= pieces.length_ms > longer_than_ms
    row = np.flatnonzero(silent)
    t_ms = (pieces.start_ms[row] + pieces.end_ms[row]) // 2
    asset = units.asset[pieces.unit[row]]
    parent = parent_at(topology, asset, t_ms)
    here = _Context(t_ms, asset, parent, parent_at(topology, parent, t_ms))
    common = _common_silence(here, pieces, units, topology)
    parent_lives = covering(live, here.parent, t_ms) >= 0
    network_up, far_and_wide = _way_of_readings(here, runs, devices, topology)
    gasped = _gasps(here, pieces.start_ms[row], pieces, units, topology) >= GASPS
    corroborated = common & ~parent_lives & network_up & _neighbour_lives(here, live, topology)
    kind = np.select(
        [gasped | corroborated, ~network_up & far_and_wide, common & parent_lives],
        [PROBABLE_OUTAGE, BACKHAUL, COMMUNICATION],
        UNEXPLAINED,
    )
    explained = np.zeros(len(pieces.unit), np.int8)
    explained[row] = kind
    return explained


def _common_silence(here: _Context, pieces: Pieces, units: Units, topology: Topology) -> Bool:
    """Whether most siblings are silent with it."""
    unknown = np.flatnonzero(pieces.state == UNKNOWN)
    asset = units.asset[pieces.unit[unknown]]
    parent = parent_at(topology, asset, pieces.start_ms[unknown])
    silent = _count_at(spans(parent + 1, pieces.start_ms[unknown], pieces.end_ms[unknown]), here.parent + 1, here.t_ms)
    siblings = _count_at(
        spans(topology.parent[units.row] + 1, units.start_ms, units.end_ms), here.parent + 1, here.t_ms
    )
    return np.asarray((here.parent >= 0) & (siblings >= 2) & (silent >= SILENT_SHARE * siblings))


def _neighbour_lives(here: _Context, live: Spans, topology: Topology) -> Bool:
    """Whether something that the parent's supplier supplies, other than the parent, lives."""
    supplier = parent_at(topology, live.key, live.start_ms)
    alive = _count_at(Spans(supplier + 1, live.start_ms, live.end_ms), here.grandparent + 1, here.t_ms)
    return np.asarray((here.grandparent >= 0) & (alive > 0))


def _way_of_readings(here: _Context, runs: Runs, devices: Devices, topology: Topology) -> tuple[Bool, Bool]:
    """Whether another device on the same backhaul is heard; whether that backhaul serves more than one parent."""
    way = np.full(topology.assets, -1, np.int64)
    way[devices.asset] = devices.backhaul
    mine = way[here.asset]
    heard = spans(devices.backhaul[runs.device], runs.start_ms, np.maximum(runs.end_ms, runs.start_ms + 1))
    up = _count_at(heard, np.maximum(mine, 0), here.t_ms) > 0
    parents = parent_at(topology, devices.asset, np.full(len(devices.asset), here.t_ms[0] if len(here.t_ms) else 0))
    pairs = np.unique(np.stack([devices.backhaul, parents]), axis=1)[0]
    served = np.bincount(pairs, minlength=int(devices.backhaul.max(initial=0)) + 1)
    return up & (mine >= 0), (mine >= 0) & (served[np.maximum(mine, 0)] > 1)


def _gasps(here: _Context, start_ms: Int, pieces: Pieces, units: Units, topology: Topology) -> Int:
    """How many siblings lost their supply within a minute of the start of the silence."""
    lost = np.flatnonzero(pieces.state == LOST_HERE)
    parent = parent_at(topology, units.asset[pieces.unit[lost]], pieces.start_ms[lost])
    at = np.sort(pack(parent + 1, pieces.start_ms[lost]))
    first = np.searchsorted(at, pack(here.parent + 1, np.maximum(start_ms - GASP_SPREAD_MS, 0)), side="left")
    last = np.searchsorted(at, pack(here.parent + 1, start_ms + GASP_SPREAD_MS), side="right")
    return np.where(here.parent >= 0, last - first, 0)


def _count_at(spans_: Spans, key: Int, t_ms: Int) -> Int:
    """How many spans of the key hold the instant."""
    at = pack(key, t_ms)
    begun = np.searchsorted(np.sort(pack(spans_.key, spans_.start_ms)), at, side="right")
    ended = np.searchsorted(np.sort(pack(spans_.key, spans_.end_ms)), at, side="right")
    return begun - ended
