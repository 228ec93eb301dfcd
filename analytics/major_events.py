"""Major event days by 2.5 beta, and the transformer areas that are interrupted too often."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.ieee1366 import block_customer_minutes
from analytics.interruptions import Mask, Merged
from analytics.intervals import Ms
from analytics.reliability import Real

MAJOR_BETAS = 2.5
CATASTROPHIC_BETAS = 4.15
"""A day beyond this may be catastrophic: a person decides before it enters next year's alpha and beta."""
LEAST_DAYS = 36
"""Days with interruptions below which no threshold is stated; small counties have many days without."""
MS_PER_DAY = 86_400_000


@dataclass(frozen=True)
class MajorEventThreshold:
    """The threshold of one year, from the daily SAIDI of the years before it."""

    alpha: float
    """Mean of the logarithms of daily SAIDI, days without interruption left out."""
    beta: float
    """Standard deviation of those logarithms."""
    t_med: float
    """Daily SAIDI above this makes a major event day; NaN where there are too few days. [min]"""
    t_catastrophic: float
    """Daily SAIDI above this may be catastrophic. [min]"""
    days_used: int
    zero_days: int


def major_event_threshold(
    daily_saidi_min: ArrayLike, *, ddof: Literal[0, 1] = 1, least_days: int = LEAST_DAYS
) -> MajorEventThreshold:
    """Return the 2.5-beta threshold that past daily SAIDI sets for the next year.

    Parameters
    ----------
    daily_saidi_min : array_like, shape (days,)
        SAIDI of each day of the five latest years, or of as many as there are. [min]
    ddof : {1, 0}
        Standard deviation of a sample, or of a population.
    least_days : int
        With fewer days above zero, T_MED is NaN and no day is major.

    Returns
    -------
    MajorEventThreshold
        Alpha and beta are given whenever they can be computed.

    Raises
    ------
    ValueError
        If a value is negative or NaN.

    Notes
    -----
    ::

        T_MED = exp(alpha + 2.5·beta),   alpha, beta = mean and standard deviation of ln(SAIDI) over days above 0

    Examples
    --------
    >>> threshold = major_event_threshold([0.5, 1, 2, 4, 8, 0, 0], least_days=1)
    >>> round(threshold.alpha, 6), round(threshold.beta, 6), round(threshold.t_med, 6)
    (0.693147, 1.095962, 30.971022)
    >>> major_event_threshold([0.5, 1, 2]).t_med  # too few days
    nan

    References
    ----------
    .. [1] IEEE Std 1366, "IEEE Guide for Electric Power Distribution Reliability Indices", annex B.
    """
    daily = np.asarray(daily_saidi_min, dtype=np.float64)
    if not (daily >= 0).all():
        raise ValueError("daily SAIDI must not be negative or NaN")
    logs = np.log(daily[daily > 0])
    alpha = float(logs.mean()) if len(logs) else float("nan")
    beta = float(logs.std(ddof=ddof)) if len(logs) > ddof else float("nan")
    stated = float("nan") if len(logs) < least_days else 0.0
    return MajorEventThreshold(
        alpha=alpha,
        beta=beta,
        t_med=float(np.exp(alpha + MAJOR_BETAS * beta)) + stated,
        t_catastrophic=float(np.exp(alpha + CATASTROPHIC_BETAS * beta)) + stated,
        days_used=len(logs),
        zero_days=len(daily) - len(logs),
    )


def major_days(daily_saidi_min: ArrayLike, t_med: float) -> Mask:
    """Mark the major event days.

    Parameters
    ----------
    daily_saidi_min : array_like, shape (days,)
        SAIDI of each day of the year judged. [min]
    t_med : float
        From `major_event_threshold` of the years before; NaN marks no day. [min]

    Returns
    -------
    ndarray of bool, shape (days,)

    Notes
    -----
    ::

        major: SAIDI > T_MED

    Examples
    --------
    >>> major_days([30.9, 31.0], 30.971022).tolist()
    [False, True]

    References
    ----------
    .. [1] IEEE Std 1366, "IEEE Guide for Electric Power Distribution Reliability Indices."
    """
    return np.asarray(np.asarray(daily_saidi_min, dtype=np.float64) > t_med)


def daily_saidi_min(merged: Merged, day_edges_ms: Ms, customers_served: float, *, momentary_s: float = 300.0) -> Real:
    """Return SAIDI of each day; an interruption belongs wholly to the day it began.

    Parameters
    ----------
    merged : Merged
        What `merge_ledger` made of the records.
    day_edges_ms : ndarray of int64, shape (days + 1,)
        Local midnights, the last one closing the last day. [ms since 1970-01-01T00:00Z]
    customers_served : float
        N_T.
    momentary_s : float
        Longest interruption left out. [s]

    Returns
    -------
    ndarray, shape (days,)
        [min per customer]

    Notes
    -----
    ::

        SAIDI of a day = Σ r·N(beginning on it, sustained) / N_T

    Examples
    --------
    Two hours that begin at 23:00 belong to the first day:

    >>> from analytics.interruptions import ledger_columns, merge_ledger
    >>> hour = 3_600_000
    >>> merged = merge_ledger(ledger_columns([0], [23 * hour], [25 * hour], customers=[50]))
    >>> daily_saidi_min(merged, np.array([0, 24, 48]) * hour, 100).tolist()
    [60.0, 0.0]

    References
    ----------
    .. [1] IEEE Std 1366, "IEEE Guide for Electric Power Distribution Reliability Indices."
    """
    blocks, days = merged.blocks, len(day_edges_ms) - 1
    kept = blocks.starting_in(int(day_edges_ms[0]), int(day_edges_ms[-1])) & (blocks.seconds > momentary_s)
    day = np.searchsorted(day_edges_ms, blocks.start_ms[kept], side="right") - 1
    minutes = np.bincount(day, weights=block_customer_minutes(merged)[kept], minlength=days)
    return np.asarray(minutes / customers_served) if customers_served > 0 else np.full(days, np.nan)


def frequent_interruptions(
    unit: ArrayLike, start_ms: ArrayLike, *, until_ms: int, in_60_days: int = 3, in_a_year: int = 5
) -> NDArray[np.int64]:
    """Return the units interrupted too often by `until_ms` (R13).

    Parameters
    ----------
    unit : array_like of int, shape (n,)
        Unit of each merged interruption, such as its transformer area.
    start_ms : array_like of int, shape (n,)
        When it began. [ms since 1970-01-01T00:00Z]
    until_ms : int
        The list looks back from here. [ms since 1970-01-01T00:00Z]
    in_60_days, in_a_year : int
        Interruptions that put a unit on the list.

    Returns
    -------
    ndarray of int64, shape (m,)
        Units with at least `in_60_days` in the last 60 days or `in_a_year` in the last 365, the most frequent first.

    Notes
    -----
    ::

        listed: n(last 60 days) >= in_60_days  or  n(last 365 days) >= in_a_year

    Examples
    --------
    >>> day = 86_400_000
    >>> units, days = [7, 7, 7, 8, 8, 9], [301, 330, 359, 100, 200, 359]
    >>> frequent_interruptions(units, [d * day for d in days], until_ms=360 * day).tolist()
    [7]

    References
    ----------
    .. [1] The rule "three in two months or five in a year" of a Chinese distribution management system.
    """
    units, start = np.asarray(unit, dtype=np.int64), np.asarray(start_ms, dtype=np.int64)
    names, index = np.unique(units, return_inverse=True)
    yearly, recent = (
        np.bincount(index[(start >= until_ms - days * MS_PER_DAY) & (start < until_ms)], minlength=len(names))
        for days in (365, 60)
    )
    listed = (recent >= in_60_days) | (yearly >= in_a_year)
    return np.asarray(names[listed][np.argsort(-yearly[listed], kind="stable")])
