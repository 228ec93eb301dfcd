"""Readings as files: the form, the files themselves, and how far each has come."""

import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from dashboards.console.guard import ThisConsole
from dashboards.console.render import fragment, page
from dashboards.console.views.export import MOST_POINTS, Format, wanted_of
from dashboards.console.views.export_files import MEDIA_TYPES, file_of
from dashboards.console.views.points_span import local_day, parse_day
from ingest.days import day_bounds

router = APIRouter()

Words = Annotated[str, Query(max_length=30_000)]
Job = Annotated[str, Query(pattern=r"^[\w-]{0,40}$")]


@router.get("/export")
def form(request: Request, console: ThisConsole, points: Words = "") -> Response:
    """Ask which points, which days, which form."""
    today = local_day(console.now_ms(), console.centre.timezone)
    first = (parse_day(today) - timedelta(days=30)).isoformat()
    job = secrets.token_urlsafe(9)
    return page(
        request, "export.html", "export.title", points=points, first=first, today=today, job=job, most=MOST_POINTS
    )


@router.get("/export/readings.{form}")
def readings(
    console: ThisConsole, form: Format, points: Words = "", first: str = "", last: str = "", job: Job = ""
) -> Response:
    """Send every reading of some points from the first to the last local day."""
    zone = console.centre.timezone
    start_ms = day_bounds(parse_day(first).isoformat(), zone)[0]
    wanted = wanted_of(points.split(), start_ms, day_bounds(parse_day(last).isoformat(), zone)[1])
    headers = {"Content-Disposition": f'attachment; filename="readings-{first}-{last}.{form}"'}
    return StreamingResponse(file_of(console, wanted, form, job=job), headers=headers, media_type=MEDIA_TYPES[form])


@router.get("/export/progress/{job}")
def progress(request: Request, console: ThisConsole, job: str) -> Response:
    """Say how far an export has come; what is said asks again until it is done."""
    return fragment(request, "export_progress.html", job=job, progress=console.exports.get(job))
