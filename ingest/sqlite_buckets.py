"""Readings of one series summed up in steps of time: asked for step by step, or from rows that are at hand."""

import sqlite3

import numpy as np

from ingest.sqlite_tables import T_BITS, Rows, key_bounds
from ingest.store import Buckets

SELECT_BUCKET = (
    "SELECT min(value), max(value), avg(value), count(value), count(*) - count(value), max(quality)"
    " FROM reading WHERE key >= ? AND key < ?"
)


def ask_buckets(db: sqlite3.Connection, series: int, starts_ms: range, end_ms: int) -> Buckets:
    """Return one bucket for each step that holds a row of the table `reading`.

    Step by step in key order: half the time of one GROUP BY, which would sort every reading again.
    """
    found: list[tuple[int | float | None, ...]] = []
    for start_ms in starts_ms:
        span = key_bounds(series, start_ms, min(start_ms + starts_ms.step, end_ms))
        sums = db.execute(SELECT_BUCKET, span).fetchone()
        if sums[-1] is not None:
            found.append((start_ms, *sums))
    return _buckets(found)


def sum_buckets(rows: Rows, series: int, start_ms: int, step_ms: int) -> Buckets:
    """Return the same from rows in key order; steps count from `start_ms`."""
    if not len(rows):
        return no_buckets()
    step = (rows.key - (series << T_BITS) - start_ms) // step_ms
    first = np.flatnonzero(np.diff(step, prepend=step[0] - 1))
    has_value = ~np.isnan(rows.value)
    valued = np.add.reduceat(has_value.astype(np.int64), first)
    total = np.add.reduceat(np.where(has_value, rows.value, 0.0), first)
    return Buckets(
        start_ms=start_ms + step[first] * step_ms,
        low=np.fmin.reduceat(rows.value, first),
        high=np.fmax.reduceat(rows.value, first),
        mean=np.divide(total, valued, out=np.full(len(first), np.nan), where=valued > 0),
        valued=valued,
        bad=np.diff(first, append=len(rows)) - valued,
        worst=np.maximum.reduceat(rows.quality, first),
    )


def no_buckets() -> Buckets:
    """Return what there is of a series without readings."""
    return _buckets([])


def _buckets(found: list[tuple[int | float | None, ...]]) -> Buckets:
    start, low, high, mean, valued, bad, worst = zip(*found, strict=True) if found else ((),) * 7
    return Buckets(
        start_ms=np.array(start, np.int64),
        low=np.array(low, np.float64),
        high=np.array(high, np.float64),
        mean=np.array(mean, np.float64),
        valued=np.array(valued, np.int64),
        bad=np.array(bad, np.int64),
        worst=np.array(worst, np.uint8),
    )
