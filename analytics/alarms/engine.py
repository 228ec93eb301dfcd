"""The alarm engine: follows the journal, moves the alarms, and queues what people must hear.

Each step is one transaction of `alarms.db`: the cursor in the journal, every alarm that moved, its audit rows and its
notices. Killed at any line, the engine goes on at the last whole step: nothing is lost, repeated or told twice. What
the conditions remember (runs and delays) is rebuilt from a snapshot and the journal entries after it.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from analytics.alarms import derived, hearing, suppression, trimming, work
from analytics.alarms.classes import class_named
from analytics.alarms.database import AlarmDatabase, Transaction
from analytics.alarms.derived import Derived
from analytics.alarms.evaluate import Turn
from analytics.alarms.events import (
    Disable,
    Doubted,
    Enable,
    Event,
    Fell,
    Rose,
    Severity,
    ShelfExpired,
    Suppress,
    Unacknowledge,
)
from analytics.alarms.following import Following
from analytics.alarms.listening import Listening
from analytics.alarms.planner import Planner
from analytics.alarms.records import Act, AlarmRecord
from analytics.alarms.sightings import Sighting
from analytics.alarms.state import State
from analytics.alarms.suppression import Places
from analytics.alarms.watch import Watch, WatchedAlarm
from analytics.alarms.windows import PREFIX, Open, open_at
from ingest.journal import Journal

log = logging.getLogger(__name__)

READER = "alarms"
"""In the journal: entries from the last snapshot on are kept for it."""
CURSOR, WINDOWS = "cursor", "window_open"
STEP_ENTRIES = 500
SNAPSHOT_EVERY_ENTRIES = 5_000
GAP_MS = 180_000


@dataclass(eq=False)
class Engine:
    """One engine over one `alarms.db`; `start` once, then `step` and `tick`, called by the loop in `service`."""

    journal: Journal
    database: AlarmDatabase
    watch: Watch
    where: Places
    planner: Planner
    gap_ms: int = GAP_MS
    """Longest time between two ticks that is no pause of the engine's own. [ms]"""
    snapshot_every_entries: int = SNAPSHOT_EVERY_ENTRIES
    following: Following = field(init=False)
    position: int = field(init=False)
    """Journal position up to which everything is in `alarms.db`."""
    _listening: Listening = field(init=False)

    def __post_init__(self) -> None:
        self.following = Following(self.watch, self.planner)
        self.position = int(self.database.meta(CURSOR, "0"))
        self._listening = Listening.restored(self.database, self.gap_ms)
        self._catch_up()
        self.journal.cursor(READER)
        self.journal.advance(READER, self.following.snapshot_at)

    def start(self, *, now_ms: int) -> None:
        """Bring the alarms in line with a register that has changed; where it has not, nothing happens."""
        with self.database.transaction() as change:
            for record, event in list(self._left_or_came_back()):
                self._apply_to(change, record, Act(event, now_ms, reason="register changed"), now_ms)
            for number, severity in list(self._differing()):
                event = Fell(now_ms) if severity is None else Rose(now_ms, severity)
                act = Act(event, now_ms, reason="register changed")
                self._apply_watched(change, self.watch.alarms[number], act, now_ms)
            self._apply_sightings(change, self.following.differing(self.database, now_ms=now_ms), now_ms)

    def step(self, *, now_ms: int) -> int:
        """Take the next journal entries, if any, in one transaction; return how many."""
        entries = self.journal.read(self.position, STEP_ENTRIES)
        if entries:
            news = self.following.take(entries)
            with self.database.transaction() as change:
                self._apply_turns(change, news.turns, now_ms)
                self._apply_sightings(change, news.sightings, now_ms)
                self._note_late(change, news.late)
                hearing.note(change, hearing.kept_clocks(self.database), entries)
                self._apply_suppression(change, now_ms)
                change.set_meta(CURSOR, str(entries[-1].position))
                snapshot_is_due = entries[-1].position - self.following.snapshot_at >= self.snapshot_every_entries
                if snapshot_is_due:
                    self.following.keep(change, entries[-1].position)
            self.position = entries[-1].position
            if snapshot_is_due:
                self.journal.advance(READER, self.position)
        return len(entries)

    def tick(self, *, now_ms: int) -> None:
        """Do what time alone brings: shelves end, acknowledgements run out, windows open, sites fall silent."""
        with self.database.transaction() as change:
            self._listening.tick(change, now_ms=now_ms)
            for record in self.database.records(only_standing=True):
                for event in self._due(record, now_ms):
                    self._apply(change, record.id, Act(event, now_ms), now_ms)
            self._apply_derived(change, now_ms)
            self._apply_suppression(change, now_ms)
            self._report_windows(change, now_ms)
            settle_ms = int(self.planner.settings.settle_s * 1000)
            work.draft_due(change.connection, now_ms=now_ms, settle_ms=settle_ms)
            trimming.trim_daily(change, now_ms=now_ms)

    def _catch_up(self) -> None:
        """Rebuild what the conditions remember: the snapshot, then the entries up to the cursor, changing nothing."""
        self.following.restore(self.database)
        at = self.following.snapshot_at
        while at < self.position:
            entries = [e for e in self.journal.read(at, STEP_ENTRIES) if e.position <= self.position]
            if not entries:
                break
            self.following.take(entries)
            at = entries[-1].position

    def _left_or_came_back(self) -> Iterator[tuple[AlarmRecord, Event]]:
        """Alarms that stand and are no longer watched, and disabled ones that are watched again."""
        watched = self.following.ids
        for record in self.database.records():
            if record.kind in (*derived.KINDS, "notice_dead"):
                continue
            if record.id not in watched and record.alarm.enabled and record.alarm.state is not State.NORMAL:
                yield record, Disable()
            elif record.id in watched and not record.alarm.enabled:
                yield record, Enable()

    def _differing(self) -> Iterator[tuple[int, Severity | None]]:
        """Alarms by number whose condition by the present rules is another than the one on record.

        A condition goes only where each of its rules has been read and is inside: what is unknown is held.
        """
        on_record = {record.id: record.alarm for record in self.database.records()}
        live = self.following.evaluation.live
        for number, watched in enumerate(self.watch.alarms):
            severity = self.watch.holding(live.holds, number)
            alarm = on_record.get(watched.id)
            stands = alarm is not None and alarm.condition and alarm.enabled
            mine = self.watch.rules_of_alarm[number]
            if severity is not None and not (stands and alarm is not None and alarm.severity == severity):
                yield number, severity
            elif severity is None and stands and (~live.beyond[mine] & (live.last_ms[mine] >= 0)).all():
                yield number, None

    def _apply_turns(self, change: Transaction, turns: Sequence[Turn], now_ms: int) -> None:
        """Move the alarms of the rules that turned, each at the instant that decided it."""
        for turn, watched, _, severity in self._replayed(turns, self.following.evaluation.live.holds):
            event: Event = Fell(turn.at_ms) if severity is None else Rose(turn.at_ms, severity)
            value = None if np.isnan(turn.value) else turn.value
            self._apply_watched(change, watched, Act(event, turn.at_ms, value=value, since_ms=turn.since_ms), now_ms)

    def _apply_sightings(self, change: Transaction, sightings: Iterable[Sighting], now_ms: int) -> None:
        """Raise, grade and clear the alarms of works and lift stations; a class moves with its severity."""
        for seen in sightings:
            record = change.find(seen.alarm, asset=seen.asset, kind=seen.kind)
            graded = replace(record, kind=seen.kind) if isinstance(seen.act.event, Rose) else record
            self._apply_to(change, graded, seen.act, now_ms)

    def _note_late(self, change: Transaction, late: Sequence[Turn]) -> None:
        """Write what a backlog tells into the history; nobody is told."""
        for turn, watched, before, severity in self._replayed(late, self.following.evaluation.late.holds):
            if (before is None) != (severity is None):
                at_ms = turn.at_ms if severity is None else turn.since_ms
                grade = int(before or severity or Severity.LOW)
                change.note_late(watched.id, at_ms, rose=severity is not None, severity=grade)

    def _replayed(
        self, turns: Sequence[Turn], holds_after: NDArray[np.bool_]
    ) -> Iterator[tuple[Turn, WatchedAlarm, Severity | None, Severity | None]]:
        """Go through turns one by one; yield each with its alarm and the alarm's severity before and after it."""
        holds = holds_after.copy()
        for turn in reversed(turns):
            holds[turn.rule] = not turn.rose
        for turn in turns:
            number = int(self.watch.alarm_of[turn.rule])
            before = self.watch.holding(holds, number)
            holds[turn.rule] = turn.rose
            yield turn, self.watch.alarms[number], before, self.watch.holding(holds, number)

    def _apply_derived(self, change: Transaction, now_ms: int) -> None:
        """Raise what follows from other conditions and from time, clear what no longer does, mark what is in doubt."""
        holding = {one.id: one for one in self._derived(now_ms)}
        standing = self.database.records(only_standing=True)
        raised = {record.id for record in standing if record.alarm.condition}
        for one in holding.values():
            if one.id not in raised:
                record = change.find(one.id, asset=one.asset, kind=one.kind)
                act = Act(Rose(now_ms, one.severity), now_ms, value=one.value, since_ms=one.since_ms)
                self._apply_to(change, record, act, now_ms)
        for record in standing:
            if record.kind in derived.KINDS and record.alarm.condition and record.id not in holding:
                self._apply_to(change, record, Act(Fell(now_ms), now_ms), now_ms)
        for record, doubtful in list(derived.doubts(self.database.records(only_standing=True))):
            self._apply_to(change, record, Act(Doubted(doubtful), now_ms), now_ms)

    def _derived(self, now_ms: int) -> Iterator[Derived]:
        settings, register, live = self.planner.settings, self.planner.register, self.following.evaluation.live
        standing = self.database.records(only_standing=True)
        onsets = self.database.onsets_ms()
        holding = {record.id: onsets.get(record.id, 0) for record in standing if record.alarm.condition}
        heard, since_ms = hearing.heard_ms(self.database, register), self._listening.since_ms
        yield from hearing.silences(register, settings, heard, holding, now_ms=now_ms, since_ms=since_ms)
        yield from hearing.wrong_clocks(register, hearing.kept_clocks(self.database))
        yield from derived.silent_buses(self.watch, live)
        yield from derived.chattering(self.watch, live)
        yield from derived.hidden_too_long(standing, now_ms=now_ms)
        yield from derived.nobody_on_duty(settings, self.planner.timezone, now_ms=now_ms)

    def _apply_suppression(self, change: Transaction, now_ms: int) -> None:
        records = self.database.records(only_standing=True)
        if not records:
            return
        onsets = self.database.onsets_ms()
        grace_ms = int(self.planner.settings.grace_s * 1000)
        over = suppression.covers(self.planner.register.plans, self._open_windows(now_ms), now_ms=now_ms)
        acts = suppression.wanted(self.where, records, over, onsets, now_ms=now_ms, grace_ms=grace_ms)
        for record, act in list(acts):
            applied = self._apply(change, record.id, act, now_ms)
            if isinstance(act.event, Suppress) and not act.event.by.startswith(suppression.COVER_PREFIXES):
                change.set_cause(record.id, applied.alarm.occurrence, act.event.by)

    def _open_windows(self, now_ms: int) -> list[Open]:
        opened = (open_at(window, now_ms, self.planner.timezone) for window in self.planner.settings.windows)
        return [one for one in opened if one is not None]

    def _report_windows(self, change: Transaction, now_ms: int) -> None:
        """When a window has shut, tell whoever manages the alarms what it kept back."""
        known = self.database.metas(f"{WINDOWS}:")
        opened = {f"{WINDOWS}:{one.window.name}": one for one in self._open_windows(now_ms)}
        for name, one in opened.items():
            if known.get(name) != str(one.start_ms):
                change.set_meta(name, str(one.start_ms))
        for name, start in known.items():
            if start and name not in opened:
                change.set_meta(name, "")
                window = name.removeprefix(f"{WINDOWS}:")
                kept_back = change.kept_back(f"{PREFIX}{window}", since_ms=int(start))
                self.planner.report_window(change, window, kept_back, now_ms=now_ms)

    def _due(self, record: AlarmRecord, now_ms: int) -> list[Event]:
        alarm = record.alarm
        if not alarm.enabled:
            return []
        if alarm.shelved_until_ms is not None and now_ms >= alarm.shelved_until_ms:
            return [ShelfExpired()]
        expires_min = self.planner.chain(alarm.severity).ack_expires_min
        if alarm.state is State.ACKNOWLEDGED and expires_min is not None:
            acked_ms = self.database.acked_ms(record.id, alarm.occurrence)
            if acked_ms is not None and now_ms - acked_ms >= expires_min * 60_000:
                return [Unacknowledge()]
        return []

    def _apply_watched(self, change: Transaction, watched: WatchedAlarm, act: Act, now_ms: int) -> None:
        record = change.find(watched.id, asset=watched.asset, kind=watched.about.name)
        self._apply_to(change, record, act, now_ms)

    def _apply(self, change: Transaction, alarm_id: str, act: Act, now_ms: int) -> AlarmRecord:
        return self._apply_to(change, change.record(alarm_id), act, now_ms)

    def _apply_to(self, change: Transaction, record: AlarmRecord, act: Act, now_ms: int) -> AlarmRecord:
        kind = class_named(record.kind).kind
        applied = change.apply(record, act, kind, now_ms=now_ms)
        self.planner.plan(change, applied, kind, now_ms=now_ms)
        return applied.record
