"""Reports as the console shows them: those that are kept, what may be asked for, and making one."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from analytics.kpi.periods import Period, read_period
from analytics.kpi.published import KeptSums
from dashboards.console.errors import NotFound
from dashboards.console.views.reports_jobs import Told
from dashboards.report import kept
from dashboards.report.figures import check_region, make_report
from dashboards.report.model import Report
from dashboards.report.sources import open_sources
from dashboards.report.words import Language
from edge.errors import BadInput
from ingest.config import Centre
from ingest.register import Register

LEVELS = ("banner", "league", "sumu")
"""Those that reports are made for; the gachas would be too many to choose from."""
SHOWN = 100
QUARTERS, MONTHS, YEARS = 6, 12, 2


@dataclass(frozen=True)
class ReportRow:
    """One kept report."""

    id: str
    region: dict[str, str]
    """Language → name."""
    period: str
    made_ms: int
    made_by: str


@dataclass(frozen=True)
class RegionChoice:
    """A region that a report may be asked for."""

    code: str
    name: dict[str, str]
    level: str


@dataclass(frozen=True)
class ReportsPage:
    """The page of reports."""

    rows: tuple[ReportRow, ...]
    total: int
    """Kept, shown or not."""
    regions: tuple[RegionChoice, ...]
    periods: tuple[str, ...]


def reports_page(data_dir: Path, register: Register, timezone: str, *, now_ms: int) -> ReportsPage:
    """Return the kept reports, the newest first, and what may be asked for."""
    rows = report_rows(data_dir)
    regions = [
        RegionChoice(one.code, {"en": one.name, "zh": one.name_zh or one.name}, one.level)
        for level in LEVELS
        for one in sorted(register.regions.values(), key=lambda region: region.code)
        if one.level == level
    ]
    return ReportsPage(tuple(rows[:SHOWN]), len(rows), tuple(regions), period_choices(now_ms, timezone))


def report_rows(data_dir: Path) -> list[ReportRow]:
    """Return every kept report, the newest first."""
    return [
        ReportRow(one.id, {"en": one.region_name, "zh": one.region_name_zh}, one.period, one.made_ms, one.made_by)
        for one in kept.manifests(data_dir)
    ]


def period_choices(now_ms: int, timezone: str) -> tuple[str, ...]:
    """Return the last quarters, months and years that have begun, the newest of each first.

    >>> period_choices(1743642000000, "Asia/Shanghai")[:3]
    ('2025Q2', '2025Q1', '2024Q4')
    """
    today = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(timezone)).date()
    month, quarter = today.year * 12 + today.month - 1, today.year * 4 + (today.month - 1) // 3
    quarters = [f"{(quarter - ago) // 4}Q{(quarter - ago) % 4 + 1}" for ago in range(QUARTERS)]
    months = [f"{(month - ago) // 12}-{(month - ago) % 12 + 1:02d}" for ago in range(MONTHS)]
    return (*quarters, *months, *(str(today.year - ago) for ago in range(YEARS)))


def check_wanted(register: Register, region: str, period: str) -> Period:
    """Return the period that was asked for. Raises NotFound or BadInput."""
    try:
        check_region(region, register)
    except BadInput as error:
        raise NotFound(region) from error
    return read_period(period)


def make_and_keep(
    centre: Centre, sums: KeptSums, region: str, period: Period, made_by: str, told: Told, *, now_ms: int
) -> str:
    """Make a report and keep it; return its id. Raises SteppeError where a source cannot be read."""
    with open_sources(centre, sums) as sources:
        report = make_report(sources, region, period, now_ms=now_ms, progress=told)
    return kept.keep(report, Path(centre.data_dir), made_by=made_by).id


def report_file(data_dir: Path, report_id: str, language: Language, form: kept.Format) -> bytes:
    """Return one of a kept report's files. Raises NotFound."""
    try:
        return kept.kept_file(data_dir, report_id, language, form)
    except BadInput as error:
        raise NotFound(report_id) from error


def report_figures(data_dir: Path, report_id: str) -> Report:
    """Return a kept report's figures. Raises NotFound."""
    try:
        return kept.kept_report(data_dir, report_id)
    except BadInput as error:
        raise NotFound(report_id) from error
