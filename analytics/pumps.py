"""Pumps by their starts, runs and draw-downs: over-cycling, capacity lost, twins that share unequally.

Arrays of one pump, one row per instant. Delays are added by `analytics.signals.delayed`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.signals import rising, true_runs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

HOUR_S, DAY_S = 3600.0, 86_400.0
STARTS_PER_HOUR = 6
"""Starts that a small pump bears in an hour (GB 50014; four above 15 kW)."""
IMBALANCE_SHARE = 0.25
"""Difference of twins' run-hours over 7 days that calls for a look."""
CAPACITY_LOSS_SHARE = 0.20
CYCLES_IN_A_ROW = 3


def starts_in_hour(pump_on: ArrayLike, time_s: ArrayLike) -> Ints:
    """How often a pump has started within the last 60 minutes, at each row.

    Parameters
    ----------
    pump_on : array_like of bool, shape (n,)
    time_s : array_like, shape (n,)
        Rising instants. [s]

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> starts_in_hour([0, 1, 0, 1, 1], [0, 600, 1200, 1800, 4500]).tolist()
    [0, 1, 1, 2, 1]
    """
    on = np.asarray(pump_on, dtype=bool)
    times = rising(time_s, len(on))
    started = np.cumsum(np.diff(on, prepend=on[:1]) & on)
    before = np.searchsorted(times, times - HOUR_S, side="right") - 1
    return started - np.where(before >= 0, started[before], 0)


def over_cycling(pump_on: ArrayLike, time_s: ArrayLike, *, starts: int = STARTS_PER_HOUR) -> Bools:
    """Whether a pump has started more than `starts` times within the last 60 minutes.

    Parameters
    ----------
    pump_on : array_like of bool, shape (n,)
    time_s : array_like, shape (n,)
        Rising instants. [s]
    starts : int
        Starts that an hour may have.

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> over_cycling([0, 1] * 8, np.arange(16) * 200.0).nonzero()[0]
    array([13, 14, 15])

    References
    ----------
    .. [1] GB 50014, outdoor wastewater engineering; Recommended Standards for Wastewater Facilities (10 States), 42.
    """
    return starts_in_hour(pump_on, time_s) > starts


def shortest_cycle_min(volume_m3: float, pump_m3_h: float) -> float:
    """Shortest time between two starts, when half the pump's flow comes in: T = 4·V / Q. [min]

    Parameters
    ----------
    volume_m3 : float
        Between the levels at which the pump starts and stops. [m³]
    pump_m3_h : float
        Flow of the pump. [m³/h]

    Returns
    -------
    float
        [min]

    Examples
    --------
    >>> shortest_cycle_min(2.0, 60.0)
    8.0
    """
    return 60 * 4 * volume_m3 / pump_m3_h


@dataclass(frozen=True)
class Drawdowns:
    """Each time that the pump emptied the well."""

    end_s: Floats
    rate_m_h: Floats
    """How fast the level fell; NaN where it was not read at both ends. [m/h]"""


def drawdowns(level_m: ArrayLike, pump_on: ArrayLike, time_s: ArrayLike) -> Drawdowns:
    """How fast each run of the pump drew the level down.

    Parameters
    ----------
    level_m : array_like, shape (n,)
        Level in the well. [m]
    pump_on : array_like of bool, shape (n,)
    time_s : array_like, shape (n,)
        Rising instants. [s]

    Returns
    -------
    Drawdowns
        Of the runs of two rows or more.

    Examples
    --------
    >>> drawdowns([2.0, 2.0, 1.5, 1.0, 1.1], [0, 1, 1, 1, 0], [0, 60, 120, 180, 240]).rate_m_h
    array([30.])
    """
    level, times = np.asarray(level_m, dtype=float), rising(time_s, len(np.asarray(level_m)))
    starts, ends = true_runs(pump_on)
    long_enough = ends - starts > 1
    first, last = starts[long_enough], ends[long_enough] - 1
    return Drawdowns(times[last], HOUR_S * (level[first] - level[last]) / (times[last] - times[first]))


def losing_capacity(cycles: Drawdowns, *, days: float = 30.0) -> Bools:
    """Whether, at each cycle, three running have drawn down 20 % slower than the median of the days before.

    At least three cycles must stand before the first one judged.

    Parameters
    ----------
    cycles : Drawdowns
    days : float
        How far back the median reaches. [days]

    Returns
    -------
    ndarray of bool, shape (cycles,)

    Examples
    --------
    >>> slow = Drawdowns(np.arange(8.0) * 3600, np.array([30, 30, 30, 30, 30, 22, 22, 22.0]))
    >>> losing_capacity(slow).nonzero()[0]
    array([7])
    """
    slow = np.zeros(len(cycles.rate_m_h), dtype=bool)
    for i, now_s in enumerate(cycles.end_s):
        before = cycles.rate_m_h[:i][cycles.end_s[:i] >= now_s - days * DAY_S]
        known = before[~np.isnan(before)]
        if len(known) >= CYCLES_IN_A_ROW:
            slow[i] = cycles.rate_m_h[i] < (1 - CAPACITY_LOSS_SHARE) * np.median(known)
    together = np.convolve(slow, np.ones(CYCLES_IN_A_ROW, dtype=int))[: len(slow)]
    return np.asarray(together >= CYCLES_IN_A_ROW)


def runtime_imbalance(first_run_h: float, second_run_h: float) -> float:
    """Difference of twin pumps' run-hours as a share of their mean; above 0.25 over 7 days calls for a look.

    NaN if neither ran.

    Parameters
    ----------
    first_run_h, second_run_h : float
        Run-hours of the two over the same time. [h]

    Returns
    -------
    float

    Examples
    --------
    >>> runtime_imbalance(50.0, 30.0)
    0.5
    """
    mean = (first_run_h + second_run_h) / 2
    return abs(first_run_h - second_run_h) / mean if mean > 0 else float("nan")


def longest_run_s(pump_on: ArrayLike, time_s: ArrayLike) -> Floats:
    """How long, up to each row, the pump has run without a stop. [s]

    Parameters
    ----------
    pump_on : array_like of bool, shape (n,)
    time_s : array_like, shape (n,)
        Rising instants. [s]

    Returns
    -------
    ndarray, shape (n,)
        [s]

    Examples
    --------
    >>> longest_run_s([0, 1, 1, 0, 1], [0, 60, 120, 180, 240]).tolist()
    [0.0, 0.0, 60.0, 0.0, 0.0]
    """
    on = np.asarray(pump_on, dtype=bool)
    times = rising(time_s, len(on))
    begun = np.diff(on, prepend=False) & on
    start = np.maximum.accumulate(np.where(begun, np.arange(len(on)), 0))
    return np.where(on, times - times[start], 0.0)
