"""What to send next on one connection: the window, the two lanes, and what must be sent again.

No socket and no clock in here: the owner of the connection asks `next_batch`, tells what was published, answered and
acknowledged, and passes the time. One `Uplink` lives as long as one connection; all lasting state is in the spool.

At-least-once: a PUBACK frees the window and nothing else, a batch leaves the spool only when an `Ack` covers it, and
what stays unacknowledged for too long goes out again from the lowest number.
"""

import logging
import random

from edge.errors import LinkDown, SpoolError
from edge.mqtt import NO_MATCHING_SUBSCRIBERS, Answered
from edge.seal import Sealed
from edge.spool import Spool
from edge.wire import Ack

log = logging.getLogger(__name__)

AHEAD_WINDOWS = 20
"""Never more than so many windows sent ahead of the acknowledgement."""
PATIENCE_S = 2.0
MAX_PATIENCE_S = 30.0
MAX_BACK_OFF_S = 30.0
SPOOL_REST_S = 1.0
"""A spool that cannot be read is asked again after so long, and not in a loop."""
STALLED_S = 30.0
"""A broker that owes a PUBACK for so long is taken for dead."""

HINTS = {
    NO_MATCHING_SUBSCRIBERS: "nobody subscribes: ingest seems to be away",
    0x87: "not authorised: the broker's access list must let this site write its topics",
    0x97: "quota exceeded: the broker is full",
}


class Uplink:
    """The state of one connection. Times are monotonic seconds of the machine."""

    def __init__(self, spool: Spool, *, window: int, backlog_per_s: float, now_s: float) -> None:
        self._spool = spool
        self._window = window
        self._backlog_per_s = backlog_per_s
        self._live_from = max(spool.next_seq - 1, 0)
        """Batches from here on go newest first; older ones are the backlog, oldest first and capped."""
        self._live_unsent = list(range(self._live_from, spool.next_seq))
        self._backlog_at = 0
        self._room = window
        self._under_way: dict[int, int] = {}
        """Message id → batch, until its PUBACK."""
        self._sent_s: dict[int, float] = {}
        """Batch → when it was last sent, in that order, until its acknowledgement."""
        self._tokens, self._tokens_s = max(backlog_per_s, 1.0), now_s
        self._refusals = 0
        self._hold_until_s = now_s
        self._delay_s = 0.0
        self._silences = 0

    @property
    def under_way(self) -> int:
        """Batches that wait for their PUBACK."""
        return len(self._under_way)

    def offer(self, seq: int) -> None:
        """Batch `seq` may be sent from now on: it was sealed, or its draft was finished."""
        if seq >= self._live_from:
            self._live_unsent.append(seq)
        else:
            self._backlog_at = min(self._backlog_at, seq)

    def next_batch(self, now_s: float, *, slots_taken: int = 0) -> Sealed | None:
        """Return the batch to publish now, or None. `slots_taken` of the window are in use by other messages.

        Raises SpoolError where the spool cannot be read; there is nothing to publish then for `SPOOL_REST_S`.
        """
        window = 1 if self._refusals else self._window
        self._room = window - len(self._under_way) - slots_taken
        if self._room <= 0 or now_s < self._hold_until_s or len(self._sent_s) >= AHEAD_WINDOWS * self._window:
            return None
        try:
            return self._next_live() or self._next_of_backlog(now_s)
        except SpoolError:
            self._hold_until_s = now_s + SPOOL_REST_S
            raise

    def published(self, mid: int, seq: int, now_s: float) -> None:
        """Batch `seq` is on its way as message `mid`."""
        self._under_way[mid] = seq
        self._sent_s.pop(seq, None)
        self._sent_s[seq] = now_s

    def answered(self, answer: Answered, now_s: float) -> None:
        """Take a PUBACK: it frees the window; a refusal also puts the batch back and backs off."""
        seq = self._under_way.pop(answer.mid, None)
        if seq is None:
            return
        if not answer.refused and answer.code != NO_MATCHING_SUBSCRIBERS:
            self._refusals = 0
            return
        if self._refusals == 0:
            log.warning("the broker does not take batches: %s", HINTS.get(answer.code, f"reason {answer.code:#04x}"))
        self._refusals += 1
        self._hold_until_s = now_s + full_jitter_s(self._refusals, cap_s=MAX_BACK_OFF_S)
        self._put_back([seq])

    def acknowledged(self, ack: Ack, now_s: float) -> int:
        """Take the centre's word for what it holds; return how many batches left the spool.

        Raises SpoolError, and LinkDown where the spool had to start over and so must the connection: the centre
        holds numbers that this spool never gave, so the file is an old copy and its numbers would be given twice.
        """
        if ack.stream == self._spool.stream and ack.covers(self._spool.next_seq):
            self._spool.start_over(f"the centre holds batch {self._spool.next_seq}, which was never sealed here")
            raise LinkDown("the spool was an old copy: a new stream begins on a new connection")
        forgotten = self._spool.forget(ack)
        covered = [seq for seq in self._sent_s if ack.covers(seq)] if ack.stream == self._spool.stream else []
        for seq in covered:
            delay_s = now_s - self._sent_s.pop(seq)
            self._delay_s += (delay_s - self._delay_s) / 8
        self._silences = 0
        self._hold_until_s = min(self._hold_until_s, now_s)
        return forgotten

    def send_overdue_again(self, now_s: float) -> int:
        """Put back what the broker took and the centre has not acknowledged in time; return how many batches.

        Raises LinkDown where the broker itself owes an answer for too long.
        """
        under_way = set(self._under_way.values())
        if any(now_s - self._sent_s.get(seq, now_s) > STALLED_S for seq in under_way):
            raise LinkDown(f"the broker has not answered a publish for {STALLED_S:.0f} s")
        due_s = now_s - self._patience_s()
        overdue = [seq for seq, sent_s in self._sent_s.items() if sent_s <= due_s and seq not in under_way]
        if overdue:
            log.debug("%d batches are not acknowledged after %.1f s: sent again", len(overdue), self._patience_s())
            self._silences += 1
            self._put_back(overdue)
        return len(overdue)

    def wait_s(self, now_s: float) -> float:
        """Return how long nothing can change here by itself. [s]"""
        until_s = [now_s + 1.0]
        if now_s < self._hold_until_s:
            until_s.append(self._hold_until_s)
        elif self._room > 0 and self._backlog_at < self._live_from:
            until_s.append(now_s + max(1.0 - self._tokens, 0.0) / self._backlog_per_s)
        under_way = set(self._under_way.values())
        until_s += [sent_s + self._patience_s() for seq, sent_s in self._sent_s.items() if seq not in under_way][:1]
        return max(min(until_s) - now_s, 0.0)

    def _next_live(self) -> Sealed | None:
        while self._live_unsent:
            seq = self._live_unsent[-1]
            batch = self._spool.oldest(seq, seq + 1)
            self._live_unsent.pop()
            if batch is not None:
                return batch
        return None

    def _next_of_backlog(self, now_s: float) -> Sealed | None:
        rate = self._backlog_per_s
        self._tokens = min(self._tokens + (now_s - self._tokens_s) * rate, max(rate, 1.0))
        self._tokens_s = now_s
        while self._tokens >= 1.0 and self._backlog_at < self._live_from:
            batch = self._spool.oldest(self._backlog_at, self._live_from)
            self._backlog_at = self._live_from if batch is None else batch.seq + 1
            if batch is not None and batch.seq not in self._sent_s:
                self._tokens -= 1.0
                return batch
        return None

    def _patience_s(self) -> float:
        """Two seconds and the usual delay of an acknowledgement, doubled with each silence."""
        return min((PATIENCE_S + self._delay_s) * 2.0**self._silences, MAX_PATIENCE_S + self._delay_s)

    def _put_back(self, seqs: list[int]) -> None:
        """Make `seqs` unsent. What waits goes from the lowest, as backlog; what is sealed from now on is live."""
        for seq in seqs:
            self._sent_s.pop(seq, None)
        self._backlog_at = min([*seqs, *self._live_unsent, self._backlog_at])
        self._live_unsent.clear()
        self._live_from = self._spool.next_seq


def full_jitter_s(attempt: int, *, base_s: float = 0.5, cap_s: float) -> float:
    """Return a random pause before attempt 1, 2, …: a thousand gateways behind one tower must not come back at once."""
    return random.uniform(0.0, min(base_s * 2.0 ** min(attempt, 30), cap_s))  # noqa: S311 (no secret)
