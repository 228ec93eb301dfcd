"""Jobs of crews with their clocks, and what the register asks for: inspections, contracts, people. Reads only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from analytics.alarms import queries, work
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.register_check import NEEDED
from analytics.alarms.work import LIMITS, NEEDS_NOTE, NEXT, Step, WorkOrder, WorkState
from dashboards.console.errors import NotFound
from dashboards.console.views.alarms_names import Place, Places, Words, place, title
from dashboards.console.views.bar import priority
from ingest.register import Asset, Register, span_ms

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Clock:
    """One part of a job: how long it took so far, and how long it may take. [h]"""

    part: str
    """`respond`, `repair`, `verify`."""
    taken_h: float | None
    """None where the part has not begun."""
    limit_h: float
    is_late: bool


@dataclass(frozen=True)
class Job:
    """One work order as it stands."""

    number: int
    title: Words
    place: Place
    priority: int
    state: WorkState
    moved_ms: int
    """When it came into this state. [ms since 1970-01-01T00:00Z]"""
    moved_by: str
    clocks: tuple[Clock, ...]
    steps: tuple[Step, ...]
    alarm: str
    occurrence: int
    """Number of the alarm's occurrence, as in a notice's mark; 0 where it is gone."""
    ways: tuple[WorkState, ...]
    """Where it may go from here."""
    needs_note: tuple[WorkState, ...]
    """Of these, the ones that take a word of why or what."""

    @property
    def is_late(self) -> bool:
        """Whether any of its parts has taken longer than it may."""
        return any(clock.is_late for clock in self.clocks)


@dataclass(frozen=True)
class Due:
    """One asset that somebody answers for."""

    place: Place
    every_days: int | None
    last_ms: int | None
    """Of its last inspection; None for never. [ms since 1970-01-01T00:00Z]"""
    due_ms: int | None
    """When the next one is due; None where none is asked for or there never was one."""
    contract_until: str
    lacks: tuple[str, ...]
    """Of `owner`, `responsible`, `phone`: what the register does not say."""
    is_overdue: bool
    contract_ended: bool

    @property
    def in_order(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.is_overdue or self.contract_ended or self.lacks)


@dataclass(frozen=True)
class WorkPage:
    """Jobs and inspections."""

    jobs: tuple[Job, ...]
    dues: tuple[Due, ...]
    """What is to be done first."""
    in_order: int
    """Assets for which nothing is to be done; they are not among `dues`."""


def work_page(
    database: AlarmDatabase, register: Register, timezone: str, *, closed_too: bool = False, now_ms: int
) -> WorkPage:
    """Return the jobs, the gravest first, and everything that the register asks for."""
    with database.reading() as connection:
        orders = work.orders(connection, only_open=not closed_too)
        inspected_ms = work.inspections_ms(connection)
    jobs = _jobs(database, register, orders, now_ms)
    today = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(timezone)).date()
    places = Places(register)
    dues = [_due(places, asset, inspected_ms.get(asset.id), today, now_ms) for asset in _watched(register, now_ms)]
    waiting = [due for due in dues if not due.in_order]
    return WorkPage(
        jobs=tuple(sorted(jobs, key=lambda job: (not job.is_late, job.priority, job.number))),
        dues=tuple(sorted(waiting, key=lambda due: (not due.is_overdue, due.due_ms or 0, due.place.asset))),
        in_order=len(dues) - len(waiting),
    )


def job(database: AlarmDatabase, register: Register, number: int, *, now_ms: int) -> Job:
    """Return one job. Raises NotFound."""
    with database.reading() as connection:
        found = [order for order in work.orders(connection, only_open=False) if order.id == number]
    if not found:
        raise NotFound(f"WO-{number}")
    return _jobs(database, register, found, now_ms)[0]


def _jobs(database: AlarmDatabase, register: Register, orders: Sequence[WorkOrder], now_ms: int) -> list[Job]:
    records = database.records_of(order.alarm for order in orders)
    with database.reading() as connection:
        times = {order.id: queries.occurrence_of(connection, order.alarm, order.occurrence) for order in orders}
    return [
        Job(
            number=order.id,
            title=title(order.alarm, records[order.alarm].kind),
            place=place(register, order.asset),
            priority=priority(order.severity),
            state=order.state,
            moved_ms=order.steps[-1].at_ms,
            moved_by=order.steps[-1].actor,
            clocks=tuple(_clocks(order, now_ms)),
            steps=order.steps,
            alarm=order.alarm,
            occurrence=0 if (one := times[order.id]) is None else one.id,
            ways=NEXT[order.state],
            needs_note=tuple(state for state in NEXT[order.state] if state in NEEDS_NOTE),
        )
        for order in orders
    ]


def _clocks(order: WorkOrder, now_ms: int) -> Iterator[Clock]:
    taken, limits = work.clocks(order.steps, now_ms=now_ms), LIMITS[order.severity]
    late = work.overdue(order, now_ms=now_ms)
    for part, hours, limit_h in (
        ("respond", taken.respond_h, limits.respond_h),
        ("repair", taken.repair_h, limits.repair_h),
        ("verify", taken.verify_h, limits.verify_h),
    ):
        yield Clock(part, hours, limit_h, part in late)


def _watched(register: Register, now_ms: int) -> Iterator[Asset]:
    """The assets that have readings and are in service now."""
    for name in sorted({entry.asset for entry in register.points.values()}):
        for asset in register.assets.get(name, ()):
            if span_ms(asset)[0] <= now_ms < span_ms(asset)[1]:
                yield asset


def _due(places: Places, asset: Asset, last_ms: int | None, today: date, now_ms: int) -> Due:
    days = asset.inspection_days
    due_ms = None if days is None or last_ms is None else last_ms + days * DAY_MS
    return Due(
        place=places.of(asset.id),
        every_days=days,
        last_ms=last_ms,
        due_ms=due_ms,
        contract_until=asset.contract_until,
        lacks=tuple(column for column in NEEDED if not getattr(asset, column)),
        is_overdue=days is not None and (due_ms is None or due_ms < now_ms),
        contract_ended=_ended(asset.contract_until, today),
    )


def _ended(until: str, today: date) -> bool:
    """Whether a contract is over; a day that is none counts as over, so that somebody looks at it."""
    if not until:
        return False
    try:
        return date.fromisoformat(until) < today
    except ValueError:
        return True
