"""The alarm engine: follows the journal, moves the alarms, and queues what people must hear.

Each step is one transaction of `alarms.db`: the cursor in the journal, every alarm that moved, its audit rows and its
notices. Killed at any line, the engine goes on at the last whole step: nothing is lost, repeated or told twice. What
the conditions remember (runs and delays) is rebuilt from a snapshot and the journal entries after it.
"""

import base64
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from analytics.alarms import suppression
from analytics.alarms.classes import BY_NAME
from analytics.alarms.database import Act, AlarmDatabase, AlarmRecord, Transaction
from analytics.alarms.evaluate import Evaluation, Turn
from analytics.alarms.events import Event, Fell, Rose, Severity, ShelfExpired, Suppress, Unacknowledge
from analytics.alarms.planner import Planner
from analytics.alarms.state import State
from analytics.alarms.suppression import Places
from analytics.alarms.watch import Watch
from ingest.decode import chunks
from ingest.journal import Entry, Journal

log = logging.getLogger(__name__)

CURSOR, SNAPSHOT, SNAPSHOT_AT, SITES = "cursor", "snapshot", "snapshot_at", "sites_heard"
STEP_ENTRIES = 500
SNAPSHOT_EVERY_ENTRIES = 5_000


@dataclass(eq=False)
class Engine:
    """One engine over one `alarms.db`; `step` and `tick` are called by the loop in `service`."""

    journal: Journal
    database: AlarmDatabase
    watch: Watch
    where: Places
    planner: Planner
    evaluation: Evaluation = field(init=False)
    position: int = field(init=False)
    """Journal position up to which everything is in `alarms.db`."""
    _snapshot_at: int = field(init=False)

    def __post_init__(self) -> None:
        self.evaluation = Evaluation(self.watch)
        self.position = int(self.database.meta(CURSOR, "0"))
        self._snapshot_at = int(self.database.meta(SNAPSHOT_AT, "0"))
        self._catch_up()

    def step(self, *, now_ms: int) -> int:
        """Take the next journal entries, if any, in one transaction; return how many."""
        entries = self.journal.read(self.position, STEP_ENTRIES)
        if entries:
            turns, late = self._evaluate(entries)
            with self.database.transaction() as change:
                self._apply_turns(change, turns, now_ms)
                self._note_late(change, late)
                self._note_sites(change, entries)
                self._apply_suppression(change, now_ms)
                change.set_meta(CURSOR, str(entries[-1].position))
                self._maybe_snapshot(change, entries[-1].position)
            self.position = entries[-1].position
        return len(entries)

    def tick(self, *, now_ms: int) -> None:
        """Do what time alone brings: shelves end, acknowledgements run out, plans begin, sites fall silent."""
        with self.database.transaction() as change:
            for record in self.database.records(only_standing=True):
                for event in self._due(record, now_ms):
                    self._apply(change, record.id, Act(event, now_ms), now_ms)
            self._apply_silence(change, now_ms)
            self._apply_suppression(change, now_ms)

    def _catch_up(self) -> None:
        """Rebuild what the conditions remember: the snapshot, then the entries up to the cursor, changing nothing."""
        kept = self.database.meta(SNAPSHOT)
        at = self._snapshot_at if kept and self.evaluation.restore(base64.b64decode(kept)) else 0
        while at < self.position:
            entries = [e for e in self.journal.read(at, STEP_ENTRIES) if e.position <= self.position]
            if not entries:
                break
            self._evaluate(entries)
            at = entries[-1].position

    def _evaluate(self, entries: Sequence[Entry]) -> tuple[list[Turn], list[Turn]]:
        """Take the batches among `entries` one by one, in the order of their arrival."""
        turns: list[Turn] = []
        late: list[Turn] = []
        for entry in entries:
            if entry.kind == "batch":
                for chunk in chunks([entry], 1):
                    received = np.full(len(chunk.rows), entry.received_ms, np.int64)
                    live_turns, late_turns = self.evaluation.take(chunk.rows, received)
                    turns += live_turns
                    late += late_turns
        return turns, late

    def _apply_turns(self, change: Transaction, turns: Sequence[Turn], now_ms: int) -> None:
        """Move the alarms of the rules that turned, each at the instant that decided it."""
        holds = self.evaluation.live.holds.copy()
        for turn in reversed(turns):
            holds[turn.rule] = not turn.rose
        for turn in turns:
            holds[turn.rule] = turn.rose
            number = int(self.watch.alarm_of[turn.rule])
            watched = self.watch.alarms[number]
            severity = self.watch.holding(holds, number)
            event: Event = Fell(turn.at_ms) if severity is None else Rose(turn.at_ms, severity)
            act = Act(event, turn.at_ms, value=None if np.isnan(turn.value) else turn.value)
            record = change.find(watched.id, asset=watched.asset, kind=watched.about.name)
            self._apply_to(change, record, act, now_ms)

    def _note_late(self, change: Transaction, late: Sequence[Turn]) -> None:
        """Write what a backlog tells into the history; nobody is told."""
        for turn in late:
            watched = self.watch.alarms[int(self.watch.alarm_of[turn.rule])]
            change.note_late(watched.id, turn.at_ms, rose=turn.rose, severity=int(self.watch.severity[turn.rule]))

    def _note_sites(self, change: Transaction, entries: Sequence[Entry]) -> None:
        for site, received_ms in {entry.site: entry.received_ms for entry in entries}.items():
            change.set_meta(f"{SITES}:{site}", str(received_ms))

    def _apply_silence(self, change: Transaction, now_ms: int) -> None:
        """A site that was heard and is no longer raises an alarm; its first word clears it."""
        limit_ms = int(self.planner.settings.site_silent_after_s * 1000)
        for name, value in self.database.metas(f"{SITES}:").items():
            site, heard_ms = name.removeprefix(f"{SITES}:"), int(value)
            gateway = self.planner.register.points.get(f"{site}/gateway.mains_on")
            record = change.find(f"{site}#silent", asset=gateway.asset if gateway else site, kind="site_silent")
            silent = now_ms - heard_ms > limit_ms
            if silent and not record.alarm.condition:
                self._apply_to(change, record, Act(Rose(heard_ms, Severity.HIGH), now_ms), now_ms)
            elif not silent and record.alarm.condition:
                self._apply_to(change, record, Act(Fell(heard_ms), heard_ms), now_ms)

    def _apply_suppression(self, change: Transaction, now_ms: int) -> None:
        records = self.database.records(only_standing=True)
        onsets = self.database.onsets_ms()
        grace_ms = int(self.planner.settings.grace_s * 1000)
        plans = self.planner.register.plans
        acts = suppression.wanted(self.where, records, plans, onsets, now_ms=now_ms, grace_ms=grace_ms)
        for record, act in list(acts):
            applied = self._apply(change, record.id, act, now_ms)
            if isinstance(act.event, Suppress) and not act.event.by.startswith(suppression.PLAN_PREFIX):
                change.set_cause(record.id, applied.alarm.occurrence, act.event.by)

    def _due(self, record: AlarmRecord, now_ms: int) -> list[Event]:
        alarm = record.alarm
        if alarm.shelved_until_ms is not None and now_ms >= alarm.shelved_until_ms:
            return [ShelfExpired()]
        expires_min = self.planner.chain(alarm.severity).ack_expires_min
        if alarm.state is State.ACKNOWLEDGED and expires_min is not None:
            acked_ms = self.database.acked_ms(record.id, alarm.occurrence)
            if acked_ms is not None and now_ms - acked_ms >= expires_min * 60_000:
                return [Unacknowledge()]
        return []

    def _apply(self, change: Transaction, alarm_id: str, act: Act, now_ms: int) -> AlarmRecord:
        return self._apply_to(change, change.record(alarm_id), act, now_ms)

    def _apply_to(self, change: Transaction, record: AlarmRecord, act: Act, now_ms: int) -> AlarmRecord:
        kind = BY_NAME[record.kind].kind
        applied = change.apply(record, act, kind, now_ms=now_ms)
        self.planner.plan(change, applied, kind, now_ms=now_ms)
        return applied.record

    def _maybe_snapshot(self, change: Transaction, position: int) -> None:
        if position - self._snapshot_at >= SNAPSHOT_EVERY_ENTRIES:
            change.set_meta(SNAPSHOT, base64.b64encode(self.evaluation.snapshot()).decode())
            change.set_meta(SNAPSHOT_AT, str(position))
            self._snapshot_at = position
