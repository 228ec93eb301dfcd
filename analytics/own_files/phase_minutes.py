"""One phase of one monitoring point, minute by minute, from the readings of a file."""

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.own_files.power_rules import LimitsProfile
from analytics.own_files.readings_files import Outages, Series
from analytics.own_files.tables import Rejection
from analytics.voltage import Mask, State, minute_states
from analytics.voltage_minutes import MS_PER_MINUTE, minute_values, outage_minutes, primary_voltage, stuck_minutes

IMPOSSIBLE = 2.0
"""Times nominal voltage, beyond which a reading is in another unit or scale."""
ALIVE = 0.5
"""Times nominal voltage, which a point reaches at some time unless its readings are in another unit or scale."""
RESIDUAL = 0.0008
"""Times nominal voltage, which a dead phase does not exceed for long."""


@dataclass(frozen=True)
class Question:
    """What is asked of readings."""

    readings: Path
    profile: LimitsProfile | None
    """Limits of the points for which `points` names none."""
    outages: Path | None
    points: Path | None
    start_ms: int
    end_ms: int
    now_ms: int
    local: ZoneInfo
    target: float
    pt_ratio: float = 1.0

    @property
    def minutes(self) -> int:
        """Minutes of the period."""
        return (self.end_ms - self.start_ms) // MS_PER_MINUTE


@dataclass(frozen=True)
class PhaseMinutes:
    """One phase of one point, minute by minute."""

    point: str
    phase: str
    nominal_v: float
    low_v: float
    """Lower limit. [V]"""
    voltage_v: NDArray[np.float32]
    states: NDArray[np.int8]
    repeated: int
    stuck: int
    rejected: tuple[Rejection, ...]

    @property
    def observed_v(self) -> NDArray[np.float32]:
        """Voltages of the minutes with a reading that is no outage, NaN for the others. [V]"""
        return np.where(self.states <= State.OFFSCALE, self.voltage_v, np.float32(np.nan))

    @property
    def low_min(self) -> int:
        """Minutes below the lower limit, off-scale ones included. [min]"""
        return int((self.observed_v < np.float32(self.low_v)).sum())


def phase_minutes(series: Series, q: Question, profile: LimitsProfile, outages: Outages | None) -> PhaseMinutes:
    """Judge the readings of one phase, and make them minutes with a state."""
    volts = primary_voltage(series.voltage_v, q.pt_ratio)
    impossible, why = _other_unit(volts, profile)
    rejected = tuple(
        Rejection(row, f"voltage_v {volt:g} {why}")
        for row, volt in zip(series.rows[impossible].tolist(), volts[impossible].tolist(), strict=True)
    )
    volts = np.where(impossible, np.nan, volts)
    values, repeated = minute_values(series.time_ms, volts, start_ms=q.start_ms, minutes=q.minutes)
    limits = profile.limits()
    stuck = stuck_minutes(values, dead_below=limits.dead_below)
    out = None
    if outages is not None:
        out = outage_minutes(*outages.of(series.point), start_ms=q.start_ms, minutes=q.minutes)
    states = minute_states(values, limits, outage=out, invalid=stuck)
    return PhaseMinutes(
        series.point, series.phase, profile.nominal, limits.lo, values, states, repeated, int(stuck.sum()), rejected
    )


def _other_unit(volts: NDArray[np.float64], profile: LimitsProfile) -> tuple[Mask, str]:
    """Readings that cannot be volts of this point, and what to say of them."""
    nominal = profile.nominal
    beyond = (volts < 0) | (volts > IMPOSSIBLE * max(nominal, profile.hi))
    living = volts[~np.isnan(volts) & ~beyond]
    why = f"is not a voltage of a {nominal:g} V point: another unit or scale?"
    if len(living) and living.max() < ALIVE * nominal and np.median(living) > RESIDUAL * nominal:
        return ~np.isnan(volts), f"{why} No reading reaches half of it"
    return beyond, why
