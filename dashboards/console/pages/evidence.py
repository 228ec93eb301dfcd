"""`/evidence/ID`: the readings behind one interruption or unknown time, and a person's word on it."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from dashboards.console.guard import Operator, ThisConsole
from dashboards.console.render import page
from dashboards.console.views.evidence import read_evidence
from dashboards.console.views.evidence_judge import Word, judge

router = APIRouter()

Text = Annotated[str, Form(max_length=600)]


@router.get("/evidence/{address:path}")
def show_evidence(request: Request, console: ThisConsole, address: str, kept: bool = False) -> Response:
    """Show who saw what, why we say so, and what people said."""
    return page(request, "evidence.html", "evidence.title", it=read_evidence(console, address), kept=kept)


@router.post("/evidence/{address:path}")
def decide(
    console: ThisConsole,
    user: Operator,
    address: str,
    verdict: Text,
    why: Text = "",
    start: Text = "",
    end: Text = "",
    seen: Annotated[int, Form(ge=0, le=100_000)] = 0,
) -> Response:
    """Keep a person's word, and show the evidence again."""
    judge(console, address, user.name, Word(verdict, why, start, end, seen))
    return RedirectResponse(f"/evidence/{quote(address)}?kept=1", 303)
