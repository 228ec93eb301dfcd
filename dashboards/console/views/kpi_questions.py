"""What would decide an undecided month, each question with the address of its evidence."""

from dataclasses import dataclass

from analytics.kpi.deciding import Deciding, Question, deciding
from analytics.kpi.ledger import LedgerEvent
from dashboards.console.views.kpi_asked import Asked
from dashboards.console.views.kpi_bounds import Bounds
from dashboards.console.views.kpi_events import Place, day_id, event_id, place_of
from ingest.days import day_bounds

SHOWN = 3


@dataclass(frozen=True)
class QuestionRow:
    """An answer that would move the bounds."""

    id: str
    """Address of its evidence."""
    place: Place
    day: str
    units: int
    unresolved_h: float
    """[customer-hours]"""
    if_supplied: Bounds
    if_out: Bounds


def ask_what_decides(asked: Asked) -> Deciding:
    """Return the questions of the month. Raises StoreError."""
    target_pct = asked.targets["reliability"].value_pct
    return deciding(asked.days, asked.weights, asked.rs, target_pct, asked.published.register)


def question_rows(asked: Asked, found: Deciding) -> tuple[QuestionRow, ...]:
    """Return the heaviest questions."""
    return tuple(_row(asked, question) for question in found.questions[:SHOWN])


def _row(asked: Asked, question: Question) -> QuestionRow:
    return QuestionRow(
        id=_address(asked, question),
        place=place_of(question.asset, asked.published.register),
        day=question.day,
        units=len(question.units),
        unresolved_h=question.unresolved_h,
        if_supplied=asked.bounds(question.if_supplied),
        if_out=asked.bounds(question.if_out),
    )


def _address(asked: Asked, question: Question) -> str:
    """The vaguest interruption of these units on the day, else the asset's day as a whole."""
    start_ms, end_ms = day_bounds(question.day, asked.console.centre.timezone)
    touching = [e for e in asked.events if e.start_ms < end_ms and e.end_ms > start_ms and _takes(e, question)]
    if not touching:
        return day_id(question.asset, question.day)
    vaguest = max(touching, key=lambda event: (event.evidence == "silence", event.start_error_ms + event.end_error_ms))
    return event_id(vaguest.asset, vaguest.start_ms, asked.console.zone)


def _takes(event: LedgerEvent, question: Question) -> bool:
    return any(row.asset in question.units for row in event.rows)
