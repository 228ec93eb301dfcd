"""Local days: numbers are answered for by the calendar day of the place, not by the day in UTC."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

QUARTER_MS = 15 * 60 * 1000
"""Every time zone in use is offset by whole quarter-hours, and changes on one. [ms]"""
DAY_MS = 86_400_000


def day_bounds(day: str, timezone: str) -> tuple[int, int]:
    """Return the first instant of a local day and of the one after it. [ms since 1970-01-01T00:00Z]

    Examples
    --------
    >>> day_bounds("2026-01-01", "Asia/Shanghai")
    (1767196800000, 1767283200000)
    """
    first = date.fromisoformat(day)
    return _midnight_ms(first, timezone), _midnight_ms(first + timedelta(days=1), timezone)


def day_numbers(t_ms: NDArray[np.int64], timezone: str) -> NDArray[np.int64]:
    """Return per instant its local day, as days since 1970-01-01."""
    if not len(t_ms):
        return np.zeros(0, np.int64)
    quarters, place = np.unique(t_ms // QUARTER_MS, return_inverse=True)
    offsets_ms = np.array([_offset_ms(int(quarter), timezone) for quarter in quarters], np.int64)
    return np.asarray((t_ms + offsets_ms[place]) // DAY_MS, np.int64)


@lru_cache(maxsize=10_000)
def day_text(number: int) -> str:
    """Return a day number as `YYYY-MM-DD`."""
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


@lru_cache(maxsize=100_000)
def _offset_ms(quarter: int, timezone: str) -> int:
    instant = datetime.fromtimestamp(quarter * QUARTER_MS / 1000, tz=ZoneInfo(timezone))
    offset = instant.utcoffset()
    assert offset is not None, "an aware datetime has an offset"
    return int(offset.total_seconds() * 1000)


def _midnight_ms(day: date, timezone: str) -> int:
    local = datetime.combine(day, time(), tzinfo=ZoneInfo(timezone))
    return int(local.astimezone(UTC).timestamp()) * 1000
