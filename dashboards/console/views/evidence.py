"""One interruption, or one time that nobody knows: who saw what, why we say so, what it counts, what people said."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analytics.kpi.database import Correction, Judgement
from analytics.kpi.ledger import Level, Span
from analytics.kpi.model import device_name, quantity
from analytics.kpi.testimony import Account, Witness, hear_witnesses, witnesses_near
from dashboards.console.site import Console
from dashboards.console.texts import local_time
from dashboards.console.views.evidence_find import Subject, find_subject, judgements_of
from dashboards.console.views.evidence_reasons import Reasons, reasons
from dashboards.console.views.evidence_strips import Drawing, draw, window_of
from dashboards.console.views.kpi_asked import Asked
from dashboards.console.views.kpi_events import Place, Surety, event_id, place_of, surety
from dashboards.console.views.kpi_span import home, level_of, month_of, way_to
from edge.wire import Quality
from ingest.register import Region, Register
from ingest.store import StoreDown

MOST_WITNESSES = 40
NEAR_READING_MS = 2_000
"""A word of a device is a poll: its readings lie this close together. [ms]"""
CHANGES_SHOWN = 6
TOLD_SUMS = ("lost_ms", "most_ms")


@dataclass(frozen=True)
class Counts:
    """What it comes to at one level."""

    level: Level
    customers: float
    hours: Span
    """[customer-hours]"""
    share_of_allowance: float | None
    """Of the month's, for everything that the centre answers for. [1]"""


@dataclass(frozen=True)
class Change:
    """A published number that changed because of it."""

    at_ms: int
    unit: str
    day: str
    sum: str
    old_ms: float
    new_ms: float
    why: str


@dataclass(frozen=True)
class Neighbour:
    """The interruption before or after this one."""

    id: str
    place: Place
    start_ms: int


@dataclass(frozen=True)
class Evidence:
    """Everything that the page shows."""

    id: str
    kind: str
    """interruption, rejected or unknown."""
    place: Place
    way: tuple[Region, ...]
    month: str
    start_ms: int
    end_ms: int
    start_error_ms: int
    end_error_ms: int
    is_open: bool
    nature: str
    evidence: str
    surety: Surety
    resolved_by: int
    """Witnesses that proved it by themselves. [count]"""
    witnesses: int
    units: tuple[str, ...]
    others: tuple[str, ...]
    counts: tuple[Counts, ...]
    drawing: Drawing
    reasons: Reasons
    judgements: tuple[Judgement, ...]
    counted: int
    """How many of these are in the numbers: the first so many."""
    changes: tuple[Change, ...]
    before: Neighbour | None
    """None where the month has none before, or after."""
    after: Neighbour | None
    names: Mapping[str, Place]
    """Each device and asset that the sentences name → what people call it."""


def read_evidence(console: Console, address: str) -> Evidence:
    """Return the evidence of an address. Raises NotFound or StoreError."""
    subject = find_subject(console, address)
    published = console.published()
    told, in_all = _accounts(console, subject)
    said = judgements_of(published, subject)
    counted = published.database.judgements()[: published.database.counted_judgements()]
    event, stay = subject.event, published.register.assets[subject.asset][-1]
    plans = [plan for plan in published.register.plans if plan.asset in _path(told, subject)]
    month = local_time(subject.start_ms, console.zone, "day")[:7]
    before, after = _neighbours(console, subject, month)
    return Evidence(
        id=address,
        kind=subject.kind,
        place=place_of(subject.asset, published.register),
        way=way_to(published.register.regions[stay.region], published.register),
        month=month,
        start_ms=subject.start_ms,
        end_ms=subject.end_ms,
        start_error_ms=subject.start_error_ms,
        end_error_ms=subject.end_error_ms,
        is_open=event is not None and event.is_open,
        nature=event.nature if event else "",
        evidence=event.evidence if event else "",
        surety=surety(event.confidence if event else 0.0),
        resolved_by=len({device for row in (event.rows if event else ()) for device, _ in row.witnesses}),
        witnesses=in_all,
        units=subject.units,
        others=subject.others,
        counts=tuple(_counts(console, subject, month)),
        drawing=draw(subject, told, published.register, plans, console.zone),
        reasons=reasons(subject, told, plans, console.zone, lambda device, t_ms: _volts(console, device, t_ms)),
        judgements=tuple(said),
        counted=sum(judgement in counted for judgement in said),
        changes=tuple(_changes(console, subject, said))[:CHANGES_SHOWN],
        before=before,
        after=after,
        names=_names(told, (*subject.units, *(plan.asset for plan in plans)), published.register),
    )


def _accounts(console: Console, subject: Subject) -> tuple[list[Account], int]:
    """What the nearest witnesses said, and how many there are in all."""
    near = witnesses_near(console.register, subject.asset)
    heard: list[Witness] = [w for w in near if w.relation in ("here", "below")][:MOST_WITNESSES]
    heard += [w for w in near if w.relation in ("above", "beside")][: MOST_WITNESSES // 4]
    window = window_of(subject)
    first, last = (local_time(t_ms, console.zone, "day") for t_ms in (window.start_ms, window.end_ms))
    span = (window.start_ms, window.end_ms)
    return hear_witnesses(console.kpi, console.register, heard, (first, last), span, subject.span_ms), len(near)


def _path(told: Sequence[Account], subject: Subject) -> set[str]:
    """The assets whose plans matter: this one, its units, and what supplies it."""
    return {subject.asset, *subject.units, *(t.witness.asset for t in told if t.witness.relation == "above")}


def _volts(console: Console, device: str, t_ms: int) -> str:
    """What a device read at an instant, with its unit; empty where the store cannot say."""
    names = [
        point for point in console.register.points if device_name(point) == device and quantity(point) == "voltage_v"
    ]
    try:
        rows = console.store().read(sorted(names)[:1], t_ms - NEAR_READING_MS, t_ms + NEAR_READING_MS)
    except StoreDown:
        return ""
    good = rows.value[rows.quality == Quality.GOOD]
    if not len(good):
        return ""
    value = float(good[-1])
    return f"{value / 1000:.2f} kV" if value >= 1000 else f"{value:.1f} V"


def _counts(console: Console, subject: Subject, month: str) -> Iterator[Counts]:
    published = console.published()
    whole = published.register.regions[home(published.register)]
    span = month_of(month, console.now_ms(), console.centre.timezone)
    for name in ("mv", "lv"):
        level = level_of(name)
        asked = Asked(console, published, whole, span, level)
        weigh = published.weigh(level)
        customers = sum(asked.weights.get(unit, 0.0) for unit in subject.units)
        hours = Span(0.0, 0.0, customers * (subject.end_ms - subject.start_ms) / 3_600_000)
        if subject.event is not None:
            customers, hours = subject.event.customers(weigh), subject.event.customer_h(weigh)
        allowed = (1 - asked.targets["reliability"].value_pct / 100) * span.hours * float(asked.weight.sum())
        yield Counts(level, customers, hours, hours.point / allowed if allowed else None)


def _changes(console: Console, subject: Subject, said: Sequence[Judgement]) -> Iterator[Change]:
    """Corrections of its units' numbers that a person's word brought about, the newest first."""
    whys = {f"{judgement.verdict} by {judgement.who}: {judgement.why}" for judgement in said}
    first, last = (local_time(t_ms, console.zone, "day") for t_ms in subject.span_ms)
    for one in reversed(console.kpi.corrections_of("supply", subject.units, first, last)):
        if one.why in whys and one.sum in TOLD_SUMS:
            yield _change(one)


def _change(one: Correction) -> Change:
    return Change(one.at_ms, one.subject, one.day, one.sum, one.old, one.new, one.why)


def _names(told: Sequence[Account], assets: Sequence[str], register: Register) -> dict[str, Place]:
    stands_at = {device_name(entry.point): entry.asset for entry in register.points.values()}
    devices = [one.witness.device for one in told]
    places = {device: stands_at.get(device, device) for device in devices} | {asset: asset for asset in assets}
    return {name: place_of(asset, register) for name, asset in places.items()}


def _neighbours(console: Console, subject: Subject, month: str) -> tuple[Neighbour | None, Neighbour | None]:
    """The interruptions of the month before and after this one."""
    span = month_of(month, console.now_ms(), console.centre.timezone)
    events = console.published().events_everywhere(span.from_day, span.to_day)
    order = [(event.start_ms, event.asset) for event in events]
    here = (subject.start_ms, subject.asset)
    before = max((one for one in order if one < here), default=None)
    after = min((one for one in order if one > here), default=None)
    return _neighbour(before, console), _neighbour(after, console)


def _neighbour(one: tuple[int, str] | None, console: Console) -> Neighbour | None:
    if one is None:
        return None
    start_ms, asset = one
    return Neighbour(event_id(asset, start_ms, console.zone), place_of(asset, console.register), start_ms)
