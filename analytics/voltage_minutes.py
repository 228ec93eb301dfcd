"""From readings to minutes that can be judged: one value per minute, and which minutes are not to be judged."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.voltage import Mask

MS_PER_MINUTE = 60_000
POWER_UP_S = 5.0
"""A meter starts to average this long after its power comes back. [s]"""
STUCK_MIN = 30
"""Longest time a living voltage of 0.1 V resolution stays the same. [min]"""
CLOCK_ERROR_S = 60.0
"""Largest clock error with which a month can be used as it is. [s]"""

Volts = NDArray[np.float32]


def minute_values(time_ms: ArrayLike, voltage_v: ArrayLike, *, start_ms: int, minutes: int) -> tuple[Volts, int]:
    """Return one voltage per minute: the mean of the readings in it, NaN where there are none (V2).

    Parameters
    ----------
    time_ms : array_like of int, shape (n,)
        When each reading was taken, in the order in which they were received. [ms since 1970-01-01T00:00Z]
    voltage_v : array_like, shape (n,)
        Readings of one phase; NaN for one that is not to be used. [V]
    start_ms : int
        First instant of the first minute. [ms since 1970-01-01T00:00Z]
    minutes : int
        How many minutes to return.

    Returns
    -------
    values : ndarray of float32, shape (minutes,)
        [V]
    repeated : int
        Readings whose time came again; the one received last is used (V9).

    Raises
    ------
    ValueError
        If the columns differ in length.

    Notes
    -----
    ::

        U(minute) = Σ U / n over the readings of the minute

    Examples
    --------
    >>> at = [0, 60_000, 60_000, 200_000]
    >>> values, repeated = minute_values(at, [230.0, 1.0, 231.0, 229.0], start_ms=0, minutes=4)
    >>> values.tolist(), repeated
    ([230.0, 231.0, nan, 229.0], 1)

    References
    ----------
    .. [1] DL/T 500, "Technical conditions of voltage monitors".
    """
    time, volts = np.asarray(time_ms, dtype=np.int64), np.asarray(voltage_v, dtype=np.float64)
    if time.shape != volts.shape:
        raise ValueError(f"columns differ in length: {time.shape}, {volts.shape}")
    order = np.argsort(time, kind="stable")
    last = np.append(np.diff(time[order]) != 0, True)[: len(order)]
    kept = order[last]
    minute = (time[kept] - start_ms) // MS_PER_MINUTE
    used = (minute >= 0) & (minute < minutes) & ~np.isnan(volts[kept])
    count = np.bincount(minute[used], minlength=minutes)
    total = np.bincount(minute[used], weights=volts[kept][used], minlength=minutes)
    values = np.full(minutes, np.nan)
    np.divide(total, count, out=values, where=count > 0)
    return values.astype(np.float32), len(order) - len(kept)


def outage_minutes(
    from_ms: ArrayLike, to_ms: ArrayLike, *, start_ms: int, minutes: int, power_up_s: float = POWER_UP_S
) -> Mask:
    """Mark the minutes that an outage touches, however briefly (V5).

    Parameters
    ----------
    from_ms, to_ms : array_like of int, shape (n,)
        Outages of one point, half-open. [ms since 1970-01-01T00:00Z]
    start_ms : int
        First instant of the first minute. [ms since 1970-01-01T00:00Z]
    minutes : int
        How many minutes to return.
    power_up_s : float
        Time after the end in which the meter is not yet measuring. An end on a whole minute was recorded to the
        minute, and gets none. [s]

    Returns
    -------
    ndarray of bool, shape (minutes,)

    Notes
    -----
    ::

        out: minute ∩ [from, to + power-up) is not empty

    Examples
    --------
    From 0:59 to 2:58 the minutes 0, 1, 2 are touched, and 3 by the power-up:

    >>> outage_minutes([59_000], [178_000], start_ms=0, minutes=5).tolist()
    [True, True, True, True, False]

    References
    ----------
    .. [1] DL/T 500, "Technical conditions of voltage monitors".
    """
    begin, end = (np.atleast_1d(np.asarray(column, dtype=np.int64)) - start_ms for column in (from_ms, to_ms))
    end = np.where(end % MS_PER_MINUTE == 0, end, end + round(power_up_s * 1000))
    first = np.clip(begin // MS_PER_MINUTE, 0, minutes)
    after = np.clip(-(-end // MS_PER_MINUTE), first, minutes)
    edges = np.bincount(first, minlength=minutes + 1) - np.bincount(after, minlength=minutes + 1)
    return np.asarray(np.cumsum(edges)[:minutes] > 0)


def stuck_minutes(voltage_v: ArrayLike, *, longest_min: int = STUCK_MIN, dead_below: float = 0.0) -> Mask:
    """Mark the minutes of a sensor that shows one value for too long (V11).

    Parameters
    ----------
    voltage_v : array_like, shape (minutes,)
        One phase; NaN where there is no reading. [V]
    longest_min : int
        Minutes with the same value that are still believed. [min]
    dead_below : float
        Voltages below this are an outage and rightly constant. [V]

    Returns
    -------
    ndarray of bool, shape (minutes,)
        All False where the readings are whole volts: such a resolution shows constant values of a living voltage.

    Notes
    -----
    ::

        stuck: the same value in more than longest_min minutes running

    Examples
    --------
    >>> stuck_minutes([230.1] * 31 + [230.2] * 30).sum()
    np.int64(31)

    References
    ----------
    .. [1] steppe's own method, held by tests/analytics/test_voltage_minutes.py (V11).
    """
    volts = np.asarray(voltage_v, dtype=np.float32)
    present = ~np.isnan(volts)
    if not len(volts) or not (volts[present] % 1.0 != 0.0).any():
        return np.zeros(len(volts), dtype=np.bool_)
    head = np.concatenate(([True], ~(volts[1:] == volts[:-1])))
    run = np.cumsum(head) - 1
    long = np.bincount(run) > longest_min
    return np.asarray(long[run] & present & (volts >= dead_below))


def clock_suspect(clock_error_s: ArrayLike, *, largest_s: float = CLOCK_ERROR_S) -> bool:
    """Tell whether a month must be flagged because its meter's clock was wrong (V10).

    Parameters
    ----------
    clock_error_s : array_like, shape (n,)
        Clock errors found in the month. [s]
    largest_s : float
        Largest error that is let pass. [s]

    Returns
    -------
    bool

    Notes
    -----
    ::

        suspect: |error| > largest_s

    Examples
    --------
    >>> clock_suspect([2.0, -61.0]), clock_suspect([60.0]), clock_suspect([])
    (True, False, False)

    References
    ----------
    .. [1] DL/T 500, "Technical conditions of voltage monitors".
    """
    return bool((np.abs(np.asarray(clock_error_s, dtype=np.float64)) > largest_s).any())


def primary_voltage(secondary_v: ArrayLike, pt_ratio: float) -> NDArray[np.float64]:
    """Return the voltage at the primary side of a voltage transformer, before any limit is applied (V7).

    Parameters
    ----------
    secondary_v : array_like, shape (...)
        What the meter shows. [V]
    pt_ratio : float
        Primary over secondary, such as 10 000 V / 100 V = 100.

    Returns
    -------
    ndarray, shape (...)
        [V]

    Raises
    ------
    ValueError
        If the ratio is not positive.

    Notes
    -----
    ::

        U(primary) = U(secondary)·ratio

    Examples
    --------
    >>> primary_voltage([103.5], 100).tolist()
    [10350.0]

    References
    ----------
    .. [1] IEC 61869-3, "Inductive voltage transformers" (rated ratio).
    """
    if not pt_ratio > 0:
        raise ValueError(f"a voltage transformer's ratio must be positive, not {pt_ratio}")
    return np.asarray(secondary_v, dtype=np.float64) * pt_ratio
