"""How good the alarms themselves are: rates, floods, chatter, response, and what fails most. Reads only."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.alarms import queries
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.performance import DAY_MS, HOUR_MS, STALE_MS, Performance, performance
from analytics.alarms.records import AlarmRecord, Occurrence
from analytics.alarms.upkeep import crow_amsaa, merged, upkeep
from dashboards.console.views.alarms_names import Place, Words, place, title
from dashboards.console.views.bar import PRIORITY
from ingest.register import Register

TOP = 10


@dataclass(frozen=True)
class Figure:
    """One figure of the standard, beside what it asks for."""

    name: str
    """As in `analytics.alarms.performance.Performance`."""
    value: float | None
    """None where it has no base."""
    target: float
    most: float
    """Above this the alarms can no longer be managed."""
    is_share: bool

    @property
    def met(self) -> bool | None:
        """Whether the target is kept; None where the figure is not known."""
        return None if self.value is None else self.value <= self.target

    @property
    def manageable(self) -> bool | None:
        """Whether it is at least within what can be managed."""
        return None if self.value is None else self.value <= self.most


LIMITS: Mapping[str, tuple[float, float, bool]] = {
    "per_day": (150, 300, False),
    "per_hour": (6, 12, False),
    "per_10_min": (1, 2, False),
    "max_per_10_min": (10, 10, False),
    "slots_over_10_share": (0.01, 0.01, True),
    "hours_over_30_share": (0.01, 0.01, True),
    "flood_share": (0.01, 0.01, True),
    "top_10_share": (0.01, 0.05, True),
    "chattering": (0, 0, False),
    "stale": (4, 4, False),
}
"""Figure → target, most, share. IEC 62682 and ISA-18.2, for one operator position."""


@dataclass(frozen=True)
class Response:
    """How fast alarms of one priority were taken."""

    priority: int
    count: int
    share: float | None
    taken: int
    median_s: float | None
    p90_s: float | None


@dataclass(frozen=True)
class Frequent:
    """One alarm that came often, or stands long; figures of its failures."""

    id: int
    """Its newest occurrence in the period."""
    alarm: str
    title: Words
    place: Place
    count: int
    share: float
    stands: bool
    mtbf_h: float | None
    """Mean operating time between failures. [h]"""
    mttr_h: float | None
    """Mean time to restore. [h]"""
    trend: float | None
    """β of Crow-AMSAA: above 1 it fails more and more often."""


@dataclass(frozen=True)
class PerformancePage:
    """The figures of a period."""

    start_ms: int
    end_ms: int
    """Not after now. [ms since 1970-01-01T00:00Z]"""
    annunciated: int
    standing: int
    figures: tuple[Figure, ...]
    responses: tuple[Response, ...]
    frequent: tuple[Frequent, ...]
    stale: tuple[Frequent, ...]
    """Alarms that have stood for more than a day and still do."""
    step_ms: int
    """Width of a bar of `counts`: an hour, or a day. [ms]"""
    counts: tuple[int, ...]
    dead_notices: int
    """Notices of the period that reached nobody."""


def alarm_performance(
    database: AlarmDatabase, register: Register, start_ms: int, end_ms: int, *, now_ms: int
) -> PerformancePage:
    """Return the figures of [start, end), as `steppe alarms performance` gives them: explained alarms do not count."""
    until_ms = max(min(end_ms, now_ms), start_ms + 1)
    with database.reading() as connection:
        found = queries.within(connection, start_ms, until_ms)
        dead = queries.dead_notices(connection, start_ms)
    records = database.records_of(one.alarm for one in found)
    began = [one for one in found if one.onset_ms >= start_ms]
    figures = _figures(found, start_ms, until_ms)
    groups: dict[str, list[Occurrence]] = {}
    by_priority: dict[int, list[Occurrence]] = {1: [], 2: [], 3: []}
    for one in began:
        groups.setdefault(one.alarm, []).append(one)
        by_priority[PRIORITY[one.severity]].append(one)
    often = sorted(groups.values(), key=lambda group: (-len(group), group[0].alarm))[:TOP]
    long = [
        one for one in found if one.returned_ms is None and one.closed_ms is None and until_ms - one.onset_ms > STALE_MS
    ]
    step_ms = HOUR_MS if until_ms - start_ms <= 8 * DAY_MS else DAY_MS
    span = (start_ms, until_ms)
    return PerformancePage(
        start_ms=start_ms,
        end_ms=until_ms,
        annunciated=figures.annunciated,
        standing=figures.standing,
        figures=tuple(_figure(name, figures) for name in LIMITS),
        responses=tuple(_response(number, by_priority[number], len(began)) for number in (1, 2, 3)),
        frequent=tuple(_frequent(group, records, register, len(began), span) for group in often),
        stale=tuple(_frequent([one], records, register, len(began), span) for one in long),
        step_ms=step_ms,
        counts=_counts(began, start_ms, until_ms, step_ms),
        dead_notices=dead,
    )


def _figures(found: Sequence[Occurrence], start_ms: int, end_ms: int) -> Performance:
    numbers = {alarm: place for place, alarm in enumerate(dict.fromkeys(one.alarm for one in found))}
    return performance(
        [one.onset_ms for one in found],
        [math.nan if one.returned_ms is None else one.returned_ms for one in found],
        [math.nan if one.first_acked_ms is None else one.first_acked_ms for one in found],
        [numbers[one.alarm] for one in found],
        [one.severity for one in found],
        start_ms=start_ms,
        end_ms=end_ms,
    )


def _figure(name: str, figures: Performance) -> Figure:
    target, most, is_share = LIMITS[name]
    return Figure(name, _known(float(getattr(figures, name))), target, most, is_share)


def _response(number: int, mine: Sequence[Occurrence], total: int) -> Response:
    waits_s = [(one.first_acked_ms - one.onset_ms) / 1000 for one in mine if one.first_acked_ms is not None]
    return Response(
        number,
        len(mine),
        len(mine) / total if total else None,
        len(waits_s),
        float(np.median(waits_s)) if waits_s else None,
        float(np.quantile(waits_s, 0.9)) if waits_s else None,
    )


def _frequent(
    group: Sequence[Occurrence],
    records: Mapping[str, AlarmRecord],
    register: Register,
    total: int,
    span_ms: tuple[int, int],
) -> Frequent:
    start_ms, end_ms = span_ms
    record, last = records[group[0].alarm], group[-1]
    onsets = np.maximum([one.onset_ms for one in group], start_ms)
    restored = np.clip([one.returned_ms or end_ms for one in group], onsets, end_ms)
    failures = merged(np.zeros(len(group), np.int64), onsets, restored)
    observed_h = (end_ms - start_ms) / HOUR_MS
    figures = upkeep(failures, observed_h=observed_h)
    return Frequent(
        id=last.id,
        alarm=record.id,
        title=title(record.id, record.kind),
        place=place(register, record.asset),
        count=len(group),
        share=len(group) / total if total else 0.0,
        stands=last.returned_ms is None and last.closed_ms is None,
        mtbf_h=_known(figures.mtbf_h),
        mttr_h=_known(figures.mttr_h),
        trend=_known(float(crow_amsaa((failures.onset_ms + 1 - start_ms) / HOUR_MS, observed_h))),
    )


def _counts(began: Sequence[Occurrence], start_ms: int, end_ms: int, step_ms: int) -> tuple[int, ...]:
    held = Counter((one.onset_ms - start_ms) // step_ms for one in began)
    return tuple(held[step] for step in range(-(-(end_ms - start_ms) // step_ms)))


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
