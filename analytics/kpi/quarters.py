"""Quarter-hours of a point between two instants, summed up by the store."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.register import Asset
from ingest.store import MAX_BUCKETS, Buckets

QUARTER_MS = 15 * 60_000
Floats = NDArray[np.float64]


class Steps(Protocol):
    """What sums up readings in equal steps, as a store does."""

    def buckets(self, point: str, start_ms: int, end_ms: int, step_ms: int) -> Buckets:
        """Return the readings with start <= t < end summed up. Raises StoreError."""


@dataclass(frozen=True, eq=False)
class Quarters:
    """A point's quarter-hours; every array has one entry per quarter, NaN where nothing was read."""

    mean: Floats
    low: Floats
    high: Floats


def read_quarters(store: Steps, point: str, start_ms: int, end_ms: int) -> Quarters:
    """Return the quarter-hours of a point. Raises StoreError."""
    count = -(-(end_ms - start_ms) // QUARTER_MS)
    columns = np.full((3, count), np.nan)
    for first_ms in range(start_ms, end_ms, MAX_BUCKETS * QUARTER_MS):
        found = store.buckets(point, first_ms, min(first_ms + MAX_BUCKETS * QUARTER_MS, end_ms), QUARTER_MS)
        columns[:, (found.start_ms - start_ms) // QUARTER_MS] = found.mean, found.low, found.high
    return Quarters(*columns)


def in_service(stays: tuple[Asset, ...], start_ms: int, end_ms: int) -> NDArray[np.bool_]:
    """Return per quarter-hour between two instants whether an asset is in service for all of it."""
    begins = start_ms + QUARTER_MS * np.arange(-(-(end_ms - start_ms) // QUARTER_MS))
    serving = np.zeros(len(begins), np.bool_)
    for stay in stays:
        from_ms = begins[0] if stay.in_service_from_ms is None and len(begins) else stay.in_service_from_ms or 0
        to_ms = end_ms if stay.in_service_to_ms is None else stay.in_service_to_ms
        serving |= (begins >= from_ms) & (begins + QUARTER_MS <= to_ms)
    return serving
