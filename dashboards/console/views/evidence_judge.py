"""A person's word on an interruption or on a time that nobody knew: checked, kept for good, and noted in the audit."""

from dataclasses import dataclass
from datetime import datetime
from typing import get_args
from zoneinfo import ZoneInfo

from analytics.kpi.database import Judgement, Verdict
from dashboards.console.database import Deed
from dashboards.console.errors import Unusable
from dashboards.console.site import Console
from dashboards.console.views.evidence_find import find_subject, judgements_of

LONGEST_WHY = 500
FARTHEST_MS = 7 * 86_400_000
"""A corrected time lies this close to what was inferred. [ms]"""


@dataclass(frozen=True)
class Word:
    """What a form or a program says."""

    verdict: str
    """confirm, correct or reject."""
    why: str
    start: str
    """correct: when it really began, in local time, such as 2026-05-29T04:26."""
    end: str
    seen: int
    """How many judgements of it the person had seen: nobody speaks over a word that came in between."""


def judge(console: Console, address: str, who: str, word: Word) -> Judgement:
    """Keep what a person says; the next roll-up brings it into the numbers. Raises NotFound, Unusable or StoreError."""
    subject = find_subject(console, address)
    if len(judgements_of(console.published(), subject)) != word.seen:
        raise Unusable("somebody else has decided on this meanwhile: look at it again")
    verdict = _verdict(word.verdict)
    why = " ".join(word.why.split())
    if not why or len(why) > LONGEST_WHY:
        raise Unusable(f"a decision needs a reason of up to {LONGEST_WHY} characters")
    true = _corrected(word, subject.span_ms, console) if verdict == "correct" else subject.span_ms
    judgement = Judgement(subject.asset, verdict, *subject.span_ms, *true, who, console.now_ms(), why)
    console.kpi.judge(judgement)
    console.database.note(Deed(console.wall.now_ms(), who, f"{verdict} interruption", address, why))
    return judgement


def _verdict(word: str) -> Verdict:
    verdicts: tuple[Verdict, ...] = get_args(Verdict)
    found = next((verdict for verdict in verdicts if verdict == word), None)
    if found is None:
        raise Unusable(f"{word[:20]!r}: a decision is confirm, correct or reject")
    return found


def _corrected(word: Word, was_ms: tuple[int, int], console: Console) -> tuple[int, int]:
    start_ms, end_ms = (_instant(text, console.zone) for text in (word.start, word.end))
    if end_ms <= start_ms:
        raise Unusable("the end must lie after the start")
    if end_ms > console.now_ms():
        raise Unusable("the end lies in the future")
    if start_ms < was_ms[0] - FARTHEST_MS or end_ms > was_ms[1] + FARTHEST_MS:
        raise Unusable("the corrected time lies more than 7 days away from the inferred one")
    return start_ms, end_ms


def _instant(text: str, zone: ZoneInfo) -> int:
    try:
        return int(datetime.fromisoformat(text.strip()).replace(tzinfo=zone).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise Unusable(f"{text[:30]!r}: write a time as 2026-05-29T04:26") from error
