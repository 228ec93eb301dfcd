"""One county of the register as the arrays that the evidence works on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.inferred import Plans
from analytics.reliability import Nature
from analytics.runs import Devices
from analytics.spans import Int
from analytics.topology import FEEDER, FOREVER_MS, NO_PARENT, SERVICE, SUBSTATION, TRANSFORMER, Topology
from ingest.register import Asset, Plan, PointEntry, Register

KINDS = {"substation": SUBSTATION, "feeder": FEEDER, "transformer": TRANSFORMER}
BACKFEEDING_KINDS = frozenset({"generator", "solar", "storage"})
EVIDENCE_QUANTITIES = frozenset(
    {
        "voltage_v",
        "mains_on",
        "energy_kwh",
        "power_fail_count",
        "powered_time_h",
        "last_power_fail_start_s",
        "last_power_fail_end_s",
    }
)
PHASES = frozenset({"l1", "l2", "l3", "l12", "l23", "l31"})
DEFAULT_GAP_MS = 90_000
RECORD_ERROR_MS = 1000
POWERED_STEP_MS = 3600
"""A thousandth of an hour. [ms]"""
OVERLOAD = 2.0
"""A transformer may carry this times its rating for a while."""


@dataclass(frozen=True)
class EvidencePoint:
    """A point that says something of a supply."""

    device: int
    quantity: str
    nominal: float
    """Nominal voltage in the point's unit; 1 for other quantities."""


@dataclass(frozen=True, eq=False)
class CountyModel:
    """Assets, devices and points of one county, numbered."""

    county: str
    asset_ids: tuple[str, ...]
    topology: Topology
    own: frozenset[str]
    """Assets that belong to the county; others are there because they supply it."""
    device_names: tuple[str, ...]
    device_asset: Int
    on_change: tuple[bool, ...]
    any_phase: NDArray[np.bool_]
    """Devices whose asset is interrupted when one phase is (R12)."""
    points: Mapping[str, EvidencePoint]
    voltage_points: Mapping[str, PointEntry]
    """Points with a voltage class or limits."""
    plans: Plans
    max_power_kw: tuple[float, ...]

    def devices(self, gap_ms: Mapping[str, int]) -> Devices:
        """The devices, with the silence that each one's own rhythm allows. [ms]"""
        count = len(self.device_names)
        gaps = [gap_ms.get(name, 0) or DEFAULT_GAP_MS for name in self.device_names]
        sites = sorted({name.split("/")[0] for name in self.device_names})
        return Devices(
            asset=self.device_asset,
            max_gap_ms=np.asarray(gaps, np.int64),
            backhaul=np.asarray([sites.index(name.split("/")[0]) for name in self.device_names], np.int64),
            on_change=np.asarray(self.on_change, np.bool_),
            max_power_kw=np.asarray(self.max_power_kw, np.float64),
            log_error_ms=np.full(count, RECORD_ERROR_MS, np.int64),
            powered_time_step_ms=np.full(count, POWERED_STEP_MS, np.int64),
        )

    def points_of(self, devices: Sequence[str]) -> list[str]:
        """The evidence points of these devices, sorted."""
        wanted = {number for number, name in enumerate(self.device_names) if name in set(devices)}
        return sorted(name for name, point in self.points.items() if point.device in wanted)


def counties(register: Register) -> list[str]:
    """Return the codes of the counties (banners) that assets stand in, sorted; `-` for what is in none."""
    found = {_county(entry.region, register) for entries in register.assets.values() for entry in entries}
    return sorted(found)


def make_model(register: Register, county: str) -> CountyModel:
    """Return the arrays of one county, and of what supplies it from outside."""
    own = {id_ for id_, stays in register.assets.items() if any(_county(s.region, register) == county for s in stays)}
    ids = tuple(sorted(own | _suppliers(own, register)))
    number = {id_: index for index, id_ in enumerate(ids)}
    entries = [point for point in register.points.values() if point.asset in number and is_evidence(point)]
    names = tuple(sorted({device_name(point.point) for point in entries}))
    points = {p.point: _evidence_point(p, names) for p in entries}
    assets = {device_name(p.point): _watched(p, register) for p in entries}
    voltages = {p.point: p for p in register.points.values() if p.asset in own and (p.voltage_class or p.limits)}
    return CountyModel(
        county=county,
        asset_ids=ids,
        topology=_topology(ids, number, register),
        own=frozenset(own),
        device_names=names,
        device_asset=np.asarray([number[assets[name]] for name in names], np.int64),
        on_change=tuple(_only_senses_mains(index, points) for index in range(len(names))),
        any_phase=np.asarray([_is_out_with_one_phase(assets[name], register) for name in names], np.bool_),
        points=points,
        voltage_points={name: p for name, p in voltages.items() if quantity(name) == "voltage_v"},
        plans=_plans([plan for plan in register.plans if plan.asset in number], number),
        max_power_kw=tuple(_rating_kw(register.assets[assets[name]]) for name in names),
    )


def watchers(register: Register) -> dict[str, str]:
    """Return each device that says something of a supply, and the asset whose supply that is."""
    return {device_name(p.point): _watched(p, register) for p in register.points.values() if is_evidence(p)}


def quantity(point: str) -> str:
    """Return what a point measures: the part after its last dot."""
    return point.rsplit(".", 1)[-1]


def device_name(point: str) -> str:
    """Return the device of a full point name, without quantity and phase.

    >>> device_name("feeder-1/t01.l1.voltage_v"), device_name("feeder-1/gateway.mains_on")
    ('feeder-1/t01', 'feeder-1/gateway')
    """
    device = point.rsplit(".", 1)[0]
    head, _, phase = device.rpartition(".")
    return head if head and phase in PHASES else device


def is_evidence(point: PointEntry) -> bool:
    """Whether a point says something of a supply; a voltage without a nominal value does not."""
    named = quantity(point.point)
    return named in EVIDENCE_QUANTITIES and (named != "voltage_v" or bool(point.nominal))


def _county(region: str, register: Register) -> str:
    code: str | None = region
    while code is not None and code in register.regions:
        if register.regions[code].level == "banner":
            return code
        code = register.regions[code].parent
    return "-"


def _suppliers(own: set[str], register: Register) -> set[str]:
    found, waiting = set[str](), list(own)
    while waiting:
        for stay in register.assets.get(waiting.pop(), ()):
            if stay.parent is not None and stay.parent not in own | found:
                found.add(stay.parent)
                waiting.append(stay.parent)
    return found


def _evidence_point(point: PointEntry, names: tuple[str, ...]) -> EvidencePoint:
    named = quantity(point.point)
    nominal = point.nominal if named == "voltage_v" and point.nominal else 1.0
    return EvidencePoint(names.index(device_name(point.point)), named, nominal)


def _watched(point: PointEntry, register: Register) -> str:
    """The asset whose supply a point tells of: a gateway's mains are those of what supplies the gateway."""
    stay = register.assets[point.asset][-1]
    return stay.parent if stay.kind == "gateway" and stay.parent is not None else point.asset


def _only_senses_mains(device: int, points: Mapping[str, EvidencePoint]) -> bool:
    return {point.quantity for point in points.values() if point.device == device} == {"mains_on"}


def _is_out_with_one_phase(asset: str, register: Register) -> bool:
    return register.assets[asset][-1].phase_rule == "any"


def _rating_kw(stays: tuple[Asset, ...]) -> float:
    return max((OVERLOAD * stay.kva for stay in stays if stay.kva), default=float("nan"))


def _topology(ids: tuple[str, ...], number: Mapping[str, int], register: Register) -> Topology:
    stays = [stay for id_ in ids for stay in sorted(register.assets[id_], key=lambda s: s.in_service_from_ms or 0)]
    return Topology(
        asset=np.asarray([number[s.id] for s in stays], np.int64),
        parent=np.asarray([number[s.parent] if s.parent else NO_PARENT for s in stays], np.int64),
        from_ms=np.asarray([s.in_service_from_ms or 0 for s in stays], np.int64),
        to_ms=np.asarray([FOREVER_MS if s.in_service_to_ms is None else s.in_service_to_ms for s in stays], np.int64),
        customers=np.asarray([s.customers for s in stays], np.int64),
        kind=np.asarray([KINDS.get(s.kind, SERVICE) for s in stays], np.int8),
        may_backfeed=np.asarray([s.kind in BACKFEEDING_KINDS for s in stays], np.bool_),
    )


def _plans(plans: list[Plan], number: Mapping[str, int]) -> Plans:
    nature = {"planned": Nature.PLANNED, "limit": Nature.LIMIT}
    return Plans(
        np.asarray([number[plan.asset] for plan in plans], np.int64),
        np.asarray([plan.start_ms for plan in plans], np.int64),
        np.asarray([plan.end_ms for plan in plans], np.int64),
        np.asarray([nature[plan.nature] for plan in plans], np.int8),
    )
