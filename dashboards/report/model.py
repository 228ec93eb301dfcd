"""A report as frozen types: every figure with its coverage and bounds, nothing of its looks.

A number that is None is not known: nothing was read, or the register does not state it. Percentages are of 100 and
unrounded; only what is shown is rounded.
"""

from dataclasses import dataclass

from analytics.kpi.periods import Period


@dataclass(frozen=True)
class Named:
    """A region or an asset, as people call it."""

    code: str
    name: str
    name_zh: str


@dataclass(frozen=True)
class Figure:
    """A percentage with its doubt, and what is said against its target."""

    value: float | None
    low: float | None
    high: float | None
    coverage: float | None
    """Share of what had to be known that is known."""
    target: float | None = None
    verdict: str | None = None
    """`PASS`, `FAIL` or `INDETERMINATE`; None without a target or without figures."""


@dataclass(frozen=True)
class SupplyRow:
    """Supply of one region."""

    region: Named
    transformers: float | None
    """Customers of the 10 kV level, weighed by their time in service."""
    customers: float | None
    """Low-voltage customers, likewise."""
    h_per_transformer: float | None
    """Expected outage of a 10 kV customer (AIHC-1). [h]"""
    rs1: Figure
    """At the 10 kV level: each transformer is one customer."""
    rs1_lv: Figure
    """Of the low-voltage customers; the two levels are never summed."""


@dataclass(frozen=True)
class DayOutage:
    """A day's outage of transformers."""

    day: str
    h: float | None
    """[h]"""


@dataclass(frozen=True)
class CauseRow:
    """Outage by what was cut off."""

    cause: str
    events: int
    interruptions: int
    h: float
    """Of transformers. [h]"""
    error_h: float
    customer_h: float
    """Of low-voltage customers. [customer-hours]"""
    customer_error_h: float


@dataclass(frozen=True)
class SupplyPart:
    """Supply of the whole region and of its parts."""

    period_h: float
    """Hours of the days that are computed. [h]"""
    whole: SupplyRow
    parts: tuple[SupplyRow, ...]
    rs2: Figure
    """Without what came from above the region's own network. 10 kV level."""
    rs3: Figure
    """Without limiting for shortage. 10 kV level."""
    interruptions: int
    covered_units_pct: float | None
    """Units of which at least 90 % of the time is resolved."""
    edges_are_uncertain: bool
    """Whether starts and ends are uncertain by more than a tenth of the outage."""
    out_h: float
    """Outage of transformers that was inferred. [h]"""
    allowed_h: float | None
    """What the target would allow. [h]"""
    days: tuple[DayOutage, ...]
    causes: tuple[CauseRow, ...]


@dataclass(frozen=True)
class VoltageRow:
    """One class of monitoring points."""

    voltage_class: str
    points: int
    entering: int
    """Points with at least 90 % coverage in a month."""
    compliance: Figure
    over_pct: float | None
    under_pct: float | None


@dataclass(frozen=True)
class VoltagePoint:
    """One monitoring point."""

    point: str
    """Site and device."""
    asset: Named
    voltage_class: str
    compliance: Figure
    over_pct: float | None
    under_pct: float | None


@dataclass(frozen=True)
class VoltagePart:
    """Voltage compliance of the region."""

    classes: tuple[VoltageRow, ...]
    composite: Figure
    basis: str
    """Classes that have a rate, such as `ACD`."""
    worst: tuple[VoltagePoint, ...]
    excluded: tuple[VoltagePoint, ...]
    """Points that enter no class, for lack of coverage."""


@dataclass(frozen=True)
class WaterRow:
    """One quantity at one place of the drinking-water supply."""

    quantity: str
    place: str
    works: int
    limit_low: float | None
    limit_high: float | None
    """In the quantity's unit."""
    verified: bool
    """Whether the limit was read in its standard."""
    expected_h: int
    valid_h: int
    kept: Figure
    """Share of the valid hours whose mean kept the limit."""
    worst: Named | None
    """The asset that kept it least, where one broke it."""
    worst_pct: float | None


@dataclass(frozen=True)
class WaterPart:
    """Drinking water of the region."""

    standard: str
    works: int
    """Water works in the register."""
    watched: int
    """Of these, with a point that a limit applies to."""
    rows: tuple[WaterRow, ...]


@dataclass(frozen=True)
class FacilityRow:
    """One sewage facility."""

    asset: Named
    days: int
    ran_days: int
    unknown_days: int
    runs: bool | None
    """Whether it ran on enough days of each month; None where that is not known."""
    has_signals: bool


@dataclass(frozen=True)
class CoveragePart:
    """What the register states of villages; a figure is None where it states nothing."""

    villages: int
    stated: int
    as_of: str
    tap_water: Figure | None
    sewage: Figure | None
    sewage_waterside: Figure | None


@dataclass(frozen=True)
class AlarmPart:
    """The alarms of the region."""

    alarms: int
    per_day: float
    max_per_10_min: int
    flood_pct: float
    chattering: int
    stale: int
    standing: int
    critical: int
    """Alarms of the highest severity."""
    critical_ack_median_s: float | None
    critical_ack_p90_s: float | None
    ack_median_s: float | None
    ack_p90_s: float | None


@dataclass(frozen=True)
class DeliveryPart:
    """What the sites promised, and what came."""

    sites: int
    heard: int
    """Of these, sites that ever sent anything."""
    expected: float
    received: int
    good: int
    received_pct: float | None
    good_pct: float | None
    silent_site_h: int
    site_h: int


@dataclass(frozen=True)
class InspectionRow:
    """An inspection that is overdue."""

    asset: Named
    responsible: str
    every_days: int
    last_day: str
    """Empty where it never was inspected."""
    late_days: int


@dataclass(frozen=True)
class UpkeepPart:
    """Inspections, as they stood when the report was made."""

    inspected: int
    """Assets in service that the register wants inspected."""
    overdue: tuple[InspectionRow, ...]


@dataclass(frozen=True)
class TargetRow:
    """A target that figures were held against."""

    indicator: str
    year: int
    value_pct: float
    source: str
    verified: bool


@dataclass(frozen=True)
class Input:
    """One of the things that the figures come from, by its digest."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Report:
    """Everything a report says."""

    version: str
    """Of steppe."""
    region: Named
    to: Named | None
    """The region that it is for: the one above."""
    period: Period
    until_day: str
    """The day after the last that was over when the report was made."""
    timezone: str
    made_ms: int
    days_computed: int
    """Days of the period whose numbers stand in the store."""
    supply: SupplyPart
    voltage: VoltagePart
    water: WaterPart
    sewage: tuple[FacilityRow, ...]
    coverage: CoveragePart
    alarms: AlarmPart | None
    """None where the centre keeps no alarms."""
    delivery: DeliveryPart | None
    """None where the centre keeps no journal."""
    upkeep: UpkeepPart
    targets: tuple[TargetRow, ...]
    inputs: tuple[Input, ...]
