"""From intake to the store writer without a way over the disk: what was just decoded need not be decoded again.

The journal stays the one source. What finds no room here, or was taken and could not be written, is read from it:
the writer asks by position, and gets only what follows without a gap.
"""

import threading
from collections import deque

from ingest.batch import BatchRows
from ingest.journal import Committed

MAX_READINGS = 500_000
"""Two groups of 500 gateways' batches of 500; a reading takes 21 bytes."""


class Handover:
    """Readings of the newest journal entries, in order; one thread puts, one takes."""

    def __init__(self, max_readings: int = MAX_READINGS) -> None:
        self._max_readings = max_readings
        self._lock = threading.Condition()
        self._held: deque[tuple[int, BatchRows | None]] = deque()
        self._readings = 0
        self._stuck = False

    def wait_for_room(self, timeout_s: float) -> None:
        """Give a busy writer time, for half of the room at most so long; once, if it takes nothing meanwhile.

        What does not fit is decoded twice: waiting for a writer that is at work is cheaper. One that is not, for its
        store is down, holds nobody up.
        """
        with self._lock:
            if not self._stuck:
                self._stuck = not self._lock.wait_for(lambda: self._readings <= self._max_readings // 2, timeout_s)

    def room(self) -> int:
        """Return how many readings still fit."""
        with self._lock:
            return max(self._max_readings - self._readings, 0)

    def put(self, committed: Committed) -> None:
        """Hold what was committed, as far as its readings are at hand and there is room."""
        first = committed.newest - committed.kept + 1
        with self._lock:
            for position, one in enumerate(committed.fresh, first):
                readings = len(one.rows or ())
                if (one.rows is None and one.kind == "batch") or self._readings + readings > self._max_readings:
                    return
                self._held.append((position, one.rows))
                self._readings += readings

    def take(self, after: int, readings: int) -> tuple[int, list[BatchRows]]:
        """Return what follows position `after` without a gap, up to the entry that completes `readings`.

        With it comes the last position; `after` itself where nothing is held that follows it.
        """
        batches: list[BatchRows] = []
        found = 0
        with self._lock:
            self._forget(after)
            while self._held and self._held[0][0] == after + 1 and found < readings:
                after, rows = self._pop()
                if rows is not None:
                    batches.append(rows)
                    found += len(rows)
            if found:
                self._stuck = False
                self._lock.notify()
        return after, batches

    def gap(self, after: int) -> int | None:
        """Return how many entries lie between position `after` and the first one held; None if nothing is held."""
        with self._lock:
            self._forget(after)
            return self._held[0][0] - 1 - after if self._held else None

    def _forget(self, upto: int) -> None:
        while self._held and self._held[0][0] <= upto:
            self._pop()

    def _pop(self) -> tuple[int, BatchRows | None]:
        position, rows = self._held.popleft()
        self._readings -= len(rows or ())
        return position, rows
