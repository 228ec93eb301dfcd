"""Five states per unit and minute: normal, low, high, no supply, no data; the last two are never merged."""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.evidence import SupplyEvidence
from analytics.live_path import LOST_ABOVE, LOST_HERE
from analytics.spans import Bool

MINUTE_MS = 60_000


class SupplyState(IntEnum):
    """What a unit's minute was for its customers."""

    NORMAL = 0
    LOW = 1
    HIGH = 2
    NO_SUPPLY = 3
    NO_DATA = 4


def supply_states(evidence: SupplyEvidence, voltage_v: ArrayLike, lo: ArrayLike, hi: ArrayLike) -> NDArray[np.int8]:
    """Return the five states of every unit and minute of the evidence's period.

    Parameters
    ----------
    evidence : SupplyEvidence
        With a period of whole minutes.
    voltage_v : array_like, shape (units, minutes)
        Mean voltage of the minute at the unit; NaN where none was read. [V]
    lo, hi : array_like, broadcast to (units, minutes)
        Limits; a voltage equal to a limit is normal. [V]

    Returns
    -------
    ndarray of int8, shape (units, minutes)
        NO_SUPPLY where an interruption is proven in any part of the minute. A minute without a voltage is NO_DATA,
        even where a living path proves supply: `evidence.pieces` knows that it was supplied, nobody knows how well.

    Raises
    ------
    ValueError
        If the shape does not fit the evidence.

    Examples
    --------
    >>> from analytics.evidence import infer_supply
    >>> from analytics.runs import find_runs, simple_devices, voltage_readings
    >>> from analytics.topology import FEEDER, TRANSFORMER, simple_topology
    >>> t_ms, volts = [0, 60_000, 120_000, 180_000], [220.0, 190.0, 0.0, 0.0]
    >>> devices, county = simple_devices([1]), simple_topology([-1, 0], [0, 40], [FEEDER, TRANSFORMER])
    >>> runs = find_runs(voltage_readings([0] * 4, t_ms, [v / 220 for v in volts]), devices)
    >>> evidence = infer_supply(runs, devices, county, 0, 240_000)
    >>> [SupplyState(s).name for s in supply_states(evidence, [[*volts[:3], np.nan]], 198.0, 235.4)[0]]
    ['NORMAL', 'LOW', 'NO_SUPPLY', 'NO_DATA']

    References
    ----------
    .. [1] Prayas (Energy Group), "Electricity Supply Monitoring Initiative": minute voltage, these five states.
    """
    volts = np.asarray(voltage_v, np.float64)
    minutes = (evidence.end_ms - evidence.start_ms) // MINUTE_MS
    if volts.shape != (len(evidence.units.row), minutes):
        raise ValueError(
            f"voltage_v has shape {volts.shape}, the evidence needs ({len(evidence.units.row)}, {minutes})"
        )
    states = np.full(volts.shape, SupplyState.NORMAL, np.int8)
    states[volts < np.asarray(lo, np.float64)] = SupplyState.LOW
    states[volts > np.asarray(hi, np.float64)] = SupplyState.HIGH
    states[np.isnan(volts)] = SupplyState.NO_DATA
    states[_lost_minutes(evidence, minutes)] = SupplyState.NO_SUPPLY
    return states


def _lost_minutes(evidence: SupplyEvidence, minutes: int) -> Bool:
    pieces = evidence.pieces
    lost = np.flatnonzero(np.isin(pieces.state, (LOST_HERE, LOST_ABOVE)))
    first = np.clip((pieces.start_ms[lost] - evidence.start_ms) // MINUTE_MS, 0, minutes)
    last = np.clip(-((evidence.start_ms - pieces.end_ms[lost]) // MINUTE_MS), 0, minutes)
    depth = np.zeros((len(evidence.units.row), minutes + 1), np.int32)
    np.add.at(depth, (pieces.unit[lost], first), 1)
    np.add.at(depth, (pieces.unit[lost], last), -1)
    return np.asarray(depth.cumsum(axis=1)[:, :-1] > 0)
