"""What is asked of the published numbers, looked up once: a region's units over a span, and how each of them counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from analytics.bounds import RsBounds
from analytics.kpi.database import InterruptionRow
from analytics.kpi.day_sums import UnitSums
from analytics.kpi.ledger import LedgerEvent, Level
from analytics.kpi.published import Published, unit_hours
from analytics.kpi.regions import assets_in
from analytics.kpi.rollup import Hours, UnitHours
from analytics.kpi.targets import Indicator, Target, targets_for
from dashboards.console.site import Console
from dashboards.console.views.kpi_bounds import Bounds, supply_bounds
from dashboards.console.views.kpi_span import Month
from ingest.register import Region


@dataclass(frozen=True)
class Asked:
    """One region, one month, one level; each part is read when it is first needed."""

    console: Console
    published: Published
    region: Region
    month: Month
    level: Level

    @cached_property
    def assets(self) -> frozenset[str]:
        """What stands in the region."""
        return assets_in(self.region.code, self.published.register)

    @cached_property
    def units(self) -> UnitHours:
        """The region's units over the month. Raises StoreError."""
        return unit_hours(self.published.sums(self.region.code, self.month.from_day, self.month.to_day))

    @cached_property
    def days(self) -> Mapping[str, UnitSums]:
        """The same of each day. Raises StoreError."""
        return self.published.sums_by_day(self.region.code, self.month.from_day, self.month.to_day)

    @cached_property
    def weight(self) -> Hours:
        """What each unit counts. [customers]"""
        return weight_of(self.units, self.level)

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """The same by the unit's name."""
        return dict(zip(self.units.subjects, self.weight.tolist(), strict=True))

    @cached_property
    def rs(self) -> RsBounds:
        """Supply reliability, all causes."""
        return self.units.rs(self.weight)

    @cached_property
    def targets(self) -> Mapping[Indicator, Target]:
        """What the region must reach. Raises BadInput."""
        return targets_of(self.console, self.month.name)

    @cached_property
    def events(self) -> list[LedgerEvent]:
        """The interruptions that began in the month."""
        return self.published.events(self.region.code, self.month.from_day, self.month.to_day)

    @cached_property
    def rows(self) -> list[InterruptionRow]:
        """Interruptions of the region's units that reach into the month."""
        found = self.published.database.interruptions(self.month.reach_day, self.month.to_day)
        return [row for row in found if row.end_ms > self.month.start_ms and row.asset in self.assets]

    def bounds(self, rs: RsBounds) -> Bounds:
        """Return a supply reliability against the region's target."""
        return supply_bounds(rs, self.targets["reliability"])


def targets_of(console: Console, span: str) -> Mapping[Indicator, Target]:
    """Return the targets of the year that a day or a month lies in. Raises BadInput."""
    return targets_for(int(span[:4]), Path(console.centre.register), console.centre.timezone)


def weight_of(units: UnitHours, level: Level) -> Hours:
    """Return what each unit counts at a level. [customers]"""
    return units.customers if level == "lv" else units.transformer
