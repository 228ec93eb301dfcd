"""Indices of DL/T 836: RS-1, RS-2, RS-3, ASAI-4, AIHC, AITC and what stands beside them.

Hours are clipped to the period (RS cannot pass below 0); an interruption counts in the period in which it starts.
"""

from dataclasses import dataclass

import numpy as np

from analytics.interruptions import NO_UNIT, Mask, Merged
from analytics.intervals import Ms
from analytics.reliability import Nature, Real, period_hours, ratio, reliability_pct

SHORT_S = 180.0
"""Longest short-time interruption (2016 edition). [s]"""


@dataclass(frozen=True)
class Dlt836:
    """Indices of one period; NaN where undefined."""

    period_h: float
    """T. [h]"""
    n_eq: float
    """Equivalent customers."""
    customer_hours: float
    """CH, 停电时户数. [customer-hours]"""
    rs1: float
    """RS-1 = ASAI-1: every interruption. [%]"""
    rs2: float
    """RS-2 = ASAI-2: without external influence. [%]"""
    rs3: float
    """RS-3 = ASAI-3: without limiting for shortage of generation. [%]"""
    asai4: float
    """ASAI-4: without short-time interruptions. [%]"""
    aihc1_h: float
    """AIHC-1 = SAIDI-1. [h per customer]"""
    aitc1: float
    """AITC-1 = SAIFI-1. [interruptions per customer]"""
    aitc_long: float
    """AITC without short-time interruptions. [interruptions per customer]"""
    saidi_f_h: float
    """Part of SAIDI-1 by fault. [h per customer]"""
    saidi_s_h: float
    """Part of SAIDI-1 by arrangement: planned and limiting. [h per customer]"""
    maifi: float
    """Short-time interruptions. [interruptions per customer]"""
    maifi_f: float
    maifi_s: float
    mic: float
    """Customers per interruption."""
    mid_f_h: float
    """Mean duration of a fault interruption. [h]"""
    mid_s_h: float
    """Mean duration of an arranged interruption. [h]"""
    caidi_h: float
    """CH per customer interruption. [h]"""
    ctaidi_h: float
    """CH per customer that was interrupted at all. [h]"""
    caifi: float
    """Interruptions per customer that was interrupted at all."""


def dlt836(merged: Merged, *, start_ms: int, end_ms: int, n_eq: float, short_s: float = SHORT_S) -> Dlt836:
    """Sum up the interruptions of a period by DL/T 836.

    Parameters
    ----------
    merged : Merged
        What `merge_ledger` made of the ledger; the rows may begin before the period and end after it.
    start_ms, end_ms : int
        The period, a local calendar period. [ms since 1970-01-01T00:00Z]
    n_eq : float
        Equivalent customers, see `equivalent_customers`.
    short_s : float
        Longest short-time interruption. The class is that of the unclipped duration (R2). [s]

    Returns
    -------
    Dlt836
        NaN wherever a denominator is 0 (R9). The shares by distinct customer are NaN if any event is aggregated.

    Raises
    ------
    ValueError
        If the period ends before it starts, or more customer-hours are out than the period has (R9).

    Notes
    -----
    With d the clipped hours of a piece, N its customers, T the hours of the period::

        CH     = Σ d·N                    AIHC-1 = CH / N_eq
        AITC-1 = Σ N(starting) / N_eq     RS-1   = (1 − AIHC-1/T)·100
        RS-2   = (1 − (AIHC-1 − AIHC_external)/T)·100      RS-3 and ASAI-4 likewise
        SAIDI-F + SAIDI-S = SAIDI-1

    Examples
    --------
    Two hours for 120 of 1000 customers in 720 h, and 2 min for 500:

    >>> from analytics.interruptions import ledger_columns, merge_ledger
    >>> h = 3_600_000
    >>> ledger = ledger_columns([-1, -1], [10 * h, 400 * h], [12 * h, 400 * h + 120_000], customers=[120, 500])
    >>> june = dlt836(merge_ledger(ledger), start_ms=0, end_ms=720 * h, n_eq=1000)
    >>> round(june.customer_hours, 4), round(june.rs1, 6), round(june.asai4, 6), june.aitc1
    (256.6667, 99.964352, 99.966667, 0.62)

    References
    ----------
    .. [1] DL/T 836-2016, "Reliability evaluation rules of power supply system"; RS-n, AIHC and AITC are the names of
       its 2003 and 2012 editions.
    """
    hours, blocks, pieces = period_hours(start_ms, end_ms), merged.blocks, merged.pieces
    if hours == 0:
        n_eq = float("nan")
    out = pieces.customer_hours(start_ms, end_ms)
    short, counted = blocks.seconds <= short_s, blocks.starting_in(start_ms, end_ms)
    fault, fault_block = pieces.nature == Nature.FAULT, blocks.nature == Nature.FAULT
    total = float(out.sum())

    def rs_without(left_out: Mask) -> float:
        return reliability_pct(float(out[~left_out].sum()), n_eq, hours)

    def per_customer(which: Mask) -> float:
        return ratio(float(blocks.customers[which & counted].sum()), n_eq)

    def mean_hours(which: Mask) -> float:
        return _mean(blocks.seconds[which & counted] / 3600.0)

    interrupted = float(blocks.customers[counted].sum())
    distinct = distinct_customers(merged, counted)
    return Dlt836(
        period_h=hours,
        n_eq=n_eq,
        customer_hours=total,
        rs1=reliability_pct(total, n_eq, hours),
        rs2=rs_without(pieces.external),
        rs3=rs_without(pieces.shortage),
        asai4=rs_without(short[pieces.block]),
        aihc1_h=ratio(total, n_eq),
        aitc1=ratio(interrupted, n_eq),
        aitc_long=per_customer(~short),
        saidi_f_h=ratio(float(out[fault].sum()), n_eq),
        saidi_s_h=ratio(float(out[~fault].sum()), n_eq),
        maifi=per_customer(short),
        maifi_f=per_customer(short & fault_block),
        maifi_s=per_customer(short & ~fault_block),
        mic=_mean(blocks.customers[counted]),
        mid_f_h=mean_hours(fault_block),
        mid_s_h=mean_hours(~fault_block),
        caidi_h=ratio(total, interrupted),
        ctaidi_h=ratio(total, distinct),
        caifi=ratio(interrupted, distinct),
    )


def distinct_customers(merged: Merged, counted: Mask) -> float:
    """Return the customers of the counted blocks, each unit's once; NaN if the units of some are unknown.

    Parameters
    ----------
    merged : Merged
        Of b blocks.
    counted : ndarray of bool, shape (b,)
        The blocks to look at.

    Returns
    -------
    float
        Customers; a unit that was interrupted in part has its largest number.

    Examples
    --------
    >>> from analytics.interruptions import ledger_columns, merge_ledger
    >>> merged = merge_ledger(ledger_columns([0, 0, 1], [0, 9, 5], [1, 10, 6], customers=[30, 50, 7]))
    >>> distinct_customers(merged, merged.blocks.unit >= 0)
    57.0

    References
    ----------
    .. [1] IEEE Std 1366, "IEEE Guide for Electric Power Distribution Reliability Indices": CN.
    """
    unit, customers = merged.blocks.unit[counted], merged.blocks.customers[counted]
    if (unit == NO_UNIT).any():
        return float("nan")
    return float(np.sum(largest_by_unit(unit, customers, int(unit.max(initial=-1)) + 1)))


def largest_by_unit(unit: Ms, values: Real, size: int) -> Real:
    """Return the largest value of each unit, by unit number; 0 for units that do not occur.

    Parameters
    ----------
    unit : ndarray of int64, shape (n,)
        Unit numbers, 0 or more.
    values : ndarray, shape (n,)
        Not negative.
    size : int
        Units to report on; above every unit number.

    Returns
    -------
    ndarray, shape (size,)

    Examples
    --------
    >>> largest_by_unit(np.array([0, 2, 2]), np.array([3.0, 5.0, 4.0]), 3).tolist()
    [3.0, 0.0, 5.0]
    """
    largest = np.zeros(size)
    np.maximum.at(largest, unit, values)
    return largest


def _mean(values: Real) -> float:
    return float(values.mean()) if len(values) else float("nan")
