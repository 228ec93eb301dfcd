"""Whether the engine itself has been listening: a pause of its own, or a set clock, is not a site's silence."""

import logging
from dataclasses import dataclass

from analytics.alarms import outbox
from analytics.alarms.database import AlarmDatabase, Transaction

log = logging.getLogger(__name__)

TICKED, SINCE = "ticked_ms", "listening_since_ms"
BACK_MS = 5_000
"""A clock that goes back by more than this was set. [ms]"""
KEPT_EVERY_MS = 60_000


@dataclass
class Listening:
    """The engine's own hours: when it last looked at the clock, and since when it has looked without a pause."""

    ticked_ms: int
    since_ms: int
    gap_ms: int
    """A pause longer than this is deafness. [ms]"""
    _kept_ms: int = 0

    @classmethod
    def restored(cls, database: AlarmDatabase, gap_ms: int) -> "Listening":
        """As `alarms.db` remembers it; an engine that never ran has listened since its first tick."""
        ticked_ms = int(database.meta(TICKED, "0"))
        return cls(ticked_ms, int(database.meta(SINCE, "0")), gap_ms, ticked_ms)

    def tick(self, change: Transaction, *, now_ms: int) -> None:
        """Note the time, inside the caller's transaction; after a clock that was set back, what waits follows it."""
        back_ms = self.ticked_ms - now_ms
        if back_ms > BACK_MS:
            log.warning("the clock was set back by %d s; what waits to be sent follows it", back_ms // 1000)
            outbox.follow_clock(change.connection, back_ms)
        deaf = back_ms > BACK_MS or -back_ms > self.gap_ms
        self.ticked_ms = now_ms
        if deaf:
            self.since_ms = now_ms
            change.set_meta(SINCE, str(now_ms))
        if deaf or now_ms - self._kept_ms >= KEPT_EVERY_MS:
            self._kept_ms = now_ms
            change.set_meta(TICKED, str(now_ms))
