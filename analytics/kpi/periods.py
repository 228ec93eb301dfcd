"""Periods that people report on: a month, a quarter or a year, as local days."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from edge.errors import BadInput

Length = Literal["month", "quarter", "year"]
WRITTEN = re.compile(r"^(?P<year>[12]\d{3})(?:-?Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?$")


@dataclass(frozen=True)
class Period:
    """A month, quarter or year of local days."""

    name: str
    """`2025-06`, `2025Q1` or `2025`."""
    length: Length
    from_day: str
    to_day: str
    """The day after the last."""

    @property
    def year(self) -> int:
        """The year that it lies in."""
        return int(self.name[:4])

    @property
    def days(self) -> int:
        """How many days it has."""
        return (date.fromisoformat(self.to_day) - date.fromisoformat(self.from_day)).days


def read_period(text: str) -> Period:
    """Return a period as people write it. Raises BadInput.

    >>> read_period("2025Q4").to_day, read_period("2025-06").days, read_period("2024").days
    ('2026-01-01', 30, 366)
    """
    found = WRITTEN.match(text.strip())
    if found is None:
        raise BadInput(f"period {text!r}: write a quarter 2025Q1, a month 2025-06 or a year 2025")
    year = int(found["year"])
    if found["month"]:
        return _period(f"{year}-{found['month']}", "month", year, int(found["month"]), 1)
    if found["quarter"]:
        return _period(f"{year}Q{found['quarter']}", "quarter", year, 3 * int(found["quarter"]) - 2, 3)
    return _period(str(year), "year", year, 1, 12)


def _period(name: str, length: Length, year: int, month: int, months: int) -> Period:
    after = year * 12 + month - 1 + months
    return Period(name, length, date(year, month, 1).isoformat(), date(after // 12, after % 12 + 1, 1).isoformat())
