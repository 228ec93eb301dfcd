"""Dips, swells and interruptions from half-cycle RMS voltages (IEC 61000-4-30), by thresholds with hysteresis."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.voltage import Mask

COARSEST_MS = 1000.0
"""Longest interval between RMS values in which an event can be told from a change of level. [ms]"""
DIP_EDGES_PCT = (90.0, 80.0, 70.0, 40.0, 5.0)
DIP_EDGES_MS = (10.0, 200.0, 500.0, 1000.0, 5000.0, 60_000.0)


class EventKind(IntEnum):
    """What an event is."""

    DIP = 0
    SWELL = 1
    INTERRUPTION = 2


@dataclass(frozen=True)
class Spans:
    """Events found in one series, as index ranges `[first, after)` with the extreme value inside."""

    first: NDArray[np.int64]
    after: NDArray[np.int64]
    extreme: NDArray[np.float64]


@dataclass(frozen=True)
class VoltageEvents:
    """Events of all phases together."""

    kind: NDArray[np.int8]
    """`EventKind` of each."""
    first: NDArray[np.int64]
    after: NDArray[np.int64]
    residual_v: NDArray[np.float64]
    """Lowest voltage of any phase in a dip or an interruption, highest in a swell. [V]"""


def below_with_hysteresis(values: ArrayLike, threshold: float, hysteresis: float) -> Mask:
    """Mark where a series is below a threshold, until it is back above it by the hysteresis.

    Parameters
    ----------
    values : array_like, shape (n,)
        Any unit; a NaN keeps the state before it.
    threshold : float
        An event starts below it.
    hysteresis : float
        An event ends at `threshold + hysteresis` or above.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ValueError
        If the hysteresis is negative.

    Examples
    --------
    >>> below_with_hysteresis([100, 90, 96, 97, 100], 95, 2).tolist()
    [False, True, True, False, False]

    References
    ----------
    .. [1] IEC 61000-4-30, dips, swells and interruptions.
    """
    if hysteresis < 0:
        raise ValueError(f"hysteresis must not be negative: {hysteresis}")
    array = np.asarray(values, dtype=np.float64)
    mark = np.where(array < threshold, 1, np.where(array >= threshold + hysteresis, -1, 0))
    latest = np.maximum.accumulate(np.where(mark != 0, np.arange(len(mark)), 0)) if len(mark) else mark
    return np.asarray(mark[latest] == 1)


def event_spans(inside: ArrayLike, values: ArrayLike, *, highest: bool = False) -> Spans:
    """Return the runs of a mask, each with the extreme value in it.

    Parameters
    ----------
    inside : array_like of bool, shape (n,)
        Where the event is.
    values : array_like, shape (n,)
        The series it was found in.
    highest : bool
        Report the maximum in place of the minimum.

    Returns
    -------
    Spans

    Examples
    --------
    The low and the high series of an open test vector:

    >>> low = [100, 90, 80, 70, 80, 90, 100, 100, 60, 100]
    >>> spans = event_spans(below_with_hysteresis(low, 95, 2), low)
    >>> spans.first.tolist(), spans.after.tolist(), spans.extreme.tolist()
    ([1, 8], [6, 9], [70.0, 60.0])
    """
    edges = np.diff(np.concatenate(([False], np.asarray(inside, dtype=np.bool_), [False])).astype(np.int8))
    first, after = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not len(first):
        return Spans(first, after, np.zeros(0))
    bounds = np.column_stack((first, after)).reshape(-1)
    padded = np.append(np.asarray(values, dtype=np.float64), np.nan)
    pick = np.fmax if highest else np.fmin
    return Spans(first, after, pick.reduceat(padded, bounds)[::2])


def voltage_events(
    rms_v: ArrayLike,
    nominal_v: float,
    *,
    interval_ms: float,
    dip_pct: float = 90.0,
    swell_pct: float = 110.0,
    interruption_pct: float = 5.0,
    hysteresis_pct: float = 2.0,
) -> VoltageEvents:
    """Find dips, swells and interruptions of a supply, all its phases seen together.

    Parameters
    ----------
    rms_v : array_like, shape (phases, n)
        RMS of each half cycle, or of intervals up to one second. [V]
    nominal_v : float
        Reference voltage. [V]
    interval_ms : float
        From one value to the next. [ms]
    dip_pct, swell_pct, interruption_pct, hysteresis_pct : float
        Thresholds, and how far back a voltage must come. [% of nominal]

    Returns
    -------
    VoltageEvents
        In order of start. A dip lasts from the first phase that falls to the last that is back; an interruption from
        the last phase that is lost to the first that is back, and takes the place of the dip around it.

    Raises
    ------
    ValueError
        If the values are coarser than one second: a minute's mean shows no dip, only that the voltage was low.

    Examples
    --------
    >>> phases = [[230, 150, 5, 5, 230, 230], [230, 230, 5, 150, 230, 260]]
    >>> events = voltage_events(phases, 230.0, interval_ms=10)
    >>> [(EventKind(kind).name, first, after) for kind, first, after in zip(events.kind, events.first, events.after)]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('INTERRUPTION', np.int64(2), np.int64(3)), ('SWELL', np.int64(5), np.int64(6))]

    References
    ----------
    .. [1] IEC 61000-4-30, polyphase aggregation of dips, swells and interruptions.
    """
    if interval_ms > COARSEST_MS:
        raise ValueError(
            f"values every {interval_ms:g} ms are too coarse for voltage events; 1000 ms or finer are needed"
        )
    phases = np.atleast_2d(np.asarray(rms_v, dtype=np.float64))
    one = nominal_v / 100.0
    lowest, top = np.fmin.reduce(phases, axis=0), np.fmax.reduce(phases, axis=0)
    low = np.any([below_with_hysteresis(p, dip_pct * one, hysteresis_pct * one) for p in phases], axis=0)
    high = np.any([below_with_hysteresis(-p, -swell_pct * one, hysteresis_pct * one) for p in phases], axis=0)
    lost = np.all([below_with_hysteresis(p, interruption_pct * one, hysteresis_pct * one) for p in phases], axis=0)
    dips, swells, losses = event_spans(low, lowest), event_spans(high, top, highest=True), event_spans(lost, lowest)
    holds_loss = np.array([lost[a:b].any() for a, b in zip(dips.first, dips.after, strict=True)], dtype=np.bool_)
    dips = Spans(dips.first[~holds_loss], dips.after[~holds_loss], dips.extreme[~holds_loss])
    found = ((EventKind.DIP, dips), (EventKind.SWELL, swells), (EventKind.INTERRUPTION, losses))
    kind = np.concatenate([np.full(len(spans.first), k, dtype=np.int8) for k, spans in found])
    first, after, extreme = (
        np.concatenate([getattr(spans, name) for _, spans in found]) for name in ("first", "after", "extreme")
    )
    order = np.argsort(first, kind="stable")
    return VoltageEvents(kind[order], first[order], after[order], extreme[order])


def dip_cell(residual_pct: float, duration_ms: float) -> str:
    """Return the cell of the dip table, `A1` (shallow and short) to `X5`.

    Parameters
    ----------
    residual_pct : float
        Lowest voltage of the dip. [% of nominal]
    duration_ms : float
        [ms]

    Returns
    -------
    str
        Empty outside the table: above 90 %, shorter than 10 ms or longer than 60 s.

    Examples
    --------
    >>> dip_cell(85, 100), dip_cell(60, 700), dip_cell(3, 30_000), dip_cell(95, 100)
    ('A1', 'C3', 'X5', '')

    References
    ----------
    .. [1] EN 50160, classification of voltage dips.
    """
    if residual_pct >= DIP_EDGES_PCT[0] or not DIP_EDGES_MS[0] <= duration_ms <= DIP_EDGES_MS[-1]:
        return ""
    row = sum(residual_pct < edge for edge in DIP_EDGES_PCT[1:])
    column = sum(duration_ms > edge for edge in DIP_EDGES_MS[1:-1])
    return f"{'ABCDX'[row]}{column + 1}"
