"""Voltage compliance of a region: monitoring points, their classes A to D, and the composite, with bounds.

A point's phases count together: the sum of their minutes. A class is the mean over its points in a month, then over
the months; a point of less than 90 % coverage in a month stays out of that month.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from analytics.bounds import Verdict
from analytics.kpi.model import device_name
from analytics.kpi.voltage_days import STATES
from analytics.voltage import MinuteCounts
from analytics.voltage_classes import COVERAGE_PCT, CompositeRate, class_pct, composite_rate, mean_of_months_pct
from ingest.register import Register, VoltageClass
from ingest.store import Partial

CLASSES: tuple[VoltageClass, ...] = tuple(name for name in get_args(VoltageClass) if name)
Place = tuple[str, VoltageClass]
"""A device and the class that its voltage stands in."""


@dataclass(frozen=True)
class PointRate:
    """One monitoring point over the period."""

    name: str
    """Site and device."""
    asset: str
    voltage_class: VoltageClass
    counts: MinuteCounts
    """Minutes of all its phases, each a number. [min]"""
    enters: bool
    """Whether it had enough coverage in a month."""


@dataclass(frozen=True)
class ClassRate:
    """One class over the period; NaN where no point enters. [%]"""

    voltage_class: VoltageClass
    points: int
    """In the register."""
    entering: int
    """With enough coverage in a month at least."""
    pct: float
    low_pct: float
    """If every minute that its points did not tell broke a limit."""
    high_pct: float
    """If every minute that its points did not tell kept the limits."""
    counts: MinuteCounts
    """Minutes of all its points. [min]"""


@dataclass(frozen=True)
class VoltageCompliance:
    """Voltage of a region over a period."""

    classes: tuple[ClassRate, ...]
    """Those that have points, A to D."""
    composite: CompositeRate
    low_pct: float
    high_pct: float
    coverage_pct: float
    """Minutes with a reading among those that were not an outage, over all points. [%]"""
    points: tuple[PointRate, ...]
    """The worst first."""

    def verdict(self, target_pct: float) -> Verdict | None:
        """Judge against a target [%], unrounded; None where no class has a rate."""
        if np.isnan(self.low_pct):
            return None
        if self.low_pct >= target_pct:
            return Verdict.PASS
        return Verdict.FAIL if self.high_pct < target_pct else Verdict.INDETERMINATE


def voltage_compliance(partials: Sequence[Partial], register: Register, assets: Collection[str]) -> VoltageCompliance:
    """Return the voltage compliance of some assets from `voltage` partials of any days."""
    places = _places(register, assets)
    by_month = MinuteCounts(*np.moveaxis(_minutes(partials, register, places), -1, 0))
    enters = by_month.coverage_pct >= COVERAGE_PCT
    classes = tuple(_class(name, places, by_month, enters) for name in CLASSES if name in {c for _, c in places})
    return VoltageCompliance(
        classes,
        composite_rate({one.voltage_class: one.pct for one in classes}),
        composite_rate({one.voltage_class: one.low_pct for one in classes}).pct,
        composite_rate({one.voltage_class: one.high_pct for one in classes}).pct,
        float(by_month.sum().coverage_pct),
        _points(places, by_month, enters),
    )


def over_months(months: Sequence[VoltageCompliance]) -> tuple[float, float, float]:
    """Return the composite of several months, at least, as estimated, at most: a class is the mean over them. [%]"""

    def composite(field: str) -> float:
        by_class = {
            name: mean_of_months_pct([getattr(c, field) for m in months for c in m.classes if c.voltage_class == name])
            for name in CLASSES
        }
        return composite_rate({str(name): pct for name, pct in by_class.items()}).pct

    return composite("low_pct"), composite("pct"), composite("high_pct")


def bound_pct(counts: MinuteCounts, *, missing_are_good: bool) -> NDArray[np.float64]:
    """Return the compliance rate if every minute without a reading kept the limits, or broke them. [%]"""
    of = counts.monitored + counts.invalid
    kept = counts.ok + (counts.invalid if missing_are_good else 0)
    return np.where(of > 0, 100.0 * kept / np.maximum(of, 1), np.nan)


def _places(register: Register, assets: Collection[str]) -> dict[Place, str]:
    """Monitoring point → its asset, sorted."""
    found = {
        (device_name(entry.point), entry.voltage_class): entry.asset
        for entry in register.points.values()
        if entry.voltage_class and entry.asset in assets
    }
    return dict(sorted(found.items()))


def _minutes(partials: Sequence[Partial], register: Register, places: Mapping[Place, str]) -> NDArray[np.int64]:
    """Minutes by place, month and state."""
    months = sorted({partial.day[:7] for partial in partials})
    number, month = {place: row for row, place in enumerate(places)}, {name: at for at, name in enumerate(months)}
    minutes = np.zeros((len(places), len(months), len(STATES)), np.int64)
    for partial in partials:
        entry = register.points.get(partial.subject)
        place = None if entry is None else (device_name(entry.point), entry.voltage_class)
        if place is not None and place in number:
            states = [round(partial.sums.get(state, 0.0)) for state in STATES]
            minutes[number[place], month[partial.day[:7]]] += states
    return minutes


def _class(
    name: VoltageClass, places: Mapping[Place, str], by_month: MinuteCounts, enters: NDArray[np.bool_]
) -> ClassRate:
    mine = np.asarray([place[1] == name for place in places], np.bool_)
    counts = MinuteCounts(*(getattr(by_month, state)[mine] for state in STATES))

    def over_months(rates: NDArray[np.float64]) -> float:
        by_coverage = [class_pct(rates[:, at], counts.coverage_pct[:, at]) for at in range(rates.shape[1])]
        return mean_of_months_pct(by_coverage)

    return ClassRate(
        name,
        points=int(mine.sum()),
        entering=int(enters[mine].any(axis=1).sum()),
        pct=over_months(counts.pass_pct),
        low_pct=over_months(bound_pct(counts, missing_are_good=False)),
        high_pct=over_months(bound_pct(counts, missing_are_good=True)),
        counts=counts.sum(),
    )


def _points(places: Mapping[Place, str], by_month: MinuteCounts, enters: NDArray[np.bool_]) -> tuple[PointRate, ...]:
    whole = by_month.sum(axis=1)
    worst_first = np.argsort(whole.pass_pct, kind="stable").tolist()  # NaN last; places stand by name already
    points = [
        PointRate(name, asset, of_class, _row(whole, row), bool(enters[row].any()))
        for row, ((name, of_class), asset) in enumerate(places.items())
    ]
    return tuple(points[row] for row in worst_first)


def _row(counts: MinuteCounts, row: int) -> MinuteCounts:
    return MinuteCounts(*(getattr(counts, state)[row] for state in STATES))
