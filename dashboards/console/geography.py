"""Where assets stand on a flat sheet: the county's own map, from the register's latitudes and longitudes alone.

Lines follow the shortest tree that joins what one asset supplies. Computed once per register and kept.
"""

import math
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest.register import Asset, Register

WIDTH, HEIGHT_MOST, MARGIN = 620.0, 560.0, 46.0
KM_PER_DEGREE = 111.2
SPAN_LEAST_KM = 1.0
SCALES_KM = (0.5, 1, 2, 5, 10, 20, 50, 100, 200)
SCALE_SHARE = 0.3
"""The scale's bar takes at most this share of the width."""
HULL_LEAST = 3
BESIDE_OUTLINE = 38.0
"""From the outermost assets to the outline."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Wire:
    """A piece of line between two assets."""

    from_: Point
    to: Point
    asset: str
    """What the piece leads to."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """Everything on the map that does not change with the hour."""

    height: float
    spots: Mapping[str, Point]
    """Asset → its place, from the top left. Those without coordinates have none."""
    wires: tuple[Wire, ...]
    outline: tuple[Point, ...]
    """Around all spots, clockwise."""
    middles: Mapping[str, Point]
    """Region → the middle of the spots in it."""
    scale_km: float
    scale_length: float


class Sheets:
    """The sheet of the register that was asked for last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._register: Register | None = None
        self._sheet: Sheet | None = None

    def of(self, register: Register) -> Sheet | None:
        """Return the sheet; None where no asset has coordinates."""
        with self._lock:
            if self._register is not register:
                self._register, self._sheet = register, make_sheet(register)
            return self._sheet


def make_sheet(register: Register, only: Collection[str] | None = None) -> Sheet | None:
    """Return the map of a register, or of some of its assets; None where none of them has coordinates."""
    stays = {asset: entries[-1] for asset, entries in register.assets.items() if only is None or asset in only}
    placed = {a: (s.lat, s.lon) for a, s in stays.items() if s.lat is not None and s.lon is not None}
    if not placed:
        return None
    spots, height, per_km = _project(placed)
    scale_km = max((km for km in SCALES_KM if km * per_km <= SCALE_SHARE * WIDTH), default=SCALES_KM[0])
    return Sheet(
        height=height,
        spots=spots,
        wires=tuple(_wires(stays, spots)),
        outline=tuple(_around(spots.values())),
        middles=_middles(stays, spots),
        scale_km=scale_km,
        scale_length=scale_km * per_km,
    )


def hull(points: Sequence[Point]) -> list[Point]:
    """Return the convex hull of points, in one turn around them.

    >>> hull([(0, 0), (2, 0), (1, 1), (2, 2), (0, 2)])
    [(0, 0), (2, 0), (2, 2), (0, 2)]
    """
    ordered = sorted(set(points))
    if len(ordered) < HULL_LEAST:
        return ordered
    return _half(ordered)[:-1] + _half(ordered[::-1])[:-1]


def _project(placed: Mapping[str, Point]) -> tuple[dict[str, Point], float, float]:
    """Spots on the sheet, its height, and how long a kilometre is on it."""
    lats, lons = [lat for lat, _ in placed.values()], [lon for _, lon in placed.values()]
    north, west = max(lats), min(lons)
    shrink = math.cos(math.radians((north + min(lats)) / 2))
    wide_km = max((max(lons) - west) * KM_PER_DEGREE * shrink, SPAN_LEAST_KM)
    high_km = max((north - min(lats)) * KM_PER_DEGREE, SPAN_LEAST_KM)
    per_km = min((WIDTH - 2 * MARGIN) / wide_km, (HEIGHT_MOST - 2 * MARGIN) / high_km)
    left = (WIDTH - wide_km * per_km) / 2

    def spot(place: Point) -> Point:
        x_km, y_km = (place[1] - west) * KM_PER_DEGREE * shrink, (north - place[0]) * KM_PER_DEGREE
        return round(left + x_km * per_km, 1), round(MARGIN + y_km * per_km, 1)

    return {asset: spot(place) for asset, place in placed.items()}, round(high_km * per_km + 2 * MARGIN, 1), per_km


def _wires(stays: Mapping[str, Asset], spots: Mapping[str, Point]) -> Iterable[Wire]:
    """The lines: what hangs on one asset is joined to it, and to each other, on the shortest way."""
    hanging: dict[str, list[str]] = defaultdict(list)
    for asset in spots:
        parent = stays[asset].parent
        if parent is not None:
            hanging[parent].append(asset)
    for parent, assets in hanging.items():
        root = _nearest_placed(parent, stays, spots)
        yield from _tree(root, assets, spots)


def _nearest_placed(asset: str | None, stays: Mapping[str, Asset], spots: Mapping[str, Point]) -> str | None:
    """The asset, or what supplies it, that stands somewhere."""
    seen = set[str]()
    while asset is not None and asset not in spots and asset in stays and asset not in seen:
        seen.add(asset)
        asset = stays[asset].parent
    return asset if asset in spots else None


def _tree(root: str | None, assets: Sequence[str], spots: Mapping[str, Point]) -> Iterable[Wire]:
    """The shortest tree from the root over all assets (Prim)."""
    first = root if root is not None else assets[0]
    near = {a: (math.dist(spots[a], spots[first]), first) for a in assets if a != first}
    while near:
        asset = min(near, key=lambda a: near[a])
        _, by = near.pop(asset)
        yield Wire(spots[by], spots[asset], asset)
        near = {a: min(way, (math.dist(spots[a], spots[asset]), asset)) for a, way in near.items()}


def _middles(stays: Mapping[str, Asset], spots: Mapping[str, Point]) -> dict[str, Point]:
    inside: dict[str, list[Point]] = defaultdict(list)
    for asset, spot in spots.items():
        inside[stays[asset].region].append(spot)
    return {region: _middle(points) for region, points in inside.items()}


def _middle(points: Sequence[Point]) -> Point:
    return round(sum(x for x, _ in points) / len(points), 1), round(sum(y for _, y in points) / len(points), 1)


def _around(points: Iterable[Point]) -> list[Point]:
    """The hull of a small circle around each point."""
    turns = [(math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8)]
    return hull([(x + BESIDE_OUTLINE * dx, y + BESIDE_OUTLINE * dy) for x, y in points for dx, dy in turns])


def _half(ordered: Sequence[Point]) -> list[Point]:
    found: list[Point] = []
    for point in ordered:
        while len(found) > 1 and _turn(found[-2], found[-1], point) <= 0:
            found.pop()
        found.append(point)
    return found


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
