"""From an address to what it is about: an interruption, what a person made of one, or a time that nobody knows."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from analytics.kpi.database import Judgement
from analytics.kpi.ledger import LedgerEvent
from analytics.kpi.model import counties, make_model
from analytics.kpi.published import Published
from analytics.kpi.testimony import below
from analytics.kpi.unknown_times import TakenFor, UnknownTime, unknown_times
from dashboards.console.errors import NotFound
from dashboards.console.site import Console
from dashboards.console.texts import local_time
from dashboards.console.views.kpi_events import day_id, event_id
from ingest.days import day_bounds
from ingest.register import Register

ADDRESS = re.compile(r"(?P<asset>.{1,120})\.(?P<day>20[0-9]{6})(-(?P<minute>[0-9]{4}))?")
EDGE_MS = 120_000
"""A judgement settles an interruption's edges: it may begin in another minute afterwards."""

Kind = Literal["interruption", "rejected", "unknown"]


@dataclass(frozen=True)
class Subject:
    """What a page of evidence is about."""

    id: str
    kind: Kind
    asset: str
    start_ms: int
    end_ms: int
    start_error_ms: int
    end_error_ms: int
    event: LedgerEvent | None
    """None where the ledger holds no interruption (now)."""
    taken_for: TakenFor | None
    """What an unknown time is taken for."""
    units: tuple[str, ...]
    """The units that it takes."""
    others: tuple[str, ...] = ()
    """Addresses of other unknown times of the asset on the day."""

    @property
    def span_ms(self) -> tuple[int, int]:
        """Start and end. [ms since 1970-01-01T00:00Z]"""
        return self.start_ms, self.end_ms


def find_subject(console: Console, address: str) -> Subject:
    """Return what an address is about. Raises NotFound."""
    published = console.published()
    asked = ADDRESS.fullmatch(address)
    day = _day(asked["day"]) if asked else None
    if asked is None or day is None or asked["asset"] not in published.register.assets:
        raise NotFound(f"there is no evidence {address[:60]!r}")
    asset = asked["asset"]
    found = _in_ledger(published, address, asset, day, console.zone) if asked["minute"] else None
    found = found or _unknown(console, address, asset, day) or _judged(published, address, asset, console.zone)
    if found is None:
        raise NotFound(f"nothing was interrupted or left unknown at {address[:60]!r}")
    return found


def judgements_of(published: Published, subject: Subject) -> list[Judgement]:
    """Return what people said of it, in order."""
    start_ms, end_ms = subject.start_ms - EDGE_MS, subject.end_ms + EDGE_MS
    return [
        j
        for j in published.database.judgements()
        if j.asset == subject.asset and j.was_start_ms < end_ms and j.was_end_ms > start_ms
    ]


def _day(digits: str) -> date | None:
    try:
        return date.fromisoformat(digits)
    except ValueError:
        return None


def _in_ledger(published: Published, address: str, asset: str, day: date, zone: ZoneInfo) -> Subject | None:
    events = [e for e in _events_around(published, day) if e.asset == asset]
    found = next((e for e in events if event_id(asset, e.start_ms, zone) == address), None)
    return _of_event(address, found) if found else None


def _judged(published: Published, address: str, asset: str, zone: ZoneInfo) -> Subject | None:
    """An interruption under the address that it had before a person spoke."""
    said = [j for j in published.database.judgements() if j.asset == asset]
    named = [j for j in said if address in (event_id(asset, j.was_start_ms, zone), _day_of(j, zone))]
    if not named:
        return None
    last = named[-1]
    day = date.fromisoformat(event_id(asset, last.start_ms, zone).rpartition(".")[2][:8])
    for event in _events_around(published, day):
        if event.asset == asset and event.start_ms < last.end_ms and event.end_ms > last.start_ms:
            return _of_event(address, event)
    span = (last.was_start_ms, last.was_end_ms)
    return Subject(address, "rejected", asset, *span, 0, 0, None, None, _units(published.register, asset))


def _events_around(published: Published, day: date) -> list[LedgerEvent]:
    first, last = day - timedelta(days=1), day + timedelta(days=2)
    return published.events_everywhere(first.isoformat(), last.isoformat())


def _of_event(address: str, event: LedgerEvent) -> Subject:
    return Subject(
        id=address,
        kind="interruption",
        asset=event.asset,
        start_ms=event.start_ms,
        end_ms=event.end_ms,
        start_error_ms=event.start_error_ms,
        end_error_ms=event.end_error_ms,
        event=event,
        taken_for=None,
        units=tuple(sorted({row.asset for row in event.rows})),
    )


def _day_of(judgement: Judgement, zone: ZoneInfo) -> str:
    return day_id(judgement.asset, local_time(judgement.was_start_ms, zone, "day"))


def _unknown(console: Console, address: str, asset: str, day: date) -> Subject | None:
    """The longest unknown time of the day, or the one that begins at the address's minute."""
    times = _unknown_times(console, asset, day.isoformat())
    names = [event_id(asset, time.start_ms, console.zone) for time in times]
    is_whole_day = not address.rpartition(".")[2].count("-")
    place = 0 if is_whole_day and times else names.index(address) if address in names else None
    if place is None:
        return None
    time, others = times[place], tuple(name for number, name in enumerate(names) if number != place)
    return Subject(
        address, "unknown", asset, time.start_ms, time.end_ms, 0, 0, None, time.taken_for, time.units, others
    )


def _unknown_times(console: Console, asset: str, day: str) -> list[UnknownTime]:
    published = console.published()
    units = {asset, *below(asset, published.register)}
    start_ms, end_ms = day_bounds(day, console.centre.timezone)
    for county in counties(published.register):
        model = make_model(published.register, county)
        if asset in model.own:
            heard = published.database.days_around(model.device_names, day)
            until_ms = min(end_ms, console.now_ms())
            judgements = published.database.judgements()[: published.database.counted_judgements()]
            return [] if until_ms <= start_ms else unknown_times(model, heard, judgements, units, start_ms, until_ms)
    return []


def _units(register: Register, asset: str) -> tuple[str, ...]:
    """What a person spoke of: the asset and everything below it that counts."""
    found = [a for a in (asset, *below(asset, register)) if _counts(register, a)]
    return tuple(sorted(found))


def _counts(register: Register, asset: str) -> bool:
    stay = register.assets[asset][-1]
    return stay.kind == "transformer" or stay.customers > 0
