"""Ledgers written in hours, and their indices over a month of 720 h."""

import numpy as np

from analytics.dlt836 import Dlt836, dlt836
from analytics.ieee1366 import Ieee1366, ieee1366, total_losses
from analytics.interruptions import NO_UNIT, Ledger, ledger_columns, merge_ledger
from analytics.reliability import Nature

HOUR = 3_600_000
DAY = 24 * HOUR
JUNE = 720 * HOUR
FAULT, LIMIT, PLANNED = Nature.FAULT, Nature.LIMIT, Nature.PLANNED


def of(rows: list[tuple[float, float, float]], unit: int | list[int] = NO_UNIT, **columns: object) -> Ledger:
    """A ledger of (start h, end h, customers)."""
    start, end, customers = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    units = np.broadcast_to(np.asarray(unit), start.shape)
    return ledger_columns(units, np.rint(start * HOUR), np.rint(end * HOUR), customers=customers, **columns)


def by_dlt(ledger: Ledger, n_eq: float = 1000, end_ms: int = JUNE, **options: float) -> Dlt836:
    """By DL/T 836, for 1000 customers."""
    return dlt836(merge_ledger(ledger, **options), start_ms=0, end_ms=end_ms, n_eq=n_eq)


def by_ieee(ledger: Ledger, served: float = 1000, end_ms: int = JUNE) -> Ieee1366:
    """By IEEE 1366, for 1000 customers."""
    return ieee1366(merge_ledger(total_losses(ledger)), start_ms=0, end_ms=end_ms, customers_served=served)
