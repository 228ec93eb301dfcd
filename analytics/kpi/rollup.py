"""From daily partial sums to months, quarters, years and regions: sums of sums, never means of percentages (R10)."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

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


def supply_numbers(partials: Sequence[Partial]) -> SupplyNumbers:
    """Return what `supply` partials of any days and units come to.

    The expected outage of what is unresolved follows each unit's own outage rate over the whole span (O15).
    """
    subjects = {subject: index for index, subject in enumerate(sorted({p.subject for p in partials}))}
    unit = np.asarray([subjects[p.subject] for p in partials], np.int64)

    def column(name: str) -> Int:
        sums = np.zeros(len(subjects), np.int64)
        np.add.at(sums, unit, np.asarray([round(p.sums.get(name, 0.0)) for p in partials], np.int64))
        return sums

    service, lost, open_, least, most, valued, by_rate = (column(name) for name in TIME_SUMS)
    expected = expected_ms(service, lost, valued, by_rate, least, most)
    hours = [time / MS_PER_H for time in (least, most, expected, open_, service)]
    in_service = np.maximum(service, 1)
    customers, transformer = column("customer_ms") / in_service, column("transformer_ms") / in_service
    by_nature = {
        nature.name.lower(): float(column(f"{nature.name.lower()}_ms") @ customers) / MS_PER_H for nature in Nature
    }
    out_h = sum(by_nature.values())
    return SupplyNumbers(
        units=len(subjects),
        rs_lv=rs_bounds(hours[0], hours[1], hours[2], hours[3], hours[4], customers),
        rs_mv=rs_bounds(hours[0], hours[1], hours[2], hours[3], hours[4], transformer),
        covered_units=share_covered(hours[3], hours[4]),
        interruptions=int(column("interruptions").sum()),
        customer_h_by_nature=by_nature,
        edge_share=float(column("edges_ms") @ customers) / MS_PER_H / out_h if out_h else math.nan,
    )


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
