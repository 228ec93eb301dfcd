"""What a person does about an occurrence, and what they are told: done, had before, somebody else, over, refused.

An act names an occurrence by its own number. Doing it twice does it once: the second answer says how it stands. All
goes through the planner of the alarm engine, so it is in the audit trail's chain and calls notices back in the same
transaction, whether the engine runs or not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from analytics.alarms import audit, queries
from analytics.alarms.audit import AuditRow
from analytics.alarms.classes import class_named
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import (
    Acknowledge,
    Event,
    RemoveFromService,
    Reset,
    ReturnToService,
    Shelve,
    Unacknowledge,
    Unshelve,
)
from analytics.alarms.planner import OccurrenceOver, Planner
from analytics.alarms.records import Act, AlarmRecord, Occurrence
from analytics.alarms.state import IllegalTransition, Kind
from dashboards.console.errors import NotFound, Unusable
from dashboards.console.views.alarm_verbs import NEEDS_REASON, Verb

Outcome = Literal["done", "had", "other", "over", "again", "refused"]
MAX_REASON = 500
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Wish:
    """What a person asks for."""

    verb: Verb
    by: str
    reason: str = ""
    until_ms: int | None = None
    """End of a shelf. [ms since 1970-01-01T00:00Z]"""
    work_order: str = ""
    """For which an alarm is taken out of service."""


@dataclass(frozen=True)
class Answer:
    """What became of a wish."""

    outcome: Outcome
    """`done` now, `had` before, an `other` has it, `over` before the act, come `again` since, or `refused`."""
    key: str
    """What to tell, in the catalogue under `alarm.said`."""
    id: int
    """The occurrence that the wish was about."""
    state: str
    """ISA letter of the alarm now."""
    at_ms: int
    """When it was done, by whomever. [ms since 1970-01-01T00:00Z]"""
    by: str
    """Who has the alarm, or what was in the way."""
    newer: int = 0
    """Number of the occurrence that stands now, where it is another."""
    hours: int = 0
    """Longest shelf, where that was in the way. [h]"""

    @property
    def stands(self) -> bool:
        """Whether things are now as the person wanted them."""
        return self.outcome in ("done", "had")


def act(database: AlarmDatabase, planner: Planner, number: int, wish: Wish, *, now_ms: int) -> Answer:
    """Do what was wished with an occurrence. Raises NotFound, and Unusable for a wish without its reason."""
    _check(wish)
    with database.reading() as connection:
        seen = queries.occurrence(connection, number)
    if seen is None:
        raise NotFound(f"#{number}")
    before = database.records_of([seen.alarm])[seen.alarm]
    if wish.verb == "comment":
        _comment(database, before, wish, now_ms)
        return Answer("done", "commented", number, before.alarm.state, now_ms, wish.by)
    todo = Act(_event(wish, now_ms), now_ms, wish.by, wish.reason)
    try:
        record = planner.act(database, seen.alarm, todo, now_ms=now_ms, occurrence=seen.number)
    except OccurrenceOver:
        return _again(database, before, seen, now_ms)
    except IllegalTransition:
        return _refused(database, seen, wish, now_ms)
    if wish.verb != "acknowledge":
        return Answer("done", wish.verb, number, record.alarm.state, now_ms, wish.by)
    with database.reading() as connection:
        after = queries.occurrence(connection, number)
    return acknowledged(record, after, seen, wish.by, now_ms)


def _check(wish: Wish) -> None:
    if len(wish.reason) > MAX_REASON or len(wish.work_order) > MAX_REASON:
        raise Unusable("alarm.said.long")
    if wish.verb in NEEDS_REASON and not wish.reason.strip():
        raise Unusable("alarm.said.no_reason")
    if wish.verb == "out_of_service" and not wish.work_order.strip():
        raise Unusable("alarm.said.no_work_order")
    if wish.verb == "shelve" and wish.until_ms is None:
        raise Unusable("alarm.said.no_end")


def _event(wish: Wish, now_ms: int) -> Event:
    makes: Mapping[str, Callable[[], Event]] = {
        "acknowledge": Acknowledge,
        "hand_back": Unacknowledge,
        "reset": Reset,
        "shelve": lambda: Shelve(now_ms, wish.until_ms or now_ms),
        "unshelve": Unshelve,
        "out_of_service": lambda: RemoveFromService(wish.work_order.strip()),
        "return_to_service": ReturnToService,
    }
    return makes[wish.verb]()


def _comment(database: AlarmDatabase, record: AlarmRecord, wish: Wish, now_ms: int) -> None:
    state = record.alarm.state
    with database.transaction() as change:
        row = AuditRow(now_ms, now_ms, record.id, "Comment", state, state, wish.by, wish.reason.strip())
        audit.append(change.connection, row)


def acknowledged(record: AlarmRecord, after: Occurrence | None, seen: Occurrence, by: str, now_ms: int) -> Answer:
    """Return what is true once somebody has asked to take an occurrence, seen before and after."""
    state, one = record.alarm.state, after or seen
    at_ms = one.acked_ms or one.closed_ms or now_ms
    if not one.acked_by:
        key = "silent" if record.alarm.condition else "over"
        return Answer("over", key, one.id, state, one.returned_ms or at_ms, "")
    if one.acked_by != by:
        return Answer("other", "other", one.id, state, at_ms, one.acked_by)
    if seen.acked_by is not None:
        return Answer("had", "had", one.id, state, at_ms, by)
    return Answer("done", "taken" if record.alarm.condition else "closed", one.id, state, at_ms, by)


def _again(database: AlarmDatabase, before: AlarmRecord, seen: Occurrence, now_ms: int) -> Answer:
    with database.reading() as connection:
        newest = queries.newest(connection, [seen.alarm])[seen.alarm]
    at_ms = newest.onset_ms
    return Answer("again", "again", seen.id, before.alarm.state, at_ms, newest.acked_by or "", newer=newest.id)


def _refused(database: AlarmDatabase, seen: Occurrence, wish: Wish, now_ms: int) -> Answer:
    record = database.records_of([seen.alarm])[seen.alarm]
    kind = class_named(record.kind).kind
    hours = kind.max_shelve_ms // HOUR_MS
    return Answer("refused", _why(record, kind, wish, now_ms), seen.id, record.alarm.state, now_ms, "", hours=hours)


def _why(record: AlarmRecord, kind: Kind, wish: Wish, now_ms: int) -> str:
    """The state machine's reason, as a key of the catalogue."""
    alarm = record.alarm
    if not alarm.enabled:
        return "disabled"
    if wish.verb == "shelve":
        if not kind.shelvable:
            return "never_shelved"
        return "past" if (wish.until_ms or 0) <= now_ms else "too_long"
    if wish.verb == "reset":
        return "not_latched" if not alarm.latched else "take_first"
    reasons = {"hand_back": "over", "unshelve": "not_shelved", "return_to_service": "in_service"}
    return reasons[wish.verb]
