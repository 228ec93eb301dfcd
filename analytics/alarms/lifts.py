"""Lift stations, followed reading by reading: overflow and how near it is, and pumps that run dry, cycle or tire.

The live readings of a station are laid into rows, and the array functions of `analytics.lift_station` and
`analytics.pumps` judge the last hour of them, the last cycles and the last days. What a batch changes is told as
`Sighting`s. Everything follows from the journal alone: replayed, it tells the same. A value holds until the next one
is read, as points reported by exception mean it; an instrument that gives nothing raises and clears nothing.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec
import numpy as np

from analytics.alarms import lift_rules
from analytics.alarms.evaluate import LIVE_MS, instants_ms
from analytics.alarms.events import Fell, Rose
from analytics.alarms.lift_rules import Held, Memory
from analytics.alarms.records import Act, AlarmRecord
from analytics.alarms.settings import LiftStation
from analytics.alarms.sightings import Sighting
from analytics.alarms.watch import asset_of
from edge.wire import Quality
from ingest.register import Register
from ingest.store import Columns

PUMP = re.compile(r"pump\d*_on")
LEVEL, SWITCH = "level_m", "overflow_on"


@dataclass(frozen=True)
class Lift:
    """The points of one station at one site."""

    site: str
    asset: str
    level: str
    """Full name; empty where none is read."""
    switch: str
    """Of the overflow; empty where there is none."""
    pumps: tuple[str, ...]
    geometry: LiftStation | None
    """Its levels, where `alarms.toml` gives them."""

    @property
    def points(self) -> tuple[str, ...]:
        """What is read, in the order of a row."""
        return (self.level, self.switch, *self.pumps)

    def alarm(self, kind: str) -> str:
        """Id of its alarm of a kind."""
        return f"{self.site}/{self.asset}#{kind}"


def lifts_of(register: Register, stations: Iterable[LiftStation]) -> tuple[Lift, ...]:
    """Return the sewage stations of which a site reads a pump or the level."""
    geometry = {station.asset: station for station in stations}
    by_place: dict[tuple[str, str], list[str]] = {}
    for entry in register.points.values():
        asset = asset_of(register, entry.asset)
        if asset is not None and asset.kind == "sewage_station":
            by_place.setdefault((entry.point.split("/", 1)[0], entry.asset), []).append(entry.point)
    found = (_lift(site, asset, points, geometry.get(asset)) for (site, asset), points in by_place.items())
    return tuple(lift for lift in found if lift.pumps or lift.level)


class Kept(msgspec.Struct, frozen=True):
    """All of the state of one station, as a snapshot holds it."""

    points: tuple[str, ...]
    memory: Memory
    said: dict[str, Held]


@dataclass(eq=False)
class LiftWatch:
    """One station, with what it remembers."""

    lift: Lift
    memory: Memory = field(init=False)
    said: dict[str, Held] = field(default_factory=dict)
    """Kind → what holds now."""

    def __post_init__(self) -> None:
        self.memory = Memory.blank(len(self.lift.pumps))

    def take(self, rows: Columns) -> Iterator[Sighting]:
        """Take live readings of the station's site, of whatever points."""
        numbers = {point: number for number, point in enumerate(self.lift.points) if point}
        column = np.array([numbers.get(point, -1) for point in rows.points], np.int64)[rows.index]
        mine = np.flatnonzero((column >= 0) & (rows.t_ms > self.memory.newest_ms))
        for at_ms in np.unique(rows.t_ms[mine]).tolist():
            now = mine[rows.t_ms[mine] == at_ms]
            good = rows.quality[now] == Quality.GOOD
            values = {int(column[row]): float(rows.value[row]) for row in now[good]}
            self.memory.take(at_ms, values, level_lost=bool((column[now[~good]] == 0).any()))
        if len(mine):
            yield from self._compare(lift_rules.holding(self.memory, self.lift.geometry))

    def told(self, kind: str, at_ms: int, reason: str = "") -> Sighting:
        """Return what must be told of one kind as it stands."""
        held = self.said.get(kind)
        if held is None:
            act = Act(Fell(at_ms), at_ms, reason=reason)
        else:
            rose = Rose(at_ms, lift_rules.SEVERITY[kind])
            act = Act(rose, at_ms, reason=reason, value=held.value, since_ms=held.since_ms)
        return Sighting(self.lift.alarm(kind), self.lift.asset, kind, act)

    def _compare(self, now: dict[str, Held]) -> Iterator[Sighting]:
        before, self.said = self.said, now
        for kind in lift_rules.KINDS:
            if (kind in before) != (kind in now):
                yield self.told(kind, self.memory.newest_ms)


class Lifts:
    """Every lift station of a register."""

    def __init__(self, lifts: Iterable[Lift]) -> None:
        self.watches = {lift.alarm(""): LiftWatch(lift) for lift in lifts}

    @property
    def ids(self) -> set[str]:
        """Of the alarms that may be raised here."""
        return {one.lift.alarm(kind) for one in self.watches.values() for kind in lift_rules.KINDS}

    def take(self, rows: Columns, received_ms: int) -> list[Sighting]:
        """Take one site's batch; return what its stations tell now. What comes late is no longer judged."""
        sites = {rows.points[number].split("/", 1)[0] for number in np.unique(rows.index).tolist()}
        mine = [one for one in self.watches.values() if one.lift.site in sites]
        if not mine:
            return []
        t_ms = instants_ms(rows, received_ms)
        live = received_ms - t_ms <= LIVE_MS
        fresh = Columns(rows.points, rows.index[live], t_ms[live], rows.value[live], rows.quality[live])
        return [sighting for one in mine for sighting in one.take(fresh)]

    def differing(self, records: Iterable[AlarmRecord], *, now_ms: int) -> Iterator[Sighting]:
        """Yield the stations' conditions that are other than the alarms on record."""
        standing = {record.id for record in records if record.alarm.condition and record.alarm.enabled}
        for one in self.watches.values():
            for kind in lift_rules.KINDS:
                if (kind in one.said) != (one.lift.alarm(kind) in standing):
                    yield one.told(kind, now_ms, "the station is watched anew")

    def snapshot(self) -> str:
        """All of the state, for `restore`."""
        kept = {name: Kept(one.lift.points, one.memory, one.said) for name, one in self.watches.items()}
        return msgspec.json.encode(kept).decode()

    def restore(self, snapshot: str) -> None:
        """Take what a snapshot knows of the stations that are still read the same way; others begin anew."""
        kept = msgspec.json.decode(snapshot, type=dict[str, Kept])
        for name in kept.keys() & self.watches.keys():
            if kept[name].points == self.watches[name].lift.points:
                self.watches[name].memory, self.watches[name].said = kept[name].memory, kept[name].said


def _lift(site: str, asset: str, points: list[str], geometry: LiftStation | None) -> Lift:
    by_quantity = {point.rsplit(".", 1)[1]: point for point in points}
    pumps = tuple(point for quantity, point in sorted(by_quantity.items()) if PUMP.fullmatch(quantity))
    return Lift(site, asset, by_quantity.get(LEVEL, ""), by_quantity.get(SWITCH, ""), pumps, geometry)
