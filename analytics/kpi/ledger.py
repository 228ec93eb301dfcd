"""The interruptions that people answer for: units that went out together are one event of what supplies them.

Each event says how much it counts for, at least and at most, and what people said about it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from analytics.kpi.database import InterruptionRow, Judgement, KpiDatabase
from analytics.outage_events import TOGETHER_MS

Level = Literal["mv", "lv"]
"""How a unit counts: `mv` each transformer as one customer, `lv` by its customers; the two are never summed (R10)."""
MS_PER_H = 3_600_000
UNPROVEN = "silence"


@dataclass(frozen=True)
class Span:
    """A quantity with what it is at least and at most."""

    low: float
    point: float
    high: float


@dataclass(frozen=True)
class LedgerEvent:
    """Interruptions of units that began together."""

    asset: str
    """The highest asset whose whole supply was lost (O4)."""
    start_ms: int
    """First start and last end of its units. [ms since 1970-01-01T00:00Z]"""
    end_ms: int
    start_error_ms: int
    end_error_ms: int
    is_open: bool
    nature: str
    """fault, planned or limit."""
    evidence: str
    """The strongest behind any of its units: person, meter_record, terminal or silence."""
    confidence: float
    """That there was an interruption at all. [0..1]"""
    rows: tuple[InterruptionRow, ...]

    @property
    def duration_ms(self) -> int:
        """From the first start to the last end. [ms]"""
        return self.end_ms - self.start_ms

    def customers(self, weigh: Callable[[InterruptionRow], float]) -> float:
        """Return how many customers it took, each unit once. [customers]"""
        return sum({row.asset: weigh(row) for row in self.rows}.values())

    def customer_h(self, weigh: Callable[[InterruptionRow], float]) -> Span:
        """Return the customer-hours it counts for; a silence that nothing proves counts as none at least."""
        spans = [_hours(row, weigh(row)) for row in self.rows]
        return Span(sum(s.low for s in spans), sum(s.point for s in spans), sum(s.high for s in spans))


def ledger(database: KpiDatabase, from_day: str, to_day: str) -> list[LedgerEvent]:
    """Return the events that began with from_day <= day < to_day, by start."""
    return ledger_events(database.interruptions(from_day, to_day))


def ledger_events(rows: Iterable[InterruptionRow]) -> list[LedgerEvent]:
    """Return the rows as events: one asset, one nature, starts within `TOGETHER_MS` of the first."""
    groups: list[list[InterruptionRow]] = []
    for row in sorted(rows, key=lambda r: (r.event_asset, r.nature, r.start_ms)):
        if groups and _belongs(row, groups[-1][0]):
            groups[-1].append(row)
        else:
            groups.append([row])
    return sorted((_event(group) for group in groups), key=lambda event: (event.start_ms, event.asset))


def said_of(event: LedgerEvent, judgements: Iterable[Judgement]) -> list[Judgement]:
    """Return what people said of an event, in order: of its asset, and of a time that touches it."""
    return [
        judgement
        for judgement in judgements
        if judgement.asset == event.asset
        and min(judgement.was_start_ms, judgement.start_ms) < event.end_ms
        and max(judgement.was_end_ms, judgement.end_ms) > event.start_ms
    ]


def rejected(judgements: Sequence[Judgement], start_ms: int, end_ms: int) -> list[Judgement]:
    """Return the last words that took an interruption out of the ledger, of those that began in the span."""
    last = {(judgement.asset, judgement.was_start_ms): judgement for judgement in judgements}
    return [j for j in last.values() if j.verdict == "reject" and start_ms <= j.was_start_ms < end_ms]


def _belongs(row: InterruptionRow, first: InterruptionRow) -> bool:
    same = row.event_asset == first.event_asset and row.nature == first.nature
    return same and row.start_ms - first.start_ms <= TOGETHER_MS


def _event(rows: list[InterruptionRow]) -> LedgerEvent:
    first = min(rows, key=lambda row: row.start_ms)
    last = max(rows, key=lambda row: row.end_ms)
    surest = max(rows, key=lambda row: row.confidence)
    return LedgerEvent(
        asset=first.event_asset,
        start_ms=first.start_ms,
        end_ms=last.end_ms,
        start_error_ms=first.start_error_ms,
        end_error_ms=last.end_error_ms,
        is_open=any(row.is_open for row in rows),
        nature=first.nature,
        evidence=surest.evidence,
        confidence=surest.confidence,
        rows=tuple(sorted(rows, key=lambda row: (row.start_ms, row.asset))),
    )


def _hours(row: InterruptionRow, weight: float) -> Span:
    duration_ms = row.end_ms - row.start_ms
    error_ms = row.start_error_ms + row.end_error_ms
    least_ms = 0 if row.evidence == UNPROVEN else max(duration_ms - error_ms, 0)
    return Span(*(weight * ms / MS_PER_H for ms in (least_ms, duration_ms, duration_ms + error_ms)))
