"""The alarm-system figures of a period, over all alarms or those of some assets."""

import math
from collections.abc import Collection, Iterable

from analytics.alarms.database import AlarmDatabase
from analytics.alarms.performance import Performance, performance
from analytics.alarms.records import Occurrence


def figures(
    database: AlarmDatabase, start_ms: int, end_ms: int, *, assets: Collection[str] | None = None
) -> Performance:
    """Return the figures of the alarms that were told: those that another alarm explains are left out.

    `assets` None is all. Raises AlarmDatabaseError.
    """
    found = [one for one in database.occurrences(end_ms=end_ms) if one.cause is None]
    if assets is not None:
        mine = {record.id for record in database.records() if record.asset in assets}
        found = [one for one in found if one.alarm in mine]
    return figures_of(found, start_ms, end_ms)


def figures_of(occurrences: Iterable[Occurrence], start_ms: int, end_ms: int) -> Performance:
    """Return the figures of these occurrences between two instants."""
    found = list(occurrences)
    numbers = {alarm: place for place, alarm in enumerate(dict.fromkeys(one.alarm for one in found))}
    return performance(
        [one.onset_ms for one in found],
        [math.nan if one.returned_ms is None else one.returned_ms for one in found],
        [math.nan if one.first_acked_ms is None else one.first_acked_ms for one in found],
        [numbers[one.alarm] for one in found],
        [int(one.severity) for one in found],
        start_ms=start_ms,
        end_ms=end_ms,
    )
