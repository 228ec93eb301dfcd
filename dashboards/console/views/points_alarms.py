"""The alarms of a point in a window: its own, its device's and its site's, for whatever hid or spoiled its values."""

from collections.abc import Iterator, Sequence

from analytics.alarms import queries
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.queries import Filter
from analytics.alarms.records import Occurrence
from analytics.limits import Setpoint
from dashboards.console.views.alarms_rows import AlarmRow, Context, rows
from dashboards.console.views.points_span import Window
from ingest.register import Register

MOST = 200
"""Of each subject, the newest so many."""


def alarms_in(
    database: AlarmDatabase, register: Register, setpoints: Sequence[Setpoint], point: str, window: Window
) -> tuple[AlarmRow, ...]:
    """Return the occurrences that began or stood in a window, the newest first. Raises AlarmDatabaseError."""
    with database.reading() as connection:
        found = [
            one
            for subject in subjects_of(point)
            for one in queries.history(connection, Filter(0, window.end_ms, alarm=f"{subject}#"), limit=MOST)[0]
            if one.alarm.startswith(f"{subject}#") and _reaches_into(one, window)
        ]
        records = database.records_of({one.alarm for one in found})
    context = Context(register, setpoints, {})
    ordered = sorted(found, key=lambda one: -one.onset_ms)
    return tuple(rows(context, [records[one.alarm]], {one.alarm: one})[0] for one in ordered)


def subjects_of(point: str) -> tuple[str, ...]:
    """Return what alarms may be about that touch a point: itself, its device with and without phase, its site."""
    return tuple(dict.fromkeys(_subjects(point)))


def _subjects(point: str) -> Iterator[str]:
    site, _, name = point.partition("/")
    yield point
    yield f"{site}/{name.rsplit('.', 1)[0]}"
    yield f"{site}/{name.split('.', 1)[0]}"
    yield site


def _reaches_into(one: Occurrence, window: Window) -> bool:
    return one.returned_ms is None or one.returned_ms >= window.start_ms
