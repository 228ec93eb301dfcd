"""The county's map: where every asset stands, what has no supply or no data, and the alarms with their names.

Names are placed so that none covers another or a mark; one that finds no room is left out, and stands in the list.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from analytics.alarms.records import AlarmRecord
from analytics.kpi.regions import path_of
from dashboards.console.geography import WIDTH, Point, Sheet
from dashboards.console.views.alarms_names import Words
from dashboards.console.views.bar import priority
from ingest.register import Register

State = Literal["ok", "no_data", "no_supply"]
NO_SUPPLY, NO_DATA = frozenset({"supply_lost"}), frozenset({"site_silent", "devices_silent", "device_silent"})
SHAPES = ("substation", "transformer", "water_works", "sewage_station", "customer_group", "village")
"""Kinds that are drawn, each with its shape; what stands at another asset is told by its alarm alone."""
LATIN_PX, WIDE_PX, LINE_PX = 7.2, 13.0, 15.0
MARK_PX, GAP_PX = 12.0, 4.0
MOST_NAMES = 24
STATES: tuple[State, ...] = ("no_supply", "no_data", "ok")
"""The worst first."""


@dataclass(frozen=True)
class Name:
    """A word on the map."""

    text: str
    x: float
    y: float
    """Of its baseline."""
    anchor: Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Spot:
    """One asset on the map."""

    asset: str
    kind: str
    name: Words
    x: float
    y: float
    state: State
    priority: int | None
    """Of the gravest alarm standing there; None where there is none."""
    region: str


@dataclass(frozen=True)
class DrawnWire:
    """A piece of line."""

    path: str
    state: State


@dataclass(frozen=True)
class CountyMap:
    """The drawing."""

    width: float
    height: float
    outline: str
    wires: tuple[DrawnWire, ...]
    spots: tuple[Spot, ...]
    """Those with alarms last, so that they lie on top."""
    names: tuple[Name, ...]
    regions: tuple[Name, ...]
    scale_km: float
    scale_length: float


@dataclass(frozen=True)
class Condition:
    """How one asset is."""

    state: State
    priority: int | None


def conditions(records: Iterable[AlarmRecord]) -> dict[str, Condition]:
    """Return asset → how it is, by the alarms that hold there, folded ones included."""
    found: dict[str, Condition] = {}
    for record in records:
        if record.alarm.condition:
            old = found.get(record.asset, Condition("ok", None))
            grade = None if record.alarm.suppressed_by else priority(record.alarm.severity)
            grades = [one for one in (old.priority, grade) if one is not None]
            found[record.asset] = Condition(_graver(old.state, record.kind), min(grades, default=None))
    return found


def draw_map(
    sheet: Sheet, register: Register, known: Mapping[str, Condition], language: Literal["zh", "en"]
) -> CountyMap:
    """Return the map, its names in one language."""
    shown = _at_their_places(sheet, register, known)
    spots = sorted(_spots(sheet, register, shown), key=lambda spot: (spot.priority is not None, -(spot.priority or 0)))
    marked = [spot for spot in reversed(spots) if spot.priority is not None]
    taken = [_box(spot.x, spot.y, MARK_PX) for spot in marked]
    names = list(
        _names([(s.name.zh if language == "zh" else s.name.en, (s.x, s.y)) for s in marked[:MOST_NAMES]], taken)
    )
    areas = list(_area_names(sheet, register, language))
    return CountyMap(
        width=WIDTH,
        height=sheet.height,
        outline=_rounded(sheet.outline),
        wires=tuple(_wire(wire.from_, wire.to, known.get(wire.asset)) for wire in sheet.wires),
        spots=tuple(spots),
        names=tuple(names),
        regions=tuple(_names(areas, taken, beside=0.0)),
        scale_km=sheet.scale_km,
        scale_length=sheet.scale_length,
    )


def _at_their_places(sheet: Sheet, register: Register, known: Mapping[str, Condition]) -> dict[str, Condition]:
    """What stands nowhere by itself shows at what supplies it, a feeder at the first asset that it supplies."""
    first = {register.assets[wire.asset][-1].parent: wire.asset for wire in reversed(sheet.wires)}
    shown = {asset: how for asset, how in known.items() if asset in sheet.spots}
    for asset, how in known.items():
        stays = register.assets.get(asset)
        if asset in sheet.spots or not stays:
            continue
        place = first.get(asset) or stays[-1].parent
        if place is not None and place in sheet.spots:
            old = shown.get(place, Condition("ok", None))
            grades = [one for one in (old.priority, how.priority) if one is not None]
            state = min(old.state, how.state, key=STATES.index)
            shown[place] = Condition(state, min(grades, default=None))
    return shown


def _graver(state: State, kind: str) -> State:
    if kind in NO_SUPPLY or state == "no_supply":
        return "no_supply"
    return "no_data" if kind in NO_DATA else state


def _spots(sheet: Sheet, register: Register, known: Mapping[str, Condition]) -> Iterator[Spot]:
    for asset, (x, y) in sheet.spots.items():
        stay, how = register.assets[asset][-1], known.get(asset, Condition("ok", None))
        if stay.kind in SHAPES or how.priority is not None:
            name = Words(stay.name or asset, stay.name_zh or stay.name or asset)
            yield Spot(asset, stay.kind, name, x, y, how.state, how.priority, stay.region)


def _wire(from_: Point, to: Point, known: Condition | None) -> DrawnWire:
    state = known.state if known is not None else "ok"
    return DrawnWire(f"M{from_[0]} {from_[1]}L{to[0]} {to[1]}", state)


def _area_names(sheet: Sheet, register: Register, language: str) -> Iterator[tuple[str, Point]]:
    """The regions two steps above the smallest: few enough to be read."""
    groups: dict[str, list[Point]] = {}
    for code, middle in sheet.middles.items():
        path = path_of(code, register)
        named = next((c for c in path if register.regions[c].level == "sumu"), None)
        if named is not None:
            groups.setdefault(named, []).append(middle)
    for code, points in sorted(groups.items()):
        region = register.regions[code]
        middle = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
        yield (region.name_zh if language == "zh" else region.name) or code, middle


def _names(
    wanted: Sequence[tuple[str, Point]], taken: list[tuple[float, float, float, float]], beside: float = MARK_PX
) -> Iterator[Name]:
    """Each name at the first of its places that is free; `taken` grows with what is placed."""
    for text, (x, y) in wanted:
        length = sum(WIDE_PX if unicodedata.east_asian_width(letter) in "WF" else LATIN_PX for letter in text)
        for name, box in _places(text, x, y, length, beside):
            if box[0] >= 0 and box[2] <= WIDTH and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                yield name
                break


def _places(
    text: str, x: float, y: float, length: float, beside: float
) -> Iterator[tuple[Name, tuple[float, float, float, float]]]:
    """Right, left, above and below, with the box that the name fills there."""
    off = beside + GAP_PX if beside else 0.0
    half = LINE_PX / 2
    if beside:
        yield Name(text, x + off, y + 4, "start"), (x + off, y - half, x + off + length, y + half)
        yield Name(text, x - off, y + 4, "end"), (x - off - length, y - half, x - off, y + half)
    for middle_y in (y - off - half, y + off + half, y - off - 2.5 * half, y + off + 2.5 * half):
        box = (x - length / 2, middle_y - half, x + length / 2, middle_y + half)
        yield Name(text, round(x, 1), round(middle_y + 4, 1), "middle"), box


def _box(x: float, y: float, half: float) -> tuple[float, float, float, float]:
    return x - half, y - half, x + half, y + half


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _rounded(points: Sequence[Point]) -> str:
    """A closed path around the points, its corners rounded off."""
    if len(points) < 3:
        return ""
    middles = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in zip(points, [*points[1:], points[0]], strict=True)]
    start = middles[-1]
    curves = (f"Q{p[0]:.0f} {p[1]:.0f} {m[0]:.0f} {m[1]:.0f}" for p, m in zip(points, middles, strict=True))
    return f"M{start[0]:.0f} {start[1]:.0f}{''.join(curves)}Z"
