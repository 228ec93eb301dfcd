"""Work orders: from a grave alarm to a job that is done, checked and closed, with clocks on each part.

An order is drafted once for an occurrence that is high or critical and has no other cause. Every move is a row of its
steps and of the audit trail, in one transaction; the clocks follow from the steps alone.
"""

import enum
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analytics.alarms import audit
from analytics.alarms.audit import AuditRow
from analytics.alarms.events import Severity
from edge.errors import BadInput

SCHEMA = """
CREATE TABLE IF NOT EXISTS work_order(
    id INTEGER PRIMARY KEY, alarm TEXT NOT NULL, occurrence INTEGER NOT NULL, asset TEXT NOT NULL,
    severity INTEGER NOT NULL, UNIQUE(alarm, occurrence));
CREATE TABLE IF NOT EXISTS work_step(
    work_order INTEGER NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY(work_order, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inspection(
    asset TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, actor TEXT NOT NULL) WITHOUT ROWID;
"""
HOUR_MS = 3_600_000


class WorkState(enum.StrEnum):
    """Where a job stands."""

    DRAFT = "draft"
    ISSUED = "issued"
    ACCEPTED = "accepted"
    EN_ROUTE = "en-route"
    ON_SITE = "on-site"
    WAITING_PARTS = "waiting-parts"
    DONE = "done"
    VERIFIED = "verified"
    CLOSED = "closed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


S = WorkState
NEXT: Mapping[WorkState, tuple[WorkState, ...]] = {
    S.DRAFT: (S.ISSUED, S.CANCELLED),
    S.ISSUED: (S.ACCEPTED, S.REJECTED, S.CANCELLED),
    S.REJECTED: (S.ISSUED, S.CANCELLED),
    S.ACCEPTED: (S.EN_ROUTE, S.ON_SITE, S.CANCELLED),
    S.EN_ROUTE: (S.ON_SITE, S.CANCELLED),
    S.ON_SITE: (S.WAITING_PARTS, S.DONE, S.CANCELLED),
    S.WAITING_PARTS: (S.ON_SITE, S.DONE, S.CANCELLED),
    S.DONE: (S.VERIFIED, S.ON_SITE),
    S.VERIFIED: (S.CLOSED,),
    S.CLOSED: (),
    S.CANCELLED: (),
}
"""Where a job may go from each state. Done work that does not hold goes back on site."""
NEEDS_NOTE = (S.REJECTED, S.CANCELLED, S.DONE, S.CLOSED)
"""Moves that need a word: why not, what was done, what the cause was."""


@dataclass(frozen=True)
class Limits:
    """How long each part of a job may take. [h]"""

    respond_h: float
    repair_h: float
    verify_h: float


LIMITS: Mapping[Severity, Limits] = {
    Severity.CRITICAL: Limits(0.5, 8, 24),
    Severity.HIGH: Limits(2, 24, 72),
    Severity.MEDIUM: Limits(24, 7 * 24, 7 * 24),
    Severity.LOW: Limits(72, 30 * 24, 7 * 24),
}
"""Decided here; a contract's own hours go first where there is one."""


@dataclass(frozen=True)
class Step:
    """One move of a job."""

    state: WorkState
    at_ms: int
    actor: str
    note: str


@dataclass(frozen=True)
class WorkOrder:
    """One job as it stands."""

    id: int
    alarm: str
    occurrence: int
    asset: str
    severity: Severity
    steps: tuple[Step, ...]

    @property
    def state(self) -> WorkState:
        """Where it stands now."""
        return self.steps[-1].state


@dataclass(frozen=True)
class Clocks:
    """Time that each part of a job has taken so far. Parts that have not begun are None. [h]"""

    respond_h: float | None
    """From its issue to its acceptance."""
    repair_h: float | None
    """From its issue until it was done, without the time that it waited for parts."""
    verify_h: float | None
    """From done to verified."""


def clocks(steps: Sequence[Step], *, now_ms: int) -> Clocks:
    """Return a job's clocks; those that still run are read at `now_ms`.

    Work that went back on site runs its repair clock again, and loses its verification.
    """
    issued = _last(steps, S.ISSUED)
    done = _last(steps, S.DONE)
    if issued is None:
        return Clocks(None, None, None)
    reopened = done is not None and any(s.state is S.ON_SITE and s.at_ms > done for s in steps)
    ended = next((s.at_ms for s in steps if s.state is S.CANCELLED), None)
    done_ms = None if reopened else done
    until_ms = done_ms or ended or now_ms
    accepted = _last(steps, S.ACCEPTED)
    verified = _last(steps, S.VERIFIED)
    return Clocks(
        ((accepted or ended or now_ms) - issued) / HOUR_MS,
        (until_ms - issued - _waited_ms(steps, until_ms)) / HOUR_MS,
        None if done_ms is None else ((verified or now_ms) - done_ms) / HOUR_MS,
    )


def overdue(order: WorkOrder, *, now_ms: int) -> list[str]:
    """Return which parts of a job have taken longer than they may: `respond`, `repair`, `verify`."""
    taken, limits = clocks(order.steps, now_ms=now_ms), LIMITS[order.severity]
    parts = {
        "respond": (taken.respond_h, limits.respond_h),
        "repair": (taken.repair_h, limits.repair_h),
        "verify": (taken.verify_h, limits.verify_h),
    }
    return [name for name, (hours, limit_h) in parts.items() if hours is not None and hours > limit_h]


def draft_due(connection: sqlite3.Connection, *, now_ms: int, settle_ms: int) -> int:
    """Draft an order for each grave occurrence on show that has settled and has none; return how many."""
    rows = connection.execute(
        "SELECT o.alarm, o.number, a.asset, o.severity FROM occurrence o JOIN alarm a ON a.id = o.alarm"
        " WHERE o.closed_ms IS NULL AND o.returned_ms IS NULL AND o.cause IS NULL AND o.severity >= ?"
        " AND o.onset_ms <= ? AND json_extract(a.flags, '$.suppressed_by') = '[]'"
        " AND json_extract(a.flags, '$.out_of_service') IS NULL AND json_extract(a.flags, '$.enabled')"
        " AND NOT EXISTS (SELECT 1 FROM work_order w WHERE w.alarm = o.alarm AND w.occurrence = o.number)",
        (int(Severity.HIGH), now_ms - settle_ms),
    ).fetchall()
    for alarm, number, asset, severity in rows:
        _draft(connection, alarm, number, asset, severity, "engine", now_ms)
    return len(rows)


def draft(connection: sqlite3.Connection, alarm: str, actor: str, *, now_ms: int) -> int:
    """Draft an order for an alarm's newest occurrence; return its number. Raises BadInput where there is none."""
    row = connection.execute(
        "SELECT o.number, a.asset, o.severity FROM occurrence o JOIN alarm a ON a.id = o.alarm WHERE o.alarm = ?"
        " ORDER BY o.number DESC LIMIT 1",
        (alarm,),
    ).fetchone()
    if row is None:
        raise BadInput(f"there is no alarm {alarm!r}: `steppe alarms list` shows all that stand")
    known = connection.execute(
        "SELECT id FROM work_order WHERE alarm = ? AND occurrence = ?", (alarm, row[0])
    ).fetchone()
    if known is not None:
        raise BadInput(f"{alarm} has work order {known[0]} already: `steppe alarms work show {known[0]}`")
    occurrence, asset, severity = row
    return _draft(connection, alarm, occurrence, asset, severity, actor, now_ms)


def move(
    connection: sqlite3.Connection, number: int, state: WorkState, actor: str, note: str, *, now_ms: int
) -> WorkOrder:
    """Move a job on, inside the caller's transaction. Raises BadInput saying where it may go."""
    order = find(connection, number)
    if state not in NEXT[order.state]:
        ways = ", ".join(NEXT[order.state]) or "nowhere"
        raise BadInput(f"work order {number} is {order.state}: it goes to {ways}, not to {state}")
    if state in NEEDS_NOTE and not note:
        raise BadInput(f"work order {number}: {state} needs --note: why, what was done, or what the cause was")
    _step(connection, order, Step(state, now_ms, actor, note))
    return find(connection, number)


def find(connection: sqlite3.Connection, number: int) -> WorkOrder:
    """Return a job. Raises BadInput where there is none of that number."""
    row = connection.execute("SELECT * FROM work_order WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise BadInput(f"there is no work order {number}: `steppe alarms work list` shows all")
    return _order(connection, row)


def orders(connection: sqlite3.Connection, *, only_open: bool = True) -> list[WorkOrder]:
    """Return the jobs, the gravest first; closed and cancelled ones only where asked for."""
    rows = connection.execute("SELECT * FROM work_order ORDER BY severity DESC, id").fetchall()
    found = [_order(connection, row) for row in rows]
    return [order for order in found if NEXT[order.state] or not only_open]


def note_inspection(connection: sqlite3.Connection, asset: str, actor: str, *, now_ms: int) -> None:
    """Keep when an asset was inspected last."""
    connection.execute("INSERT OR REPLACE INTO inspection VALUES(?, ?, ?)", (asset, now_ms, actor))
    audit.append(connection, AuditRow(now_ms, now_ms, f"asset:{asset}", "Inspected", "", "", actor))


def inspections_ms(connection: sqlite3.Connection) -> dict[str, int]:
    """Return asset → its last inspection. [ms since 1970-01-01T00:00Z]"""
    return dict(connection.execute("SELECT asset, at_ms FROM inspection").fetchall())


def _draft(
    connection: sqlite3.Connection, alarm: str, occurrence: int, asset: str, severity: int, actor: str, now_ms: int
) -> int:
    made = connection.execute(
        "INSERT INTO work_order(alarm, occurrence, asset, severity) VALUES(?, ?, ?, ?) RETURNING id",
        (alarm, occurrence, asset, severity),
    ).fetchone()
    order = WorkOrder(int(made[0]), alarm, occurrence, asset, Severity(severity), ())
    _step(connection, order, Step(S.DRAFT, now_ms, actor, ""))
    return order.id


def _step(connection: sqlite3.Connection, order: WorkOrder, step: Step) -> None:
    row = (order.id, len(order.steps), step.state, step.at_ms, step.actor, step.note)
    connection.execute("INSERT INTO work_step VALUES(?, ?, ?, ?, ?, ?)", row)
    before = order.state if order.steps else ""
    name = f"work:{order.id}"
    audit.append(connection, AuditRow(step.at_ms, step.at_ms, name, "Work", before, step.state, step.actor, step.note))


def _order(connection: sqlite3.Connection, row: tuple[int, str, int, str, int]) -> WorkOrder:
    steps = connection.execute(
        "SELECT state, at_ms, actor, note FROM work_step WHERE work_order = ? ORDER BY number", (row[0],)
    )
    kept = tuple(Step(WorkState(state), at_ms, actor, note) for state, at_ms, actor, note in steps)
    return WorkOrder(row[0], row[1], row[2], row[3], Severity(row[4]), kept)


def _last(steps: Sequence[Step], state: WorkState) -> int | None:
    return next((step.at_ms for step in reversed(steps) if step.state is state), None)


def _waited_ms(steps: Sequence[Step], until_ms: int) -> int:
    """Time spent waiting for parts, up to an instant."""
    ends = [*(step.at_ms for step in steps[1:]), until_ms]
    return sum(end - step.at_ms for step, end in zip(steps, ends, strict=True) if step.state is S.WAITING_PARTS)
