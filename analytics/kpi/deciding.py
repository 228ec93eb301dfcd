"""What would decide an undecided month: the unresolved times whose answer moves the bounds most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics.bounds import RsBounds, Verdict
from analytics.kpi.day_sums import UnitSums
from analytics.spans import Int
from ingest.register import Register

MS_PER_H = 3_600_000


@dataclass(frozen=True)
class Question:
    """An unresolved time of some units of one place, that a person or a counter could answer for."""

    asset: str
    """The unit, or what supplies all of them."""
    day: str
    units: tuple[str, ...]
    unresolved_h: float
    """Outage that the evidence can neither show nor exclude. [customer-hours]"""
    if_supplied: RsBounds
    if_out: RsBounds


@dataclass(frozen=True)
class Deciding:
    """The questions, the heaviest first, and how many of them settle it."""

    questions: tuple[Question, ...]
    enough: int
    """If the first so many all turn out supplied, the target is met; 0 where that is so or excluded already."""
    unresolved_h: float
    """Of all questions. [customer-hours]"""


def deciding(
    days: Mapping[str, UnitSums], weight: Mapping[str, float], bounds: RsBounds, target_pct: float, register: Register
) -> Deciding:
    """Return what would decide a span whose bounds are given; `days` are its units' sums by day.

    A question answered as supplied raises the lower bound by its share of the customer-time, as out it lowers the
    upper one: bounds are sums over units (O15).
    """
    gaps = [gap for day, sums in days.items() for gap in _gaps(day, sums, weight, register)]
    gaps.sort(key=lambda gap: (-gap.unresolved_h, gap.day, gap.asset))
    questions = tuple(_answered(gap, bounds) for gap in gaps)
    return Deciding(questions, _enough(gaps, bounds, target_pct), sum(gap.unresolved_h for gap in gaps))


@dataclass(frozen=True)
class _Gap:
    asset: str
    day: str
    units: tuple[str, ...]
    unresolved_h: float


def _gaps(day: str, sums: UnitSums, weight: Mapping[str, float], register: Register) -> list[_Gap]:
    """Units with the same supplier whose doubt falls on the same day are one question."""
    doubt: Int = sums.columns["most_ms"] - sums.columns["least_ms"]
    by_parent: dict[str, list[tuple[str, float]]] = {}
    for unit in np.flatnonzero(doubt > 0).tolist():
        asset = sums.subjects[unit]
        if weight.get(asset, 0.0) > 0:
            hours = float(doubt[unit]) * weight[asset] / MS_PER_H
            by_parent.setdefault(_supplier(asset, register), []).append((asset, hours))
    return [_gap(day, parent, units) for parent, units in by_parent.items()]


def _gap(day: str, parent: str, units: Sequence[tuple[str, float]]) -> _Gap:
    names = tuple(sorted(name for name, _ in units))
    return _Gap(names[0] if len(names) == 1 else parent, day, names, sum(hours for _, hours in units))


def _supplier(asset: str, register: Register) -> str:
    stays = register.assets.get(asset)
    parent = stays[-1].parent if stays else None
    return parent or asset


def _answered(gap: _Gap, bounds: RsBounds) -> Question:
    share_pct = 100 * gap.unresolved_h / bounds.customer_h
    return Question(
        asset=gap.asset,
        day=gap.day,
        units=gap.units,
        unresolved_h=gap.unresolved_h,
        if_supplied=replace(bounds, low_pct=min(bounds.low_pct + share_pct, bounds.high_pct)),
        if_out=replace(bounds, high_pct=max(bounds.high_pct - share_pct, bounds.low_pct)),
    )


def _enough(gaps: Sequence[_Gap], bounds: RsBounds, target_pct: float) -> int:
    if bounds.verdict(target_pct) is not Verdict.INDETERMINATE:
        return 0
    low_pct = bounds.low_pct
    for count, gap in enumerate(gaps, start=1):
        low_pct += 100 * gap.unresolved_h / bounds.customer_h
        if low_pct >= target_pct:
            return count
    return len(gaps)
