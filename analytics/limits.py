"""Dated, sourced limits and alarm set-points: which number applies here, today, and how sure we are of it.

The rows themselves are CSV files, read by `analytics.limit_files`. A row with `verified = no` is a number that stands
in no text at hand; whoever shows it must say so (`Limit.marked`, `Setpoint.marked`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.signals import beyond, delayed, true_runs

LimitKind = Literal["daily", "single"]
Level = Literal["LL", "L", "H", "HH", "P"]
"""How far out: low-low, low, high, high-high; P is a pressure at which a network sucks in ground water."""
AlarmClass = Literal["C", "O", "A"]
"""C compliance, O operations, A advisory."""
Priority = Literal["critical", "high", "medium", "low"]

COLD_C = 12.0
"""At and below this mean water temperature of 24 h the ammonia limit in brackets applies. [°C]"""

UNVERIFIED = "limit to be confirmed"


@dataclass(frozen=True)
class Limit:
    """One number of one standard, with the days on which it counts and the text it was read in."""

    standard: str
    edition: str
    grade: str
    """Class of the effluent (`1A`) or of the building (`storeys_2`); empty where there is one for all."""
    quantity: str
    """Name with its unit, as in point names: `turbidity_ntu`."""
    place: str
    """`works_outlet`, `network_end`, `effluent`, `tap`, or `any`."""
    limit_kind: LimitKind
    """`daily`: the mean of the day must keep it; `single`: every measurement must."""
    condition: str
    """`small_supply`, `cold`, `warm`, `built_before_2006`, `built_from_2006`, or empty."""
    low: float
    """In the quantity's unit; NaN for none."""
    high: float
    band_from: float
    """Where the exact limit is not known: it lies between `band_from` and `band_to`. NaN for none."""
    band_to: float
    valid_from: date
    valid_to: date | None
    """Last day on which the row counts; None for still."""
    amended_from: date | None
    """From this day on an amendment touches the row: shown as "amended, check"."""
    verified: bool
    source: str
    note: str

    def counts_on(self, day: date) -> bool:
        """Whether the row is in force on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def marked(self, day: date) -> str:
        """What must stand beside the number wherever it is shown; empty for nothing."""
        if not self.verified:
            return UNVERIFIED
        if self.amended_from is not None and day >= self.amended_from:
            return f"amended {self.amended_from}, check"
        return ""

    def broken_by(self, value: ArrayLike) -> NDArray[np.bool_]:
        """Whether each value breaks the limit, shape as `value`; NaN and a mere band break nothing."""
        values = np.asarray(value, dtype=float)
        return (values < self.low) | (values > self.high)


@dataclass(frozen=True)
class Grant:
    """A small supply's dated permission to use relaxed limits."""

    reference: str
    granted_on: date
    expires_on: date

    def covers(self, day: date) -> bool:
        """Whether the grant holds on `day`."""
        return self.granted_on <= day <= self.expires_on


@dataclass(frozen=True)
class Setpoint:
    """One alarm condition of a profile: level, delays and dead-band."""

    profile: str
    quantity: str
    level: Level
    value: float
    alarm_class: AlarmClass
    priority: Priority
    on_delay_s: float
    """The value must stay beyond the set-point this long before the alarm. [s]"""
    off_delay_s: float
    on_readings: int
    """And for at least so many readings in a row."""
    off_readings: int
    deadband: float
    """The value must come back this far inside before the condition ends, in the quantity's unit."""
    verified: bool
    source: str
    note: str

    @property
    def is_high(self) -> bool:
        """Whether the alarm is on values above the set-point."""
        return self.level in ("H", "HH")

    @property
    def marked(self) -> str:
        """What must stand beside the number wherever it is shown; empty for nothing."""
        return "" if self.verified else UNVERIFIED


def in_force(
    limits: Iterable[Limit],
    day: date,
    *,
    standard: str,
    place: str = "any",
    grade: str = "",
    grant: Grant | None = None,
) -> tuple[Limit, ...]:
    """The rows of one standard that count on `day` at `place`.

    A relaxed row of a small supply takes the place of the plain one only while `grant` covers the day. Of two
    editions of the same rule the later one counts. Rows of other conditions (cold, warm, year of building) all stay.
    """
    rows = [r for r in limits if r.standard == standard and r.counts_on(day)]
    rows = [r for r in rows if r.grade in ("", grade) and (place == "any" or r.place in ("any", place))]
    relaxed = grant is not None and grant.covers(day)
    rows = [r for r in rows if relaxed or r.condition != "small_supply"]
    latest: dict[tuple[str, ...], Limit] = {}
    for row in sorted(rows, key=lambda r: (r.condition == "small_supply", r.valid_from)):
        plain = "" if row.condition == "small_supply" else row.condition
        latest[(row.grade, row.quantity, row.place, row.limit_kind, plain)] = row
    return tuple(latest.values())


def ammonia_limit_mg_l(warm_mg_l: float, cold_mg_l: float, water_temp_24h_c: ArrayLike) -> NDArray[np.float64]:
    """The ammonia limit that follows the mean water temperature of the last 24 h.

    Parameters
    ----------
    warm_mg_l, cold_mg_l : float
        The limit above 12 °C and the one in brackets, at and below 12 °C. [mg/L as N]
    water_temp_24h_c : array_like, shape (n,)
        Trailing mean of 24 h. NaN (not known) takes the stricter limit. [°C]

    Returns
    -------
    ndarray, shape (n,)
        The limit at each instant. [mg/L as N]

    Examples
    --------
    >>> ammonia_limit_mg_l(5, 8, [15.0, 12.0, float("nan")])
    array([5., 8., 5.])

    References
    ----------
    .. [1] GB 18918-2002, table 1, note on water temperature.
    """
    temperature = np.asarray(water_temp_24h_c, dtype=float)
    strict, loose = float(min(warm_mg_l, cold_mg_l)), float(max(warm_mg_l, cold_mg_l))
    return np.where(temperature <= COLD_C, loose, strict)


def profile_names(setpoints: Iterable[Setpoint]) -> tuple[str, ...]:
    """Names that `points.csv` may give in its column `limits`."""
    return tuple(sorted({s.profile for s in setpoints}))


def setpoints_of(setpoints: Iterable[Setpoint], profile: str, quantity: str) -> tuple[Setpoint, ...]:
    """The alarm conditions of one quantity under one profile, most serious first; empty for none."""
    order = get_args(Priority)
    found = (s for s in setpoints if s.profile == profile and s.quantity == quantity)
    return tuple(sorted(found, key=lambda s: order.index(s.priority)))


def excursions(setpoint: Setpoint, value: ArrayLike, time_s: ArrayLike) -> tuple[tuple[int, int | None], ...]:
    """Stretches of rows in which one point is in alarm under a set-point, its dead-band and its delays.

    Parameters
    ----------
    setpoint : Setpoint
    value : array_like, shape (n,)
        In the set-point's unit; NaN neither raises nor clears.
    time_s : array_like, shape (n,)
        Rising instants. [s]

    Returns
    -------
    tuple of (first row in alarm, first row no longer in alarm or None)
    """
    condition = beyond(value, setpoint.value, setpoint.deadband, high=setpoint.is_high)
    active = delayed(
        condition,
        time_s,
        on_delay_s=setpoint.on_delay_s,
        off_delay_s=setpoint.off_delay_s,
        on_readings=setpoint.on_readings,
        off_readings=setpoint.off_readings,
    )
    starts, ends = true_runs(active)
    return tuple((int(a), int(b) if b < len(active) else None) for a, b in zip(starts, ends, strict=True))
