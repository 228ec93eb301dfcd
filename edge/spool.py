"""The spool: sealed batches wait here until the centre holds them.

Its promise: what `append` returned for is still there after a kill or a power cut, until an acknowledgement covers
it or the named policy of a full spool lets it go, and then that loss is itself a record (`dropped`).
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal, Protocol

from edge.errors import SpoolError
from edge.seal import Sealed
from edge.wire import Ack, DroppedRange

Policy = Literal["oldest", "thin", "newest"]
Loss = Literal["oldest", "thin", "newest", "damaged"]
ROW_OVERHEAD_BYTES = 64
"""What a row costs beside its payload, for the bound."""


class Spool(Protocol):
    """A bounded queue of batches that forgets only what is acknowledged, or what it has no room for."""

    @property
    def stream(self) -> str:
        """Random name of this sequence of batches; a new file begins a new one."""

    @property
    def next_seq(self) -> int:
        """Number of the next batch to append."""

    @property
    def set_aside(self) -> str | None:
        """File name of a damaged spool that waits for a person to look at it."""

    def append(self, batches: Sequence[Sealed]) -> None:
        """Keep `batches`, numbered from `next_seq` on: all of them, durable on return, or none with SpoolError."""

    def oldest(self, start: int, end: int) -> Sealed | None:
        """Return the first final batch with start <= seq < end."""

    def drafts(self, limit: int) -> list[Sealed]:
        """Return up to `limit` drafts, oldest first: batches that must not be sent before `finish`."""

    def finish(self, batches: Sequence[Sealed]) -> None:
        """Put these final batches in the place of the drafts with their numbers. Raises SpoolError."""

    def forget(self, ack: Ack) -> int:
        """Let go of what `ack` covers, batches and reports of loss; return how many batches. Raises SpoolError."""

    def dropped(self, limit: int) -> list[DroppedRange]:
        """Return up to `limit` losses that the centre has not yet acknowledged, oldest first."""

    def depth(self) -> "Depth":
        """Return how much waits."""

    def start_over(self, reason: str) -> None:
        """Put everything aside and begin a new, empty stream; what waited is reported as dropped."""

    def close(self) -> None:
        """Let go of the file."""


@dataclass(frozen=True)
class Depth:
    """How much waits in a spool."""

    batches: int
    bytes: int
    """Counted as towards the bound: payloads and what a row costs beside them."""
    oldest_ms: int | None
    """When the oldest waiting batch was sampled. [ms since 1970-01-01T00:00Z]"""


@dataclass(frozen=True)
class Row:
    """What the policies of a full spool need to know of a batch."""

    seq: int
    bytes: int
    readings: int
    first_ms: int
    last_ms: int


class MemorySpool:
    """For tests, and for sites that would rather lose readings than wear out a card."""

    set_aside: str | None = None

    def __init__(self, *, max_bytes: int = 64_000_000, when_full: Policy = "oldest") -> None:
        self._max_bytes = max_bytes
        self._when_full = when_full
        self._batches: dict[int, Sealed] = {}
        self._dropped: list[DroppedRange] = []
        self.stream = new_stream()
        self.next_seq = 0

    def append(self, batches: Sequence[Sealed]) -> None:
        check_numbers(batches, self.next_seq)
        self._batches |= {batch.seq: batch for batch in batches}
        self.next_seq += len(batches)
        rows = [weight(batch) for batch in self._batches.values()]
        excess = sum(row.bytes for row in rows) - self._max_bytes
        order = reversed(rows) if self._when_full == "newest" else iter(rows)
        self._drop(victims(self._when_full, order, len(rows), excess), self._when_full)

    def oldest(self, start: int, end: int) -> Sealed | None:
        final = (batch for batch in self._batches.values() if start <= batch.seq < end and batch.offset_ms is None)
        return min(final, key=lambda batch: batch.seq, default=None)

    def drafts(self, limit: int) -> list[Sealed]:
        return [batch for batch in self._batches.values() if batch.offset_ms is not None][:limit]

    def finish(self, batches: Sequence[Sealed]) -> None:
        self._batches |= {batch.seq: batch for batch in batches if batch.seq in self._batches}

    def forget(self, ack: Ack) -> int:
        self._dropped = [gap for gap in self._dropped if not covers_range(ack, gap)]
        if ack.stream != self.stream:
            return 0
        before = len(self._batches)
        self._batches = {seq: batch for seq, batch in self._batches.items() if not ack.covers(seq)}
        return before - len(self._batches)

    def dropped(self, limit: int) -> list[DroppedRange]:
        return self._dropped[:limit]

    def depth(self) -> Depth:
        oldest_ms = next((batch.first_ms for batch in self._batches.values()), None)
        return Depth(len(self._batches), sum(weight(batch).bytes for batch in self._batches.values()), oldest_ms)

    def start_over(self, reason: str) -> None:
        self._drop([weight(batch) for batch in self._batches.values()], "damaged")
        self.stream, self.next_seq = new_stream(), 0

    def close(self) -> None:
        """Nothing to let go of."""

    def _drop(self, gone: Sequence[Row], policy: Loss) -> None:
        for row in gone:
            del self._batches[row.seq]
        self._dropped = merged([*self._dropped, *losses(self.stream, gone, policy)])


def new_stream() -> str:
    """Return a name for a sequence of batches that no other spool has."""
    return secrets.token_hex(16)


def check_numbers(batches: Sequence[Sealed], next_seq: int) -> None:
    """Raise SpoolError unless the batches are numbered from `next_seq` on: numbers are never reused or skipped."""
    if [batch.seq for batch in batches] != list(range(next_seq, next_seq + len(batches))):
        raise SpoolError(f"batches {[batch.seq for batch in batches]} do not continue the stream at {next_seq}")


def weight(batch: Sealed) -> Row:
    """Return what the policies need to know of a batch."""
    return Row(batch.seq, len(batch.payload) + ROW_OVERHEAD_BYTES, batch.readings, batch.first_ms, batch.last_ms)


def victims(policy: Policy, rows: Iterator[Row], count: int, excess: int) -> list[Row]:
    """Return which rows must go to free `excess` bytes; `rows` comes oldest first, for `newest` newest first.

    `thin` takes every second one of the older half, all of them at once, so that repeated thinning leaves the far
    past sparse and not empty; where that is not enough, the oldest go.
    """
    if excess <= 0:
        return []
    older_half = list(islice(rows, count // 2)) if policy == "thin" else []
    gone, spared = older_half[::2], older_half[1::2]
    freed = sum(row.bytes for row in gone)
    for row in chain(spared, rows):
        if freed >= excess:
            break
        gone.append(row)
        freed += row.bytes
    return gone


def losses(stream: str, gone: Iterable[Row], policy: Loss) -> list[DroppedRange]:
    """Return the records of what was let go."""
    return merged(
        DroppedRange(stream, row.seq, row.seq, row.readings, row.first_ms, row.last_ms, policy) for row in gone
    )


def merged(gaps: Iterable[DroppedRange]) -> list[DroppedRange]:
    """Return the ranges by number, adjacent ones of one policy as one."""
    ranges: list[DroppedRange] = []
    for gap in sorted(gaps, key=lambda gap: (gap.stream, gap.first_seq)):
        last = ranges[-1] if ranges else None
        if last is not None and _adjacent(last, gap):
            ranges[-1] = DroppedRange(
                last.stream,
                last.first_seq,
                gap.last_seq,
                last.readings + gap.readings,
                min(last.first_ms, gap.first_ms),
                max(last.last_ms, gap.last_ms),
                last.policy,
            )
        else:
            ranges.append(gap)
    return ranges


def _adjacent(last: DroppedRange, gap: DroppedRange) -> bool:
    return (last.stream, last.policy, last.last_seq + 1) == (gap.stream, gap.policy, gap.first_seq)


def covers_range(ack: Ack, gap: DroppedRange) -> bool:
    """Whether the centre has taken note of the whole of `gap`."""
    if ack.stream != gap.stream:
        return False
    return ack.upto >= gap.last_seq or any(first <= gap.first_seq and gap.last_seq <= last for first, last in ack.also)
