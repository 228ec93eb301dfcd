"""The register of assets: what people keep in four CSV files, as frozen types.

`load_register` reads the folder (UTF-8, UTF-8 with BOM, or GB18030), refuses a bad row with file, line, column
and remedy, and returns one `Register` that other rooms query.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

RegionLevel = Literal["league", "banner", "sumu", "gacha"]
SupplyLevel = Literal["hv", "mv", "lv"]
VoltageClass = Literal["A", "B", "C", "D", ""]
PlanNature = Literal["planned", "limit"]
PhaseRule = Literal["all", "any"]
ASSET_KINDS = (
    "substation",
    "feeder",
    "transformer",
    "customer_group",
    "water_works",
    "sewage_station",
    "village",
    "gateway",
    "meter",
)

ALWAYS_MS = -(2**62)
FOREVER_MS = 2**62


@dataclass(frozen=True)
class Region:
    """A place people answer for."""

    code: str
    name: str
    name_zh: str
    level: RegionLevel
    parent: str | None


@dataclass(frozen=True)
class Asset:
    """A thing that supplies, is supplied, or is watched."""

    id: str
    kind: str
    """One of `ASSET_KINDS`."""
    name: str
    name_zh: str
    region: str
    parent: str | None
    """The asset that supplies it."""
    customers: int
    """Customers directly at this asset, its children's not counted."""
    level: SupplyLevel | None
    kva: float | None
    in_service_from_ms: int | None
    """First instant in service; None for always. [ms since 1970-01-01T00:00Z]"""
    in_service_to_ms: int | None
    """First instant no longer in service; None for still. [ms since 1970-01-01T00:00Z]"""
    lat: float | None = None
    lon: float | None = None
    owner: str = ""
    responsible: str = ""
    phone: str = ""
    deputy_phone: str = ""
    method: str = ""
    inspection_days: int | None = None
    contract_until: str = ""
    phase_rule: PhaseRule = "all"
    """Interrupted when all phases that are read are dead (EN 50160), or when any is (IEEE 1366)."""


@dataclass(frozen=True)
class PointEntry:
    """What the centre knows of a point beyond its readings."""

    point: str
    """Full name, such as `qingshui-wtp/clearwell.turbidity_ntu`."""
    asset: str
    voltage_class: VoltageClass
    limits: str
    """Name of a limits profile, such as `gb12325-220`; empty for none."""
    nominal: float | None
    """Nominal value in the point's unit."""


@dataclass(frozen=True)
class Plan:
    """An approved planned interruption or limiting of an asset."""

    asset: str
    start_ms: int
    end_ms: int
    nature: PlanNature
    notice_id: str
    reason: str


@dataclass(frozen=True)
class Register:
    """The four files, checked against each other."""

    regions: Mapping[str, Region]
    assets: Mapping[str, tuple[Asset, ...]]
    """Per asset id its entries by validity date: a unit that moves between feeders has one per stay."""
    points: Mapping[str, PointEntry]
    plans: tuple[Plan, ...]


def span_ms(asset: Asset) -> tuple[int, int]:
    """Return the first instant in service and the first no longer in service, open ends as the ends of time."""
    start_ms = ALWAYS_MS if asset.in_service_from_ms is None else asset.in_service_from_ms
    return start_ms, FOREVER_MS if asset.in_service_to_ms is None else asset.in_service_to_ms
