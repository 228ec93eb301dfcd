"""What is watched: from the register and the set-points to the rules and the alarms they raise.

Several set-points of one point and direction make one alarm (H and HH of turbidity); its severity is that of the
gravest that holds. Some alarms need all of their rules at once: supply is lost where all phases are dead.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.alarms.classes import BY_NAME, AlarmClass, class_of
from analytics.alarms.conditions import Rules, as_rules
from analytics.alarms.events import Severity
from analytics.limits import Setpoint
from ingest.register import Asset, PointEntry, Register

DEAD_SHARE = 0.1
"""A voltage below this share of its nominal value on a meter that answers is no supply."""
VOLTAGE_BANDS = {"gb12325-220": (0.90, 1.07), "gb12325-380": (0.93, 1.07), "gb12325-10kv": (0.93, 1.07)}
"""Limits profile → lowest and highest share of the nominal voltage. GB/T 12325-2008."""
VOLTAGE_ON_DELAY_S = 600.0
SILENT_READINGS = 2
_SEVERITY = {"critical": Severity.CRITICAL, "high": Severity.HIGH, "medium": Severity.MEDIUM, "low": Severity.LOW}
_TRUNK = ("substation", "feeder")


@dataclass(frozen=True)
class WatchedAlarm:
    """An alarm that may be raised."""

    id: str
    asset: str
    about: AlarmClass
    needs_all: bool = False
    """True: it holds where all of its rules hold; False: where any does."""


@dataclass(frozen=True)
class WatchedRule:
    """One set-point on one point, for one alarm."""

    alarm: WatchedAlarm
    point: str
    is_high: bool
    setpoint: float
    severity: Severity
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    on_readings: int = 1
    off_readings: int = 1
    of_answers: bool = False
    """True: it looks at whether the device answered (1 for no answer), not at the value."""


@dataclass(frozen=True, eq=False)
class Watch:
    """All rules and alarms of a county, as arrays by rule."""

    alarms: tuple[WatchedAlarm, ...]
    rules: Rules
    alarm_of: NDArray[np.int64]
    """Shape (rules,): number of the alarm in `alarms`."""
    severity: NDArray[np.int64]
    """Shape (rules,)."""
    of_answers: NDArray[np.bool_]
    """Shape (rules,)."""
    rules_of: Mapping[str, NDArray[np.int64]]
    """Point → numbers of its rules."""
    rules_of_alarm: tuple[NDArray[np.int64], ...]
    """Per alarm, the numbers of its rules."""
    marks: NDArray[np.str_]
    """Shape (rules,): what each rule says, as a text by which it is known in another watch."""

    def holding(self, holds: NDArray[np.bool_], alarm: int) -> Severity | None:
        """Return the severity at which an alarm holds now, given which rules hold; None if it does not."""
        mine = self.rules_of_alarm[alarm]
        held = mine[holds[mine]]
        if len(held) == 0 or (self.alarms[alarm].needs_all and len(held) < len(mine)):
            return None
        return Severity(int(self.severity[held].max()))


def watch(register: Register, setpoints: Iterable[Setpoint]) -> Watch:
    """Return what the register's points are watched for."""
    return _arrays([*point_rules(register, register.points.values(), setpoints), *_of_devices(register)])


def point_rules(
    register: Register, entries: Iterable[PointEntry], setpoints: Iterable[Setpoint]
) -> Iterator[WatchedRule]:
    """Yield the set-points that some points' values are watched for."""
    by_profile: dict[tuple[str, str], list[Setpoint]] = {}
    for setpoint in setpoints:
        by_profile.setdefault((setpoint.profile, setpoint.quantity), []).append(setpoint)
    for entry in entries:
        yield from _of_point(register, entry, by_profile)


def asset_of(register: Register, asset_id: str) -> Asset | None:
    """Return an asset's newest entry; None if the register does not know it."""
    entries = register.assets.get(asset_id, ())
    return entries[-1] if entries else None


def site_assets(register: Register) -> dict[str, str]:
    """Return site → the asset that carries its gateway: that of a gateway's point, or else the only one it watches."""
    carrying: dict[str, str] = {}
    watched: dict[str, set[str]] = {}
    for entry in register.points.values():
        site, name = entry.point.split("/", 1)
        watched.setdefault(site, set()).add(entry.asset)
        if name.startswith("gateway."):
            carrying[site] = entry.asset
    only = {site: next(iter(assets)) for site, assets in watched.items() if len(assets) == 1}
    return only | carrying


def _of_point(
    register: Register, entry: PointEntry, by_profile: Mapping[tuple[str, str], list[Setpoint]]
) -> Iterator[WatchedRule]:
    quantity = entry.point.rsplit(".", 1)[1]
    if quantity == "mains_on":
        lost = WatchedAlarm(f"{entry.point}#lost", entry.asset, BY_NAME["supply_lost"])
        yield WatchedRule(lost, entry.point, False, 0.5, Severity.HIGH)
    elif quantity == "voltage_v" and entry.nominal is not None:
        yield from _of_voltage(register, entry, entry.nominal)
    for setpoint in by_profile.get((entry.limits, quantity), ()):
        about = BY_NAME[class_of(setpoint.profile, quantity, setpoint.level)]
        side = "high" if setpoint.is_high else "low"
        name = side if about.kind.suppressible else about.name
        yield WatchedRule(
            WatchedAlarm(f"{entry.point}#{name}", entry.asset, about),
            entry.point,
            setpoint.is_high,
            setpoint.value,
            _SEVERITY[setpoint.priority],
            setpoint.deadband,
            setpoint.on_delay_s,
            setpoint.off_delay_s,
            setpoint.on_readings,
            setpoint.off_readings,
        )


def _of_voltage(register: Register, entry: PointEntry, nominal_v: float) -> Iterator[WatchedRule]:
    """Dead on all phases of the meter; and out of the profile's band, phase by phase."""
    asset = asset_of(register, entry.asset)
    grave = Severity.CRITICAL if asset is not None and asset.kind in _TRUNK else Severity.HIGH
    dead = WatchedAlarm(f"{_meter(entry.point)}#supply_lost", entry.asset, BY_NAME["supply_lost"], needs_all=True)
    yield WatchedRule(dead, entry.point, False, DEAD_SHARE * nominal_v, grave)
    if entry.limits in VOLTAGE_BANDS:
        low, high = VOLTAGE_BANDS[entry.limits]
        for side, is_high, share in (("low", False, low), ("high", True, high)):
            alarm = WatchedAlarm(f"{entry.point}#{side}", entry.asset, BY_NAME["voltage"])
            on_s = VOLTAGE_ON_DELAY_S
            yield WatchedRule(alarm, entry.point, is_high, share * nominal_v, Severity.MEDIUM, 0.5, on_s, on_s)


def _of_devices(register: Register) -> Iterator[WatchedRule]:
    """One alarm per device that does not answer, watched on the first of its points."""
    first: dict[str, PointEntry] = {}
    for entry in register.points.values():
        if not entry.point.split("/", 1)[1].startswith("gateway."):
            first.setdefault(_device(entry.point), entry)
    for device, entry in first.items():
        alarm = WatchedAlarm(f"{device}#silent", entry.asset, BY_NAME["device_silent"])
        yield WatchedRule(alarm, entry.point, True, 0.5, Severity.MEDIUM, on_readings=SILENT_READINGS, of_answers=True)


def _device(point: str) -> str:
    """`site/meter.l1.voltage_v` → `site/meter`."""
    site, name = point.split("/", 1)
    return f"{site}/{name.split('.', 1)[0]}"


def _meter(point: str) -> str:
    """The device without a phase: `site/meter.l1.voltage_v` and `site/meter.voltage_v` → `site/meter`."""
    stem = point.rsplit(".", 1)[0]
    return stem.rsplit(".", 1)[0] if stem.rsplit(".", 1)[-1] in ("l1", "l2", "l3") else stem


def _arrays(found: list[WatchedRule]) -> Watch:
    alarms = {rule.alarm.id: rule.alarm for rule in found}
    number = {alarm_id: place for place, alarm_id in enumerate(alarms)}
    points = {point: place for place, point in enumerate(dict.fromkeys(rule.point for rule in found))}
    rules_of: dict[str, list[int]] = {}
    rules_of_alarm: list[list[int]] = [[] for _ in alarms]
    for place, rule in enumerate(found):
        rules_of.setdefault(rule.point, []).append(place)
        rules_of_alarm[number[rule.alarm.id]].append(place)
    return Watch(
        alarms=tuple(alarms.values()),
        rules=as_rules(
            point=[points[rule.point] for rule in found],
            is_high=[rule.is_high for rule in found],
            setpoint=[rule.setpoint for rule in found],
            deadband=[rule.deadband for rule in found],
            on_delay_ms=[int(rule.on_delay_s * 1000) for rule in found],
            off_delay_ms=[int(rule.off_delay_s * 1000) for rule in found],
            on_readings=[rule.on_readings for rule in found],
            off_readings=[rule.off_readings for rule in found],
        ),
        alarm_of=np.array([number[rule.alarm.id] for rule in found], np.int64),
        severity=np.array([rule.severity for rule in found], np.int64),
        of_answers=np.array([rule.of_answers for rule in found], bool),
        rules_of={point: np.array(places, np.int64) for point, places in rules_of.items()},
        rules_of_alarm=tuple(np.array(places, np.int64) for places in rules_of_alarm),
        marks=np.array([_mark(rule) for rule in found], np.str_),
    )


def _mark(rule: WatchedRule) -> str:
    """Everything that decides when the rule holds; its severity may change without its memory being lost."""
    parts = (rule.alarm.id, rule.point, rule.is_high, rule.setpoint, rule.deadband, rule.of_answers)
    delays = (rule.on_delay_s, rule.off_delay_s, rule.on_readings, rule.off_readings)
    return " ".join(map(str, (*parts, *delays)))
