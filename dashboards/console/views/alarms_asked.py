"""What a reader asks of the alarm list, out of the words of an address."""

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

import numpy as np

from dashboards.console.errors import NotFound, Unusable
from dashboards.console.views.alarms import Tab, Wanted
from ingest.days import day_bounds, day_numbers, day_text
from ingest.register import Register

HISTORY_DAYS = 30
LONGEST_DAYS = 400
FIRST_YEAR, LAST_YEAR = 1990, 2200


@dataclass(frozen=True)
class Period:
    """Whole local days."""

    first_day: str
    last_day: str
    """`YYYY-MM-DD`, the last one counted in."""
    start_ms: int
    end_ms: int


def wanted(register: Register, priority: str, region: str, text: str) -> Wanted:
    """Return what was asked for. Raises Unusable for a priority there is not, NotFound for a region there is not."""
    if priority not in ("", "1", "2", "3"):
        raise Unusable("alarms.wrong.priority")
    if region and region not in register.regions:
        raise NotFound(region)
    return Wanted((int(priority),) if priority else (), region, text.strip())


def period(first: str, last: str, timezone: str, *, now_ms: int, days: int = HISTORY_DAYS) -> Period:
    """Return the days asked for, or the last ones. Raises Unusable."""
    end = _day(last) if last else _today(timezone, now_ms)
    begin = _day(first) if first else end - timedelta(days=days - 1)
    if not begin <= end < begin + timedelta(days=LONGEST_DAYS):
        raise Unusable("alarms.wrong.period")
    start_ms, end_ms = day_bounds(begin.isoformat(), timezone)[0], day_bounds(end.isoformat(), timezone)[1]
    return Period(begin.isoformat(), end.isoformat(), start_ms, end_ms)


def address(tab: Tab, asked: Wanted, days: Period | None = None) -> str:
    """Return the address that asks for the same again."""
    words = {"tab": tab, "priority": "".join(map(str, asked.priorities)), "region": asked.region, "text": asked.text}
    words |= {"from": days.first_day, "to": days.last_day} if days else {}
    return "/alarms?" + urlencode({name: word for name, word in words.items() if word})


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise Unusable("alarms.wrong.day") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Unusable("alarms.wrong.day")
    return found


def _today(timezone: str, now_ms: int) -> date:
    return date.fromisoformat(day_text(int(day_numbers(np.array([now_ms], np.int64), timezone)[0])))
