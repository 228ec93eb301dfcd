"""Conditions on signals by arrays: dead-band, delays, as alarms use them.

Values are shaped (n,) for one point or (n, m) for m points, one row per instant, NaN where nothing was read. Loops run
over time only, each step over all points at once: state depends on the past, and a row of points stays in the cache.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A stretch of rows in which a condition held."""

    start_s: float
    end_s: float
    """First instant at which it no longer held; NaN if it held to the end of the data."""


def beyond(value: ArrayLike, setpoint: ArrayLike, deadband: ArrayLike = 0.0, *, high: bool = True) -> Bools:
    """Whether each point is beyond its set-point, held until it has come back by more than the dead-band.

    Parameters
    ----------
    value : array_like, shape (n,) or (n, m)
        NaN changes nothing: silence never clears a condition.
    setpoint, deadband : float or array_like, shape (m,)
        In the unit of `value`; the dead-band is not negative.
    high : bool
        True for conditions above the set-point, False for conditions below it.

    Returns
    -------
    ndarray of bool, shape as `value`

    Raises
    ------
    ValueError
        If a dead-band is negative or NaN.

    Examples
    --------
    >>> beyond([0.4, 0.6, 0.48, float("nan"), 0.44], 0.5, 0.05).tolist()
    [False, True, True, True, False]

    References
    ----------
    .. [1] ANSI/ISA-18.2-2016, alarm dead-band.
    """
    values = columns(value)
    width = np.asarray(deadband, dtype=float)
    if not (width >= 0).all():
        raise ValueError(f"dead-band {width} is not zero or more")
    sign = 1.0 if high else -1.0
    on_above = np.broadcast_to(sign * np.asarray(setpoint, dtype=float), values.shape[1:])
    off_below = on_above - width
    held = np.zeros(values.shape[1], dtype=bool)
    out = np.empty(values.shape, dtype=bool)
    for row, now in zip(values, out, strict=True):
        signed = row if high else -row
        held &= ~(signed < off_below)
        held |= signed > on_above
        now[:] = held
    return out.reshape(np.shape(value))


def delayed(
    condition: ArrayLike,
    time_s: ArrayLike,
    *,
    on_delay_s: ArrayLike = 0.0,
    off_delay_s: ArrayLike = 0.0,
    on_readings: ArrayLike = 1,
    off_readings: ArrayLike = 1,
) -> Bools:
    """Whether the alarm is active: the condition after its on-delay and off-delay.

    Parameters
    ----------
    condition : array_like of bool, shape (n,) or (n, m)
    time_s : array_like, shape (n,)
        Rising instants of the rows; their spacing may vary. [s]
    on_delay_s, off_delay_s : float or array_like, shape (m,)
        The condition must have held (or been gone) for so long since the row in which it changed. [s]
    on_readings, off_readings : int or array_like, shape (m,)
        And for at least so many rows in a row.

    Returns
    -------
    ndarray of bool, shape as `condition`
        Inactive before the first row.

    Raises
    ------
    ValueError
        If `time_s` does not rise, or differs in length from `condition`.

    Examples
    --------
    >>> delayed([0, 1, 1, 1, 0, 0, 0], [0, 60, 120, 180, 240, 300, 360], on_delay_s=120, off_delay_s=60).tolist()
    [False, False, False, True, True, False, False]

    References
    ----------
    .. [1] OPC 10000-9, OnDelay and OffDelay.
    """
    values = _flags(condition)
    times = rising(time_s, len(values))
    points = values.shape[1]
    wait_s = np.array([np.broadcast_to(off_delay_s, points), np.broadcast_to(on_delay_s, points)], dtype=float)
    wait_rows = np.array([np.broadcast_to(off_readings, points), np.broadcast_to(on_readings, points)], dtype=np.int32)
    active = np.zeros(points, dtype=bool)
    rows_against = np.zeros(points, dtype=np.int32)
    since_s = np.full(points, times[0] if len(times) else 0.0)
    out = np.empty(values.shape, dtype=bool)
    for now_s, row, now in zip(times, values, out, strict=True):
        against = row != active
        rows_against += 1
        rows_against *= against
        np.copyto(since_s, now_s, where=rows_against <= 1)
        due_s, due_rows = np.where(row, wait_s[1], wait_s[0]), np.where(row, wait_rows[1], wait_rows[0])
        turn = against & (now_s - since_s >= due_s) & (rows_against >= due_rows)
        active ^= turn
        rows_against[turn] = 0
        now[:] = active
    return out.reshape(np.shape(condition))


def intervals(active: ArrayLike, time_s: ArrayLike) -> tuple[Interval, ...]:
    """The stretches in which one point's condition held, in order of time.

    Parameters
    ----------
    active : array_like of bool, shape (n,)
    time_s : array_like, shape (n,)
        Rising instants. [s]

    Returns
    -------
    tuple of Interval

    Examples
    --------
    >>> intervals([False, True, True, False, True], [0, 60, 120, 180, 240])
    (Interval(start_s=60.0, end_s=180.0), Interval(start_s=240.0, end_s=nan))
    """
    held = np.asarray(active, dtype=bool)
    times = np.append(rising(time_s, len(held)), np.nan)
    starts, ends = true_runs(held)
    return tuple(Interval(float(times[a]), float(times[b])) for a, b in zip(starts, ends, strict=True))


def true_runs(condition: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First rows of the stretches of True, and the rows after their last ones.

    Parameters
    ----------
    condition : array_like of bool, shape (n,)

    Returns
    -------
    starts, ends : ndarray of int, shape (runs,)

    Examples
    --------
    >>> [rows.tolist() for rows in true_runs([True, False, True, True])]
    [[0, 2], [1, 4]]
    """
    edges = np.diff(np.concatenate(([0], np.asarray(condition, dtype=np.int8), [0])))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def run_length(condition: ArrayLike) -> NDArray[np.int32]:
    """How many rows, up to each one, the condition has held without a break.

    Parameters
    ----------
    condition : array_like of bool, shape (n,) or (n, m)

    Returns
    -------
    ndarray of int, shape as `condition`

    Examples
    --------
    >>> run_length([True, True, False, True]).tolist()
    [1, 2, 0, 1]
    """
    values = _flags(condition)
    out = np.zeros(values.shape, dtype=np.int32)
    count = np.zeros(values.shape[1], dtype=np.int32)
    for row, now in zip(values, out, strict=True):
        count += 1
        count *= row
        now[:] = count
    return out.reshape(np.shape(condition))


def chattering(activation_s: ArrayLike, *, window_s: float = 60.0, count: int = 3) -> Bools:
    """Whether each activation of one alarm is at least the `count`-th within the last `window_s`.

    Parameters
    ----------
    activation_s : array_like, shape (n,)
        Instants at which the alarm became active, in order. [s]
    window_s : float
        Length of the window. [s]
    count : int
        Activations in it that are chatter.

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> chattering([0, 20, 40, 200]).tolist()
    [False, False, True, False]
    """
    times = np.asarray(activation_s, dtype=float)
    return np.arange(len(times)) - np.searchsorted(times, times - window_s, "right") + 1 >= count


def rising(time_s: ArrayLike, rows: int) -> Floats:
    """`time_s` as an array, once it is known to rise and to have one instant per row."""
    times = np.asarray(time_s, dtype=float)
    if times.shape != (rows,):
        raise ValueError(f"{len(times)} instants for {rows} rows: give one per row")
    if not (np.diff(times) > 0).all():
        raise ValueError("the instants do not rise: sort the rows and drop repeated ones")
    return times


def columns(value: ArrayLike) -> Floats:
    """`value` as floats shaped (n, m), a single point as one column."""
    values = np.asarray(value, dtype=float)
    if values.ndim not in (1, 2):
        raise ValueError(f"shape {values.shape} is neither (n,) nor (n, m)")
    return values[:, None] if values.ndim == 1 else values


def _flags(condition: ArrayLike) -> Bools:
    flags = np.asarray(condition, dtype=bool)
    return flags[:, None] if flags.ndim == 1 else flags
