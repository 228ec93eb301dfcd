"""Supply reliability and voltage compliance as screens show them: between two bounds, against a target."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analytics.bounds import RsBounds
from analytics.kpi.targets import Target
from analytics.kpi.voltage_rollup import VoltageCompliance, over_months

AXIS_MARGIN = 0.25
SHORTEST_AXIS_PCT = 0.04
FINEST_TICK_PCT = 0.01


@dataclass(frozen=True)
class Bounds:
    """A percentage between what it is at least and at most; None where it is undefined."""

    low_pct: float | None
    point_pct: float | None
    high_pct: float | None
    coverage: float | None
    """Share of the time that is known. [0..1]"""
    target_pct: float
    verdict: str
    """PASS, FAIL or INDETERMINATE; empty where it is undefined."""


@dataclass(frozen=True)
class Axis:
    """A stretch of percentages that a verdict bar is drawn on."""

    from_pct: float
    to_pct: float

    def at(self, pct: float | None) -> float:
        """Return where a percentage lies on the axis, kept within it. [0..100]"""
        if pct is None:
            return 0.0
        share = (pct - self.from_pct) / (self.to_pct - self.from_pct)
        return round(100 * min(max(share, 0.0), 1.0), 2)


def supply_bounds(rs: RsBounds, target: Target) -> Bounds:
    """Return the bounds of supply reliability."""
    return Bounds(
        known(rs.low_pct),
        known(rs.point_pct),
        known(rs.high_pct),
        known(rs.coverage),
        target.value_pct,
        str(rs.verdict(target.value_pct) or ""),
    )


def voltage_bounds(voltage: VoltageCompliance, target: Target) -> Bounds:
    """Return the bounds of the composite voltage compliance."""
    coverage = known(voltage.coverage_pct)
    return Bounds(
        known(voltage.low_pct),
        known(voltage.composite.pct),
        known(voltage.high_pct),
        None if coverage is None else coverage / 100,
        target.value_pct,
        str(voltage.verdict(target.value_pct) or ""),
    )


def voltage_bounds_over(months: Sequence[VoltageCompliance], target: Target) -> Bounds:
    """Return the same over several months; how much of them is known stands with each."""
    low, point, high = over_months(months)
    word = "" if math.isnan(low) else "PASS" if low >= target.value_pct else "INDETERMINATE"
    verdict = "FAIL" if high < target.value_pct else word
    return Bounds(known(low), known(point), known(high), None, target.value_pct, verdict)


def axis_of(*bounds: Bounds) -> Axis:
    """Return an axis that shows all of them and their target, ending in whole hundredths."""
    known_pcts = [pct for one in bounds for pct in (one.low_pct, one.high_pct, one.target_pct) if pct is not None]
    low, high = min(known_pcts), max(known_pcts)
    margin = max(AXIS_MARGIN * (high - low), SHORTEST_AXIS_PCT)
    return Axis(
        math.floor(max(low - margin, 0.0) / FINEST_TICK_PCT) * FINEST_TICK_PCT,
        min(math.ceil((high + margin) / FINEST_TICK_PCT) * FINEST_TICK_PCT, 100.0),
    )


def known(value: float) -> float | None:
    """Return a number, or None where it is undefined: JSON has no NaN."""
    return value if math.isfinite(value) else None
