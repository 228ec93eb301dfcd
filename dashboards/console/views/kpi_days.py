"""What used up the allowance: day by day, and by what was cut off."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from analytics.kpi.causes import CauseShare, by_cause
from analytics.kpi.day_sums import days_between
from analytics.kpi.ledger import Level, Span
from dashboards.console.views.kpi_asked import Asked

MS_PER_H = 3_600_000
UNSEEN = "unseen"


@dataclass(frozen=True)
class DayLoss:
    """What one day cost."""

    day: str
    certain_h: float
    """[customer-hours]"""
    possible_h: float
    """What may come on top of it. [customer-hours]"""
    is_known: bool
    """False where nothing was published of the day."""

    @property
    def top_h(self) -> float:
        """What it may have cost at most. [customer-hours]"""
        return self.certain_h + self.possible_h


@dataclass(frozen=True)
class CauseRow:
    """What one cause cost."""

    cause: str
    """`analytics.kpi.causes.Cause`, or `unseen` for what nobody observed."""
    hours: Span
    """[customer-hours]"""
    events: int


def day_losses(asked: Asked) -> tuple[DayLoss, ...]:
    """Return every day of the calendar month."""
    first = date.fromisoformat(asked.month.from_day)
    following = (first + timedelta(days=31)).replace(day=1)
    return tuple(_day(asked, day) for day in days_between(first.isoformat(), following.isoformat()))


def cause_rows(asked: Asked, unresolved_h: float) -> tuple[CauseRow, ...]:
    """Return the causes, the longest outage first, and at the end what nobody observed. [customer-hours]"""
    shares = by_cause(asked.rows, asked.published.register, asked.month.start_ms, asked.month.end_ms)
    rows = [_cause(share, asked.level) for share in shares]
    unseen = [CauseRow(UNSEEN, Span(0.0, 0.0, unresolved_h), 0)] if unresolved_h > 0 else []
    return (*sorted((row for row in rows if row.hours.point > 0), key=lambda row: -row.hours.point), *unseen)


def _day(asked: Asked, day: str) -> DayLoss:
    sums = asked.days.get(day)
    if sums is None:
        return DayLoss(day, 0.0, 0.0, is_known=False)
    weight = np.asarray([asked.weights.get(subject, 0.0) for subject in sums.subjects])
    least_h, most_h = (float(weight @ sums.columns[name]) / MS_PER_H for name in ("least_ms", "most_ms"))
    return DayLoss(day, least_h, most_h - least_h, is_known=True)


def _cause(share: CauseShare, level: Level) -> CauseRow:
    hours, error = share.customer_h, share.customer_error_h
    if level == "mv":
        hours, error = share.transformer_h, share.transformer_error_h
    return CauseRow(share.cause.value, Span(max(hours - error, 0.0), hours, hours + error), share.events)
