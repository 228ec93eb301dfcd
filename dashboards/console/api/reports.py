"""Kept reports: the list, and the figures of each, every number unrounded."""

from fastapi import APIRouter

from dashboards.console.guard import ThisConsole
from dashboards.console.views.reports import ReportRow, report_figures, report_rows
from dashboards.report.model import Report

router = APIRouter(tags=["reports"])


@router.get("/reports")
def reports(console: ThisConsole) -> tuple[ReportRow, ...]:
    """Every kept report, the newest first."""
    return tuple(report_rows(console.data_dir))


@router.get("/reports/{report_id}")
def report(console: ThisConsole, report_id: str) -> Report:
    """The figures of one kept report."""
    return report_figures(console.data_dir, report_id)
