"""One alarm as a row of a list: what, where, how bad, since when, and who has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analytics.alarms.audit import AuditRow
from analytics.alarms.queries import Told
from analytics.alarms.records import AlarmRecord, Occurrence
from analytics.alarms.state import State
from analytics.limits import Setpoint
from dashboards.console.views.alarms_limits import NO_LIMITS, Limits, limits, points_behind
from dashboards.console.views.alarms_names import Place, Words, place, title, unit_of
from dashboards.console.views.bar import WAITING, priority
from ingest.register import Register


@dataclass(frozen=True)
class AlarmRow:
    """One occurrence of one alarm as it stands."""

    id: int
    """The occurrence's own number, as in a notice's mark; 0 for an alarm that never had one."""
    alarm: str
    kind: str
    title: Words
    place: Place
    priority: int
    """1 to 3, of the gravest so far."""
    state: str
    """ISA letter."""
    holds: bool
    """The condition is there now."""
    since_ms: int
    returned_ms: int | None
    closed_ms: int | None
    acked_by: str
    """Who has it; empty for nobody."""
    acked_ms: int | None
    value: float | None
    """The reading that decided it."""
    point: str
    """Where that was read; empty where it was no reading."""
    unit: str
    limits: Limits
    folded: int
    """How many other alarms it explains."""
    cause: str
    """The alarm that explains it; empty for none."""
    hidden_by: tuple[str, ...]
    """Causes, plans and windows that keep it silent."""
    names: Mapping[str, Words]
    """Each of these alarms that is known → its title and place."""
    shelved_until_ms: int | None
    shelved_by: str
    """Who shelved it, and why; empty where it is not shelved."""
    shelved_why: str
    work_order: str
    """For which it is out of service; empty where it is in service."""
    doubtful: bool
    chatter: int
    told: Told
    """Who knows."""

    @property
    def untaken(self) -> bool:
        """Whether it waits for somebody to take it."""
        return self.state in WAITING


GONE = (State.RETURNED_UNACKNOWLEDGED,)


@dataclass(frozen=True)
class Context:
    """What rows are made with."""

    register: Register
    setpoints: Sequence[Setpoint]
    folded: Mapping[str, int]
    """Alarm → how many others it explains."""
    told: Mapping[tuple[str, int], Told] = field(default_factory=dict)
    """(Alarm, occurrence) → who knows of it."""
    shelved: Mapping[str, AuditRow] = field(default_factory=dict)
    """Alarm → how it was shelved, of those that are."""
    causes: Mapping[str, AlarmRecord] = field(default_factory=dict)
    """Alarms that may explain others."""


def rows(context: Context, records: Sequence[AlarmRecord], occurrences: Mapping[str, Occurrence]) -> list[AlarmRow]:
    """Return a row per alarm, with its newest occurrence."""
    behind = {record.id: points_behind(context.register, record.id) for record in records}
    every = [entry for entries in behind.values() for entry in entries]
    bounds = limits(context.register, context.setpoints, every)
    return [
        row(context, record, occurrences.get(record.id), next((entry.point for entry in behind[record.id]), ""), bounds)
        for record in records
    ]


def row(
    context: Context,
    record: AlarmRecord,
    occurrence: Occurrence | None,
    point: str,
    bounds: Mapping[str, Limits],
) -> AlarmRow:
    """Return one alarm's row; `occurrence` may be an earlier one, which is then shown as over."""
    alarm = record.alarm
    stands = occurrence is None or occurrence.number == alarm.occurrence
    shelved = context.shelved.get(record.id) if stands else None
    severity = alarm.severity if occurrence is None else occurrence.severity
    cause = "" if occurrence is None else occurrence.cause or ""
    hidden_by = tuple(sorted(alarm.suppressed_by)) if stands else ()
    return AlarmRow(
        id=0 if occurrence is None else occurrence.id,
        alarm=record.id,
        kind=record.kind,
        title=title(record.id, record.kind),
        place=place(context.register, record.asset),
        priority=priority(severity),
        state=alarm.state if stands else State.NORMAL,
        holds=alarm.condition and stands,
        since_ms=0 if occurrence is None else occurrence.onset_ms,
        returned_ms=None if occurrence is None else occurrence.returned_ms,
        closed_ms=None if occurrence is None else occurrence.closed_ms,
        acked_by="" if occurrence is None else occurrence.acked_by or "",
        acked_ms=None if occurrence is None else occurrence.acked_ms,
        value=None if occurrence is None else occurrence.value,
        point=point,
        unit=unit_of(point) if point else "",
        limits=bounds.get(point, NO_LIMITS),
        folded=context.folded.get(record.id, 0) if stands else 0,
        cause=cause,
        hidden_by=hidden_by,
        names={one: _called(context, context.causes[one]) for one in {cause, *hidden_by} if one in context.causes},
        shelved_until_ms=alarm.shelved_until_ms if stands else None,
        shelved_by="" if shelved is None else shelved.actor,
        shelved_why="" if shelved is None else shelved.reason,
        work_order=(alarm.out_of_service or "") if stands else "",
        doubtful=alarm.doubtful and stands,
        chatter=0 if occurrence is None else occurrence.chatter,
        told=context.told.get((record.id, occurrence.number if occurrence else 0), Told()),
    )


def _called(context: Context, record: AlarmRecord) -> Words:
    about, where = title(record.id, record.kind), place(context.register, record.asset).name
    return Words(f"{about.en}, {where.en}", f"{about.zh}，{where.zh}")


def worst_first(found: Sequence[AlarmRow]) -> list[AlarmRow]:
    """Return what nobody has taken first, of that what still stands, then the gravest, then the oldest."""
    return sorted(found, key=lambda one: (not one.untaken, one.state in GONE, one.priority, one.since_ms, one.alarm))
