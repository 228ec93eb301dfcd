"""Readings become sealed batches: from then on they are promised.

Batches are sealed after `after_s` of clock time, at `readings` rows (once a second at most), or at once when an urgent
point changes. Their numbers come from the spool, so sealing and keeping are one step of one thread. A batch is final
as soon as it may be sent; only a draft, written while the gateway's clock could not be trusted, is stamped anew before
that (`restamped`).
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from edge.clock import Clock
from edge.site import Sealing
from edge.wire import MAX_WIRE_BYTES, Batch, Quality, Reading, decode, encode

MAX_PENDING = 50_000
"""Readings kept in memory while the spool cannot be written; beyond, the oldest go."""
CROWDED = MAX_PENDING // 2
"""So many are sealed at once, whatever else waits."""
WORTH_PACKING_BYTES = 256
LEAST_PAUSE_S = 1.0
"""However many readings come, they are written together once a second and no more often: each time wears the card."""
GOOD, BAD_NOT_AVAILABLE = Quality.GOOD, Quality.BAD_NOT_AVAILABLE


@dataclass(frozen=True)
class Sealed:
    """One batch as the spool keeps it and the wire carries it."""

    seq: int
    payload: bytes
    readings: int
    first_ms: int
    """Oldest instant in it. [ms since 1970-01-01T00:00Z]"""
    last_ms: int
    offset_ms: int | None = None
    """None for a final batch. A draft keeps wall minus monotonic time of its boot until sync tells the truth. [ms]"""
    boot: str = ""


class Sealer:
    """Gathers readings until they are due."""

    def __init__(self, rules: Sealing, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._urgent: dict[str, tuple[float | None, Quality] | None] = dict.fromkeys(rules.urgent)
        self._pending: list[Reading] = []
        self._since_ms = 0
        self._done_ms = -round(LEAST_PAUSE_S * 1000)
        self._at_once = False
        self.overflowed = 0
        """Readings let go unsealed because the spool could not be written for long."""

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, readings: Sequence[Reading]) -> None:
        """Take `readings` in."""
        if not self._pending:
            self._since_ms = self._clock.monotonic_ms()
        self._pending += readings
        if self._urgent:
            for reading in readings:
                self._at_once |= self._changed(reading)
        excess = len(self._pending) - MAX_PENDING
        if excess > 0:
            del self._pending[:excess]
            self.overflowed += excess

    def due_s(self) -> float | None:
        """Return how long until something must be sealed, 0 for now, None for nothing. [s of the clock]"""
        if not self._pending:
            return None
        now_ms = self._clock.monotonic_ms()
        age_s = (now_ms - self._since_ms) / 1000
        if self._at_once or age_s >= self._rules.after_s or len(self._pending) >= CROWDED:
            return 0.0
        if len(self._pending) >= self._rules.readings:
            return max(LEAST_PAUSE_S - (now_ms - self._done_ms) / 1000, 0.0)
        return self._rules.after_s - age_s

    def groups(self) -> list[list[Reading]]:
        """Return what is pending as groups of at most `readings` rows; they stay pending until `done`."""
        size = self._rules.readings
        return [self._pending[start : start + size] for start in range(0, len(self._pending), size)]

    def done(self) -> None:
        """Forget what `groups` returned: the spool has it."""
        self._pending.clear()
        self._at_once = False
        self._done_ms = self._clock.monotonic_ms()

    def _changed(self, reading: Reading) -> bool:
        if reading.point not in self._urgent:
            return False
        now = (reading.value, reading.quality)
        before, self._urgent[reading.point] = self._urgent[reading.point], now
        return before != now


def seal(readings: Sequence[Reading], *, site: str, stream: str, seq: int, boot: str) -> list[Sealed]:
    """Return `readings` as the batches from `seq` on: one, or more where one would be too long for the wire."""
    payload = encode_smallest(_batch(readings, site=site, stream=stream, seq=seq, boot=boot))
    if len(payload) > MAX_WIRE_BYTES and len(readings) > 1:
        half = len(readings) // 2
        older = seal(readings[:half], site=site, stream=stream, seq=seq, boot=boot)
        return older + seal(readings[half:], site=site, stream=stream, seq=seq + len(older), boot=boot)
    instants = [reading.sampled_ms for reading in readings]
    return [Sealed(seq, payload, len(readings), min(instants), max(instants), boot=boot)]


def as_draft(readings: Sequence[Reading]) -> list[Reading]:
    """Return `readings` marked as stamped by a clock that nobody vouches for."""
    return [msgspec.structs.replace(reading, quality=_with_doubt(reading.quality)) for reading in readings]


def restamped(draft: Sealed, offset_ms: int) -> Sealed:
    """Return a draft as the final batch, its instants moved to a clock that is `offset_ms` ahead of monotonic time."""
    assert draft.offset_ms is not None
    shift_ms = offset_ms - draft.offset_ms
    batch = decode(draft.payload, Batch)
    quality = [_without_doubt(each) for each in batch.q] if isinstance(batch.q, list) else _without_doubt(batch.q)
    true = msgspec.structs.replace(batch, t0=max(batch.t0 + shift_ms, 0), q=quality)
    return Sealed(
        draft.seq,
        encode_smallest(true),
        draft.readings,
        max(draft.first_ms + shift_ms, 0),
        max(draft.last_ms + shift_ms, 0),
        boot=draft.boot,
    )


def encode_smallest(batch: Batch) -> bytes:
    """Return the batch for the wire, under zlib where that is shorter."""
    plain = encode(batch)
    if len(plain) < WORTH_PACKING_BYTES:
        return plain
    packed = zlib.compress(plain, 6)
    return packed if len(packed) < len(plain) else plain


def _batch(readings: Sequence[Reading], *, site: str, stream: str, seq: int, boot: str) -> Batch:
    names: dict[str, int] = {}
    p = [names.setdefault(reading.point, len(names)) for reading in readings]
    t0 = readings[0].sampled_ms
    x, q = zip(*(_value_and_quality(reading) for reading in readings), strict=True)
    return Batch(
        v=1,
        site=site,
        stream=stream,
        seq=seq,
        boot=boot,
        t0=t0,
        points=list(names),
        p=p,
        dt=[reading.sampled_ms - t0 for reading in readings],
        x=list(x),
        q=q[0] if q.count(q[0]) == len(q) else list(q),
    )


def _value_and_quality(reading: Reading) -> tuple[float | None, Quality]:
    """Keep the wire's rule that a row is BAD exactly where it has no value: one odd row must not cost a batch."""
    value, quality = reading.value, reading.quality
    if quality is not GOOD and quality.is_bad:
        return None, quality
    if value is None or not math.isfinite(value):
        return None, BAD_NOT_AVAILABLE
    return value, quality


def _with_doubt(quality: Quality) -> Quality:
    return quality if quality.is_bad else Quality(quality | Quality.UNCERTAIN_CLOCK)


def _without_doubt(quality: Quality) -> Quality:
    return quality if quality.is_bad else Quality(quality & ~Quality.UNCERTAIN_CLOCK)
