"""The first thing top-left: alarms that nobody has taken, and the age of the oldest."""

import sqlite3
from dataclasses import dataclass

from analytics.alarms.database import AlarmDatabase, AlarmDatabaseError
from analytics.alarms.events import Severity
from analytics.alarms.state import State
from dashboards.console.site import Console

WAITING = (State.UNACKNOWLEDGED, State.RETURNED_UNACKNOWLEDGED, State.LATCHED_UNACKNOWLEDGED)
PRIORITY = {Severity.CRITICAL: 1, Severity.HIGH: 2, Severity.MEDIUM: 3, Severity.LOW: 3}
"""A square 1, a triangle 2, a circle 3: what needs no answer today looks alike."""


@dataclass(frozen=True)
class Bar:
    """What the bar says."""

    count: int
    oldest_ms: int | None
    """Onset of the oldest; None where nobody waits. [ms since 1970-01-01T00:00Z]"""
    by_priority: tuple[int, int, int]
    is_known: bool = True
    """False where the alarms could not be read."""


def read_bar(console: Console) -> Bar:
    """Return what waits to be taken."""
    try:
        return bar_of(console.alarms())
    except (AlarmDatabaseError, sqlite3.Error):
        return Bar(0, None, (0, 0, 0), is_known=False)


def bar_of(database: AlarmDatabase) -> Bar:
    """Return what waits to be taken. Raises AlarmDatabaseError."""
    waiting = [record for record in database.records(only_standing=True) if record.alarm.state in WAITING]
    onsets = database.onsets_ms()
    counts = [0, 0, 0]
    for record in waiting:
        counts[priority(record.alarm.severity) - 1] += 1
    oldest = min((onsets[record.id] for record in waiting if record.id in onsets), default=None)
    return Bar(len(waiting), oldest, (counts[0], counts[1], counts[2]))


def priority(severity: int) -> int:
    """Return the number that stands for a severity on screens: 1 is the gravest, 3 the lightest."""
    return PRIORITY[Severity(severity)]
