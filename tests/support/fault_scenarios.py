"""Random faults in a small county: what breaks, what is seen of it and when, and whom the alarms call.

Two feeders, two transformers below each, two stations below each of those. Everything has a meter that is read once a
minute at its own second, so consequences are often seen before their cause. Chlorine may run out at a station while
something else hides its other alarms: that must be told whatever the cause.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from support.alarm_script import SETTINGS, Play

from ingest.register import Asset, PointEntry, Region, Register

SLOTS_PER_MINUTE = 6
QUIET_MIN, FAULT_MIN = 2, 14
SETTLE_S = 75.0
"""A little more than the time between two readings: then a cause has been read before its consequences are told."""
FAULTS = ("feeder", "transformer", "station", "gateway", "bus")
STATIONS = [f"s{number}" for number in range(8)]
ABOVE = {"t0": "f0", "t1": "f0", "t2": "f1", "t3": "f1"} | {
    name: f"t{place // 2}" for place, name in enumerate(STATIONS)
}
METERS = ("f0", "f1", "t0", "t1", "t2", "t3")

Values = dict[str, float | None]


@dataclass(frozen=True)
class Fault:
    """What breaks, where; and where chlorine runs out meanwhile."""

    kind: str
    place: str
    dry: str | None
    battery_min: float
    """Gateways without supply fall silent after this long. [min]"""

    @property
    def root(self) -> str:
        """The alarm that must be told."""
        return {"gateway": f"{self.place}#silent", "bus": f"{self.place}#devices_silent"}.get(
            self.kind, f"{self.place}/meter#supply_lost"
        )

    @property
    def critical(self) -> str | None:
        """The alarm that nothing may hide."""
        return f"{self.dry}/outlet.free_chlorine_mg_l#disinfection" if self.dry else None


@dataclass(frozen=True)
class Verdict:
    """What the alarms made of a fault."""

    seed: int
    fault: Fault
    told: tuple[str, ...]
    """Alarms of which somebody was told, once each."""
    pages: int
    """First calls for them."""

    @property
    def right(self) -> bool:
        """One page about the cause, one about chlorine where it ran out, no other."""
        wanted = {self.fault.root} | ({self.fault.critical} if self.fault.critical else set())
        same = {self.fault.root, self.fault.root.replace("/meter#supply_lost", "/gateway.mains_on#lost")}
        causes = [alarm for alarm in self.told if alarm != self.fault.critical]
        return self.pages == len(wanted) and self.nothing_hidden and len(causes) == 1 and causes[0] in same

    @property
    def nothing_hidden(self) -> bool:
        """Whether the critical alarm, if there was one, was told."""
        return self.fault.critical is None or self.fault.critical in self.told


def play_fault(seed: int, folder: Path, *, settle_s: float = SETTLE_S) -> Verdict:
    """Play one random fault in a fresh folder, and return what was told of it."""
    dice = random.Random(seed)
    fault = _fault(dice)
    settings = msgspec.structs.replace(SETTINGS, settle_s=settle_s, site_silent_after_s=300.0)
    play = Play(folder, _county(), settings)
    second = {site: dice.randrange(SLOTS_PER_MINUTE) for site in (*METERS, *STATIONS)}
    for slot in range((QUIET_MIN + FAULT_MIN) * SLOTS_PER_MINUTE):
        since_min = slot / SLOTS_PER_MINUTE - QUIET_MIN
        speaking = {
            site: values
            for site in second
            if second[site] == slot % SLOTS_PER_MINUTE and (values := _values(site, fault, since_min))
        }
        if speaking:
            play.say_all(speaking)
        play.minute(1 / SLOTS_PER_MINUTE)
    first_calls = [alarm for alarm, purpose, _ in play.pages() if purpose == "fired"]
    return Verdict(seed, fault, tuple(sorted(set(first_calls))), len(first_calls))


def _fault(dice: random.Random) -> Fault:
    kind = dice.choice(FAULTS)
    places = {"feeder": ["f0", "f1"], "transformer": ["t0", "t1", "t2", "t3"]}.get(kind, STATIONS)
    place = dice.choice(places)
    dry = [name for name in STATIONS if kind not in ("gateway", "bus") or name != place]
    return Fault(kind, place, dice.choice(dry) if dice.random() < 0.4 else None, dice.uniform(8, 30))


def _values(site: str, fault: Fault, since_min: float) -> Values:
    """What a site says at an instant; nothing where its gateway is silent."""
    broken = since_min >= 0
    dead = broken and fault.kind in ("feeder", "transformer", "station") and _lies_below(site, fault.place)
    if broken and ((fault.kind == "gateway" and site == fault.place) or (dead and since_min > fault.battery_min)):
        return {}
    values: Values = {"meter.voltage_v": 0.0 if dead else 229.0}
    if site in STATIONS:
        low = broken and fault.dry == site
        values |= {"gateway.mains_on": 0.0 if dead else 1.0, "outlet.free_chlorine_mg_l": 0.1 if low else 0.6}
        values |= {"well.level_m": 1.0}
        if broken and fault.kind == "bus" and site == fault.place:
            values = {name: value if name.startswith("gateway") else None for name, value in values.items()}
    return values


def _lies_below(place: str, top: str) -> bool:
    return place == top or (place in ABOVE and _lies_below(ABOVE[place], top))


def _county() -> Register:
    kinds: Mapping[str, str] = {"f": "feeder", "t": "transformer", "s": "water_works"}

    def asset(name: str) -> tuple[Asset, ...]:
        return (Asset(name, kinds[name[0]], name, name, "1", ABOVE.get(name), 1, None, None, None, None),)

    points = [PointEntry(f"{name}/meter.voltage_v", name, "D", "", 220.0) for name in (*METERS, *STATIONS)]
    for name in STATIONS:
        points += [
            PointEntry(f"{name}/outlet.free_chlorine_mg_l", name, "", "works_outlet", None),
            PointEntry(f"{name}/well.level_m", name, "", "", None),
            PointEntry(f"{name}/gateway.mains_on", name, "", "", None),
        ]
    regions = {"1": Region("1", "Togtoh", "托克托县", "banner", None)}
    assets = {name: asset(name) for name in (*METERS, *STATIONS)}
    return Register(regions, assets, {entry.point: entry for entry in points}, ())
