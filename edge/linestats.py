"""What a line has been through: requests, silences, damage, and how long answers took."""

from collections import deque
from dataclasses import dataclass, field

LATENCIES_KEPT = 1000


@dataclass
class LineStatistics:
    """Counts since the start, and the latencies of the last answers."""

    requests: int = 0
    timeouts: int = 0
    refused: int = 0
    """Answers that were an exception."""
    misfits: int = 0
    """Answers of another function or length than asked."""
    connects: int = 0
    bad_crc: int = 0
    """Frames that arrived damaged (RTU)."""
    garbage_bytes: int = 0
    """Bytes that belonged to no answer (RTU)."""
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))

    def answered(self, seconds: float) -> None:
        """Note an answer that took `seconds`."""
        self.latencies_s.append(seconds)

    def latency_s(self, fraction: float) -> float | None:
        """Return the latency that `fraction` of the last answers did not exceed; None before the first. [s]"""
        ordered = sorted(self.latencies_s)
        return ordered[min(int(fraction * len(ordered)), len(ordered) - 1)] if ordered else None
