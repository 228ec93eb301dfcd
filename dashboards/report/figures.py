"""Gather a report: every figure of a region and period, from the published numbers, readings, alarms and register."""

import importlib.metadata
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.kpi.periods import Period
from analytics.kpi.targets import targets_for
from dashboards.report.model import Named, Report, TargetRow
from dashboards.report.parts import Targets, region_named
from dashboards.report.power_part import span_of, supply_part, voltage_part
from dashboards.report.sources import Sources
from dashboards.report.upkeep_part import alarm_part, delivery_part, upkeep_part
from dashboards.report.water_part import water_parts
from edge.errors import BadInput
from ingest.register import Register

Progress = Callable[[str, int, int], None]
"""Told what is being read, how much of it is done, and of how much."""


def unheard(what: str, done: int, total: int) -> None:
    """Tell nobody of the progress."""


def make_report(sources: Sources, region: str, period: Period, *, now_ms: int, progress: Progress = unheard) -> Report:
    """Return the report of a region.

    Raises BadInput for a region that the register does not know or a period of which no day is over, StoreError,
    AlarmDatabaseError or JournalError where one of its sources cannot be read.
    """
    timezone = sources.centre.timezone
    check_region(region, sources.register)
    until_day = _until(period, now_ms, timezone)
    span = span_of(region, period.from_day, until_day, timezone)
    targets = targets_for(period.year, sources.register_folder, timezone)
    progress("supply", 0, 1)
    supply, days_computed = supply_part(sources, span, targets)
    voltage = voltage_part(sources, span, targets)
    progress("supply", 1, 1)
    water, sewage, coverage = water_parts(sources, span, targets, lambda done, of: progress("readings", done, of))
    return Report(
        version=importlib.metadata.version("steppe"),
        region=region_named(region, sources.register),
        to=_to(region, sources.register),
        period=period,
        until_day=until_day,
        timezone=timezone,
        made_ms=now_ms,
        days_computed=days_computed,
        supply=supply,
        voltage=voltage,
        water=water,
        sewage=sewage,
        coverage=coverage,
        alarms=alarm_part(sources, span),
        delivery=delivery_part(sources, span),
        upkeep=upkeep_part(sources, span, now_ms),
        targets=_target_rows(targets),
        inputs=sources.digests.inputs(),
    )


def check_region(region: str, register: Register) -> None:
    """Raise BadInput where the register does not know a region."""
    if region not in register.regions:
        some = ", ".join(f"{code} {one.name}" for code, one in list(register.regions.items())[:5])
        raise BadInput(f"region {region!r}: not in regions.csv. Take a code from it, such as {some}")


def _until(period: Period, now_ms: int, timezone: str) -> str:
    """The day after the last of the period that is over."""
    today = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(timezone)).date().isoformat()
    if period.from_day > today:
        raise BadInput(f"period {period.name}: it begins on {period.from_day}, in the future. Take an earlier one")
    if period.from_day == today:
        raise BadInput(f"period {period.name}: it began today; the first report is for its first whole day, tomorrow")
    return min(period.to_day, today)


def _to(region: str, register: Register) -> Named | None:
    parent = register.regions[region].parent
    return None if parent is None else region_named(parent, register)


def _target_rows(targets: Targets) -> tuple[TargetRow, ...]:
    return tuple(
        TargetRow(row.indicator, row.year, row.value_pct, row.source, row.verified)
        for _, row in sorted(targets.items())
    )
