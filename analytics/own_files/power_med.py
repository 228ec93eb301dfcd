"""`steppe power med`: the threshold of major event days from a file of daily SAIDI."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.major_events import MS_PER_DAY, MajorEventThreshold, major_days, major_event_threshold
from analytics.own_files.tables import Mask, Rejection, read_table
from edge.errors import BadInput

UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Question:
    """What is asked of daily SAIDI."""

    daily: Path
    years: int
    judge: int | None
    """The year whose days are judged by the years before it; None judges the days that set the threshold."""
    least_days: int


@dataclass(frozen=True)
class Answer:
    """The threshold and the days above it."""

    question: Question
    threshold: MajorEventThreshold
    major: tuple[tuple[date, float], ...]
    """Days above the threshold with their SAIDI. [min]"""
    rejected: tuple[Rejection, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The keys that `--json` promises; NaN becomes null when it is written."""
        threshold = {key: getattr(self.threshold, key) for key in ("alpha", "beta", "t_med", "days_used", "zero_days")}
        return {
            **threshold,
            "major_days": [day.isoformat() for day, _ in self.major],
            "rejected": [{"row": rejection.row, "reason": rejection.reason} for rejection in self.rejected],
        }


def answer(question: Question) -> Answer:
    """Read the file and compute; raises `BadInput` where it cannot be what it claims."""
    table = read_table(question.daily, needed=["day", "saidi_min"], known=[])
    saidi = table.numbers("saidi_min")
    days = table.instants("day", UTC) // MS_PER_DAY
    table.reject(table.is_empty("saidi_min"), "saidi_min is empty; write 0 for a day without interruptions")
    table.reject(saidi < 0, "saidi_min {} is negative", "saidi_min")
    table.reject(_repeats(days) & ~table.bad, "day {} is there already", "day")
    days, saidi = days[~table.bad], saidi[~table.bad]
    if not len(days):
        raise BadInput(f"{question.daily}: no day in it can be used")
    used = _history(days, question)
    threshold = major_event_threshold(saidi[used], least_days=question.least_days)
    judged = used if question.judge is None else _years(days) == question.judge
    above = np.flatnonzero(judged & major_days(saidi, threshold.t_med))
    above = above[np.argsort(days[above])]
    major = tuple((_date(days[index]), float(saidi[index])) for index in above)
    notes = [f"{question.daily.name}: columns not read: {', '.join(table.unknown)}"] if table.unknown else []
    if threshold.days_used < question.least_days:
        notes.append(f"{threshold.days_used} days above zero; {question.least_days} are needed to state a threshold")
    return Answer(question, threshold, major, tuple(table.rejected), tuple(notes))


def _history(days: NDArray[np.int64], question: Question) -> Mask:
    """The days that set the threshold: the latest years of the file, or the years before the one judged."""
    if question.judge is not None:
        years = _years(days)
        return np.asarray((years < question.judge) & (years >= question.judge - question.years))
    last = _date(int(days.max()) + 1)
    try:
        first = last.replace(year=last.year - question.years)
    except ValueError:  # 29 February, that year has none
        first = last.replace(year=last.year - question.years, day=28)
    return np.asarray(days >= (first - date(1970, 1, 1)).days)


def _years(days: NDArray[np.int64]) -> NDArray[np.int64]:
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def _repeats(days: NDArray[np.int64]) -> Mask:
    first = np.zeros(len(days), dtype=np.bool_)
    first[np.unique(days, return_index=True)[1]] = True
    return ~first


def _date(day: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(day))
