"""The readings behind one interruption or unknown time, and a person's word on it."""

from dataclasses import dataclass

from fastapi import APIRouter

from analytics.kpi.database import Judgement, Verdict
from dashboards.console.guard import Judge, ThisConsole
from dashboards.console.views.evidence import Evidence, read_evidence
from dashboards.console.views.evidence_judge import Word, judge

router = APIRouter(tags=["kpi"])


@dataclass(frozen=True)
class Decision:
    """What a person says."""

    verdict: Verdict
    why: str
    seen: int
    """How many judgements of it were there when the person looked: `len(judgements)` of its evidence."""
    start: str = ""
    """correct: when it really began and ended, in local time, such as 2026-05-29T04:26."""
    end: str = ""


@router.get("/evidence/{address:path}")
def one_evidence(console: ThisConsole, address: str) -> Evidence:
    """Who saw what, why we say so, what it counts, and what people said."""
    return read_evidence(console, address)


@router.post("/evidence/{address:path}", status_code=201)
def decide(console: ThisConsole, caller: Judge, address: str, decision: Decision) -> Judgement:
    """Confirm, correct or reject it, with a reason; the next roll-up brings it into the numbers."""
    word = Word(decision.verdict, decision.why, decision.start, decision.end, decision.seen)
    return judge(console, address, caller.name, word)
