"""One alarm: what, where, how bad, who knows, what caused it, what it caused, and what to do. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from analytics.alarms import audit, queries
from analytics.alarms.audit import AuditRow
from analytics.alarms.classes import class_named
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.planner import Planner
from analytics.alarms.queries import Notice
from analytics.alarms.records import AlarmRecord, Occurrence
from analytics.limits import Setpoint
from dashboards.console.errors import NotFound
from dashboards.console.views.alarm_verbs import Verb, allows
from dashboards.console.views.alarms_names import Words, steps, title
from dashboards.console.views.alarms_rows import AlarmRow, Context, rows
from ingest.register import Plan, Register

TIMELINE_ROWS = 200
MONTH_MS = 30 * 24 * 3_600_000
DAY_MS = 24 * 3_600_000
BEFORE_MS = 120_000
"""What the trail says of an alarm this long before its onset belongs to the same story. [ms]"""


@dataclass(frozen=True)
class Moment:
    """One line of an alarm's time line."""

    at_ms: int
    act: str
    """Event's name, such as `Acknowledge`, or `refused Acknowledge`; `Now` for the last line."""
    before: str
    after: str
    actor: str
    reason: str


@dataclass(frozen=True)
class Folded:
    """Consequences of one class, listed under their cause."""

    title: Words
    rows: tuple[AlarmRow, ...]
    first_ms: int
    last_ms: int
    """Onsets of the first and the last. [ms since 1970-01-01T00:00Z]"""


@dataclass(frozen=True)
class AlarmPage:
    """Everything about one occurrence."""

    row: AlarmRow
    cause: AlarmRow | None
    """The alarm that explains it."""
    folded: tuple[Folded, ...]
    never_folded: tuple[AlarmRow, ...]
    """Alarms behind it that nothing may hide: overflow, gas, intrusion, chlorine very low."""
    notices: tuple[Notice, ...]
    timeline: tuple[Moment, ...]
    procedure: tuple[Words, ...]
    plans: tuple[Plan, ...]
    """Approved interruptions of its supply, from a day ago to a day ahead."""
    onsets_month: int
    """How often it came in the 30 days up to now, this time included."""
    newer: int
    """Number of the occurrence that stands now; 0 where it is this one."""
    work_order: int | None
    verbs: tuple[Verb, ...]
    """What may be done about it now, by state and class; roles come on top."""
    ack_expires_min: float | None
    """An acknowledgement is handed back after this long. [min]"""
    max_shelve_h: float


def alarm(
    database: AlarmDatabase, planner: Planner, setpoints: Sequence[Setpoint], number: int, *, now_ms: int
) -> AlarmPage:
    """Return an occurrence by its own number. Raises NotFound."""
    register = planner.register
    with database.reading() as connection:
        one = queries.occurrence(connection, number)
        if one is None:
            raise NotFound(f"#{number}")
        newest = queries.newest(connection, [one.alarm])[one.alarm]
        folded = queries.explained(connection, one.alarm) if newest.id == one.id else []
        causes = queries.newest(connection, [one.cause]) if one.cause else {}
        notices = queries.notices(connection, one.alarm, one.number)
        trail = list(audit.rows(connection, alarm=one.alarm, limit=TIMELINE_ROWS))
        month = queries.onsets_since(connection, one.alarm, now_ms - MONTH_MS)
        order = queries.work_order_of(connection, one.alarm, one.number)
        next_onset_ms = queries.next_onset_ms(connection, one.alarm, one.number)
        records = database.records_of([one.alarm, *causes, *(found.alarm for found in folded)])
        standing = database.records(only_standing=True)
    record = records[one.alarm]
    context = Context(register, setpoints, {one.alarm: len(folded)})
    chain = planner.chain(record.alarm.severity)
    kind = class_named(record.kind).kind
    return AlarmPage(
        row=_row(context, record, one),
        cause=next((_row(context, records[name], found) for name, found in causes.items()), None),
        folded=_folded(context, records, folded),
        never_folded=_never_folded(context, standing, record),
        notices=tuple(notices),
        timeline=_timeline(trail, one, next_onset_ms, now_ms),
        procedure=steps(record.kind),
        plans=_plans(register, record.asset, now_ms),
        onsets_month=len(month),
        newer=0 if newest.id == one.id else newest.id,
        work_order=order,
        verbs=tuple(verb for verb in get_args(Verb) if newest.id == one.id and allows(record.alarm, kind, verb)),
        ack_expires_min=chain.ack_expires_min,
        max_shelve_h=kind.max_shelve_ms / 3_600_000,
    )


def number_of(database: AlarmDatabase, alarm_id: str) -> int:
    """Return the number of an alarm's newest occurrence. Raises NotFound."""
    with database.reading() as connection:
        found = queries.newest(connection, [alarm_id])
    if alarm_id not in found:
        raise NotFound(alarm_id)
    return found[alarm_id].id


def _row(context: Context, record: AlarmRecord, one: Occurrence) -> AlarmRow:
    return rows(context, [record], {record.id: one})[0]


def _folded(
    context: Context, records: dict[str, AlarmRecord], consequences: Sequence[Occurrence]
) -> tuple[Folded, ...]:
    by_title: dict[Words, list[AlarmRow]] = {}
    for one in consequences:
        record = records[one.alarm]
        by_title.setdefault(title(record.id, record.kind), []).append(_row(context, record, one))
    groups = [
        Folded(name, tuple(found), min(one.since_ms for one in found), max(one.since_ms for one in found))
        for name, found in by_title.items()
    ]
    return tuple(sorted(groups, key=lambda group: -len(group.rows)))


def _never_folded(context: Context, standing: Sequence[AlarmRecord], top: AlarmRecord) -> tuple[AlarmRow, ...]:
    """Standing alarms of assets behind this one's that no cause hides."""
    behind = _behind(context.register, top.asset)
    found = [
        record
        for record in standing
        if record.alarm.condition
        and record.id != top.id
        and record.asset in behind
        and not class_named(record.kind).kind.suppressible
    ]
    return tuple(sorted(rows(context, found, {}), key=lambda one: (one.priority, one.alarm)))


def _behind(register: Register, asset: str) -> set[str]:
    """An asset and everything that it supplies, directly or not."""
    children: dict[str, list[str]] = {}
    for name, entries in register.assets.items():
        if entries[-1].parent is not None:
            children.setdefault(entries[-1].parent, []).append(name)
    found: set[str] = set()
    waiting = [asset]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += children.get(name, [])
    return found


def _timeline(trail: Sequence[AuditRow], one: Occurrence, next_onset_ms: int | None, now_ms: int) -> tuple[Moment, ...]:
    """The trail from this onset to the next, oldest first, and where it stands."""
    until_ms = next_onset_ms if next_onset_ms is not None else now_ms + DAY_MS
    rows_ = [row for row in trail if one.onset_ms - BEFORE_MS <= row.recorded_ms and row.at_ms < until_ms]
    moments = [Moment(row.at_ms, row.act, row.before, row.after, row.actor, row.reason) for row in rows_]
    began = Moment(one.onset_ms, "Onset", "", "", "", "")
    return (began, *reversed(moments))


def _plans(register: Register, asset: str, now_ms: int) -> tuple[Plan, ...]:
    above: list[str] = []
    step: str | None = asset
    while step is not None and step not in above and step in register.assets:
        above.append(step)
        step = register.assets[step][-1].parent
    near = (plan for plan in register.plans if plan.end_ms > now_ms - DAY_MS and plan.start_ms < now_ms + DAY_MS)
    return tuple(plan for plan in near if plan.asset in above)
