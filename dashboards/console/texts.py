"""Numbers and times as people read them: local zone, 24 hours, a dash for what is not known."""

import math
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from dashboards.console.words import Language

TimeForm = Literal["second", "minute", "day", "clock", "clock_second", "iso"]
FORMS: dict[TimeForm, str] = {
    "second": "%Y-%m-%d %H:%M:%S",
    "minute": "%Y-%m-%d %H:%M",
    "day": "%Y-%m-%d",
    "clock": "%H:%M",
    "clock_second": "%H:%M:%S",
    "iso": "%Y-%m-%dT%H:%M:%S%z",
}
UNKNOWN = "–"
FIRST_MS, LAST_MS = -62_135_510_400_000, 253_402_214_400_000
"""The years 1 to 9999, a day left at each end for zones. [ms since 1970-01-01T00:00Z]"""
FINEST = 3
"""Decimals beyond these are an instrument's noise, where two figures stand before them."""
NOISE = 1e-6
"""Nothing that is measured here is so small: the arithmetic's noise."""
SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1000, 60_000, 3_600_000, 86_400_000


def local_time(at_ms: int | None, zone: ZoneInfo, form: TimeForm = "minute") -> str:
    """Return an instant as local time; a dash for None and for what no calendar holds."""
    if at_ms is None or not FIRST_MS <= at_ms <= LAST_MS:
        return UNKNOWN
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime(FORMS[form])


def duration(span_ms: float | None, language: Language) -> str:
    """Return a length of time in its one or two largest units: `26 min`, `2 h 45`, `3 d 4 h`."""
    if span_ms is None or not math.isfinite(span_ms):
        return UNKNOWN
    span = max(int(span_ms), 0)
    days, hours, minutes = span // DAY_MS, span % DAY_MS // HOUR_MS, span % HOUR_MS // MINUTE_MS
    if language == "zh":
        if days:
            return f"{days} 天 {hours} 小时" if hours else f"{days} 天"
        if hours:
            return f"{hours} 小时 {minutes:02d} 分"
        return f"{minutes} 分钟" if minutes else f"{span // SECOND_MS} 秒"
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes:02d}"
    return f"{minutes} min" if minutes else f"{span // SECOND_MS} s"


def lasting(span_ms: float, error_ms: float, language: Language) -> str:
    """Return how long something lasted as finely as it is known: `4 min 35 s` where the error is below a minute."""
    minutes, seconds = divmod(max(int(span_ms), 0) // SECOND_MS, 60)
    if error_ms >= MINUTE_MS or not 0 < minutes < 60 or not seconds:
        return duration(span_ms, language)
    return f"{minutes} 分 {seconds:02d} 秒" if language == "zh" else f"{minutes} min {seconds:02d} s"


def number(value: float | None, digits: int | None = None) -> str:
    """Return a number with so many decimals, or with four significant figures but no more than `FINEST` decimals.

    Of a smaller number two figures are kept: mercury's limit is 0.001 mg/L, and 0.0004 is not 0. None and NaN are a
    dash.
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if digits is not None:
        return f"{value:.{digits}f}"
    if abs(value) < NOISE:
        return "0"
    rounded = round(value, FINEST) if abs(value) >= 10.0 ** (1 - FINEST) else float(f"{value:.2g}")
    return f"{rounded:.0f}" if abs(rounded) >= 1000 else f"{rounded:.4g}"


def reading(value: float | None, *limits: float | None) -> str:
    """Return a number as `number`, with all it has where it would look like a limit that it is not."""
    said = number(value)
    if value is None or value in limits or said not in {number(limit) for limit in limits if limit is not None}:
        return said
    return f"{value:.4g}"


def percent(value: float | None, digits: int = 3) -> str:
    """Return a percentage without its sign, cut and not rounded: 99.9999 is not 100."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    scale: int = 10**digits
    return f"{math.floor(value * scale + 1e-9) / scale:.{digits}f}"
