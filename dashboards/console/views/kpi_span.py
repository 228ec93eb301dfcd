"""Which month of which region a page is about, as asked for in an address."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from analytics.kpi.ledger import Level
from analytics.kpi.regions import path_of
from dashboards.console.errors import NotFound, Unusable
from dashboards.console.texts import local_time
from ingest.days import day_bounds
from ingest.register import Region, Register

MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
LONGEST_CODE = 40
REACH_DAYS = 7
"""An interruption that lasts longer than this is told by the days that it fills. [days]"""


@dataclass(frozen=True)
class Month:
    """A calendar month in local time, as far as it has passed."""

    name: str
    """`YYYY-MM`."""
    from_day: str
    to_day: str
    """Local day after the last that counts: today is the last one of a month under way."""
    start_ms: int
    end_ms: int
    """The calendar month's end, passed or not. [ms since 1970-01-01T00:00Z]"""
    reach_day: str
    """Interruptions that began from here on are looked at for what they left in the month."""
    is_running: bool
    before: str
    after: str
    """The next month; empty where it has not begun."""

    @property
    def hours(self) -> float:
        """Calendar hours of the whole month. [h]"""
        return (self.end_ms - self.start_ms) / 3_600_000


def month_of(asked: str, now_ms: int, timezone: str) -> Month:
    """Return the month that was asked for, or the present one. Raises Unusable."""
    today = local_time(now_ms, ZoneInfo(timezone), "day")
    if asked and not MONTH.fullmatch(asked):
        raise Unusable(f"month {asked[:20]!r}: write it as 2026-05")
    name = asked or today[:7]
    if name > today[:7]:
        raise Unusable(f"month {name}: it has not begun")
    first = date.fromisoformat(f"{name}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    tomorrow = (date.fromisoformat(today) + timedelta(days=1)).isoformat()
    return Month(
        name=name,
        from_day=first.isoformat(),
        to_day=min(following.isoformat(), tomorrow),
        start_ms=day_bounds(first.isoformat(), timezone)[0],
        end_ms=day_bounds(following.isoformat(), timezone)[0],
        reach_day=(first - timedelta(days=REACH_DAYS)).isoformat(),
        is_running=name == today[:7],
        before=(first - timedelta(days=1)).isoformat()[:7],
        after="" if name == today[:7] else following.isoformat()[:7],
    )


def region_of(asked: str, register: Register) -> Region:
    """Return the region that was asked for, or the one that the centre answers for. Raises NotFound."""
    code = asked or home(register)
    if code not in register.regions:
        raise NotFound(f"there is no region {code[:LONGEST_CODE]!r}")
    return register.regions[code]


def home(register: Register) -> str:
    """Return the smallest region that everything else stands in, a banner at the smallest."""
    inside: dict[str | None, list[Region]] = {}
    for region in register.regions.values():
        inside.setdefault(region.parent, []).append(region)
    code: str | None = None
    level = ""
    while level != "banner" and len(parts := inside.get(code, [])) == 1:
        code, level = parts[0].code, parts[0].level
    return code or min(register.regions, default="")


def level_of(asked: str) -> Level:
    """Return the level that was asked for; `mv`, the headline of DL/T 836, where none was. Raises Unusable."""
    levels: tuple[Level, ...] = get_args(Level)
    found = next((level for level in levels if level == (asked or "mv")), None)
    if found is None:
        raise Unusable(f"level {asked[:20]!r}: there are mv (transformers) and lv (customers)")
    return found


def way_to(region: Region, register: Register) -> tuple[Region, ...]:
    """Return the regions that a region lies in, the largest first, and itself."""
    return tuple(register.regions[code] for code in reversed(path_of(region.code, register)))
