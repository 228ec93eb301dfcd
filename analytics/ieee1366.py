"""Indices of IEEE 1366: SAIDI, SAIFI, CAIDI, ASAI, CTAIDI, CAIFI, MAIFI and MAIFI_E.

Every interruption belongs, whole and unclipped, to the period in which it begins. Only a total loss of supply is an
interruption: limiting that keeps part of the demand is left out (`Ledger.share_off` below 1).
"""

from dataclasses import dataclass

import numpy as np

from analytics.dlt836 import distinct_customers
from analytics.interruptions import NO_UNIT, Blocks, Ledger, Mask, Merged
from analytics.reliability import Real, period_hours, ratio

MOMENTARY_S = 300.0
"""Longest momentary interruption. [s]"""


@dataclass(frozen=True)
class Ieee1366:
    """Indices of one period; NaN where undefined."""

    saidi_min: float
    """[min per customer]"""
    saifi: float
    """[interruptions per customer]"""
    caidi_min: float
    """[min per interruption]"""
    asai_pct: float
    """[%]"""
    maifi: float
    """[momentary interruptions per customer]"""
    maifi_e: float
    """[momentary interruption events per customer]"""
    ctaidi_min: float
    """[min per customer that was interrupted]"""
    caifi: float
    """[interruptions per customer that was interrupted]"""


def total_losses(ledger: Ledger) -> Ledger:
    """Return the records that IEEE 1366 calls interruptions: those that left nothing of the demand.

    Parameters
    ----------
    ledger : Ledger
        Of shape (n,).

    Returns
    -------
    Ledger
        Records with `share_off` of 1.

    Examples
    --------
    >>> from analytics.interruptions import ledger_columns
    >>> len(total_losses(ledger_columns([0, 1], [0, 0], [9, 9], share_off=[1.0, 0.4])))
    1

    References
    ----------
    .. [1] IEEE Std 1366, "IEEE Guide for Electric Power Distribution Reliability Indices."
    """
    return ledger.where(ledger.share_off >= 1.0)


def ieee1366(
    merged: Merged, *, start_ms: int, end_ms: int, customers_served: float, momentary_s: float = MOMENTARY_S
) -> Ieee1366:
    """Sum up the interruptions that begin in a period by IEEE 1366.

    Parameters
    ----------
    merged : Merged
        What `merge_ledger` made of the ledger's `total_losses`; one row per restoration step (R6).
    start_ms, end_ms : int
        The period. [ms since 1970-01-01T00:00Z]
    customers_served : float
        N_T.
    momentary_s : float
        Longest momentary interruption; longer ones are sustained. [s]

    Returns
    -------
    Ieee1366
        CAIDI is NaN when nobody was interrupted, CTAIDI and CAIFI also when the units are unknown.

    Raises
    ------
    ValueError
        If the period ends before it starts.

    Notes
    -----
    With r the minutes and N the customers of a sustained interruption, CN the distinct customers interrupted::

        SAIDI = Σ r·N / N_T     SAIFI = Σ N / N_T     CAIDI = SAIDI / SAIFI     ASAI  = (1 − SAIDI/60 / T)·100
        CTAIDI = Σ r·N / CN     CAIFI = Σ N / CN      MAIFI = Σ N(momentary) / N_T

    Examples
    --------
    >>> from analytics.interruptions import ledger_columns, merge_ledger
    >>> minutes = np.array([90, 3, 30])
    >>> steps = ledger_columns([-1, -1, -1], [0, 0, 0], minutes * 60_000, customers=[200, 500, 50])
    >>> june = ieee1366(merge_ledger(steps), start_ms=0, end_ms=43200 * 60_000, customers_served=1000)
    >>> june.saidi_min, june.saifi, june.caidi_min, june.maifi
    (19.5, 0.25, 78.0, 0.5)

    References
    ----------
    .. [1] IEEE Std 1366, "IEEE Guide for Electric Power Distribution Reliability Indices."
    """
    blocks, hours = merged.blocks, period_hours(start_ms, end_ms)
    sustained, momentary = classes(blocks, start_ms, end_ms, momentary_s)
    minutes = float(block_customer_minutes(merged)[sustained].sum())
    interrupted = float(blocks.customers[sustained].sum())
    distinct = distinct_customers(merged, sustained)
    events = momentary_events(blocks, momentary, sustained, momentary_s)
    saidi = ratio(minutes, customers_served)
    return Ieee1366(
        saidi_min=saidi,
        saifi=ratio(interrupted, customers_served),
        caidi_min=ratio(minutes, interrupted),
        asai_pct=(1.0 - ratio(saidi / 60.0, hours)) * 100.0,
        maifi=ratio(float(blocks.customers[momentary].sum()), customers_served),
        maifi_e=ratio(float(blocks.customers[events].sum()), customers_served),
        ctaidi_min=ratio(minutes, distinct),
        caifi=ratio(interrupted, distinct),
    )


def classes(blocks: Blocks, start_ms: int, end_ms: int, momentary_s: float = MOMENTARY_S) -> tuple[Mask, Mask]:
    """Tell the sustained and the momentary interruptions that begin in a period.

    Parameters
    ----------
    blocks : Blocks
        Of shape (b,).
    start_ms, end_ms : int
        The period. [ms since 1970-01-01T00:00Z]
    momentary_s : float
        Longest momentary interruption. [s]

    Returns
    -------
    sustained, momentary : ndarray of bool, shape (b,)

    Notes
    -----
    ::

        sustained: seconds > momentary_s          momentary: seconds <= momentary_s

    Examples
    --------
    >>> from analytics.interruptions import ledger_columns, merge_ledger
    >>> blocks = merge_ledger(ledger_columns([0, 1], [0, 0], [300_000, 300_001])).blocks
    >>> [mask.tolist() for mask in classes(blocks, 0, 1)]
    [[False, True], [True, False]]

    References
    ----------
    .. [1] IEEE Std 1366, "IEEE Guide for Electric Power Distribution Reliability Indices."
    """
    counted = blocks.starting_in(start_ms, end_ms)
    sustained: Mask = counted & (blocks.seconds > momentary_s)
    return sustained, counted & ~sustained


def block_customer_minutes(merged: Merged) -> Real:
    """Return the customer-minutes of each block, unclipped. [customer-minutes]

    Parameters
    ----------
    merged : Merged
        Of b blocks.

    Returns
    -------
    ndarray, shape (b,)

    Notes
    -----
    ::

        CMI = Σ r·N over the pieces of a block

    Examples
    --------
    >>> from analytics.interruptions import ledger_columns, merge_ledger
    >>> block_customer_minutes(merge_ledger(ledger_columns([0], [0], [90 * 60_000], customers=200))).tolist()
    [18000.0]

    References
    ----------
    .. [1] IEEE Std 1366, "IEEE Guide for Electric Power Distribution Reliability Indices."
    """
    pieces = merged.pieces
    minutes = np.bincount(pieces.block, weights=pieces.customer_hours() * 60.0, minlength=len(merged.blocks.unit))
    return minutes.astype(np.float64, copy=False)


def momentary_events(blocks: Blocks, momentary: Mask, sustained: Mask, within_s: float = MOMENTARY_S) -> Mask:
    """Mark the first interruption of each momentary event (MAIFI_E).

    Parameters
    ----------
    blocks : Blocks
        Of shape (b,), by unit and start.
    momentary, sustained : ndarray of bool, shape (b,)
        From `classes`.
    within_s : float
        Interruptions beginning within this time of the first belong to its event. [s]

    Returns
    -------
    ndarray of bool, shape (b,)
        An event that ends in a sustained interruption is not momentary, and not marked. An aggregated event, whose
        customers are unknown, is an event of its own.

    Examples
    --------
    Three operations in four minutes are one event:

    >>> from analytics.interruptions import ledger_columns, merge_ledger
    >>> starts = [0, 100_000, 240_000, 900_000]
    >>> blocks = merge_ledger(ledger_columns([0] * 4, starts, [start + 20_000 for start in starts])).blocks
    >>> momentary_events(blocks, *classes(blocks, 0, 10**9)[::-1]).tolist()
    [True, False, False, True]

    References
    ----------
    .. [1] IEEE Std 1366, "IEEE Guide for Electric Power Distribution Reliability Indices."
    """
    rows = np.flatnonzero((momentary | sustained) & (blocks.unit != NO_UNIT))
    marked: Mask = momentary & (blocks.unit == NO_UNIT)
    unit, start = blocks.unit[rows], blocks.start_ms[rows]
    if not len(rows):
        return marked
    span = int(start.max() - start.min()) + round(within_s * 1000) + 1
    key = unit * span + (start - start.min())
    after = np.searchsorted(key, key + round(within_s * 1000), side="right")
    sustained_before = np.concatenate(([0], np.cumsum(sustained[rows])))
    only_momentary = sustained_before[after] == sustained_before[:-1]
    first = np.flatnonzero(np.diff(unit, prepend=-1))
    while len(first):
        marked[rows[first]] = only_momentary[first]
        following = after[first]
        same_unit = following < len(rows)
        same_unit[same_unit] = unit[following[same_unit]] == unit[first[same_unit]]
        first = following[same_unit]
    return marked
