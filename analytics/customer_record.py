"""Indices of IEEE 1366 that ask who was interrupted: CEMI, CEMSMI and CELID, and those weighted by load."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.dlt836 import largest_by_unit
from analytics.ieee1366 import MOMENTARY_S, classes, momentary_events
from analytics.interruptions import NO_UNIT, Mask, Merged
from analytics.intervals import Ms
from analytics.reliability import MS_PER_HOUR, Real, ratio


@dataclass(frozen=True)
class CustomerRecord:
    """What each interrupted unit lived through in a period, as columns by unit number."""

    customers: Real
    sustained: Ms
    """Sustained interruptions."""
    all_events: Ms
    """Sustained interruptions and momentary events."""
    longest_h: Real
    """Longest sustained interruption. [h]"""
    total_h: Real
    """All sustained interruptions. [h]"""
    customers_served: float

    def cemi(self, n: int, *, more_than: bool = False) -> float:
        """Share of customers with `n` or more sustained interruptions (CEMI_n), or with more than `n`."""
        return self._share(self.sustained > n if more_than else self.sustained >= n)

    def cemsmi(self, n: int) -> float:
        """Share of customers with `n` or more sustained interruptions and momentary events (CEMSMI_n)."""
        return self._share(self.all_events >= n)

    def celid_single(self, hours: float) -> float:
        """Share of customers with an interruption longer than `hours` (CELID-t)."""
        return self._share(self.longest_h > hours)

    def celid_total(self, hours: float) -> float:
        """Share of customers without supply for longer than `hours` in total (CELID-s)."""
        return self._share(self.total_h > hours)

    def _share(self, which: Mask) -> float:
        return ratio(float(self.customers[which].sum()), self.customers_served)


def customer_record(
    merged: Merged, *, start_ms: int, end_ms: int, customers_served: float, momentary_s: float = MOMENTARY_S
) -> CustomerRecord | None:
    """Return what each interrupted unit lived through, for CEMI, CEMSMI and CELID.

    Parameters
    ----------
    merged, start_ms, end_ms, customers_served, momentary_s
        As for `ieee1366`.

    Returns
    -------
    CustomerRecord or None
        None where a ledger gives only customers per event: who was interrupted twice is then unknown.

    Notes
    -----
    ::

        CEMI_n  = Σ N(with n or more sustained) / N_T
        CELID_t = Σ N(with one longer than t, or more than t in all) / N_T

    Examples
    --------
    >>> from analytics.interruptions import ledger_columns, merge_ledger
    >>> hour = 3_600_000
    >>> ledger = ledger_columns([0, 0, 1], [0, 9 * hour, 0], [hour, 12 * hour, hour], customers=[10, 10, 30])
    >>> record = customer_record(merge_ledger(ledger), start_ms=0, end_ms=720 * hour, customers_served=100)
    >>> record.cemi(1), record.cemi(2), record.celid_single(2.5), record.celid_total(4)
    (0.4, 0.1, 0.1, 0.0)

    References
    ----------
    .. [1] IEEE Std 1366, "IEEE Guide for Electric Power Distribution Reliability Indices."
    """
    blocks = merged.blocks
    sustained, momentary = classes(blocks, start_ms, end_ms, momentary_s)
    events = momentary_events(blocks, momentary, sustained, momentary_s)
    counted = sustained | momentary
    if (blocks.unit[counted] == NO_UNIT).any():
        return None
    hours, unit = _block_hours(merged), blocks.unit
    size = int(unit[counted].max(initial=-1)) + 1
    return CustomerRecord(
        customers=largest_by_unit(unit[counted], blocks.customers[counted], size),
        sustained=np.bincount(unit[sustained], minlength=size),
        all_events=np.bincount(unit[sustained | events], minlength=size),
        longest_h=largest_by_unit(unit[sustained], hours[sustained], size),
        total_h=_sums(unit[sustained], hours[sustained], size),
        customers_served=customers_served,
    )


def load_indices(duration_min: ArrayLike, kva_off: ArrayLike, *, connected_kva: float) -> tuple[float, float]:
    """Return ASIFI and ASIDI, the indices weighted by load.

    Parameters
    ----------
    duration_min : array_like, shape (n,)
        Time from interruption to restoration of each sustained interruption. [min]
    kva_off : array_like, shape (n,)
        Load interrupted in each. [kVA]
    connected_kva : float
        Load served. [kVA]

    Returns
    -------
    asifi : float
        Interruptions per kVA served; NaN if nothing is connected.
    asidi_min : float
        [min]

    Notes
    -----
    ::

        ASIFI = Σ L / L_T          ASIDI = Σ r·L / L_T

    Examples
    --------
    >>> load_indices([60.0, 120.0], [100.0, 50.0], connected_kva=1000.0)
    (0.15, 12.0)

    References
    ----------
    .. [1] IEEE Std 1366, "IEEE Guide for Electric Power Distribution Reliability Indices."
    """
    minutes, kva = np.asarray(duration_min, dtype=np.float64), np.asarray(kva_off, dtype=np.float64)
    return ratio(float(kva.sum()), connected_kva), ratio(float((minutes * kva).sum()), connected_kva)


def _block_hours(merged: Merged) -> Real:
    """Time out of each block. [h]"""
    pieces = merged.pieces
    hours = (pieces.end_ms - pieces.start_ms) / MS_PER_HOUR
    return _sums(pieces.block, hours, len(merged.blocks.unit))


def _sums(group: Ms, values: Real, size: int) -> Real:
    """Sum of the values of each group, float64 also where there are none."""
    return np.bincount(group, weights=values, minlength=size).astype(np.float64, copy=False)
