"""`/jobs`: jobs of crews, inspections, and what the register lacks."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from dashboards.console.guard import Crew, ThisConsole
from dashboards.console.pages.alarm import within
from dashboards.console.render import page
from dashboards.console.views import work_acts
from dashboards.console.views.work import job, work_page

router = APIRouter()

Text = Annotated[str, Form(max_length=2000)]
FIRST_DUES, MOST_DUES = 60, 20_000


@router.get("/jobs")
def show_work(
    request: Request,
    console: ThisConsole,
    all: bool = False,  # noqa: A002 - in the address
    rows: Annotated[int, Query(ge=1, le=MOST_DUES)] = FIRST_DUES,
) -> Response:
    """Show the open jobs, or all, and what is due."""
    now_ms, timezone = console.now_ms(), console.centre.timezone
    shown = work_page(console.alarms(), console.register, timezone, closed_too=all, now_ms=now_ms)
    return page(request, "work.html", "work.title", shown=shown, closed_too=all, rows=rows, most=MOST_DUES)


@router.get("/jobs/{number:int}")
def show_job(request: Request, console: ThisConsole, number: int) -> Response:
    """Show one job."""
    shown = job(console.alarms(), console.register, within(number), now_ms=console.now_ms())
    return page(request, "work_order.html", "work.order", shown=shown)


@router.post("/jobs/{number:int}/move")
def move(
    console: ThisConsole, user: Crew, number: int, state: Annotated[str, Form(max_length=40)], note: Text = ""
) -> Response:
    """Move a job to its next state."""
    work_acts.move(console.alarms(), within(number), state, user.name, note, now_ms=console.now_ms())
    return RedirectResponse(f"/jobs/{number}", 303)


@router.post("/jobs/for/{occurrence:int}")
def draft(console: ThisConsole, user: Crew, occurrence: int) -> Response:
    """Draft a job for an alarm; where there is one already, go to it."""
    number = work_acts.order_for(console.alarms(), within(occurrence), user.name, now_ms=console.now_ms())
    return RedirectResponse(f"/jobs/{number}", 303)


@router.post("/jobs/inspected")
def inspected(console: ThisConsole, user: Crew, asset: Annotated[str, Form(max_length=200)]) -> Response:
    """Note that an asset has been inspected."""
    work_acts.note_inspected(console.alarms(), console.register, asset, user.name, now_ms=console.now_ms())
    return RedirectResponse("/jobs", 303)
