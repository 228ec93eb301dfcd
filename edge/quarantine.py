"""A meter that does not answer is set aside: probed now and then, so that it costs the others next to nothing."""

FAILED_CYCLES = 2
SHARE_OF_BUS = 20
"""All probes of dead meters together take at most one part in this many of the bus's time."""
LONGEST_INTERVAL_MS = 600_000


class Quarantine:
    """Decides, cycle by cycle, whether one meter is read, probed or left alone."""

    def __init__(self, *, period_ms: int, timeout_ms: float) -> None:
        self._period_ms, self._timeout_ms = period_ms, timeout_ms
        self._failures = 0
        self._next_probe_ms = 0

    @property
    def is_dead(self) -> bool:
        """True from the second cycle without an answer until the next answer."""
        return self._failures >= FAILED_CYCLES

    def is_probe_due(self, now_ms: int) -> bool:
        """Whether a dead meter may cost a time-out now. [ms, monotonic]"""
        return now_ms >= self._next_probe_ms

    def answered(self) -> None:
        """The meter is alive."""
        self._failures = 0

    def failed(self, now_ms: int, *, dead_on_bus: int) -> None:
        """A cycle or a probe brought nothing; `dead_on_bus` meters share the bus's time for probes."""
        self._failures += 1
        doublings = min(max(self._failures - FAILED_CYCLES, 0), 16)
        fair_ms = SHARE_OF_BUS * self._timeout_ms * max(dead_on_bus, 1)
        self._next_probe_ms = now_ms + int(min(self._period_ms * 2**doublings, max(fair_ms, self._period_ms)))
