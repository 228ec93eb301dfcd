"""Lift stations by numbers: what the level says, alone and beside the pumps (`analytics.pumps`).

Arrays of one station, one row per instant, NaN where nothing was read: a comparison with NaN is False, so silence
raises nothing here. Delays are added by `analytics.signals.delayed`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.pumps import longest_run_s
from analytics.signals import rising, true_runs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


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
