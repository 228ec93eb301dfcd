"""One month of one region: the number with its bounds, what used up the allowance, and what would decide it."""

from dataclasses import dataclass

from analytics.kpi.causes import Cause, hours_by_unit
from analytics.kpi.ledger import Level, Span
from analytics.kpi.published import unit_hours
from dashboards.console.site import Console
from dashboards.console.views.kpi_asked import Asked, weight_of
from dashboards.console.views.kpi_bounds import Axis, Bounds, axis_of, voltage_bounds
from dashboards.console.views.kpi_days import CauseRow, DayLoss, cause_rows, day_losses
from dashboards.console.views.kpi_events import EventRow, RejectedRow, event_rows, rejected_rows
from dashboards.console.views.kpi_questions import QuestionRow, ask_what_decides, question_rows
from dashboards.console.views.kpi_span import Month, way_to
from ingest.register import Region


@dataclass(frozen=True)
class PartRow:
    """One region below."""

    region: Region
    customers: float
    supply: Bounds


@dataclass(frozen=True)
class Share:
    """How the month's customers fared."""

    customers: float
    """In service, on the average."""
    out_h: Span | None
    """Outage per customer; None where nothing was in service. [h]"""
    interruptions: float
    """Per customer, of those that began in the month."""
    total_h: float
    """Time in service, and what of it nobody observed. [customer-hours]"""
    unknown_h: float
    allowed_h: float
    """Allowance of the whole month, per customer. [h]"""


@dataclass(frozen=True)
class Voltage:
    """Voltage compliance of the month."""

    composite: Bounds
    basis: str
    """Classes that enter the composite, such as ACD."""
    target_is_verified: bool


@dataclass(frozen=True)
class KpiMonth:
    """Everything that the page of a month shows."""

    region: Region
    way: tuple[Region, ...]
    month: Month
    level: Level
    supply: Bounds
    without_upstream: Bounds
    """RS-2."""
    without_limits: Bounds
    """RS-3."""
    share: Share
    days: tuple[DayLoss, ...]
    causes: tuple[CauseRow, ...]
    parts: tuple[PartRow, ...]
    """Regions below, the worst first."""
    questions: tuple[QuestionRow, ...]
    """The heaviest first."""
    questions_in_all: int
    enough: int
    """If the first so many questions turn out supplied, the target is met; 0 where the month is decided."""
    events: tuple[EventRow, ...]
    rejected: tuple[RejectedRow, ...]
    voltage: Voltage

    @property
    def axis(self) -> Axis:
        """Where the month's bar is drawn."""
        return axis_of(self.supply)

    @property
    def parts_axis(self) -> Axis:
        """Where the bars of the regions below are drawn."""
        return axis_of(self.supply, *(part.supply for part in self.parts))

    @property
    def waiting(self) -> int:
        """How many interruptions a person should look at."""
        return sum(row.waits for row in self.events)

    @property
    def allowed_customer_h(self) -> float:
        """Allowance of the whole month. [customer-hours]"""
        return self.share.allowed_h * self.share.customers


def read_month(console: Console, region: Region, month: Month, level: Level) -> KpiMonth:
    """Return the month of a region, worked out again only after something that it rests on has changed.

    Raises StoreError, or BadInput where the targets cannot be read.
    """
    published, database, question = console.published(), console.kpi, (region.code, month, level)
    days = database.published(month.reach_day, month.to_day)
    state = days, database.judgement_count(), database.counted_judgements()
    asked = Asked(console, published, region, month, level)
    found: KpiMonth = console.months.of(question, published.register, state, lambda: _work_out(asked))
    if console.sums.is_behind:  # older sums stood in for those of the store: not to be taken for these days' own
        console.months.forget(question)
    return found


def _work_out(asked: Asked) -> KpiMonth:
    console, region, month, level = asked.console, asked.region, asked.month, asked.level
    found = ask_what_decides(asked)
    return KpiMonth(
        region=region,
        way=way_to(region, asked.published.register),
        month=month,
        level=level,
        supply=asked.bounds(asked.rs),
        without_upstream=_without(asked, Cause.UPSTREAM),
        without_limits=_without(asked, Cause.LIMIT),
        share=_share(asked),
        days=day_losses(asked),
        causes=cause_rows(asked, found.unresolved_h),
        parts=part_rows(asked),
        questions=question_rows(asked, found),
        questions_in_all=len(found.questions),
        enough=found.enough,
        events=tuple(event_rows(asked.published, asked.events, level, console.zone)),
        rejected=tuple(rejected_rows(asked.published, asked.assets, month.start_ms, month.end_ms, console.zone)),
        voltage=_voltage(asked),
    )


def _without(asked: Asked, cause: Cause) -> Bounds:
    left_out = hours_by_unit(asked.rows, [cause], asked.published.register, asked.month.start_ms, asked.month.end_ms)
    return asked.bounds(asked.units.rs(asked.weight, left_out))


def _share(asked: Asked) -> Share:
    units, weight = asked.units, asked.weight
    heads = float(weight.sum())
    weigh = asked.published.weigh(asked.level)
    begun = sum(weigh(row) for event in asked.events for row in event.rows)
    outages = [float(weight @ hours) for hours in (units.least, units.expected, units.most)]
    return Share(
        customers=heads,
        out_h=Span(*(hours / heads for hours in outages)) if heads else None,
        interruptions=begun / heads if heads else 0.0,
        total_h=float(weight @ units.in_service),
        unknown_h=float(weight @ units.unresolved),
        allowed_h=(1 - asked.targets["reliability"].value_pct / 100) * asked.month.hours,
    )


def part_rows(asked: Asked) -> tuple[PartRow, ...]:
    """Return the regions directly below, the worst first. Raises StoreError."""
    parts = []
    months = asked.published.sums_of_parts(asked.region.code, asked.month.from_day, asked.month.to_day)
    for code, sums in months.items():
        units = unit_hours(sums)
        weight = weight_of(units, asked.level)
        if weight.sum() > 0:
            bounds = asked.bounds(units.rs(weight))
            parts.append(PartRow(asked.published.register.regions[code], float(weight.sum()), bounds))
    return tuple(sorted(parts, key=lambda part: (part.supply.point_pct or 0.0, part.region.code)))


def _voltage(asked: Asked) -> Voltage:
    target = asked.targets["composite_voltage"]
    found = asked.published.voltage(asked.region.code, asked.month.from_day, asked.month.to_day)
    return Voltage(voltage_bounds(found, target), found.composite.basis, target.verified)
