"""Voltage compliance of one point on one local day, as partial sums.

A stuck sensor (V11) is looked for within the day: of one value that stands across midnight, the part on a day counts as
stuck where it alone is too long.
"""

import numpy as np

from analytics.spans import Int
from analytics.voltage import Limits, count_minutes
from analytics.voltage_minutes import MS_PER_MINUTE, POWER_UP_S, minute_values, outage_minutes, stuck_minutes
from edge.wire import Quality
from ingest.store import Columns

AFTER_POWER_UP_MS = round(POWER_UP_S * 1000)
STATES = ("ok", "over", "under", "offscale", "outage", "invalid")


def voltage_day(
    rows: Columns, limits: Limits, lost_from_ms: Int, lost_to_ms: Int, start_ms: int, end_ms: int
) -> dict[str, float]:
    """Return the minutes of a point by state, between two instants. [min]

    `rows` are those of the one point; the unit's proven losses are given by their starts and ends.
    """
    minutes = (end_ms - start_ms) // MS_PER_MINUTE
    volts = np.where(rows.quality == Quality.GOOD, rows.value, np.nan)
    values, _ = minute_values(rows.t_ms, volts, start_ms=start_ms, minutes=minutes)
    powered_ms = lost_to_ms + AFTER_POWER_UP_MS  # ends are instants that a meter kept, so each has its power-up (V5)
    outage = outage_minutes(lost_from_ms, powered_ms, start_ms=start_ms, minutes=minutes, power_up_s=0)
    stuck = stuck_minutes(values, dead_below=limits.dead_below)
    counts = count_minutes(values, limits, outage=outage, invalid=stuck)
    return {state: float(getattr(counts, state)) for state in STATES}
