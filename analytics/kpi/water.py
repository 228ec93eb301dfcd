"""Drinking water of a region: how many hours of each limited quantity were read, and kept the limit (GB 5749-2022).

Computed from the readings in the store. An hour counts by its mean; an hour without enough readings is unknown and
lies between the bounds. Laboratory samples are not in the store.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from analytics.hours import QUARTERS_PER_H, HoursKept, hour_means, hours_kept
from analytics.kpi.quarters import Steps, in_service, read_quarters
from analytics.limits import Limit, in_force
from ingest.lines import measurement
from ingest.register import PointEntry, Register

STANDARD = "GB 5749-2022"
PLACES = ("works_outlet", "network_end")
KINDS = frozenset({"water_works", "village"})
Progress = Callable[[str], None]
"""Told the name of each point that has been read."""


@dataclass(frozen=True)
class PointHours:
    """One point's hours."""

    point: str
    asset: str
    hours: HoursKept


@dataclass(frozen=True)
class WaterRow:
    """One quantity at one place of the supply, over all points of a region."""

    limit: Limit
    place: str
    """`works_outlet` or `network_end`."""
    works: int
    """Assets that have such a point."""
    hours: HoursKept
    points: tuple[PointHours, ...]
    """The worst first."""


@dataclass(frozen=True)
class WaterPoint:
    """A point that a limit applies to."""

    entry: PointEntry
    place: str
    limit: Limit


def water_points(register: Register, assets: Collection[str], limits: Iterable[Limit], day: date) -> list[WaterPoint]:
    """Return the points of some assets that a drinking-water limit applies to on a day, by quantity and place."""
    by_place = {
        place: {row.quantity: row for row in in_force(limits, day, standard=STANDARD, place=place)} for place in PLACES
    }
    found = []
    for entry in register.points.values():
        place, quantity = place_of(entry), measurement(entry.point)
        kind = register.assets[entry.asset][-1].kind
        if entry.asset in assets and kind in KINDS and quantity in by_place[place]:
            found.append(WaterPoint(entry, place, by_place[place][quantity]))
    return sorted(found, key=lambda one: (one.limit.quantity, PLACES.index(one.place), one.entry.point))


def place_of(entry: PointEntry) -> str:
    """Return where in the supply a point stands: its profile of set-points says so, else it is at the works."""
    return PLACES[1] if entry.limits.startswith(PLACES[1]) else PLACES[0]


def water_compliance(
    store: Steps, register: Register, points: Sequence[WaterPoint], start_ms: int, end_ms: int, progress: Progress
) -> list[WaterRow]:
    """Return each quantity and place of some points over whole hours between two instants. Raises StoreError."""
    groups: dict[tuple[str, str], list[WaterPoint]] = defaultdict(list)
    for one in points:
        groups[one.limit.quantity, one.place].append(one)
    return [_row(store, register, group, start_ms, end_ms, progress) for group in groups.values()]


def _row(
    store: Steps, register: Register, group: Sequence[WaterPoint], start_ms: int, end_ms: int, progress: Progress
) -> WaterRow:
    points = []
    for one in group:
        points.append(_point_hours(store, register, one, start_ms, end_ms))
        progress(one.entry.point)
    points.sort(key=lambda p: (np.nan_to_num(p.hours.kept_pct, nan=101.0), p.point))
    total = sum((point.hours for point in points), HoursKept(0, 0, 0))
    return WaterRow(group[0].limit, group[0].place, len({p.asset for p in points}), total, tuple(points))


def _point_hours(store: Steps, register: Register, one: WaterPoint, start_ms: int, end_ms: int) -> PointHours:
    entry = one.entry
    quarters = read_quarters(store, entry.point, start_ms, end_ms).mean
    serving = in_service(register.assets[entry.asset], start_ms, end_ms).reshape(-1, QUARTERS_PER_H).all(axis=1)
    means = hour_means(quarters)[serving]
    return PointHours(entry.point, entry.asset, hours_kept(means, one.limit.broken_by(means)))
