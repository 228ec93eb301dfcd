"""Questions that other rooms ask of store and register together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.lines import measurement
from ingest.register import Register
from ingest.store import Latest, Store


@dataclass(frozen=True, eq=False)
class Series:
    """One point's readings in time order."""

    t_ms: NDArray[np.int64]
    """Acquisition instants. [ms since 1970-01-01T00:00Z]"""
    value: NDArray[np.float64]
    """In the unit that ends the point's name; NaN where quality is BAD."""
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.t_ms)


def series(store: Store, points: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Series]:
    """Return each point's readings with start <= t < end; points without any have an empty series."""
    rows = store.read(points, start_ms, end_ms)
    edges = np.searchsorted(rows.index, np.arange(len(points) + 1))
    return {
        point: Series(rows.t_ms[first:last], rows.value[first:last], rows.quality[first:last])
        for point, first, last in zip(points, edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    }


def points_of(register: Register, asset: str, quantity: str = "") -> tuple[str, ...]:
    """Return the points of an asset, of one quantity (such as `voltage_v`) or of all."""
    return tuple(
        entry.point
        for entry in register.points.values()
        if entry.asset == asset and quantity in ("", measurement(entry.point))
    )


def latest_of(store: Store, register: Register, asset: str) -> dict[str, Latest]:
    """Return the newest reading of each of an asset's points that has one."""
    return store.latest(points_of(register, asset))


def unregistered(store: Store, register: Register) -> list[str]:
    """Return the points that have readings and stand in no register: stored all the same, and nobody's yet."""
    return [point for point in store.points() if point not in register.points]
