"""Readings and batches for tests of the road from the spool to the broker."""

from dataclasses import dataclass

from edge.seal import Sealed, seal
from edge.spool import Spool
from edge.wire import Ack, Batch, Quality, Reading, decode

NOON_MS = 1_764_000_000_000
BOOT = "6f1d1bd6-3a3c-4c1b-8d7c-0a4b5f1f2e10"


@dataclass
class HandClock:
    """A clock that stands until the test moves it, and that somebody may set."""

    elapsed_ms: int = 0
    offset_ms: int = NOON_MS

    def now_ms(self) -> int:
        return self.offset_ms + self.elapsed_ms

    def monotonic_ms(self) -> int:
        return self.elapsed_ms

    def real_s(self, seconds: float) -> float:
        return seconds

    async def sleep(self, seconds: float) -> None:
        self.elapsed_ms += int(seconds * 1000)


def reading(number: int = 0, *, point: str = "clearwell.turbidity_ntu", value: float | None = 0.5) -> Reading:
    """Return the reading of second `number` after noon."""
    quality = Quality.GOOD if value is not None else Quality.BAD_NO_ANSWER
    return Reading(point, NOON_MS + number * 1000, value, quality)


def batch_for(spool: Spool, *, rows: int = 1, draft_offset_ms: int | None = None) -> Sealed:
    """Return the batch that `spool` must get next; its instants tell its number."""
    readings = [reading(spool.next_seq, value=float(row)) for row in range(rows)]
    only = seal(readings, site="qingshui-wtp", stream=spool.stream, seq=spool.next_seq, boot=BOOT)[0]
    return Sealed(
        only.seq, only.payload, only.readings, only.first_ms, only.last_ms, offset_ms=draft_offset_ms, boot=BOOT
    )


def fill(spool: Spool, count: int, *, rows: int = 1) -> None:
    """Append `count` batches, one at a time."""
    for _ in range(count):
        spool.append([batch_for(spool, rows=rows)])


def waiting(spool: Spool) -> list[int]:
    """Return the numbers of the final batches in the spool, oldest first."""
    found, start = [], 0
    while (batch := spool.oldest(start, spool.next_seq)) is not None:
        assert decode(batch.payload, Batch).seq == batch.seq
        found.append(batch.seq)
        start = batch.seq + 1
    return found


def ack(spool: Spool, upto: int, *also: tuple[int, int]) -> Ack:
    """Return the centre's acknowledgement for this spool's stream."""
    return Ack(spool.stream, upto, list(also))
