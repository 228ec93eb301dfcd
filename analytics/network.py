"""What a network's flow, pressure and chlorine say about leaks, bursts and decay.

Arrays in, numbers out; NaN where nothing was read.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.instruments import MAD_TO_SIGMA

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NIGHT_H = (2, 4)
"""Local hours of the night window; learn it per zone where dairies or irrigation work at night. [h]"""


@dataclass(frozen=True)
class NightFlow:
    """Night flow of each day and the days that leak."""

    night_m3_h: Floats
    """Smallest mean flow over an hour of the night. NaN without a full hour. [m³/h]"""
    level_m3_h: Floats
    """Reported leakage level: 20th percentile of the last 7 nights. NaN with fewer than 4 nights. [m³/h]"""
    leak: Bools


def night_flow(flow_m3_h: ArrayLike, *, window_days: int = 10, excess: float = 0.2) -> NightFlow:
    """Night flow day by day, and the days on which it rose above that of the days before.

    Parameters
    ----------
    flow_m3_h : array_like, shape (days, k)
        Flow at k equal steps of each local day; k a multiple of 24. [m³/h]
    window_days : int
        Accepted days to compare with. Days that leak are not accepted.
    excess : float
        Rise over the smallest of the window that counts as a leak.

    Returns
    -------
    NightFlow
        Arrays of shape (days,).

    Notes
    -----
    With m the smallest night flow of the last `window_days` accepted days, a day j leaks if::

        night_j − m > excess · m

    Examples
    --------
    >>> days = np.full((12, 24), 10.0)
    >>> days[:, 2:4] = 4.0
    >>> days[11, 2:4] = 5.0
    >>> night_flow(days).leak.nonzero()[0]
    array([11])

    References
    ----------
    .. [1] S. G. Vrachimis et al., "LeakDB", WDSA/CCWI 2018, minimum night flow algorithm.
    .. [2] UKWIR 99/WM/08/21, reporting of night flow.
    """
    flow = np.asarray(flow_m3_h, dtype=float)
    night = _smallest_night_hour(flow)
    leak = np.zeros(len(night), dtype=bool)
    accepted: list[float] = []
    for day, value in enumerate(night):
        base = min(accepted[-window_days:], default=np.nan)
        leak[day] = value - base > excess * base
        if not leak[day] and not np.isnan(value):
            accepted.append(float(value))
    last = [night[max(0, day - 6) : day + 1] for day in range(len(night))]
    level = [np.nanpercentile(nights, 20) if (~np.isnan(nights)).sum() >= 4 else np.nan for nights in last]
    return NightFlow(night, np.array(level), leak)


def burst_suspected(
    flow_residual: ArrayLike, pressure_residual: ArrayLike, *, weight: float = 0.2, limit: float = 3.0
) -> Bools:
    """Whether flow has risen and pressure fallen together beyond their control limits.

    Parameters
    ----------
    flow_residual, pressure_residual : array_like, shape (n,)
        Difference to the median of the same hour of the week, divided by its robust standard deviation
        (`standardised`). NaN leaves the average as it was.
    weight : float
        Weight λ of the newest value in the moving average.
    limit : float
        Control limit L.

    Returns
    -------
    ndarray of bool, shape (n,)

    Notes
    -----
    ::

        e = λ·z + (1 − λ)·e        burst: e_flow > L·√(λ/(2 − λ))  and  e_pressure < −L·√(λ/(2 − λ))

    Examples
    --------
    >>> burst_suspected([0, 0, 3, 4, 5], [0, 0, -3, -4, -4]).tolist()
    [False, False, False, True, True]

    References
    ----------
    .. [1] D. Jung et al., "Improving the rapidity of responses to pipe burst", J. Hydroinformatics 17(2), 2015.
    """
    width = limit * np.sqrt(weight / (2 - weight))
    rising, falling = _ewma(flow_residual, weight) > width, _ewma(pressure_residual, weight) < -width
    return np.asarray(rising & falling)


def standardised(value: ArrayLike, slot: ArrayLike) -> Floats:
    """Each value less the median of its slot (the hour of the week), in robust standard deviations, shape (n,).

    Parameters
    ----------
    value : array_like, shape (n,)
    slot : array_like of int, shape (n,)
        Hour of the week of each value, 0 to 167.

    Returns
    -------
    ndarray, shape (n,)
        NaN where the slot does not vary.

    Examples
    --------
    >>> standardised([1.0, 2.0, 3.0, 9.0], [0, 0, 0, 1]).round(2).tolist()
    [-0.67, 0.0, 0.67, nan]
    """
    values, slots = np.asarray(value, dtype=float), np.asarray(slot)
    out = np.full(len(values), np.nan)
    for one in np.unique(slots):
        rows = slots == one
        if np.isnan(values[rows]).all():
            continue
        departure = values[rows] - np.nanmedian(values[rows])
        spread = MAD_TO_SIGMA * np.nanmedian(np.abs(departure))
        out[rows] = departure / (spread if spread > 0 else np.nan)
    return out


def decay_per_day(outlet_mg_l: ArrayLike, end_mg_l: ArrayLike, age_h: ArrayLike) -> Floats:
    """First-order decay of chlorine between the works and the end of the network, shape (n,). [1/d]

    Twice its 30-day median for 24 h points to biofilm or intrusion. NaN where a residual or the age is not positive.

    Parameters
    ----------
    outlet_mg_l, end_mg_l : array_like, shape (n,)
        Residual at the works when the water left it, and at the end. [mg/L]
    age_h : array_like, shape (n,)
        Time between the two, as `water_age_h` gives it. [h]

    Returns
    -------
    ndarray, shape (n,)
        [1/d]

    Notes
    -----
    ::

        k = ln(C_out / C_end) / τ

    Examples
    --------
    >>> decay_per_day([0.6], [0.3], [24.0]).round(3)
    array([0.693])

    References
    ----------
    .. [1] L. A. Rossman et al., "Modeling chlorine residuals in drinking-water distribution systems",
       J. Environ. Eng. 120, 1994.
    """
    positive = [
        np.where(x > 0, x, np.nan) for x in (np.asarray(a, dtype=float) for a in (outlet_mg_l, end_mg_l, age_h))
    ]
    outlet, end, age = positive
    return np.log(outlet / end) / (age / 24)


def water_age_h(flow_m3_h: ArrayLike, time_s: ArrayLike, volume_m3: float) -> Floats:
    """How long the water now leaving a pipe of `volume_m3` has been in it (plug flow), shape (n,). [h]

    NaN until one volume has passed. NaN in the flow counts as standing water.

    Parameters
    ----------
    flow_m3_h : array_like, shape (n,)
        [m³/h]
    time_s : array_like, shape (n,)
        Rising instants. [s]
    volume_m3 : float
        Water in the pipe. [m³]

    Returns
    -------
    ndarray, shape (n,)
        [h]

    Examples
    --------
    >>> water_age_h([10, 10, 10, 10], [0, 3600, 7200, 10800], 20.0).tolist()
    [nan, nan, 2.0, 2.0]
    """
    times = np.asarray(time_s, dtype=float)
    flow = np.nan_to_num(np.asarray(flow_m3_h, dtype=float)).clip(min=0)
    passed = np.concatenate(([0.0], np.cumsum(flow[:-1] * np.diff(times) / 3600)))
    entered = np.interp(passed - volume_m3, passed, times)
    return np.where(passed >= volume_m3, (times - entered) / 3600, np.nan)


def _smallest_night_hour(flow: Floats) -> Floats:
    per_hour = flow.shape[1] // 24
    night = flow[:, NIGHT_H[0] * per_hour : NIGHT_H[1] * per_hour]
    hours = np.lib.stride_tricks.sliding_window_view(night, per_hour, axis=1).mean(axis=-1)
    full = ~np.isnan(hours)
    return np.where(full.any(axis=1), np.where(full, hours, np.inf).min(axis=1), np.nan)


def _ewma(value: ArrayLike, weight: float) -> Floats:
    average, out = 0.0, []
    for z in np.asarray(value, dtype=float):
        average += 0.0 if np.isnan(z) else weight * (z - average)
        out.append(average)
    return np.array(out)
