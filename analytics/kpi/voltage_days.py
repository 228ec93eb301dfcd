"""Voltage compliance of one point on one local day, as partial sums."""

import numpy as np

from analytics.runs import Float
from analytics.spans import Bool, Int
from analytics.voltage import Limits, count_minutes
from edge.wire import Quality
from ingest.store import Columns

MINUTE_MS = 60_000
AFTER_POWER_UP_MS = 5_000
"""A meter's firmware starts its minute this long after power returns (V5). [ms]"""
STATES = ("ok", "over", "under", "offscale", "outage", "invalid")


def voltage_day(
    rows: Columns, limits: Limits, lost_from_ms: Int, lost_to_ms: Int, start_ms: int, end_ms: int
) -> dict[str, float]:
    """Return the minutes of a point by state, between two instants. [min]

    `rows` are those of the one point; the unit's proven losses are given by their starts and ends.
    """
    minutes = (end_ms - start_ms) // MINUTE_MS
    outage = _touched(lost_from_ms, lost_to_ms + AFTER_POWER_UP_MS, start_ms, minutes)
    counts = count_minutes(_minute_means(rows, start_ms, minutes), limits, outage=outage)
    return {state: float(getattr(counts, state)) for state in STATES}


def _minute_means(rows: Columns, start_ms: int, minutes: int) -> Float:
    """Mean of the GOOD readings of each minute, NaN where there is none. [V]"""
    minute = (rows.t_ms - start_ms) // MINUTE_MS
    good = (minute >= 0) & (minute < minutes) & (rows.quality == Quality.GOOD)
    number = np.bincount(minute[good], minlength=minutes)
    total = np.bincount(minute[good], rows.value[good], minutes)
    return np.asarray(np.divide(total, number, out=np.full(minutes, np.nan), where=number > 0))


def _touched(from_ms: Int, to_ms: Int, start_ms: int, minutes: int) -> Bool:
    """The minutes that overlap a loss by any time at all."""
    first = np.clip((from_ms - start_ms) // MINUTE_MS, 0, minutes)
    last = np.clip(-((start_ms - to_ms) // MINUTE_MS), 0, minutes)
    depth = np.zeros(minutes + 1, np.int64)
    np.add.at(depth, first, 1)
    np.add.at(depth, last, -1)
    return np.asarray(np.cumsum(depth)[:-1] > 0)
