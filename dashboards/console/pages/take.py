"""`/take/WORD`: the link in a notice. Looking at it takes nothing, since robots that preview links look too."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from analytics.alarms.links import LinkRefused
from dashboards.console.guard import ThisConsole
from dashboards.console.render import page
from dashboards.console.views import take

open_router = APIRouter()

Word = Annotated[str, Path(max_length=600)]


@open_router.get("/take/{word}")
def show_offer(request: Request, console: ThisConsole, word: Word) -> Response:
    """Show what the link stands for, and the button."""
    try:
        offer = take.offer(console.alarms(), console.planner(), word, now_ms=console.now_ms())
    except LinkRefused:
        return _refused(request)
    return page(request, "take.html", "take.title", offer=offer, word=word, refused="")


@open_router.post("/take/{word}")
def take_it(request: Request, console: ThisConsole, word: Word) -> Response:
    """Acknowledge what the link stands for."""
    try:
        offer = take.take(console.alarms(), console.planner(), word, now_ms=console.now_ms())
    except LinkRefused:
        return _refused(request)
    answer = offer.answer
    status = 200 if answer is None or answer.stands else 409
    return page(request, "take.html", "take.title", status=status, offer=offer, word=word, refused="")


def _refused(request: Request) -> Response:
    return page(request, "take.html", "take.title", status=403, offer=None, word="", refused="refused")
