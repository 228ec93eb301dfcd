"""Interruptions as rows of a page: where, when and how surely, what they count, and what people said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from analytics.kpi.causes import cause_of
from analytics.kpi.database import Judgement
from analytics.kpi.ledger import LedgerEvent, Level, Span, rejected, said_of
from analytics.kpi.published import Published
from dashboards.console.texts import local_time
from ingest.register import Register

Surety = Literal["high", "medium", "low"]
SURE, LIKELY = 0.95, 0.85
VAGUE_SHARE = 0.10
"""An interruption whose edges are vaguer than this share of it waits for a person (O5)."""


@dataclass(frozen=True)
class Place:
    """An asset and the region it stands in, by their names."""

    asset: str
    kind: str
    name: str
    name_zh: str
    region: str
    region_name: str
    region_name_zh: str


@dataclass(frozen=True)
class Said:
    """The last word of a person."""

    verdict: str
    who: str
    at_ms: int
    why: str
    is_counted: bool
    """False until the next roll-up has brought it into the numbers."""


@dataclass(frozen=True)
class EventRow:
    """One interruption."""

    id: str
    place: Place
    start_ms: int
    end_ms: int
    start_error_ms: int
    end_error_ms: int
    is_open: bool
    cause: str
    """`analytics.kpi.causes.Cause`."""
    evidence: str
    surety: Surety
    customers: float
    hours: Span
    """[customer-hours]"""
    said: Said | None
    waits: bool
    """A person should look at it: only silence tells of it, or its edges are vague."""

    @property
    def duration_ms(self) -> int:
        """[ms]"""
        return self.end_ms - self.start_ms

    @property
    def error_ms(self) -> int:
        """How far the duration may be off. [ms]"""
        return self.start_error_ms + self.end_error_ms


@dataclass(frozen=True)
class RejectedRow:
    """An interruption that a person took out of the ledger."""

    id: str
    place: Place
    start_ms: int
    end_ms: int
    said: Said


def event_rows(published: Published, events: Sequence[LedgerEvent], level: Level, zone: ZoneInfo) -> list[EventRow]:
    """Return the rows, those that wait for a person first and of these the heaviest, then the newest."""
    judgements = published.database.judgements()
    counted = published.database.counted_judgements()
    rows = [event_row(published, event, level, zone, judgements, counted) for event in events]
    return sorted(rows, key=lambda r: (not r.waits, -(r.hours.high - r.hours.low) if r.waits else 0.0, -r.start_ms))


def event_row(
    published: Published,
    event: LedgerEvent,
    level: Level,
    zone: ZoneInfo,
    judgements: Sequence[Judgement],
    counted: int,
) -> EventRow:
    """Return one row; the first `counted` judgements are in the numbers."""
    weigh = published.weigh(level)
    words = said_of(event, judgements)
    said = said_as(words[-1], judgements.index(words[-1]) < counted) if words else None
    vague = event.start_error_ms + event.end_error_ms > VAGUE_SHARE * max(event.duration_ms, 1)
    return EventRow(
        id=event_id(event.asset, event.start_ms, zone),
        place=place_of(event.asset, published.register),
        start_ms=event.start_ms,
        end_ms=event.end_ms,
        start_error_ms=event.start_error_ms,
        end_error_ms=event.end_error_ms,
        is_open=event.is_open,
        cause=cause_of(event.rows[0], published.register).value,
        evidence=event.evidence,
        surety=surety(event.confidence),
        customers=event.customers(weigh),
        hours=event.customer_h(weigh),
        said=said,
        waits=said is None and (event.confidence < SURE or vague),
    )


def rejected_rows(
    published: Published, region_assets: frozenset[str], start_ms: int, end_ms: int, zone: ZoneInfo
) -> list[RejectedRow]:
    """Return what people took out of the ledger, of what began between two instants."""
    judgements = published.database.judgements()
    counted = published.database.counted_judgements()
    return [
        RejectedRow(
            id=event_id(j.asset, j.was_start_ms, zone),
            place=place_of(j.asset, published.register),
            start_ms=j.was_start_ms,
            end_ms=j.was_end_ms,
            said=said_as(j, judgements.index(j) < counted),
        )
        for j in rejected(judgements, start_ms, end_ms)
        if j.asset in region_assets
    ]


def place_of(asset: str, register: Register) -> Place:
    """Return where an asset is; its bare id where the register no longer knows it."""
    stays = register.assets.get(asset)
    if not stays:
        return Place(asset, "", asset, asset, "", "", "")
    stay = stays[-1]
    region = register.regions.get(stay.region)
    names = (region.name, region.name_zh or region.name) if region else ("", "")
    return Place(asset, stay.kind, stay.name or asset, stay.name_zh or stay.name or asset, stay.region, *names)


def event_id(asset: str, start_ms: int, zone: ZoneInfo) -> str:
    """Return the address of an interruption: its asset and the local minute of its start.

    >>> event_id("f1-t03", 1780000000000, ZoneInfo("Asia/Shanghai"))
    'f1-t03.20260529-0426'
    """
    day, clock = local_time(start_ms, zone).split()
    return f"{asset}.{day.replace('-', '')}-{clock.replace(':', '')}"


def day_id(asset: str, day: str) -> str:
    """Return the address of what is not known of an asset on a local day.

    >>> day_id("f1-t03", "2026-05-29")
    'f1-t03.20260529'
    """
    return f"{asset}.{day.replace('-', '')}"


def surety(confidence: float) -> Surety:
    """Return how sure a confidence is, in a word."""
    return "high" if confidence >= SURE else "medium" if confidence >= LIKELY else "low"


def said_as(judgement: Judgement, is_counted: bool) -> Said:
    """Return a judgement as a row shows it."""
    return Said(judgement.verdict, judgement.who, judgement.at_ms, judgement.why, is_counted)
