"""A point's newest reading with its age and quality: a frozen value must not look good."""

import math
from dataclasses import dataclass
from typing import Literal

from edge.wire import Quality
from ingest.store import Latest

Freshness = Literal["fresh", "old", "none"]
OLD_PACES, NO_DATA_PACES = 2, 4
"""Older than so many times what was promised is marked; older than that is no data."""
UNKNOWN_PACE_MS = 5 * 60_000
"""What is expected of a point whose site has promised nothing. [ms]"""


@dataclass(frozen=True)
class Newest:
    """What was read last, and whether it still says something."""

    t_ms: int | None
    """None where the point has never had a reading. [ms since 1970-01-01T00:00Z]"""
    value: float | None
    """None where the reading is BAD or there is none."""
    quality: str
    """Name of the `edge.wire.Quality` in small letters; empty where there is no reading."""
    freshness: Freshness

    @property
    def is_usable(self) -> bool:
        """Whether the value may be read as what is now."""
        return self.value is not None and self.freshness == "fresh"

    @property
    def is_uncertain(self) -> bool:
        """Whether the edge itself had doubts."""
        return self.quality.startswith("uncertain")


NEVER = Newest(None, None, "", "none")


def newest_of(latest: Latest | None, pace_ms: float | None, *, now_ms: int) -> Newest:
    """Return a point's newest reading, judged against the pace that its site promised."""
    if latest is None:
        return NEVER
    quality = Quality(latest.quality)
    value = None if quality.is_bad or math.isnan(latest.value) else latest.value
    return Newest(latest.t_ms, value, quality.name.lower(), freshness(latest.t_ms, pace_ms, now_ms=now_ms))


def freshness(t_ms: int, pace_ms: float | None, *, now_ms: int) -> Freshness:
    """Return whether something of an instant is fresh, old, or as good as nothing."""
    paces = (now_ms - t_ms) / (pace_ms or UNKNOWN_PACE_MS)
    if paces > NO_DATA_PACES:
        return "none"
    return "old" if paces > OLD_PACES else "fresh"
