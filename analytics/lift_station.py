"""Lift stations by numbers: what the level and the pumps say.

Arrays of one station, one row per instant, NaN where nothing was read: a comparison with NaN is False, so silence
raises nothing here. Delays are added by `analytics.signals.delayed`.
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


def overflowing(level_m: ArrayLike, weir_m: float, switch: ArrayLike = False) -> Bools:
    """Whether the station overflows: the level at or above the weir, or the switch closed. Never suppressed.

    Parameters
    ----------
    level_m : array_like, shape (n,)
        Level in the well. [m]
    weir_m : float
        Level of the weir. [m]
    switch : array_like of bool, shape (n,)
        The overflow switch.

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> overflowing([2.9, 3.0, float("nan")], 3.0, [False, False, True]).tolist()
    [False, True, True]
    """
    return np.asarray((np.asarray(level_m, dtype=float) >= weir_m) | np.asarray(switch, dtype=bool))


def running_dry(level_m: ArrayLike, pump_on: ArrayLike, *, off_level_m: float, range_m: float) -> Bools:
    """Whether a pump runs with the level a tenth of the range or more below the level at which it should stop.

    Parameters
    ----------
    level_m : array_like, shape (n,)
        Level in the well. [m]
    pump_on : array_like of bool, shape (n,)
    off_level_m, range_m : float
        Level at which the pump should stop, and range of the level. [m]

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> running_dry([0.5, 0.15, 0.15], [True, True, False], off_level_m=0.5, range_m=3.0).tolist()
    [False, True, False]
    """
    low = np.asarray(level_m, dtype=float) <= off_level_m - 0.1 * range_m
    return np.asarray(low & np.asarray(pump_on, dtype=bool))


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


def time_to_overflow_s(level_m: ArrayLike, time_s: ArrayLike, weir_m: float, *, rows: int = 5) -> Floats:
    """When the level will reach the weir if it goes on rising as over the last `rows` rows. [s]

    Infinite while it does not rise, 0 at the weir, NaN where the level is not known at both ends.

    Parameters
    ----------
    level_m : array_like, shape (n,)
        Level in the well. [m]
    time_s : array_like, shape (n,)
        Rising instants. [s]
    weir_m : float
        Level of the weir. [m]
    rows : int
        Rows over which the speed is taken.

    Returns
    -------
    ndarray, shape (n,)
        [s]

    Examples
    --------
    >>> time_to_overflow_s([1.0, 1.1, 1.2, 1.1], [0, 60, 120, 180], 2.0, rows=2).round(0).tolist()
    [nan, 540.0, 480.0, inf]
    """
    level = np.asarray(level_m, dtype=float)
    times = rising(time_s, len(level))
    out = np.full(len(level), np.nan)
    back = rows - 1
    speed = (level[back:] - level[:-back]) / (times[back:] - times[:-back])
    left = np.maximum(weir_m - level[back:], 0.0)
    rises = left / np.where(speed > 0, speed, np.nan)
    out[back:] = np.where((speed <= 0) & (left > 0), np.inf, np.where(left == 0, 0.0, rises))
    return out


def level_sensor_at_fault(
    level_m: ArrayLike, pumps_running: ArrayLike, time_s: ArrayLike, *, resolution_m: float, flat_s: float = 120.0
) -> Bools:
    """Whether the level has stayed flat although a pump has run for `flat_s` or more.

    Parameters
    ----------
    level_m : array_like, shape (n,)
        Level in the well. [m]
    pumps_running : array_like of int, shape (n,)
    time_s : array_like, shape (n,)
        Rising instants. [s]
    resolution_m : float
        Smallest step of the sensor. [m]
    flat_s : float
        Running time after which the level must have moved. [s]

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> level_sensor_at_fault([2.0] * 5, [0, 1, 1, 1, 1], range(0, 300, 60), resolution_m=0.01).tolist()
    [False, False, False, True, True]
    """
    level, running = np.asarray(level_m, dtype=float), np.asarray(pumps_running) > 0
    run_s = longest_run_s(running, time_s)
    out = np.zeros(len(level), dtype=bool)
    for start, end in zip(*true_runs(running), strict=True):
        run = level[start:end]
        moved = np.maximum.accumulate(run) - np.minimum.accumulate(run)
        out[start:end] = (moved <= resolution_m / 2) & (run_s[start:end] >= flat_s)
    return out
