"""Jobs of crews, inspections, and what the register lacks."""

from dataclasses import dataclass

from fastapi import APIRouter

from analytics.alarms.work import WorkState
from dashboards.console.guard import Actor, ThisConsole
from dashboards.console.pages.alarm import within
from dashboards.console.views import work_acts
from dashboards.console.views.work import Job, WorkPage, job, work_page

router = APIRouter(tags=["work"])


@dataclass(frozen=True)
class Move:
    """Where a job shall go."""

    state: WorkState
    note: str = ""


@router.get("/jobs")
def work(console: ThisConsole, all: bool = False) -> WorkPage:  # noqa: A002 - in the address
    """The open jobs, or all of them, and what is due by the register."""
    now_ms = console.now_ms()
    return work_page(console.alarms(), console.register, console.centre.timezone, closed_too=all, now_ms=now_ms)


@router.get("/jobs/{number}")
def one_job(console: ThisConsole, number: int) -> Job:
    """One job with its steps and clocks."""
    return job(console.alarms(), console.register, within(number), now_ms=console.now_ms())


@router.post("/jobs/{number}/move")
def move(console: ThisConsole, caller: Actor, number: int, asked: Move) -> Job:
    """Move a job to its next state."""
    work_acts.move(console.alarms(), within(number), asked.state, caller.name, asked.note, now_ms=console.now_ms())
    return one_job(console, number)


@router.post("/alarms/{number}/work-order")
def draft(console: ThisConsole, caller: Actor, number: int) -> Job:
    """The job of an occurrence, drafted now if there is none yet."""
    found = work_acts.order_for(console.alarms(), within(number), caller.name, now_ms=console.now_ms())
    return one_job(console, found)


@router.post("/inspections/{asset:path}", status_code=204)
def inspected(console: ThisConsole, caller: Actor, asset: str) -> None:
    """Note that an asset has been inspected now."""
    work_acts.note_inspected(console.alarms(), console.register, asset, caller.name, now_ms=console.now_ms())
