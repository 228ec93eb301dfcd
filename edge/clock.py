"""Time, always passed in.

A `Clock` is real, or virtual: a start and a speed, so that a recorded month goes through the real road in
minutes. Only the room `simulators` builds a virtual one.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Where a process gets its time from."""

    def now_ms(self) -> int:
        """Wall time. [ms since 1970-01-01T00:00Z]"""

    def monotonic_ms(self) -> int:
        """Time that never steps back within one boot, at the same rate as `now_ms`. [ms]"""

    def real_s(self, seconds: float) -> float:
        """How long `seconds` of this clock take on the wall: for time-outs of real sockets. [s]"""

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` of this clock pass. [s]"""


class RealClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def real_s(self, seconds: float) -> float:
        return seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))


@dataclass(frozen=True)
class VirtualClock:
    """Time that began at `start_ms` when the machine's monotonic clock showed `epoch_s`, and runs `speed` times faster.

    Processes given the same three numbers agree on the time: the monotonic clock is one per machine.
    """

    start_ms: int
    """Virtual wall time at the epoch. [ms since 1970-01-01T00:00Z]"""
    epoch_s: float
    """`time.monotonic()` of the moment that counts as `start_ms`. [s]"""
    speed: float
    """Virtual seconds per real second."""

    def now_ms(self) -> int:
        return self.start_ms + self.monotonic_ms()

    def monotonic_ms(self) -> int:
        return int((time.monotonic() - self.epoch_s) * self.speed * 1000)

    def real_s(self, seconds: float) -> float:
        return seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(self.real_s(seconds), 0.0))
