"""The report's parts on supply and voltage, from the published numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from analytics.kpi.causes import Cause, CauseShare, by_cause, hours_by_unit
from analytics.kpi.database import InterruptionRow
from analytics.kpi.day_sums import UnitSums, days_between
from analytics.kpi.published import unit_hours
from analytics.kpi.regions import assets_in
from analytics.kpi.rollup import NATURE_SUMS, UnitHours, numbers_of_units
from analytics.kpi.voltage_rollup import ClassRate, PointRate, VoltageCompliance, bound_pct
from analytics.voltage import MinuteCounts
from dashboards.report.model import (
    CauseRow,
    DayOutage,
    Figure,
    Named,
    SupplyPart,
    SupplyRow,
    VoltagePart,
    VoltagePoint,
    VoltageRow,
)
from dashboards.report.parts import Targets, asset_named, figure, known, region_named, rs_figure
from dashboards.report.sources import Sources
from ingest.days import day_bounds

MS_PER_H = 3_600_000
CARRIED_IN_DAYS = 31
"""Interruptions that began so long before the period may still last in it. [days]"""
WORST_POINTS = 10


@dataclass(frozen=True)
class Span:
    """A region over some days."""

    region: str
    from_day: str
    to_day: str
    start_ms: int
    end_ms: int


def span_of(region: str, from_day: str, to_day: str, timezone: str) -> Span:
    """Return a region over from_day <= day < to_day."""
    return Span(region, from_day, to_day, day_bounds(from_day, timezone)[0], day_bounds(to_day, timezone)[0])


def supply_part(sources: Sources, span: Span, targets: Targets) -> tuple[SupplyPart, int]:
    """Return the supply of a region and its parts, and how many of the days are computed. Raises StoreError."""
    published, target = sources.published, targets.get("reliability")
    whole = published.sums(span.region, span.from_day, span.to_day)
    by_day = published.sums_by_day(span.region, span.from_day, span.to_day)
    computed = sum(bool(sums.subjects) for sums in by_day.values())
    rows = _interruptions(sources, span)
    _note(sources, by_day, rows)
    units, numbers = unit_hours(whole), numbers_of_units(whole.subjects, whole.columns)
    upstream = hours_by_unit(rows, (Cause.UPSTREAM,), sources.register, span.start_ms, span.end_ms)
    limit = dict(zip(whole.subjects, (whole.columns["limit_ms"] / MS_PER_H).tolist(), strict=True))
    days = tuple(DayOutage(day, _out_h(by_day.get(day))) for day in days_between(span.from_day, span.to_day))
    period_h = 24.0 * computed
    return SupplyPart(
        period_h=period_h,
        whole=_supply_row(region_named(span.region, sources.register), units, period_h, targets),
        parts=tuple(
            _supply_row(region_named(code, sources.register), unit_hours(sums), period_h, targets)
            for code, sums in published.sums_of_parts(span.region, span.from_day, span.to_day).items()
        ),
        rs2=rs_figure(units.rs(units.transformer, upstream), target),
        rs3=rs_figure(units.rs(units.transformer, limit), target),
        interruptions=numbers.interruptions,
        covered_units_pct=known(100 * numbers.covered_units),
        edges_are_uncertain=bool(numbers.edges_are_uncertain),
        out_h=sum(day.h or 0.0 for day in days),
        allowed_h=None if target is None else numbers.rs_mv.customer_h * (1 - target.value_pct / 100),
        days=days,
        causes=tuple(map(_cause_row, by_cause(rows, sources.register, span.start_ms, span.end_ms))),
    ), computed


def voltage_part(sources: Sources, span: Span, targets: Targets) -> VoltagePart:
    """Return the voltage compliance of a region. Raises StoreError."""
    found = sources.published.voltage(span.region, span.from_day, span.to_day)
    sources.digests.note("voltage", *(point for point in found.points))
    worst = [point for point in found.points if point.enters and float(point.counts.pass_pct) < 100]
    return VoltagePart(
        classes=tuple(map(_class_row, found.classes)),
        composite=_composite(found, targets),
        basis=found.composite.basis,
        worst=tuple(_point_row(point, sources) for point in worst[:WORST_POINTS]),
        excluded=tuple(_point_row(point, sources) for point in found.points if not point.enters),
    )


def _composite(found: VoltageCompliance, targets: Targets) -> Figure:
    target = targets.get("composite_voltage")
    return figure(found.composite.pct, found.low_pct, found.high_pct, found.coverage_pct, target)


def _class_row(rate: ClassRate) -> VoltageRow:
    counts = rate.counts
    return VoltageRow(
        rate.voltage_class,
        rate.points,
        rate.entering,
        figure(rate.pct, rate.low_pct, rate.high_pct, float(counts.coverage_pct)),
        known(float(counts.over_pct)),
        known(float(counts.under_pct)),
    )


def _point_row(point: PointRate, sources: Sources) -> VoltagePoint:
    counts: MinuteCounts = point.counts
    low, high = (float(bound_pct(counts, missing_are_good=good)) for good in (False, True))
    return VoltagePoint(
        point.name,
        asset_named(point.asset, sources.register),
        point.voltage_class,
        figure(float(counts.pass_pct), low, high, float(counts.coverage_pct)),
        known(float(counts.over_pct)),
        known(float(counts.under_pct)),
    )


def _supply_row(region: Named, units: UnitHours, period_h: float, targets: Targets) -> SupplyRow:
    target = targets.get("reliability")
    rs_mv, rs_lv = units.rs(units.transformer), units.rs(units.customers)
    out_pct = 100 - rs_mv.point_pct
    return SupplyRow(
        region,
        transformers=rs_mv.customer_h / period_h if period_h else None,
        customers=rs_lv.customer_h / period_h if period_h else None,
        h_per_transformer=known(out_pct / 100 * period_h),
        rs1=rs_figure(rs_mv, target),
        rs1_lv=rs_figure(rs_lv, target),
    )


def _interruptions(sources: Sources, span: Span) -> list[InterruptionRow]:
    first = (date.fromisoformat(span.from_day) - timedelta(days=CARRIED_IN_DAYS)).isoformat()
    inside = assets_in(span.region, sources.register)
    events = sources.published.events(span.region, first, span.to_day)
    return [row for event in events for row in event.rows if row.asset in inside]


def _out_h(sums: UnitSums | None) -> float | None:
    """What transformers of a day were without supply; None where the day is not computed. [h]"""
    if sums is None or not sums.subjects:
        return None
    weight = sums.columns["transformer_ms"] / np.maximum(sums.columns["in_service_ms"], 1)
    return float(sum(sums.columns[name] @ weight for name in NATURE_SUMS)) / MS_PER_H


def _cause_row(share: CauseShare) -> CauseRow:
    return CauseRow(
        share.cause.value,
        share.events,
        share.interruptions,
        share.transformer_h,
        share.transformer_error_h,
        share.customer_h,
        share.customer_error_h,
    )


def _note(sources: Sources, by_day: dict[str, UnitSums], rows: Sequence[InterruptionRow]) -> None:
    for day, sums in sorted(by_day.items()):
        order = np.argsort(np.asarray(sums.subjects, dtype=str), kind="stable")
        sources.digests.note("supply", day, sorted(sums.subjects))
        sources.digests.note("supply", *(column[order] for _, column in sorted(sums.columns.items())))
    sources.digests.note("interruptions", *rows)
