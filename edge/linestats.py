"""What a line has been through: requests, silences, damage, and how long answers took."""

import re
from array import array
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LATENCIES_KEPT = 200
COUNTERS = ("requests", "timeouts", "refused", "bad_crc", "garbage_bytes")


@dataclass
class LineStatistics:
    """Counts since the start, and the latencies of the last answers."""

    requests: int = 0
    timeouts: int = 0
    refused: int = 0
    """Answers that were an exception."""
    misfits: int = 0
    """Answers of another unit, function or length than asked (Modbus TCP)."""
    connects: int = 0
    bad_crc: int = 0
    """Frames that arrived damaged (RTU)."""
    garbage_bytes: int = 0
    """Bytes that belonged to no answer that was waited for."""
    latencies_s: "array[float]" = field(default_factory=lambda: array("d"))
    """An array, since a gateway has many lines and a float by itself takes four times the room."""

    def answered(self, seconds: float) -> None:
        """Note an answer that took `seconds`."""
        self.latencies_s.append(seconds)
        del self.latencies_s[:-LATENCIES_KEPT]

    def latency_s(self, fraction: float) -> float | None:
        """Return the latency that `fraction` of the last answers did not exceed; None before the first. [s]"""
        ordered = sorted(self.latencies_s)
        return ordered[min(int(fraction * len(ordered)), len(ordered) - 1)] if ordered else None


def line_name(url: str) -> str:
    """Return the name of a line in points: `dev_ttyusb0` of `rtu:///dev/ttyUSB0?baud=9600`."""
    parts = urlsplit(url)
    return re.sub(r"[^a-z0-9]+", "_", (parts.netloc + parts.path).lower()).strip("_")


def is_reported(url: str) -> bool:
    """Whether a line's statistics are readings of the gateway: lines are on which damage can be seen."""
    return urlsplit(url).scheme.startswith(("rtu", "dlt645"))


def counter_points(url: str) -> list[str]:
    """Return the names of the counters of a line."""
    return [f"gateway.{line_name(url)}.{counter}_count" for counter in COUNTERS]


def latency_point(url: str) -> str:
    """Return the name of the latency of a line that 95 of 100 answers keep."""
    return f"gateway.{line_name(url)}.latency95_ms"


def statistics_values(url: str, statistics: LineStatistics) -> dict[str, float | None]:
    """Return the readings of one line; None for a latency that nobody has seen."""
    counters = (float(getattr(statistics, counter)) for counter in COUNTERS)
    latency_s = statistics.latency_s(0.95)
    return {
        **dict(zip(counter_points(url), counters, strict=True)),
        latency_point(url): None if latency_s is None else latency_s * 1000,
    }
