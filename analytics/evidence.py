"""From readings to supply: what is proven, what is unknown, and the reliability that follows, with its bounds.

    runs = find_runs(readings, devices, limits)                       # analytics.runs
    evidence = infer_supply(runs, devices, topology, start_ms, end_ms)
    evidence.rs()                  # LV level, weighted by customers: low, point, high, coverage
    evidence.rs(level="mv")        # MV level, a transformer is one customer: the headline of DL/T 836
    evidence.rs().verdict(99.83)   # PASS, FAIL or INDETERMINATE
    evidence.pieces                # per unit: supplied, interrupted, unknown, from when to when
    infer_interruptions(evidence, ...)                                # analytics.inferred: the ledger

Silence alone is never an outage and never supply: it stays unknown until a living path (O11), a counter (O12), a
record (O13) or a person resolves it, and until then it widens the bounds. Shorter interruptions than
`evidence.resolution_ms` between two good readings are beyond the method unless a counter moved (O14).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics.bounds import RsBounds, rs_bounds
from analytics.counters import read_counters
from analytics.live_path import (
    NOTHING_JUDGED,
    Judged,
    Pieces,
    Proof,
    Units,
    conflicts_ms,
    counted_units,
    on_units,
    prove,
    unit_pieces,
    units_within,
)
from analytics.runs import Devices, Runs
from analytics.silence import explain_silence
from analytics.spans import Bool, Int
from analytics.topology import TRANSFORMER, Topology
from analytics.unresolved import UnitTime, Value, sum_up, value_pieces

MS_PER_H = 3_600_000


@dataclass(frozen=True, eq=False)
class SupplyEvidence:
    """What the evidence says of every unit over a period."""

    start_ms: int
    end_ms: int
    resolution_ms: int
    """Interruptions shorter than this can hide between two good readings. [ms]"""
    units: Units
    """Transformers, and whatever else has customers: one entry per stay, with its time in the period."""
    is_transformer: Bool
    """Per unit: counts as one customer at the MV level."""
    pieces: Pieces
    """Per unit: SUPPLIED, LOST_HERE, LOST_ABOVE or UNKNOWN, from when to when, as far as the runs reach."""
    value: Value
    """Per piece: what is assumed of an unknown one."""
    silence: NDArray[np.int8]
    """Per piece: what a silence is taken for (UNEXPLAINED, COMMUNICATION, BACKHAUL, PROBABLE_OUTAGE)."""
    time: UnitTime
    """Per unit: time in service, lost, unresolved, and the bounds."""
    conflicts_ms: Int
    """Per unit: how long one device claimed the supply lost while another proved it live. [ms]"""
    proof: Proof
    """What was proven of which asset by which run."""
    runs: Runs

    def rs(self, level: Literal["lv", "mv"] = "lv", of: Bool | None = None) -> RsBounds:
        """Return RS-1 with its bounds, of all units or those of a mask.

        Level `lv` weighs by customers, `mv` counts each transformer as one customer; the two are never summed (R10).
        """
        weight = self.units.customers if level == "lv" else self.is_transformer.astype(np.int64)
        if of is not None:
            weight = np.where(of, weight, 0)
        time = self.time
        return rs_bounds(
            time.least_ms / MS_PER_H,
            time.most_ms / MS_PER_H,
            time.expected_ms / MS_PER_H,
            time.open_ms / MS_PER_H,
            time.in_service_ms / MS_PER_H,
            weight=weight,
        )


def infer_supply(
    runs: Runs,
    devices: Devices,
    topology: Topology,
    start_ms: int,
    end_ms: int,
    *,
    judged: Judged = NOTHING_JUDGED,
) -> SupplyEvidence:
    """Return what the devices' words and registers prove of every unit between two instants.

    Parameters
    ----------
    runs : Runs
        Of all devices; they should reach beyond the period on both sides, to the next word of each device, since
        that is what resolves a silence across its edge.
    devices : Devices
        The asset, poll and registers of each device.
    topology : Topology
        Who supplies whom, with dates.
    start_ms, end_ms : int
        The period. [ms since 1970-01-01T00:00Z]
    judged : Judged
        What people found out; it stands above what devices say.

    Returns
    -------
    SupplyEvidence
        Bounds hold for every interruption longer than its `resolution_ms`.

    Raises
    ------
    ValueError
        If the period is empty.

    Examples
    --------
    One transformer of 40 customers is read every minute for an hour; from minute 20 to 29 the terminal reads 0 V:

    >>> from analytics.runs import find_runs, simple_devices, voltage_readings
    >>> from analytics.topology import FEEDER, simple_topology
    >>> minute = np.arange(61)
    >>> volts = np.where((minute >= 20) & (minute < 30), 0.0, 1.0)
    >>> devices = simple_devices([1])
    >>> runs = find_runs(voltage_readings([0] * 61, minute * 60_000, volts), devices)
    >>> county = simple_topology(parent=[-1, 0], customers=[0, 40], kind=[FEEDER, TRANSFORMER])
    >>> hour = infer_supply(runs, devices, county, 0, 3_600_000).rs()
    >>> round(hour.low_pct, 3), round(hour.point_pct, 3), round(hour.high_pct, 3)
    (81.667, 83.333, 85.0)

    References
    ----------
    .. [1] The method is steppe's own: rules O1 to O15; tests/analytics/test_evidence_rules.py works it by hand.
    """
    if end_ms <= start_ms:
        raise ValueError(f"period: the end {end_ms} must lie after the start {start_ms} [ms]")
    resolution_ms = int(devices.max_gap_ms.max(initial=0))
    kept = read_counters(runs, devices)
    proof = prove(runs, kept, devices, topology, judged)
    reach = counted_units(topology, int(runs.start_ms.min(initial=start_ms)), int(runs.end_ms.max(initial=end_ms)))
    units = units_within(reach, start_ms, end_ms)
    pieces = unit_pieces(reach, proof)
    silence = explain_silence(pieces, reach, proof.live, runs, devices, topology, longer_than_ms=resolution_ms)
    recorded = on_units(kept.recorded.spans._replace(key=devices.asset[kept.recorded.spans.key]), reach).spans
    value = value_pieces(pieces, silence, recorded, resolution_ms=resolution_ms)
    return SupplyEvidence(
        start_ms=start_ms,
        end_ms=end_ms,
        resolution_ms=resolution_ms,
        units=units,
        is_transformer=topology.kind[units.row] == TRANSFORMER,
        pieces=pieces,
        value=value,
        silence=silence,
        time=sum_up(pieces, value, units, kept, devices, topology),
        conflicts_ms=conflicts_ms(units, proof),
        proof=proof,
        runs=runs,
    )
