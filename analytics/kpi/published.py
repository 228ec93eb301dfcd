"""The published numbers, ready to be asked for by region and span of days: what screens, API and reports all read.

Nothing here looks at a reading: daily partial sums are added up, so a year of a county costs milliseconds.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from analytics.kpi.compute import SUPPLY, VOLTAGE, next_day
from analytics.kpi.database import InterruptionRow, KpiDatabase
from analytics.kpi.day_sums import DaySums, UnitSums, days_between
from analytics.kpi.ledger import LedgerEvent, Level, ledger
from analytics.kpi.regions import assets_in, child_of_asset
from analytics.kpi.rollup import SUPPLY_SUMS, UnitHours, hours_of_units
from analytics.kpi.voltage_days import STATES
from analytics.kpi.voltage_rollup import VoltageCompliance, voltage_compliance
from analytics.spans import Bool
from ingest.register import Register
from ingest.store import Partial, Store

MOST_RATES = 400


@dataclass(frozen=True, eq=False)
class _KeptVoltage:
    """A rate that was worked out, and what it was worked out from."""

    register: Register
    times: Mapping[str, int]
    """How often each day had been published."""
    found: VoltageCompliance


class KeptSums:
    """What a process keeps of the store's partial sums, shared by its threads."""

    def __init__(self) -> None:
        self.supply = DaySums(SUPPLY, SUPPLY_SUMS)
        self.voltage = DaySums(VOLTAGE, STATES)
        self.rates: dict[tuple[str, str, str], _KeptVoltage] = {}
        """(region, from, to) → voltage compliance; the oldest ones are forgotten."""

    @property
    def is_behind(self) -> bool:
        """Whether the store is down and older numbers stand in for those published since."""
        return self.supply.is_behind or self.voltage.is_behind


@dataclass(frozen=True, eq=False)
class Published:
    """The centre's numbers as they stand now; every method may raise StoreError."""

    store: Store
    database: KpiDatabase
    register: Register
    kept: KeptSums
    _inside: dict[str, frozenset[str]] = field(default_factory=dict, repr=False)

    def sums(self, region: str, from_day: str, to_day: str) -> UnitSums:
        """Return the supply of each of a region's units that was in service over from_day <= day < to_day."""
        total = self.kept.supply.total(self.store, self.database, from_day, to_day)
        return _of(total, self.assets(region))

    def sums_by_day(self, region: str, from_day: str, to_day: str) -> dict[str, UnitSums]:
        """Return the same of each day that has any."""
        inside = self.assets(region)
        days = self.kept.supply.by_day(self.store, self.database, from_day, to_day)
        return {day: _of(sums, inside) for day, sums in days.items()}

    def sums_of_parts(self, region: str, from_day: str, to_day: str) -> dict[str, UnitSums]:
        """Return the same of each region directly below a region that has units in service, by its code."""
        total = self.kept.supply.total(self.store, self.database, from_day, to_day)
        part_of = child_of_asset(region, self.register)
        parts = {part: _of(total, {a for a, p in part_of.items() if p == part}) for part in set(part_of.values())}
        return {part: parts[part] for part in sorted(parts) if parts[part].subjects}

    def voltage(self, region: str, from_day: str, to_day: str) -> VoltageCompliance:
        """Return the voltage compliance of a region; worked out again only after a day was published anew."""
        key, times = (region, from_day, to_day), self.database.published(from_day, to_day)
        held = self.kept.rates.get(key)
        if held is None or held.register is not self.register or held.times != times:
            partials = list(self._voltage_months(from_day, to_day))
            found = voltage_compliance(partials, self.register, self.assets(region))
            held = _KeptVoltage(self.register, times, found)
            if not self.kept.voltage.is_behind:  # else older sums stood in, and would be taken for these days' own
                self.kept.rates[key] = held
            for old in list(self.kept.rates)[:-MOST_RATES]:
                self.kept.rates.pop(old, None)
        return held.found

    def assets(self, region: str) -> frozenset[str]:
        """Return what stands in a region, looked up once."""
        if region not in self._inside:
            self._inside[region] = assets_in(region, self.register)
        return self._inside[region]

    def warm(self, months: Sequence[tuple[str, str]]) -> None:
        """Read the sums of spans of days that will be asked for, a day at a time: who asks waits for one at most."""
        for day in (day for month in months for day in days_between(*month)):
            self.kept.supply.total(self.store, self.database, day, next_day(day))
            self.kept.voltage.total(self.store, self.database, day, next_day(day))

    def events(self, region: str, from_day: str, to_day: str) -> list[LedgerEvent]:
        """Return the interruptions of a region's units that began in the span, by start."""
        inside = self.assets(region)
        found = ledger(self.database, from_day, to_day)
        return [event for event in found if any(row.asset in inside for row in event.rows)]

    def events_everywhere(self, from_day: str, to_day: str) -> list[LedgerEvent]:
        """Return the interruptions of all regions that began in the span, by start."""
        return ledger(self.database, from_day, to_day)

    def weigh(self, level: Level) -> Callable[[InterruptionRow], float]:
        """Return what an interruption's unit counts at a level. [customers]"""
        return lambda row: float(row.customers if level == "lv" else self._is_transformer(row.asset))

    def _is_transformer(self, asset: str) -> bool:
        stays = self.register.assets.get(asset)
        return stays is not None and stays[-1].kind == "transformer"

    def _voltage_months(self, from_day: str, to_day: str) -> Iterator[Partial]:
        """The partials of each month added up, which is all that the rates look at."""
        for month, group in groupby(days_between(from_day, to_day), key=lambda day: day[:7]):
            days = list(group)
            total = self.kept.voltage.total(self.store, self.database, days[0], next_day(days[-1]))
            for row in np.flatnonzero(np.sum(list(total.columns.values()), axis=0)).tolist():
                sums = {state: float(column[row]) for state, column in total.columns.items()}
                yield Partial(VOLTAGE, total.subjects[row], f"{month}-01", sums, 0)


def unit_hours(sums: UnitSums) -> UnitHours:
    """Return the hours of units."""
    return hours_of_units(sums.subjects, sums.columns)


def _of(sums: UnitSums, assets: Collection[str]) -> UnitSums:
    in_service = sums.columns["in_service_ms"] > 0
    inside = np.fromiter((subject in assets for subject in sums.subjects), np.bool_, len(sums.subjects))
    return _rows(sums, in_service & inside)


def _rows(sums: UnitSums, kept: Bool) -> UnitSums:
    subjects = tuple(subject for subject, keep in zip(sums.subjects, kept.tolist(), strict=True) if keep)
    return UnitSums(subjects, {name: column[kept] for name, column in sums.columns.items()})
