"""`alarms.db`: alarms, occurrences, audit trail and outbox, changed together or not at all.

One SQLite file (WAL, synchronous=FULL). The engine, the console and the command line each open it; whoever changes an
alarm does so in one `transaction`: the step of the state machine, its audit row, the occurrence, and the notices that
follow from it. So a process killed at any line has either done all of it or nothing.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from analytics.alarms import audit, links, outbox, work
from analytics.alarms.audit import AuditRow
from analytics.alarms.events import Acknowledge, Rose, Severity, Unshelve
from analytics.alarms.records import Act, AlarmRecord, Applied, LateSpan, Occurrence
from analytics.alarms.state import Alarm, Effect, IllegalTransition, Kind, State, step
from edge.errors import SteppeError
from ingest.schema import Schema, bring_up
from ingest.sqlite_file import transaction

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS alarm(
    id TEXT PRIMARY KEY, asset TEXT NOT NULL, kind TEXT NOT NULL, flags TEXT NOT NULL, updated_ms INTEGER NOT NULL,
    standing INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS alarm_standing ON alarm(standing) WHERE standing;
CREATE TABLE IF NOT EXISTS occurrence(
    id INTEGER PRIMARY KEY, alarm TEXT NOT NULL, number INTEGER NOT NULL, onset_ms INTEGER NOT NULL,
    severity INTEGER NOT NULL, value REAL, cause TEXT, acked_ms INTEGER, acked_by TEXT,
    first_acked_ms INTEGER, returned_ms INTEGER, closed_ms INTEGER, chatter INTEGER NOT NULL DEFAULT 0,
    UNIQUE(alarm, number));
CREATE INDEX IF NOT EXISTS occurrence_open ON occurrence(closed_ms) WHERE closed_ms IS NULL;
CREATE INDEX IF NOT EXISTS occurrence_time ON occurrence(onset_ms);
CREATE TABLE IF NOT EXISTS late_turn(
    alarm TEXT NOT NULL, at_ms INTEGER NOT NULL, rose INTEGER NOT NULL, severity INTEGER NOT NULL,
    PRIMARY KEY(alarm, at_ms, rose, severity)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
{audit.SCHEMA}
{outbox.SCHEMA}
{links.SCHEMA}
{work.SCHEMA}
"""
BUSY_TIMEOUT_S = 10.0


class AlarmDatabaseError(SteppeError):
    """`alarms.db` cannot be read or written; nothing was changed."""


class AlarmDatabase:
    """A connection to `alarms.db`; each thread opens its own."""

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            bring_up(self._db, path, Schema(SCHEMA))
        except sqlite3.Error as error:
            raise AlarmDatabaseError(
                f"{path}: cannot be opened ({error}). Check the folder, its owner and space"
            ) from error

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """Changes inside the block are durable when it ends, or undone where it raises."""
        try:
            with transaction(self._db):
                yield Transaction(self._db)
        except sqlite3.Error as error:
            raise AlarmDatabaseError(
                f"alarms.db: {error}. Nothing was changed; check disk space and the disk"
            ) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Questions inside the block see one instant, and hold up nobody who writes."""
        try:
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise AlarmDatabaseError(f"alarms.db: {error}. It cannot be read now; the next try may work") from error

    def records(self, *, only_standing: bool = False) -> list[AlarmRecord]:
        """Return every alarm that ever rose, by id; or only those that are not plainly normal now."""
        query = "SELECT id, asset, kind, flags FROM alarm WHERE standing OR NOT ? ORDER BY id"
        return [_record(*row) for row in self._db.execute(query, (only_standing,))]

    def records_of(self, alarms: Iterable[str]) -> dict[str, AlarmRecord]:
        """Return id → alarm, of those of some ids that ever rose."""
        query = "SELECT a.id, a.asset, a.kind, a.flags FROM json_each(?) w JOIN alarm a ON a.id = w.value"
        rows = self._db.execute(query, (json.dumps(sorted(set(alarms))),))
        return {record.id: record for record in (_record(*row) for row in rows)}

    def occurrences(self, *, start_ms: int = 0, end_ms: int = 2**62, only_open: bool = False) -> list[Occurrence]:
        """Return the occurrences with start <= onset < end, the oldest first."""
        query = "SELECT * FROM occurrence WHERE onset_ms >= ? AND onset_ms < ?"
        query += " AND closed_ms IS NULL" if only_open else ""
        return [_occurrence(row) for row in self._db.execute(query + " ORDER BY onset_ms, id", (start_ms, end_ms))]

    def occurrence(self, occurrence_id: int) -> Occurrence | None:
        """Return the occurrence of that number, as notices carry it; None if there is none."""
        row = self._db.execute("SELECT * FROM occurrence WHERE id = ?", (occurrence_id,)).fetchone()
        return None if row is None else _occurrence(row)

    def onsets_ms(self) -> dict[str, int]:
        """Return alarm → onset of its newest open occurrence. [ms since 1970-01-01T00:00Z]"""
        query = "SELECT alarm, max(onset_ms) FROM occurrence WHERE closed_ms IS NULL GROUP BY alarm"
        return dict(self._db.execute(query).fetchall())

    def acked_ms(self, alarm_id: str, number: int) -> int | None:
        """Return when the acknowledgement that counts now was given. [ms since 1970-01-01T00:00Z]"""
        query = "SELECT acked_ms FROM occurrence WHERE alarm = ? AND number = ?"
        row = self._db.execute(query, (alarm_id, number)).fetchone()
        return None if row is None else row[0]

    def late_turns(self, alarm_id: str) -> list[tuple[int, bool]]:
        """Return what backlogs told of an alarm: instants at which its condition came true (or went)."""
        query = "SELECT at_ms, rose FROM late_turn WHERE alarm = ? ORDER BY at_ms"
        return [(at_ms, bool(rose)) for at_ms, rose in self._db.execute(query, (alarm_id,))]

    def late_spans(self, *, start_ms: int = 0, end_ms: int = 2**62) -> list[LateSpan]:
        """Return what backlogs told of times with start <= onset < end, the oldest first."""
        query = "SELECT alarm, at_ms, rose, severity FROM late_turn ORDER BY alarm, at_ms"
        spans: list[LateSpan] = []
        for alarm, at_ms, rose, severity in self._db.execute(query):
            if rose:
                spans.append(LateSpan(alarm, at_ms, None, Severity(severity)))
            elif spans and spans[-1].alarm == alarm and spans[-1].returned_ms is None:
                spans[-1] = replace(spans[-1], returned_ms=at_ms)
        return sorted((span for span in spans if start_ms <= span.onset_ms < end_ms), key=lambda span: span.onset_ms)

    def audit_rows(self, *, alarm: str | None = None, limit: int = 1000) -> list[AuditRow]:
        """Return the newest audit rows first."""
        return list(audit.rows(self._db, alarm=alarm, limit=limit))

    def broken_audit_rows(self) -> list[int]:
        """Return the numbers of audit rows at which the chain breaks."""
        return audit.broken_rows(self._db)

    def meta(self, name: str, default: str = "") -> str:
        """Return a value kept with the alarms, such as the journal cursor."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return default if row is None else str(row[0])

    def metas(self, prefix: str) -> dict[str, str]:
        """Return the values whose names begin with `prefix`."""
        return dict(
            self._db.execute("SELECT name, value FROM meta WHERE substr(name, 1, ?) = ?", (len(prefix), prefix))
        )

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


class Transaction:
    """The changes that may be made together; made by `AlarmDatabase.transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        """For the tables of other modules that change with the alarms, such as the outbox."""

    def record(self, alarm_id: str) -> AlarmRecord:
        """Return an alarm. Raises AlarmDatabaseError if there is none of that id."""
        row = self.connection.execute("SELECT id, asset, kind, flags FROM alarm WHERE id = ?", (alarm_id,)).fetchone()
        if row is None:
            raise AlarmDatabaseError(f"there is no alarm {alarm_id!r}: `steppe alarms list` shows all")
        return _record(*row)

    def find(self, alarm_id: str, *, asset: str, kind: str) -> AlarmRecord:
        """Return an alarm, or a normal one of that id where there is none yet."""
        row = self.connection.execute("SELECT id, asset, kind, flags FROM alarm WHERE id = ?", (alarm_id,)).fetchone()
        return _record(*row) if row else AlarmRecord(alarm_id, asset, kind, Alarm())

    def apply(self, record: AlarmRecord, act: Act, kind: Kind, *, now_ms: int) -> Applied:
        """Take one step of the state machine and write down all of it. A refused event is written down as refused."""
        before = record.alarm
        try:
            after, effects = step(before, act.event, kind)
        except IllegalTransition as error:
            self._audit(record.id, act, before, before, now_ms, act_name=f"refused {_name(act)}")
            return Applied(record, before, (), str(error))
        changed = replace(record, alarm=after)
        if after != before:
            self._keep(changed, now_ms)
            self._audit(record.id, act, before, after, now_ms, act_name=_name(act))
        self._keep_occurrence(changed, before, act, effects)
        return Applied(changed, before, effects)

    def set_cause(self, alarm_id: str, number: int, cause: str | None) -> None:
        """Note which alarm explains an occurrence."""
        self.connection.execute(
            "UPDATE occurrence SET cause = ? WHERE alarm = ? AND number = ?", (cause, alarm_id, number)
        )

    def note_late(self, alarm_id: str, at_ms: int, *, rose: bool, severity: int) -> None:
        """Keep what a backlog told of an alarm's past; the same word twice is kept once."""
        row = (alarm_id, at_ms, int(rose), severity)
        self.connection.execute("INSERT OR IGNORE INTO late_turn VALUES(?, ?, ?, ?)", row)

    def kept_back(self, mark: str, *, since_ms: int) -> list[str]:
        """Return the alarms that a window hid or took out of service since an instant."""
        return audit.alarms_acted_on(self.connection, ("Suppress", "RemoveFromService"), mark, since_ms=since_ms)

    def set_meta(self, name: str, value: str) -> None:
        """Keep a value with the alarms."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (name, value))

    def _keep(self, record: AlarmRecord, now_ms: int) -> None:
        standing = record.alarm.state is not State.NORMAL
        row = (record.id, record.asset, record.kind, _flags(record.alarm), now_ms, int(standing))
        self.connection.execute("INSERT OR REPLACE INTO alarm VALUES(?, ?, ?, ?, ?, ?)", row)

    def _audit(self, alarm_id: str, act: Act, before: Alarm, after: Alarm, now_ms: int, *, act_name: str) -> None:
        row = AuditRow(act.at_ms, now_ms, alarm_id, act_name, before.state, after.state, act.actor, act.reason)
        audit.append(self.connection, row)

    def _keep_occurrence(self, record: AlarmRecord, before: Alarm, act: Act, effects: tuple[Effect, ...]) -> None:
        if Effect.OPEN_OCCURRENCE in effects:
            self._open_occurrence(record, act)
            return
        changes = _occurrence_changes(record.alarm, before, act, effects)
        if changes:
            assignments = ", ".join(f"{column} = {value}" for column, value in changes.items())
            self.connection.execute(
                f"UPDATE occurrence SET {assignments} WHERE alarm = :alarm AND number = :number",  # noqa: S608 - ours
                {
                    "alarm": record.id,
                    "number": record.alarm.occurrence,
                    "at_ms": act.at_ms,
                    "actor": act.actor,
                    "severity": int(record.alarm.severity),
                },
            )

    def _open_occurrence(self, record: AlarmRecord, act: Act) -> None:
        """One alarm has one open occurrence: an earlier one that nobody acknowledged is closed by the next."""
        self.connection.execute(
            "UPDATE occurrence SET closed_ms = ? WHERE alarm = ? AND closed_ms IS NULL", (act.at_ms, record.id)
        )
        onset_ms = act.at_ms if act.since_ms is None else act.since_ms
        self.connection.execute(
            "INSERT INTO occurrence(alarm, number, onset_ms, severity, value) VALUES(?, ?, ?, ?, ?)",
            (record.id, record.alarm.occurrence, onset_ms, int(record.alarm.severity), act.value),
        )


def _occurrence_changes(alarm: Alarm, before: Alarm, act: Act, effects: tuple[Effect, ...]) -> dict[str, str]:
    """Return what changes in the present occurrence: column → SQL expression."""
    changes: dict[str, str] = {}
    if isinstance(act.event, Rose) and (not before.condition or alarm.severity != before.severity):
        changes |= {"severity": "max(severity, :severity)", "returned_ms": "NULL"}
    if before.condition and not alarm.condition:
        changes["returned_ms"] = ":at_ms"
    if alarm.acked and not before.acked and isinstance(act.event, Acknowledge | Unshelve):
        changes |= {"acked_ms": ":at_ms", "acked_by": ":actor"}
        changes["first_acked_ms"] = "coalesce(first_acked_ms, :at_ms)"
    if before.acked and not alarm.acked:
        changes |= {"acked_ms": "NULL", "acked_by": "NULL"}
    if Effect.COUNT_CHATTER in effects:
        changes["chatter"] = "chatter + 1"
    if Effect.CLOSE_OCCURRENCE in effects:
        changes["closed_ms"] = ":at_ms"
    return changes


def _name(act: Act) -> str:
    return type(act.event).__name__


def _flags(alarm: Alarm) -> str:
    flags = asdict(alarm) | {"suppressed_by": sorted(alarm.suppressed_by)}
    return json.dumps(flags, ensure_ascii=False, separators=(",", ":"))


def _record(alarm_id: str, asset: str, kind: str, flags: str) -> AlarmRecord:
    kept = json.loads(flags)
    kept["suppressed_by"] = frozenset(kept["suppressed_by"])
    kept["severity"] = Severity(kept["severity"])
    return AlarmRecord(alarm_id, asset, kind, Alarm(**kept))


def _occurrence(row: tuple[object, ...]) -> Occurrence:
    occurrence = Occurrence(*row)  # type: ignore[arg-type]  # the columns stand in the fields' order
    return replace(occurrence, severity=Severity(occurrence.severity))
