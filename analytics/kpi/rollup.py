"""From daily partial sums to months, quarters, years and regions: sums of sums, never means of percentages (R10)."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics.bounds import RsBounds, rs_bounds, share_covered
from analytics.kpi.supply_days import TIME_SUMS
from analytics.kpi.voltage_days import STATES
from analytics.reliability import Nature
from analytics.spans import Int
from analytics.unresolved import expected_ms
from analytics.voltage import MinuteCounts
from ingest.register import Register
from ingest.store import Partial

Span = Literal["day", "month", "quarter", "year"]
MS_PER_H = 3_600_000
EDGE_SHARE_FLAGGED = 0.10
NOTHING_LEFT_OUT: Mapping[str, float] = {}
Hours = NDArray[np.float64]
NATURE_SUMS = tuple(f"{nature.name.lower()}_ms" for nature in Nature)
SUPPLY_SUMS = (*TIME_SUMS, "customer_ms", "transformer_ms", "interruptions", "edges_ms", *NATURE_SUMS)
"""Every named sum of a `supply` partial."""


@dataclass(frozen=True)
class SupplyNumbers:
    """Supply of a group of units over any span of days."""

    units: int
    rs_lv: RsBounds
    """Weighed by customers; the two levels are never summed."""
    rs_mv: RsBounds
    """Each transformer is one customer."""
    covered_units: float
    """Share of units of which at least 90 % of the time is resolved (O10). [0..1]"""
    interruptions: int
    """Interruptions of units that began in the span."""
    customer_h_by_nature: Mapping[str, float]
    """fault, limit, planned: as estimated. [customer-hours]"""
    edge_share: float
    """Uncertainty of starts and ends beside the customer-hours out; NaN without interruptions. [1]"""

    @property
    def edges_are_uncertain(self) -> bool:
        """Whether the index must be flagged: starts and ends are too vague for it (O5)."""
        return self.edge_share > EDGE_SHARE_FLAGGED


@dataclass(frozen=True, eq=False)
class UnitHours:
    """Units over a span of days, one entry per unit in each array. [h]"""

    subjects: tuple[str, ...]
    least: Hours
    most: Hours
    expected: Hours
    """Outage at least, at most, and expected."""
    unresolved: Hours
    in_service: Hours
    customers: Hours
    """Mean number while in service. [customers]"""
    transformer: Hours
    """1 where the unit is a transformer, which is one customer of the MV level."""

    def rs(self, weight: Hours, left_out_h: Mapping[str, float] = NOTHING_LEFT_OUT) -> RsBounds:
        """Return supply reliability, without the hours of each unit that an index leaves out (RS-2, RS-3)."""
        out = np.asarray([left_out_h.get(subject, 0.0) for subject in self.subjects], np.float64)
        least, most, expected = (np.maximum(hours - out, 0.0) for hours in (self.least, self.most, self.expected))
        return rs_bounds(least, most, expected, self.unresolved, self.in_service, weight)


def unit_hours(partials: Sequence[Partial]) -> UnitHours:
    """Return the hours of each unit that `supply` partials of any days come to.

    The expected outage of what is unresolved follows each unit's own outage rate over the whole span (O15).
    """
    return hours_of_units(*_sums_by_unit(partials))


def supply_numbers(partials: Sequence[Partial]) -> SupplyNumbers:
    """Return what `supply` partials of any days and units come to."""
    return numbers_of_units(*_sums_by_unit(partials))


def hours_of_units(names: tuple[str, ...], sums: Mapping[str, Int]) -> UnitHours:
    """Return the hours of units whose partials are added up: each of `SUPPLY_SUMS` as a column of shape (units,)."""
    service, lost, open_, least, most, valued, by_rate = (sums[name] for name in TIME_SUMS)
    in_service = np.maximum(service, 1)
    return UnitHours(
        subjects=names,
        least=least / MS_PER_H,
        most=most / MS_PER_H,
        expected=expected_ms(service, lost, valued, by_rate, least, most) / MS_PER_H,
        unresolved=open_ / MS_PER_H,
        in_service=service / MS_PER_H,
        customers=sums["customer_ms"] / in_service,
        transformer=sums["transformer_ms"] / in_service,
    )


def numbers_of_units(names: tuple[str, ...], sums: Mapping[str, Int]) -> SupplyNumbers:
    """Return what the same columns come to."""
    units = hours_of_units(names, sums)
    by_nature = {
        nature.name.lower(): float(sums[f"{nature.name.lower()}_ms"] @ units.customers) / MS_PER_H for nature in Nature
    }
    out_h = sum(by_nature.values())
    return SupplyNumbers(
        units=len(names),
        rs_lv=units.rs(units.customers),
        rs_mv=units.rs(units.transformer),
        covered_units=share_covered(units.unresolved, units.in_service),
        interruptions=int(sums["interruptions"].sum()),
        customer_h_by_nature=by_nature,
        edge_share=float(sums["edges_ms"] @ units.customers) / MS_PER_H / out_h if out_h else math.nan,
    )


def _sums_by_unit(partials: Sequence[Partial]) -> tuple[tuple[str, ...], dict[str, Int]]:
    names = tuple(sorted({p.subject for p in partials}))
    number = {name: index for index, name in enumerate(names)}
    unit = np.asarray([number[p.subject] for p in partials], np.int64)
    sums = {name: np.zeros(len(names), np.int64) for name in SUPPLY_SUMS}
    for name, column in sums.items():
        np.add.at(column, unit, np.asarray([round(p.sums.get(name, 0.0)) for p in partials], np.int64))
    return names, sums


def voltage_numbers(partials: Iterable[Partial]) -> MinuteCounts:
    """Return what `voltage` partials of any days and points come to."""
    rows = [[round(p.sums.get(state, 0.0)) for state in STATES] for p in partials]
    totals = np.asarray(rows, np.int64).reshape(-1, len(STATES)).sum(axis=0)
    return MinuteCounts(*totals)


def by_region(
    partials: Iterable[Partial], region_of: Mapping[str, str], register: Register
) -> dict[str, list[Partial]]:
    """Return per region the partials of all its subjects and of its sub-regions'."""
    found: dict[str, list[Partial]] = defaultdict(list)
    for partial in partials:
        code: str | None = region_of.get(partial.subject)
        while code is not None and code in register.regions:
            found[code].append(partial)
            code = register.regions[code].parent
    return dict(found)


def asset_regions(register: Register) -> dict[str, str]:
    """Return asset → the code of the region it stands in, as of its latest entry."""
    return {asset: stays[-1].region for asset, stays in register.assets.items()}


def by_span(partials: Iterable[Partial], span: Span) -> dict[str, list[Partial]]:
    """Return per day, month, quarter or year the partials of its days.

    >>> list(by_span([Partial("supply", "t1", "2026-05-31", {}, 0)], "quarter"))
    ['2026-Q2']
    """
    found: dict[str, list[Partial]] = defaultdict(list)
    for partial in partials:
        found[_label(partial.day, span)].append(partial)
    return dict(found)


def _label(day: str, span: Span) -> str:
    if span == "quarter":
        return f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}"
    return day[: {"day": 10, "month": 7, "year": 4}[span]]
