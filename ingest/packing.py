"""Packing of old hours at times when nothing else is to be done."""

from edge.clock import Clock
from ingest.config import Retention
from ingest.store import Store

DAY_MS = 86_400_000
REST_MS = 3_600_000
"""After all of it is packed, the next hour to grow old is an hour away. [ms]"""


class Packing:
    """The writer's work when there is nothing to write, a bounded step at a time."""

    def __init__(self, store: Store, retention: Retention, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._age_ms = int(retention.pack_after_days * DAY_MS)
        self._due_ms = 0

    def step(self) -> None:
        """Pack a part of what is old enough, if any may be. Raises StoreDown, StoreRefused."""
        now_ms = self._clock.now_ms()
        if now_ms >= self._due_ms and not self._store.pack(now_ms - self._age_ms):
            self._due_ms = now_ms + REST_MS
