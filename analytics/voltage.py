"""Voltage compliance by minute states: what each minute was, how many of each, and the rates that follow.

A minute is OK, OVER, UNDER, OFFSCALE, OUTAGE or INVALID. Only OK, OVER and UNDER are monitored; an outage belongs to
reliability, and a missing minute is missing. Everything compares in float32, the resolution of a meter's register, so
that 353.4 V is "at the limit" whether it came as a decimal, as float32 or as float32 widened to float64.
"""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.minute_counter import Thresholds, count_rows

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]


class State(IntEnum):
    """What one minute at one phase of one point was."""

    OK = 0
    OVER = 1
    UNDER = 2
    OFFSCALE = 3
    """Beyond the assessment limits, yet not an outage: reported, not monitored."""
    OUTAGE = 4
    """Interrupted: reliability answers for this minute, not voltage."""
    INVALID = 5
    """Missing, flagged or impossible: lowers the coverage."""


@dataclass(frozen=True)
class Limits:
    """The set values of a monitoring point. A voltage equal to a limit complies. [V]"""

    lo: float
    hi: float
    assess_lo: float = -np.inf
    """Below this a minute is OFFSCALE."""
    assess_hi: float = np.inf
    """Above this a minute is OFFSCALE."""
    dead_below: float = 0.0
    """Below this a minute of a living meter is OUTAGE; commonly 5 % of nominal."""

    def __post_init__(self) -> None:
        if not self.dead_below <= max(self.assess_lo, self.dead_below) <= self.lo <= self.hi <= self.assess_hi:
            raise ValueError(f"limits must rise from dead_below over assess_lo, lo, hi to assess_hi: {self}")


@dataclass(frozen=True)
class MinuteCounts:
    """Minutes per state, one element per row counted. Sums of counts are counts: `a + b` merges two spans. [min]"""

    ok: Counts
    over: Counts
    under: Counts
    offscale: Counts
    outage: Counts
    invalid: Counts

    def __add__(self, other: Self) -> "MinuteCounts":
        return MinuteCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def sum(self, axis: int | None = None) -> "MinuteCounts":
        """Minutes summed over `axis`: a point from its phases, a month from its days."""
        return MinuteCounts(*(np.asarray(getattr(self, f.name)).sum(axis=axis) for f in fields(self)))

    @property
    def minutes(self) -> Counts:
        """Every minute of the span, whatever its state. [min]"""
        return self.monitored + self.offscale + self.outage + self.invalid

    @property
    def monitored(self) -> Counts:
        """Minutes that decide the compliance rate. [min]"""
        return self.ok + self.over + self.under

    @property
    def pass_pct(self) -> NDArray[np.float64]:
        """Compliance rate, 100·ok/monitored; NaN where nothing was monitored (V3). [%]"""
        return _percent(self.ok, self.monitored)

    @property
    def over_pct(self) -> NDArray[np.float64]:
        """Share of monitored minutes above the upper limit. [%]"""
        return _percent(self.over, self.monitored)

    @property
    def under_pct(self) -> NDArray[np.float64]:
        """Share of monitored minutes below the lower limit. [%]"""
        return _percent(self.under, self.monitored)

    @property
    def strict_pass_pct(self) -> NDArray[np.float64]:
        """Compliance rate where an off-scale minute counts as a violation. [%]"""
        return _percent(self.ok, self.monitored + self.offscale)

    @property
    def coverage_pct(self) -> NDArray[np.float64]:
        """Minutes with a reading among the minutes that were not an outage. [%]"""
        return _percent(self.monitored + self.offscale, self.minutes - self.outage)


def minute_states(
    voltage_v: ArrayLike, limits: Limits, *, outage: ArrayLike | None = None, invalid: ArrayLike | None = None
) -> NDArray[np.int8]:
    """Classify minutes, by the priority outage, invalid, off-scale, over, under, OK.

    Parameters
    ----------
    voltage_v : array_like, shape (..., minutes)
        One-minute mean of the RMS voltage; NaN where there is none. [V]
    limits : Limits
        Set values. [V]
    outage, invalid : array_like of bool, shape (..., minutes), optional
        Minutes known to be an outage (V5: see `outage_minutes`) or not to be trusted, beside what the voltage says.

    Returns
    -------
    ndarray of int8, shape (..., minutes)
        `State` of each minute.

    Raises
    ------
    ValueError
        If a mask does not broadcast against the voltages.

    Notes
    -----
    ::

        OUTAGE    outage or v < dead_below          OVER   v > hi
        INVALID   invalid or v is NaN               UNDER  v < lo
        OFFSCALE  v < assess_lo or v > assess_hi    OK     otherwise

    Examples
    --------
    >>> d_point = Limits(198.0, 235.4, assess_lo=154, assess_hi=264, dead_below=11)
    >>> minute_states([235.4, 235.5, 198.0, 197.9, 150, 0, np.nan], d_point).tolist()
    [0, 1, 0, 2, 3, 4, 5]

    References
    ----------
    .. [1] GB/T 12325-2008, "Power quality - Deviation of supply voltage" (limits and statistics).
    """
    v = np.asarray(voltage_v, dtype=np.float32)
    at = _float32(limits)
    states = np.full(v.shape, State.INVALID, dtype=np.int8)
    states[(v >= at.lo) & (v <= at.hi)] = State.OK
    states[v > at.hi] = State.OVER
    states[v < at.lo] = State.UNDER
    states[(v < at.assess_lo) | (v > at.assess_hi)] = State.OFFSCALE
    if invalid is not None:
        states[np.broadcast_to(np.asarray(invalid, dtype=np.bool_), v.shape)] = State.INVALID
    dead = v < at.dead_below if invalid is None else (v < at.dead_below) & (states != State.INVALID)
    states[dead] = State.OUTAGE
    if outage is not None:
        states[np.broadcast_to(np.asarray(outage, dtype=np.bool_), v.shape)] = State.OUTAGE
    return states


def count_states(states: ArrayLike, edges: ArrayLike | None = None) -> MinuteCounts:
    """Count minute states along the last axis, as a whole or from edge to edge.

    Parameters
    ----------
    states : array_like of int8, shape (..., minutes)
        What `minute_states` returned.
    edges : array_like of int, shape (k,), optional
        Rising index of the first minute of each day or month. Minutes before the first edge are left out.

    Returns
    -------
    MinuteCounts
        Arrays of shape (...), or (..., k) with edges. [min]

    Raises
    ------
    ValueError
        If the edges do not rise strictly within the minutes.

    Examples
    --------
    >>> two_days = np.array([0, 0, 1, 5, 0, 0], dtype=np.int8)
    >>> count_states(two_days, edges=[0, 3]).ok.tolist()
    [2, 2]

    References
    ----------
    .. [1] GB/T 12325-2008, "Power quality - Deviation of supply voltage".
    """
    array = np.asarray(states, dtype=np.int8)
    if edges is None:
        return MinuteCounts(*(np.count_nonzero(array == state, axis=-1) for state in State))
    first = np.asarray(edges, dtype=np.intp)
    if first.size and (first[0] < 0 or first[-1] >= array.shape[-1] or (np.diff(first) <= 0).any()):
        raise ValueError("edges must rise strictly and lie within the minutes")
    if not first.size:
        return MinuteCounts(*(np.zeros((*array.shape[:-1], 0), np.int64) for _ in State))
    return MinuteCounts(*(np.add.reduceat(array == state, first, axis=-1, dtype=np.int64) for state in State))


def count_minutes(
    voltage_v: ArrayLike,
    limits: Limits,
    *,
    outage: ArrayLike | None = None,
    invalid: ArrayLike | None = None,
    workers: int = 1,
) -> MinuteCounts:
    """Count minute states along the last axis without making them: several times faster than the two steps.

    Parameters
    ----------
    voltage_v : array_like, shape (..., minutes)
        One-minute mean of the RMS voltage; NaN where there is none. Fastest as C-contiguous float32. [V]
    limits : Limits
        Set values. [V]
    outage, invalid : array_like of bool, shape (..., minutes), optional
        As for `minute_states`.
    workers : int
        Threads that share the rows; NumPy lets them run beside each other.

    Returns
    -------
    MinuteCounts
        Arrays of shape (...): the same as `count_states(minute_states(...))`. [min]

    Raises
    ------
    ValueError
        If a mask does not broadcast against the voltages.

    Notes
    -----
    Works through rows that fit the cache together. A NaN fails every comparison, so two comparisons and their
    conjunction count the OK, the over, the under and the missing minutes; the remaining comparisons are made only
    for rows where something is over or under.

    Examples
    --------
    >>> day = np.repeat([220.0, 240.0, 190.0, 0.0, np.nan, 150.0], [1300, 40, 30, 45, 20, 5])
    >>> counts = count_minutes(day, Limits(198.0, 235.4, 154, 264, 11))
    >>> round(float(counts.pass_pct), 6), round(float(counts.strict_pass_pct), 6), round(float(counts.coverage_pct), 5)
    (94.890511, 94.545455, 98.56631)

    References
    ----------
    .. [1] GB/T 12325-2008, "Power quality - Deviation of supply voltage" (limits and statistics).
    """
    v = np.asarray(voltage_v)
    rows = v.reshape(-1, v.shape[-1])
    known_out = np.zeros(len(rows), dtype=np.int64)
    if outage is not None:
        known_out += np.count_nonzero(np.broadcast_to(outage, v.shape), axis=-1).reshape(-1)
    masks = [np.broadcast_to(m, v.shape).reshape(rows.shape) for m in (outage, invalid) if m is not None]
    at = _float32(limits)
    counted = count_rows(rows, masks, Thresholds(at.lo, at.hi, at.assess_lo, at.assess_hi, at.dead_below), workers)
    columns = (counted.ok, counted.over, counted.under, counted.offscale, counted.dead + known_out)
    missing = v.shape[-1] - sum(columns)
    return MinuteCounts(*(column.reshape(v.shape[:-1])[()] for column in (*columns, missing)))


def _percent(part: Counts, whole: Counts) -> NDArray[np.float64]:
    """`part` of `whole`, NaN where the whole is 0. [%]"""
    share = np.full(np.shape(whole), np.nan)
    np.divide(np.multiply(part, 100.0), whole, out=share, where=np.asarray(whole) > 0)
    return share[()] if share.ndim == 0 else share


def _float32(limits: Limits) -> Limits:
    """The limits as the registers see them."""
    return Limits(*(float(np.float32(getattr(limits, f.name))) for f in fields(Limits)))
