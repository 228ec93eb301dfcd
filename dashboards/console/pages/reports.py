"""`/reports`: the reports that are kept, as pages and workbooks, and making one."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from dashboards.console.database import Deed
from dashboards.console.guard import Operator, ThisConsole
from dashboards.console.render import fragment, page
from dashboards.console.views.reports import check_wanted, make_and_keep, report_file, reports_page
from dashboards.report.kept import Format
from dashboards.report.words import Language

router = APIRouter()

Job = Annotated[str, Query(pattern=r"^[\w-]{0,40}$")]
Short = Annotated[str, Form(max_length=100)]
MEDIA_TYPES: dict[Format, str] = {
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
PAPER = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox"
)
"""A report brings its own style and nothing else: whatever stood in it could run nothing."""


@router.get("/reports")
def show(request: Request, console: ThisConsole, job: Job = "") -> Response:
    """List the reports that are kept; with a job, how far it has come."""
    shown = reports_page(console.data_dir, console.register, console.centre.timezone, now_ms=console.now_ms())
    return page(request, "reports.html", "reports.title", shown=shown, word=job, job=console.reports.get(job))


@router.post("/reports")
def make(console: ThisConsole, user: Operator, region: Short, period: Short) -> Response:
    """Begin to make a report."""
    wanted, now_ms = check_wanted(console.register, region, period), console.now_ms()
    word = console.reports.start(
        lambda told: make_and_keep(console.centre, console.sums, region, wanted, user.name, told, now_ms=now_ms)
    )
    console.database.note(Deed(console.wall.now_ms(), user.name, "make report", region, wanted.name))
    return RedirectResponse(f"/reports?job={word}", 303)


@router.get("/reports/kept")
def show_kept(request: Request, console: ThisConsole) -> Response:
    """List the reports that are kept, for the page on which one has become whole."""
    shown = reports_page(console.data_dir, console.register, console.centre.timezone, now_ms=console.now_ms())
    return fragment(request, "_reports_kept.html", shown=shown)


@router.get("/reports/progress/{word}")
def progress(request: Request, console: ThisConsole, word: str) -> Response:
    """Say how far a report has come; what is said asks again until it is whole."""
    return fragment(request, "_reports_job.html", word=word, job=console.reports.get(word))


@router.get("/reports/{report_id}/report.{language}.{form}")
def file(console: ThisConsole, report_id: str, language: Language, form: Format) -> Response:
    """Send a file of a kept report: the page to be read and printed, the workbook to be saved."""
    content = report_file(console.data_dir, report_id, language, form)
    name = f"{report_id}.{language}.{form}"
    headers = {"Content-Disposition": f'{"inline" if form == "html" else "attachment"}; filename="{name}"'}
    if form == "html":
        headers["Content-Security-Policy"] = PAPER
    return Response(content, headers=headers, media_type=MEDIA_TYPES[form])
