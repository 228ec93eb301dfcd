"""When each device of a bus is due: spread over the interval, never twice at once, and honest about delays."""

import heapq
from collections.abc import Sequence

LATE_FRACTION = 0.1


class Timetable:
    """Gives the next device and its instant; counts polls that began late and polls that were left out."""

    def __init__(self, periods_s: Sequence[float], phases: Sequence[float], *, now_ms: int) -> None:
        """`phases`: per device, the part of its period to wait before its first poll; 0 to below 1."""
        self.late = 0
        """Polls that began more than a tenth of their period after they were due."""
        self.skipped = 0
        """Polls that were left out because the one before was still under way."""
        self._periods_ms = [max(round(period_s * 1000), 1) for period_s in periods_s]
        self._due = [
            (now_ms + int(period_ms * phase), device)
            for device, (period_ms, phase) in enumerate(zip(self._periods_ms, phases, strict=True))
        ]
        heapq.heapify(self._due)

    def next(self) -> tuple[int, int]:
        """Return when the next poll is due [ms] and of which device."""
        return self._due[0]

    def done(self, *, began_ms: int, now_ms: int) -> None:
        """The poll of the next device began and is over: put it down for its next turn after `now_ms`."""
        due_ms, device = self._due[0]
        period_ms = self._periods_ms[device]
        if began_ms - due_ms > period_ms * LATE_FRACTION:
            self.late += 1
        turns = max((now_ms - due_ms) // period_ms, 0) + 1
        self.skipped += turns - 1
        heapq.heapreplace(self._due, (due_ms + turns * period_ms, device))
