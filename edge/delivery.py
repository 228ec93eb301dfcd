"""The delivery thread: sole owner of the sealer, the spool and the link.

Readings and the broker's events reach it through one queue, so nothing here needs a lock. `emit` and `stop` may be
called from any thread; everything else happens in `run`.
"""

import contextlib
import logging
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from edge.clock import Clock
from edge.errors import SpoolError
from edge.link import Heard, Link
from edge.seal import CROWDED, Sealed, Sealer, as_draft, seal
from edge.site import Site
from edge.spool import Spool
from edge.timesync import PATIENCE_S, STEP_MS, Trust, offset_ms
from edge.wire import Reading

log = logging.getLogger(__name__)

HEARTBEAT_S = 60.0
"""Between two statuses. [s of the clock]"""
FLUSH_S = 5.0
"""A clean stop tries for so long to get everything acknowledged."""
FAREWELL_S = 1.0
SPOOL_RETRY_S = 1.0
DRAFTS_AT_ONCE = 100
WAITING_FOR_TIME = (
    "the clock is not set: readings are kept and wait for the time, once the link is up for %.0f s at most"
)


@dataclass(frozen=True)
class Sampled:
    """Readings, and how far wall time was ahead of monotonic time when they came."""

    readings: Sequence[Reading]
    offset_ms: int


@dataclass(frozen=True)
class Stop:
    """Seal, flush, and end."""


Inbox = queue.SimpleQueue[Sequence[Sampled] | Heard | Stop]
"""To put the polls of a moment in one by one wakes the thread, and takes turns with it, for each of them."""


class Delivery:
    """Carries readings from `emit` to the centre until `stop`."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        spool: Spool,
        link: Link,
        trust: Trust,
        inbox: Inbox,
        *,
        flush_s: float = FLUSH_S,
        clock_patience_s: float = PATIENCE_S,
    ) -> None:
        """`inbox` is where `link` puts what its connections hear."""
        self._site = site
        self._clock = clock
        self._spool = spool
        self._link = link
        self._trust = trust
        self._inbox = inbox
        self._flush_s = flush_s
        self._clock_patience_s = clock_patience_s
        self._sealer = Sealer(site.seal, clock)
        self.turns = 0
        """Rounds of work so far: it rises for as long as the thread lives."""
        self._offset_ms = offset_ms(clock)
        self._drafts_wait = True
        self._heartbeat_ms = clock.monotonic_ms()
        self._retry_s = 0.0
        self._spool_fails = False
        self._stopping = False

    def emit(self, readings: Sequence[Reading]) -> None:
        """Take readings from the acquisition; never blocks, never raises."""
        self.deliver([self.stamped(readings)])

    def stamped(self, readings: Sequence[Reading]) -> Sampled:
        """Return readings that have just come, with what the clock says of them."""
        return Sampled(self._trust.steady(readings), offset_ms(self._clock))

    def deliver(self, polls: Sequence[Sampled]) -> None:
        """Take what `stamped` returned; never blocks, never raises."""
        self._inbox.put(polls)

    def stop(self) -> None:
        """Ask `run` to seal what it has, flush for a bounded time, and return."""
        self._inbox.put(Stop())

    def run(self) -> None:
        """Work until `stop`."""
        if not self._trust.given:
            log.warning(WAITING_FOR_TIME, self._clock_patience_s)
        try:
            with self._spool_may_fail():
                self._finish_drafts(patience_over=False)
            while not self._stopping:
                self._turn(self._wait_s())
            self._leave()
        finally:
            self._link.close()

    def _turn(self, wait_s: float) -> None:
        self.turns += 1
        for item in _take_all(self._inbox, wait_s):
            with self._spool_may_fail():
                self._take(item)
            if len(self._sealer) >= CROWDED:
                break  # a burst is sealed in parts; the rest stays in the inbox
        now_s = time.monotonic()
        if now_s >= self._retry_s:
            with self._spool_may_fail():
                self._keep_what_is_due(now_s)
        if self._clock.monotonic_ms() - self._heartbeat_ms >= HEARTBEAT_S * 1000:
            self._heartbeat_ms = self._clock.monotonic_ms()
            self._link.announce("status")
        with self._spool_may_fail():
            self._link.turn(now_s)

    def _take(self, item: Sequence[Sampled] | Heard | Stop) -> None:
        match item:
            case Heard():
                self._link.take(item, time.monotonic())
            case Stop():
                self._stopping = True
            case polls:
                for sampled in polls:
                    self._gather(sampled)

    def _gather(self, sampled: Sampled) -> None:
        if not self._trust.given and abs(sampled.offset_ms - self._offset_ms) > STEP_MS:
            with self._spool_may_fail():
                self._seal(doubtful=True)  # one draft, one offset
        self._offset_ms = sampled.offset_ms
        self._sealer.add(sampled.readings)

    def _keep_what_is_due(self, now_s: float) -> None:
        patience_over = self._link.up_for_s(now_s) > self._clock_patience_s
        if self._trust.look():
            log.info("the clock is set: what was read before is stamped anew")
            self._seal(doubtful=True)
        if self._sealer.due_s() == 0.0:
            self._seal(doubtful=not self._trust.given, patience_over=patience_over)
        if self._drafts_wait and (self._trust.given or patience_over):
            self._finish_drafts(patience_over=patience_over)

    def _seal(self, *, doubtful: bool, patience_over: bool = False) -> None:
        """Seal all that is pending; while the clock is in doubt, as drafts as long as there is hope for the time."""
        batches: list[Sealed] = []
        for group in self._sealer.groups():
            batches += seal(
                as_draft(group) if doubtful else group,
                site=self._site.site,
                stream=self._spool.stream,
                seq=self._spool.next_seq + len(batches),
                boot=self._trust.boot,
            )
        is_draft = doubtful and not patience_over
        if is_draft:
            batches = [replace(batch, offset_ms=self._offset_ms) for batch in batches]
        if batches:
            self._spool.append(batches)
            self._sealer.done()
            self._drafts_wait |= is_draft
            self._spool_works()
        if not is_draft:
            self._offer(batches)

    def _finish_drafts(self, *, patience_over: bool) -> None:
        while drafts := self._spool.drafts(DRAFTS_AT_ONCE):
            final = self._trust.finished(drafts, patience_over=patience_over)
            if not final:
                return
            self._spool.finish(final)
            self._offer(final)
        self._drafts_wait = False

    def _offer(self, batches: Sequence[Sealed]) -> None:
        for batch in batches:
            self._link.offer(batch.seq)

    def _wait_s(self) -> float:
        now_s = time.monotonic()
        waits_s = [self._link.wait_s(now_s)]
        due_s = self._sealer.due_s()
        if due_s is not None:
            waits_s.append(max(self._clock.real_s(due_s), self._retry_s - now_s))
        return min(waits_s)

    def _leave(self) -> None:
        with self._spool_may_fail():
            self._seal(doubtful=not self._trust.given)
        self._turn_while(lambda: self._link.up and self._spool.depth().batches > 0, self._flush_s)
        self._link.say_farewell()
        self._turn_while(lambda: not self._link.quiet, min(FAREWELL_S, self._flush_s))

    def _turn_while(self, condition: Callable[[], bool], at_most_s: float) -> None:
        deadline_s = time.monotonic() + at_most_s
        while condition() and time.monotonic() < deadline_s:
            self._turn(min(self._wait_s(), 0.1))

    @contextlib.contextmanager
    def _spool_may_fail(self) -> Iterator[None]:
        """A spool that cannot be written stops nothing else: readings stay in memory and it is tried again."""
        try:
            yield
        except SpoolError as error:
            self._retry_s = time.monotonic() + SPOOL_RETRY_S
            if not self._spool_fails:
                self._spool_fails = True
                log.error("%s", error)

    def _spool_works(self) -> None:
        if self._spool_fails:
            self._spool_fails = False
            log.info("the spool works again; %d readings were lost unsealed meanwhile", self._sealer.overflowed)
            self._sealer.overflowed = 0


def _take_all(inbox: Inbox, wait_s: float) -> Iterator[Sequence[Sampled] | Heard | Stop]:
    """Yield what is in the inbox now, or the first thing to come within `wait_s`."""
    with contextlib.suppress(queue.Empty):
        yield inbox.get(timeout=max(wait_s, 0.0))
        for _ in range(inbox.qsize()):
            yield inbox.get_nowait()
