"""What ingest does with a group of messages: judge each, set wrong ones aside, keep the others, say what is held."""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edge.clock import Clock
from edge.mqtt import Received
from edge.wire import Ack, WireError
from ingest.check import Checked, check
from ingest.deadletter import DeadLetters, Refused
from ingest.handover import Handover
from ingest.journal import Committed, Journal, Stream
from ingest.sites import Sites

log = logging.getLogger(__name__)

REPLAY_EVERY_S = 2.0
SWEEP_EVERY_S = 30.0
WRITER_WAIT_S = 1.0
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Files:
    """Where messages end up, each file opened by the thread that uses it."""

    journal: Journal
    dead_letters: DeadLetters
    sites: Sites


class Intake:
    """Takes groups of messages; every error it raises is a JournalError, after which nothing may be acknowledged."""

    def __init__(self, files: Files, clock: Clock, handover: Handover, *, keep_days: float) -> None:
        self._files = files
        self._handover = handover
        self._clock = clock
        self._keep_ms = int(keep_days * DAY_MS)
        self._next_replay_s = 0.0
        self._next_sweep_s = 0.0

    def take(self, messages: Sequence[Received]) -> Committed:
        """Keep each message in the journal or among the dead letters, durable on return."""
        self._handover.wait_for_room(WRITER_WAIT_S)
        now_ms = self._clock.now_ms()
        checked, refused = self._judge(((one.topic, one.payload) for one in messages), now_ms)
        if refused:
            log.warning("%d messages set aside, the first on %s: %s", len(refused), refused[0].topic, refused[0].reason)
        self._files.dead_letters.add(refused)
        return self._commit(checked)

    def acks(self, streams: Iterable[Stream]) -> list[tuple[str, Ack]]:
        """Return what to answer each site."""
        acks = ((site, self._files.journal.ack(site, stream)) for site, stream in streams)
        return [(site, ack) for site, ack in acks if ack is not None]

    def housekeep(self) -> Committed | None:
        """Do what is due: replay marked letters, look for gaps, prune. Returns what a replay committed."""
        now_s = time.monotonic()
        if now_s >= self._next_sweep_s:
            self._next_sweep_s = now_s + SWEEP_EVERY_S
            self._files.sites.sweep(self._clock.now_ms())
            self._files.journal.prune(self._clock.now_ms() - self._keep_ms)
        if now_s < self._next_replay_s:
            return None
        self._next_replay_s = now_s + REPLAY_EVERY_S
        return self._replay()

    def _replay(self) -> Committed | None:
        letters = self._files.dead_letters.to_replay()
        if not letters:
            return None
        payloads = {letter.number: self._files.dead_letters.payload(letter.number) or b"" for letter in letters}
        checked, refused = self._judge(
            ((letter.topic, payloads[letter.number]) for letter in letters), self._clock.now_ms()
        )
        committed = self._commit(checked)
        self._files.dead_letters.add(refused)
        refused_again = {(one.topic, one.payload) for one in refused}
        self._files.dead_letters.drop(
            [one.number for one in letters if (one.topic, payloads[one.number]) not in refused_again]
        )
        log.info("replayed %d dead letters: %d taken, %d refused again", len(letters), len(checked), len(refused))
        return committed

    def _judge(self, messages: Iterable[tuple[str, bytes]], now_ms: int) -> tuple[list[Checked], list[Refused]]:
        """Check each; readings for which the writer has no room are let go at once, so that memory is bounded."""
        checked: list[Checked] = []
        refused: list[Refused] = []
        room = self._handover.room()
        for topic, payload in messages:
            try:
                one = check(topic, payload, received_ms=now_ms)
            except WireError as error:
                refused.append(Refused(topic, payload, str(error), now_ms))
                continue
            room -= len(one.rows or ())
            checked.append(one if room >= 0 else replace(one, rows=None))
        return checked, refused

    def _commit(self, checked: Sequence[Checked]) -> Committed:
        committed = self._files.journal.commit(checked)
        self._handover.put(committed)
        return committed
