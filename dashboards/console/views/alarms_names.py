"""What alarms, places and quantities are called, in both languages. Reads only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from analytics.alarms.classes import class_named
from dashboards.console.words import catalogue, translate
from ingest.lines import measurement
from ingest.register import Asset, Register

_SIDED = ("voltage", "quality", "pressure", "level", "process", "gas")
"""Classes whose alarms are better named by the quantity and which side of its limit it is on."""
_DEEPEST = 8
"""Regions within one another at most: a register that says more has a circle."""


@dataclass(frozen=True)
class Words:
    """One word or sentence in both languages."""

    en: str
    zh: str


@dataclass(frozen=True)
class Region:
    """One step of the way from the league down."""

    code: str
    name: Words


@dataclass(frozen=True)
class Place:
    """Where an alarm sits, and who answers for it."""

    asset: str
    kind: str
    """One of `ingest.register.ASSET_KINDS`; empty for what the register does not know."""
    name: Words
    regions: tuple[Region, ...]
    """From the widest to the narrowest."""
    customers: int
    owner: str
    responsible: str
    phone: str
    deputy_phone: str
    method: str


class Places:
    """Where the assets of a register are; the way to each region is looked up once."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._regions: dict[str, tuple[Region, ...]] = {}

    def of(self, asset_id: str) -> Place:
        """Return where an asset is; its bare id where the register does not know it, such as a site in no file."""
        entries = self._register.assets.get(asset_id)
        if not entries:
            return Place(asset_id, "", Words(asset_id, asset_id), (), 0, "", "", "", "", "")
        asset: Asset = entries[-1]
        if asset.region not in self._regions:
            self._regions[asset.region] = regions_of(self._register, asset.region)
        name = Words(asset.name or asset.id, asset.name_zh or asset.name or asset.id)
        people = (asset.owner, asset.responsible, asset.phone, asset.deputy_phone, asset.method)
        return Place(asset.id, asset.kind, name, self._regions[asset.region], asset.customers, *people)


def place(register: Register, asset_id: str) -> Place:
    """Return where one asset is, as `Places.of`."""
    return Places(register).of(asset_id)


def regions_of(register: Register, code: str) -> tuple[Region, ...]:
    """Return a region and those around it, the widest first."""
    return tuple(reversed(list(islice(_outward(register, code), _DEEPEST))))


def title(alarm: str, kind: str) -> Words:
    """Return what an alarm is called: by its quantity and side of the limit, or by its class."""
    about = class_named(kind)
    subject, _, side = alarm.partition("#")
    quantity = measurement(subject)
    if kind not in _SIDED or side not in ("high", "low") or not is_measured(subject):
        return Words(about.title, about.title_zh)
    en, zh = (
        translate(f"alarms.side.{side}", language, quantity=translate(f"alarms.quantity.{quantity}", language))
        for language in ("en", "zh")
    )
    return Words(en, zh)


def steps(kind: str) -> tuple[Words, ...]:
    """Return what the crew does first, one step each."""
    about = class_named(kind)
    en, zh = _parts(about.action), _parts(about.action_zh)
    if len(en) != len(zh):
        return (Words(about.action, about.action_zh),)
    return tuple(Words(left, right) for left, right in zip(en, zh, strict=True))


def is_measured(point: str) -> bool:
    """Whether a point's values are a quantity with a name, not a state or a count."""
    return f"alarms.quantity.{measurement(point)}" in catalogue()


def unit_of(point: str) -> str:
    """Return the unit of a point's values as people write it; empty for a state or a count."""
    quantity = measurement(point)
    found = (unit for suffix, unit in _UNITS.items() if quantity.endswith(f"_{suffix}"))
    return next(found, "")


_UNITS = {
    "mg_l": "mg/L",
    "ntu": "NTU",
    "kva": "kVA",
    "kwh": "kWh",
    "kw": "kW",
    "v": "V",
    "a": "A",
    "hz": "Hz",
    "us_cm": "µS/cm",
    "mpa": "MPa",
    "kpa": "kPa",
    "m3_h": "m³/h",
    "m3": "m³",
    "m": "m",
    "temp_c": "°C",
    "pct": "%",
    "ppm": "ppm",
    "ms": "ms",
    "h": "h",
    "s": "s",
}


def _outward(register: Register, code: str | None) -> Iterator[Region]:
    while code is not None and (region := register.regions.get(code)) is not None:
        yield Region(region.code, Words(region.name or code, region.name_zh or region.name or code))
        code = region.parent


def _parts(action: str) -> list[str]:
    """The sentences of an action, and the halves that a semicolon parts."""
    sentences = re.split(r"[;；。]\s*|\.(?:\s+|$)", action)
    return [sentence[:1].upper() + sentence[1:] for sentence in sentences if sentence]
