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
    """Official code; assets and reports name the region by it."""
    name: str
    """In English."""
    name_zh: str
    """In Chinese; without one, `name` is shown."""
    level: RegionLevel
    """League, banner (county), sumu (township) or gacha (village)."""
    parent: str | None
    """Code of the region that it lies in, of a higher level."""


@dataclass(frozen=True)
class Asset:
    """A thing that supplies, is supplied, or is watched."""

    id: str
    """Its name everywhere; an asset that moves has one row per stay, with dates that do not overlap."""
    kind: str
    """What it is, one of `ASSET_KINDS`."""
    name: str
    """In English."""
    name_zh: str
    """In Chinese."""
    region: str
    """Code of the region that it stands in."""
    parent: str | None
    """The asset that supplies it; none at the top."""
    customers: int
    """Customers directly at this asset, its children's not counted; 0 where nothing is said."""
    level: SupplyLevel | None
    """Voltage at which it supplies: high, medium, low. For people; no number depends on it."""
    kva: float | None
    """Rated power, zero or more. [kVA]"""
    in_service_from_ms: int | None
    """First instant in service; where nothing is said, always. [ms since 1970-01-01T00:00Z]"""
    in_service_to_ms: int | None
    """First instant no longer in service; where nothing is said, it still is. [ms since 1970-01-01T00:00Z]"""
    lat: float | None = None
    """Latitude for the maps, -90 to 90. [°]"""
    lon: float | None = None
    """Longitude for the maps, -180 to 180. [°]"""
    owner: str = ""
    """Who owns it (产权人)."""
    responsible: str = ""
    """Who looks after it (管护主体)."""
    phone: str = ""
    """Of the responsible; stands beside each of the asset's alarms."""
    deputy_phone: str = ""
    """Whom to call where `phone` does not answer."""
    method: str = ""
    """Of treatment (工艺), for people."""
    inspection_days: int | None = None
    """It is to be inspected every so many days, 1 or more. [days]"""
    contract_until: str = ""
    """Last day of the contract for its upkeep."""
    phase_rule: PhaseRule = "all"
    """Interrupted when all phases that are read are dead (EN 50160; the default), or when any is (IEEE 1366)."""


@dataclass(frozen=True)
class PointEntry:
    """What the centre knows of a point beyond its readings."""

    point: str
    """Full name, site/device.quantity, such as `qingshui-wtp/clearwell.turbidity_ntu`."""
    asset: str
    """Id of the asset that it is measured at."""
    voltage_class: VoltageClass
    """Voltage is monitored here for A: 10 kV busbars, B: 35 kV dedicated lines, C: 10 kV consumers, D: 380/220 V."""
    limits: str
    """Name of a band or of a profile of set-points, such as `gb12325-220`; empty for none."""
    nominal: float | None
    """Nominal value in the point's unit."""


@dataclass(frozen=True)
class Plan:
    """An approved planned interruption or limiting of an asset."""

    asset: str
    """Id of the asset that is switched off, with all that it supplies."""
    start_ms: int
    """When it begins. [ms since 1970-01-01T00:00Z]"""
    end_ms: int
    """When it ends. [ms since 1970-01-01T00:00Z]"""
    nature: PlanNature
    """Planned work, or limiting for shortage of generation."""
    notice_id: str
    """Number of the published notice."""
    reason: str
    """For people."""


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
