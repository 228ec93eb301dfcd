"""Hand readings to the delivery thread a few times a second: to wake a thread costs more than to read a meter."""

import asyncio
from collections.abc import Callable, Collection, Sequence

from edge.clock import Clock
from edge.delivery import Sampled
from edge.wire import Reading

GATHER_S = 0.25
"""The longest that a reading waits for company. [s of the clock]"""


class Handover:
    """Gathers what the event loop reads; a reading of an urgent point goes at once, and takes the others along."""

    def __init__(
        self,
        clock: Clock,
        urgent: Collection[str],
        stamp: Callable[[Sequence[Reading]], Sampled],
        deliver: Callable[[Sequence[Sampled]], None],
    ) -> None:
        self.polls = 0
        """Polls so far: it rises for as long as there is something to read."""
        self._clock, self._urgent, self._stamp, self._deliver = clock, frozenset(urgent), stamp, deliver
        self._waiting: list[Sampled] = []
        self._timer: asyncio.TimerHandle | None = None

    def emit(self, readings: Sequence[Reading]) -> None:
        """Take the readings of one poll; they are stamped now and handed on soon."""
        self.polls += 1
        self._waiting.append(self._stamp(readings))
        if self._urgent and not self._urgent.isdisjoint(reading.point for reading in readings):
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._clock.real_s(GATHER_S), self.flush)

    def flush(self) -> None:
        """Hand on what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._deliver(waiting)
