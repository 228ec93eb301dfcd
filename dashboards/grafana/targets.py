"""Targets and limits as panels draw them: the registered ones, never a second copy of a set-point."""

from dataclasses import dataclass

from analytics.limit_files import load_setpoints
from analytics.limits import setpoints_of
from analytics.voltage_limits import VOLTAGE_LIMITS

SUPPLY_TARGET_PCT = 99.83
"""Supply reliability that an operator answers for. [%]"""
VOLTAGE_TARGET_PCT = 99.68
"""Voltage compliance that an operator answers for. [%]"""
GOOD_TARGET_PCT = 98.0
"""Points whose last value can be believed. [%]"""
ALARMS_PER_DAY, ALARMS_PER_10_MIN, FLOOD_PCT, STALE_ALARMS = 144, 10, 1.0, 5
"""IEC 62682 and EEMUA 191, for one operator position."""


@dataclass(frozen=True)
class Band:
    """Where a quantity may lie, in its own unit; None where it has no such limit."""

    low: float | None
    high: float | None


def voltage_band(name: str) -> Band:
    """Return the limits of a voltage profile of the register, such as `gb12325-220`. [V]"""
    limits = VOLTAGE_LIMITS[name]
    return Band(float(limits.lo), float(limits.hi))


def setpoint_band(profile: str, quantity: str) -> Band:
    """Return the legal limits (class C) of a shipped profile, and where there are none its own set-points."""
    found = setpoints_of(load_setpoints(), profile, quantity)
    legal = [one for one in found if one.alarm_class == "C"] or [one for one in found if one.alarm_class == "O"]
    lows = [one.value for one in legal if not one.is_high and one.level != "P"]
    highs = [one.value for one in legal if one.is_high]
    return Band(max(lows, default=None), min(highs, default=None))
