"""What a site says of itself: its point list, its status, and the death that the broker announces for it."""

from collections.abc import Callable, Sequence
from typing import Literal

from edge import VERSION
from edge.clock import Clock
from edge.spool import Spool
from edge.timesync import ClockState
from edge.wire import PointInfo, PointList, Status, encode

Leaf = Literal["points", "status"]

MAX_REPORTED = 500
"""Losses reported in one status; the next ones follow when the centre has taken note of these."""
WORTH_PACKING_BYTES = 256


class Herald:
    """Speaks for one site in one boot."""

    def __init__(
        self,
        site: str,
        boot: str,
        clock: Clock,
        spool: Spool,
        points: Sequence[PointInfo],
        clock_state: Callable[[], ClockState],
    ) -> None:
        self._site = site
        self._boot = boot
        self._clock = clock
        self._spool = spool
        self._points = list(points)
        self._clock_state = clock_state
        self._version = VERSION
        self.online = True
        """False once the gateway is about to leave."""

    def say(self, leaf: Leaf) -> bytes:
        """Return the point list, or birth, heartbeat or farewell, as payload. Raises SpoolError."""
        return _payload(self._point_list() if leaf == "points" else self._status())

    def death(self) -> bytes:
        """Return the will: what the broker says for the site when it vanishes; its time is that of the connection."""
        return _payload(
            Status(
                1,
                self._site,
                False,
                self._boot,
                self._clock.now_ms(),
                self._version,
                stream=self._spool.stream,
                next_seq=self._spool.next_seq,
                set_aside=self._spool.set_aside,
            )
        )

    def _point_list(self) -> PointList:
        return PointList(1, self._site, self._boot, self._clock.now_ms(), self._points)

    def _status(self) -> Status:
        depth = self._spool.depth()
        return Status(
            1,
            self._site,
            self.online,
            self._boot,
            self._clock.now_ms(),
            self._version,
            stream=self._spool.stream,
            next_seq=self._spool.next_seq,
            spool_batches=depth.batches,
            spool_bytes=depth.bytes,
            oldest_ms=depth.oldest_ms,
            clock=self._clock_state(),
            up_ms=self._clock.monotonic_ms(),
            dropped=self._spool.dropped(MAX_REPORTED),
            set_aside=self._spool.set_aside,
        )


def _payload(message: PointList | Status) -> bytes:
    plain = encode(message)
    return plain if len(plain) < WORTH_PACKING_BYTES else encode(message, packed=True)
