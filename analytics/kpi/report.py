"""The published numbers of a span of days: as a whole, by region, or by day, month, quarter and year."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from analytics.kpi.compute import SUPPLY, VOLTAGE
from analytics.kpi.rollup import Span, SupplyNumbers, asset_regions, by_region, by_span, supply_numbers, voltage_numbers
from analytics.voltage import MinuteCounts
from ingest.register import Register
from ingest.store import Partial, Store

Grouping = Literal["region", Span]
GROUPINGS: tuple[str, ...] = ("region", *get_args(Span))
WHOLE = "all"


@dataclass(frozen=True)
class Numbers:
    """Supply and voltage of one group of days and subjects."""

    supply: SupplyNumbers
    voltage: MinuteCounts


def numbers_by(
    store: Store, register: Register, from_day: str, to_day: str, by: Grouping | None = None
) -> dict[str, Numbers]:
    """Return the numbers of the whole, and under its label those of each region or span, in order of the labels.

    Every group is a sum of daily partials (R10). Raises StoreError.
    """
    supply = store.read_kpi(SUPPLY, from_day, to_day)
    voltage = store.read_kpi(VOLTAGE, from_day, to_day)
    whole = {WHOLE: Numbers(supply_numbers(supply), voltage_numbers(voltage))}
    if by is None:
        return whole
    regions = asset_regions(register)
    point_regions = {name: regions[point.asset] for name, point in register.points.items()}
    supplies, voltages = _grouped(supply, regions, register, by), _grouped(voltage, point_regions, register, by)
    labels = sorted({*supplies, *voltages})
    return whole | {
        label: Numbers(supply_numbers(supplies.get(label, [])), voltage_numbers(voltages.get(label, [])))
        for label in labels
    }


def _grouped(
    partials: list[Partial], region_of: Mapping[str, str], register: Register, by: Grouping
) -> dict[str, list[Partial]]:
    return by_region(partials, region_of, register) if by == "region" else by_span(partials, by)
