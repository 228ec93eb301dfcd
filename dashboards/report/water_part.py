"""The report's parts on drinking water, sewage and coverage, from the readings and the register."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np

from analytics.kpi.regions import assets_in
from analytics.kpi.sewage import Facility, facilities, running_points
from analytics.kpi.villages import coverage, read_villages
from analytics.kpi.water import STANDARD, WaterPoint, water_compliance, water_points
from analytics.kpi.water import WaterRow as WaterHours
from analytics.limit_files import load_limits
from dashboards.report.model import CoveragePart, FacilityRow, WaterPart, WaterRow
from dashboards.report.parts import Targets, asset_named, figure, known, share_figure
from dashboards.report.power_part import Span
from dashboards.report.sources import NotedSteps, Sources

Progress = Callable[[int, int], None]
"""Told how many points have been read, and of how many."""


class Counted:
    """Counts the points that have been read and tells a progress."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def __call__(self, point: str) -> None:
        """Note that a point has been read."""
        self._done += 1
        self._progress(self._done, self._total)


def water_parts(
    sources: Sources, span: Span, targets: Targets, progress: Progress
) -> tuple[WaterPart, tuple[FacilityRow, ...], CoveragePart]:
    """Return drinking water, sewage facilities and coverage of a region. Raises StoreError, BadInput."""
    register, assets = sources.register, assets_in(span.region, sources.register)
    last_day = date.fromisoformat(span.to_day) - timedelta(days=1)
    points = water_points(register, assets, load_limits(), last_day)
    signals = running_points(register, assets)
    counted = Counted(len(points) + sum(map(len, signals.values())), progress)
    steps = NotedSteps(sources.store, sources.digests)
    rows = water_compliance(steps, register, points, span.start_ms, span.end_ms, counted)
    timezone = sources.centre.timezone
    stations = facilities(steps, signals, span.from_day, span.to_day, timezone, counted)
    water = WaterPart(STANDARD, _works(sources, assets), _watched(points, sources), _rows(rows, sources))
    return water, tuple(_facility_row(one, sources) for one in stations), _coverage(sources, span, targets, stations)


def _rows(rows: Sequence[WaterHours], sources: Sources) -> tuple[WaterRow, ...]:
    return tuple(_water_row(row, sources) for row in rows)


def _water_row(row: WaterHours, sources: Sources) -> WaterRow:
    hours, worst = row.hours, row.points[0]
    broke = worst.hours.kept < worst.hours.valid
    return WaterRow(
        row.limit.quantity,
        row.place,
        row.works,
        known(row.limit.low),
        known(row.limit.high),
        row.limit.verified,
        hours.expected,
        hours.valid,
        figure(hours.kept_pct, *hours.bounds_pct, hours.coverage_pct),
        asset_named(worst.asset, sources.register) if broke else None,
        known(worst.hours.kept_pct) if broke else None,
    )


def _works(sources: Sources, assets: frozenset[str]) -> int:
    return sum(sources.register.assets[asset][-1].kind == "water_works" for asset in assets)


def _watched(points: Sequence[WaterPoint], sources: Sources) -> int:
    seen = {point.entry.asset for point in points}
    return sum(sources.register.assets[asset][-1].kind == "water_works" for asset in seen)


def _facility_row(one: Facility, sources: Sources) -> FacilityRow:
    days, ran, unknown = np.sum([(m.days, m.ran, m.unknown) for m in one.months], axis=0).tolist()
    return FacilityRow(asset_named(one.asset, sources.register), days, ran, unknown, one.runs, one.has_signals)


def _coverage(sources: Sources, span: Span, targets: Targets, stations: Sequence[Facility]) -> CoveragePart:
    villages = read_villages(sources.register_folder, sources.register, sources.centre.timezone)
    found = coverage(villages, sources.register, span.region, {one.asset: one.runs for one in stations})
    return CoveragePart(
        found.villages,
        found.stated,
        found.as_of,
        share_figure(found.tap_water, targets.get("tap_water")),
        share_figure(found.sewage, targets.get("sewage")),
        share_figure(found.sewage_waterside, targets.get("sewage_waterside")),
    )
