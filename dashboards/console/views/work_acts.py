"""What people do about jobs and inspections; each act is a row of the alarms' audit trail."""

from analytics.alarms import queries, work
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.work import NEEDS_NOTE, NEXT, WorkState
from dashboards.console.errors import NotFound, Unusable
from ingest.register import Register

MAX_NOTE = 500


def move(database: AlarmDatabase, number: int, state: str, by: str, note: str, *, now_ms: int) -> None:
    """Move a job on. Raises NotFound, and Unusable where it cannot go there or the note is missing.

    A job that is there already stays: the same form sent twice moves it once.
    """
    with database.transaction() as change:
        order = next((one for one in work.orders(change.connection, only_open=False) if one.id == number), None)
        if order is None:
            raise NotFound(f"WO-{number}")
        if order.state == state:
            return
        wanted = next((way for way in NEXT[order.state] if way == state), None)
        if wanted is None:
            raise Unusable("work.said.no_way")
        if wanted in NEEDS_NOTE and not note.strip():
            raise Unusable("work.said.no_note")
        if len(note) > MAX_NOTE:
            raise Unusable("alarm.said.long")
        work.move(change.connection, number, WorkState(wanted), by, note.strip(), now_ms=now_ms)


def order_for(database: AlarmDatabase, occurrence: int, by: str, *, now_ms: int) -> int:
    """Return the number of the job of an occurrence, drafted now if there is none yet. Raises NotFound, Unusable."""
    with database.transaction() as change:
        one = queries.occurrence(change.connection, occurrence)
        if one is None:
            raise NotFound(f"#{occurrence}")
        known = queries.work_order_of(change.connection, one.alarm, one.number)
        if known is not None:
            return known
        if queries.newest(change.connection, [one.alarm])[one.alarm].id != one.id:
            raise Unusable("work.said.over")
        return work.draft(change.connection, one.alarm, by, now_ms=now_ms)


def note_inspected(database: AlarmDatabase, register: Register, asset: str, by: str, *, now_ms: int) -> None:
    """Note that an asset has been inspected. Raises NotFound."""
    if asset not in register.assets:
        raise NotFound(asset)
    with database.transaction() as change:
        work.note_inspection(change.connection, asset, by, now_ms=now_ms)
