"""Virtual clocks for several processes: one that runs fast, and one that jumps from event to event.

`VirtualClock` (in `edge.clock`) runs at a speed; processes that are given its three numbers agree on the time. The
jumping clock here goes further: an event loop that has nothing to do until a virtual instant moves the clock there at
once, so a recorded month passes as fast as its polls can be answered, and no poll is ever late. Other processes
follow it through a small shared file.
"""

import asyncio
import heapq
import mmap
import selectors
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from edge.clock import Clock, RealClock, VirtualClock
from edge.errors import BadInput

INSTANT = struct.Struct("<q")
GRACE_S = 0.0005
"""How long the loop must be idle before the clock jumps: time for an answer that is on its way over loopback."""
FOLLOW_S = 0.005
LATE_S = 180.0
REMEDY = "Write real, virtual:START_MS:EPOCH_S:SPEED, follow:FILE or late:FILE"


class JumpClock:
    """A clock that stands still while its loop works and jumps to the next sleeper when it idles."""

    def __init__(self, start_ms: int, shared: Path) -> None:
        """`shared` is the file through which other processes read this clock (`FollowClock`)."""
        shared.write_bytes(INSTANT.pack(start_ms))
        with shared.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), INSTANT.size)
        self._start_ms = self._now_ms = start_ms
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return self._now_ms - self._start_ms

    def real_s(self, seconds: float) -> float:
        """Time-outs keep their real length: here nothing waits for the wall."""
        return seconds

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_ms + round(seconds * 1000), next(self._order), future))
        await future

    def jump(self) -> bool:
        """Move to the next sleeper's instant and wake it; False if nobody sleeps."""
        while self._sleepers:
            wake_ms, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                self._now_ms = max(self._now_ms, wake_ms)
                INSTANT.pack_into(self._shared, 0, self._now_ms)
                future.set_result(None)
                return True
        return False


class JumpLoop(asyncio.SelectorEventLoop):
    """An event loop that lets its clock jump whenever it would wait."""

    def __init__(self, clock: JumpClock) -> None:
        super().__init__(_JumpSelector(clock))


class FollowClock:
    """Another process's jumping clock, read through its file."""

    def __init__(self, shared: Path) -> None:
        with shared.open("rb") as file:
            self._shared = mmap.mmap(file.fileno(), INSTANT.size, access=mmap.ACCESS_READ)
        self._start_ms = self.now_ms()

    def now_ms(self) -> int:
        return int(INSTANT.unpack_from(self._shared, 0)[0])

    def monotonic_ms(self) -> int:
        return self.now_ms() - self._start_ms

    def real_s(self, seconds: float) -> float:
        return seconds

    async def sleep(self, seconds: float) -> None:
        """Until that instant, or that long on the wall, whichever is first: the leader may have stopped."""
        until_ms, give_up_s = self.now_ms() + round(seconds * 1000), time.monotonic() + seconds
        while self.now_ms() < until_ms and time.monotonic() < give_up_s:
            await asyncio.sleep(FOLLOW_S)


@dataclass(frozen=True)
class EndingClock:
    """Another clock until an instant, and then that instant for good."""

    clock: Clock
    end_ms: int

    def now_ms(self) -> int:
        return min(self.clock.now_ms(), self.end_ms)

    def monotonic_ms(self) -> int:
        return self.clock.monotonic_ms()

    def real_s(self, seconds: float) -> float:
        return self.clock.real_s(seconds)

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)


def describe(clock: VirtualClock) -> str:
    """The clock as one argument of a command line."""
    return f"virtual:{clock.start_ms}:{clock.epoch_s!r}:{clock.speed!r}"


def parse_clock(text: str) -> Clock:
    """The clock that `real`, `virtual:START_MS:EPOCH_S:SPEED`, `follow:FILE` or `late:FILE` names. Raises BadInput.

    `late:FILE` waits for a file that names the clock: time begins for everybody at once, when all are ready.
    """
    kind, _, rest = text.partition(":")
    try:
        if kind == "real" and not rest:
            return RealClock()
        if kind == "late":
            return parse_clock(_wait_for(Path(rest)))
        if kind == "follow":
            return FollowClock(Path(rest))
        if kind == "virtual":
            start_ms, epoch_s, speed = rest.split(":")
            return VirtualClock(int(start_ms), float(epoch_s), float(speed))
    except (OSError, ValueError) as error:
        raise BadInput(
            f"clock {text!r}: {error}. Write real, virtual:START_MS:EPOCH_S:SPEED, follow:FILE or late:FILE"
        ) from error
    raise BadInput(f"clock {text!r}: not known. Write real, virtual:START_MS:EPOCH_S:SPEED, follow:FILE or late:FILE")


def _wait_for(file: Path) -> str:
    deadline_s = time.monotonic() + LATE_S
    while not file.exists():
        if time.monotonic() > deadline_s:
            raise ValueError(f"time did not begin within {LATE_S} s")
        time.sleep(FOLLOW_S)
    return file.read_text(encoding="ascii")


class _JumpSelector(selectors.BaseSelector):
    """The usual selector, which jumps the clock before it would block."""

    def __init__(self, clock: JumpClock) -> None:
        self._clock = clock
        self._inner = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return self._inner.select(0)
        events = self._inner.select(GRACE_S if timeout is None else min(timeout, GRACE_S))
        if events or self._clock.jump():
            return events
        return self._inner.select(timeout)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()
