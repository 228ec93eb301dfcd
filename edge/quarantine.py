"""A meter that does not answer is set aside: probed now and then, so that it costs the others next to nothing."""

FAILED_CYCLES = 2
LEAST_SHARE = 1 / 20
MOST_DOUBLINGS = 16


class Quarantine:
    """Decides, cycle by cycle, whether one meter is read, probed or left alone.

    The probes of all dead meters of a bus together take a twentieth of its time, or half the share of its meters that
    are dead: where a whole feeder is out the bus has nothing better to do than to notice the return of supply.
    """

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

    def hurry(self) -> None:
        """A neighbour came back: probe at the next turn, as if the silence had just begun."""
        self._failures = min(self._failures, FAILED_CYCLES)
        self._next_probe_ms = 0

    def failed(self, now_ms: int, *, dead: int, meters: int) -> None:
        """A cycle or a probe brought nothing, as with `dead` of the bus's `meters`."""
        self._failures += 1
        doublings = min(max(self._failures - FAILED_CYCLES, 0), MOST_DOUBLINGS)
        share = max(LEAST_SHARE, dead / meters / 2)
        longest_ms = max(self._timeout_ms * max(dead, 1) / share, self._period_ms)
        self._next_probe_ms = now_ms + int(min(self._period_ms * 2**doublings, longest_ms))
