"""`steppe power voltage`: from readings to minutes by state, rates, classes, the composite and EN 50160 weeks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, reduce
from itertools import chain, groupby
from operator import add
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.energy import low_voltage_list
from analytics.own_files.local_time import local_text
from analytics.own_files.phase_minutes import PhaseMinutes, Question, phase_minutes
from analytics.own_files.phase_weeks import WeekOfPhase, weeks_of
from analytics.own_files.power_rules import LimitsProfile, power_rules
from analytics.own_files.readings_files import (
    MonitoringPoint,
    Outages,
    Readings,
    Series,
    read_outages,
    read_points,
    read_readings,
)
from analytics.own_files.tables import Rejection
from analytics.voltage import MinuteCounts, count_states
from analytics.voltage_classes import CompositeRate, class_pct, composite_rate, mean_of_months_pct
from analytics.voltage_minutes import MS_PER_MINUTE
from edge.errors import BadInput

ALL_PHASES = "all"
LOW_VOLTAGE_BELOW_V = 1000.0
"""Nominal voltages below this are low voltage. [V]"""
COUNTED = ("ok", "over", "under", "offscale", "outage", "invalid", "monitored")
RATES = ("pass_pct", "over_pct", "under_pct", "coverage_pct", "strict_pass_pct")


@dataclass(frozen=True)
class PointResult:
    """Minutes and extremes of one phase, or of all phases of a point."""

    point: str
    phase: str
    by_month: MinuteCounts
    max_v: float
    max_at_ms: int
    min_v: float
    min_at_ms: int

    @property
    def counts(self) -> MinuteCounts:
        """Minutes of the whole period."""
        return self.by_month.sum()

    def as_json(self, local: ZoneInfo) -> dict[str, Any]:
        """The keys that `--json` promises for a point."""
        counts, known = self.counts, not np.isnan(self.max_v)
        return {
            "point": self.point or None,
            "phase": self.phase or None,
            "minutes": int(counts.minutes),
            **{key: int(getattr(counts, key)) for key in COUNTED},
            **{key: float(getattr(counts, key)) for key in RATES},
            "max_v": self.max_v,
            "max_at": local_text(self.max_at_ms, local) if known else None,
            "min_v": self.min_v,
            "min_at": local_text(self.min_at_ms, local) if known else None,
        }


@dataclass(frozen=True)
class ClassRates:
    """Rates of the classes, and the points that did not enter."""

    by_class: Mapping[str, float]
    composite: CompositeRate
    excluded: tuple[str, ...]


@dataclass(frozen=True)
class LowVoltage:
    """A low-voltage customer with less than the lower limit for more than an hour."""

    point: str
    hours: float
    """Of its worst phase. [h]"""


@dataclass(frozen=True)
class Answer:
    """What the readings say about the period."""

    question: Question
    phases: tuple[PhaseMinutes, ...]
    classes_of: Mapping[str, MonitoringPoint]
    rejected: tuple[Rejection, ...]
    notes: tuple[str, ...]

    @cached_property
    def points(self) -> tuple[PointResult, ...]:
        """Each phase, and after the phases of a point all of them together."""
        edges = _month_edges(self.question)
        results: list[PointResult] = []
        for _, group in groupby(self.phases, key=lambda phase: phase.point):
            phases = [_phase_result(phase, edges, self.question.start_ms) for phase in group]
            results += phases if len(phases) == 1 else [*phases, _together(phases)]
        return tuple(results)

    @cached_property
    def class_rates(self) -> ClassRates | None:
        """Rates of the classes; None where no classes were given."""
        return _class_rates(self._whole_points(), self.classes_of) if self.classes_of else None

    @property
    def verdict(self) -> str | None:
        """PASS or FAIL of the composite against the target, unrounded (V12); None where it is undefined."""
        rates = self.class_rates
        if rates is None or np.isnan(rates.composite.pct):
            return None
        return "PASS" if rates.composite.pct >= self.question.target else "FAIL"

    @cached_property
    def low_voltage(self) -> tuple[LowVoltage, ...]:
        """Points of low-voltage supply below their lower limit for more than an hour, the worst first."""
        worst: dict[str, int] = {}
        for phase in self.phases:
            if phase.nominal_v < LOW_VOLTAGE_BELOW_V:
                worst[phase.point] = max(worst.get(phase.point, 0), phase.low_min)
        names, minutes = list(worst), list(worst.values())
        return tuple(LowVoltage(names[n], minutes[n] / 60) for n in low_voltage_list(minutes).tolist())

    def weeks(self) -> list[WeekOfPhase]:
        """EN 50160 weeks of each phase, counted from the first day of the period."""
        return [week for phase in self.phases for week in weeks_of(phase, self.question)]

    def as_json(self, *, en50160: bool = False) -> dict[str, Any]:
        """The keys that `--json` promises; NaN becomes null when it is written."""
        answer: dict[str, Any] = {"points": [point.as_json(self.question.local) for point in self.points]}
        rates = self.class_rates
        if rates is not None:
            answer |= {
                "classes": dict(rates.by_class),
                "composite_pct": rates.composite.pct,
                "composite_basis": rates.composite.basis,
                "verdict": self.verdict,
                "target": self.question.target,
                "excluded": list(rates.excluded),
            }
        if en50160:
            answer["weekly"] = [week.as_json() for week in self.weeks()]
        answer["rejected"] = [{"row": rejection.row, "reason": rejection.reason} for rejection in self.rejected]
        answer["low_voltage"] = [{"point": one.point or None, "hours": one.hours} for one in self.low_voltage]
        return answer

    def _whole_points(self) -> list[PointResult]:
        last = {result.point: result for result in self.points}
        return list(last.values())


def answer(question: Question) -> Answer:
    """Read the files and classify; raises `BadInput` where they cannot be what they claim."""
    q = question
    if q.end_ms <= q.start_ms or q.start_ms % MS_PER_MINUTE or q.end_ms % MS_PER_MINUTE:
        raise BadInput("--from and --to must be whole minutes, and --to must lie after --from")
    readings = read_readings(q.readings, q.local)
    outages = None
    if q.outages is not None:
        outages = read_outages(q.outages, q.local, open_until_ms=min(q.now_ms, q.end_ms))
    points = read_points(q.points) if q.points is not None else {}
    by_point: dict[str, list[Series]] = {}
    for series in readings.series:
        by_point.setdefault(series.point, []).append(series)
    ordered = chain.from_iterable(by_point.values())
    phases = tuple(phase_minutes(series, q, _profile(series, q, points), outages) for series in ordered)
    rejected = [*readings.rejected, *(r for phase in phases for r in phase.rejected)]
    rejected.sort(key=lambda rejection: rejection.row)
    notes = _notes(q, readings, phases, outages)
    return Answer(q, phases, points, (*rejected, *(outages.rejected if outages else ())), tuple(notes))


def _profile(series: Series, q: Question, points: Mapping[str, MonitoringPoint]) -> LimitsProfile:
    """The limits of a point: its own, or those given for all."""
    own = points.get(series.point)
    profile = power_rules().profile(own.limits) if own is not None and own.limits else q.profile
    if profile is None:
        raise BadInput(
            f"point {series.point!r} has no limits; give --limits or --lo and --hi, or name them in --points"
        )
    return replace(profile, nominal=own.nominal) if own is not None and own.nominal > 0 else profile


def _phase_result(phase: PhaseMinutes, month_edges: NDArray[np.int64], start_ms: int) -> PointResult:
    volts = phase.observed_v
    counts = count_states(phase.states, month_edges)
    if np.isnan(volts).all():
        return PointResult(phase.point, phase.phase, counts, np.nan, 0, np.nan, 0)
    high, low = int(np.nanargmax(volts)), int(np.nanargmin(volts))
    return PointResult(
        phase.point,
        phase.phase,
        counts,
        _decimal(volts[high]),
        start_ms + high * MS_PER_MINUTE,
        _decimal(volts[low]),
        start_ms + low * MS_PER_MINUTE,
    )


def _together(phases: list[PointResult]) -> PointResult:
    """A point from its phases: minutes are added, never rates."""
    known = [phase for phase in phases if not np.isnan(phase.max_v)] or phases
    high, low = max(known, key=lambda phase: phase.max_v), min(known, key=lambda phase: phase.min_v)
    return replace(
        high,
        phase=ALL_PHASES,
        by_month=reduce(add, (phase.by_month for phase in phases)),
        min_v=low.min_v,
        min_at_ms=low.min_at_ms,
    )


def _class_rates(points: list[PointResult], classes_of: Mapping[str, MonitoringPoint]) -> ClassRates:
    """The mean over points in each month, and the mean of the months."""
    least = power_rules().composite.least_coverage_pct
    by_class: dict[str, float] = {}
    for name in sorted({point.voltage_class for point in classes_of.values()} - {""}):
        members = [p.by_month for p in points if p.point in classes_of and classes_of[p.point].voltage_class == name]
        rates, coverage = (np.array([getattr(m, key) for m in members]) for key in ("pass_pct", "coverage_pct"))
        months = [class_pct(r, c, least_coverage_pct=least) for r, c in zip(rates.T, coverage.T, strict=True)]
        by_class[name] = mean_of_months_pct(months)
    groups = [(group.classes, group.weight) for group in power_rules().composite.groups]
    low = tuple(p.point for p in points if p.point in classes_of and not p.counts.coverage_pct >= least)
    absent = tuple(name for name in classes_of if name not in {p.point for p in points})
    return ClassRates(by_class, composite_rate(by_class, groups), (*low, *absent))


def _month_edges(q: Question) -> NDArray[np.int64]:
    """Index of the first minute of each calendar month of the period."""
    first = datetime.fromtimestamp(q.start_ms / 1000, q.local)
    edges, month = [0], (first.year * 12 + first.month)
    while True:
        begin = datetime(month // 12, month % 12 + 1, 1, tzinfo=q.local)
        minute = (round(begin.timestamp() * 1000) - q.start_ms) // MS_PER_MINUTE
        if minute >= q.minutes:
            return np.array(edges, dtype=np.int64)
        edges.append(minute)
        month += 1


def _notes(q: Question, readings: Readings, phases: tuple[PhaseMinutes, ...], outages: Outages | None) -> Iterator[str]:
    """What a person should know of the input, one line each."""
    yield from readings.notes
    outside = sum(int(((s.time_ms < q.start_ms) | (s.time_ms >= q.end_ms)).sum()) for s in readings.series)
    if outside:
        yield f"{outside} readings lie outside the period"
    names = {series.point for series in readings.series}
    unmatched = [name for name in outages.point if name and name not in names] if outages and "" not in names else []
    if unmatched:
        yield f"{len(unmatched)} outages name a unit that is no point of the readings, such as {unmatched[0]}"
    repeated, stuck = sum(phase.repeated for phase in phases), sum(phase.stuck for phase in phases)
    if repeated:
        yield f"{repeated} readings came again with the same time: the last one received is used"
    if stuck:
        yield f"{stuck} minutes show one value for more than 30 min: taken as a stuck sensor, not valid"


def _decimal(volt: np.float32) -> float:
    """The shortest decimal that is this float32: 254.15 for what is kept as 254.14999. [V]"""
    return float(str(volt))
