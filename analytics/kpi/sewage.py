"""Sewage facilities of a region: which of them ran, by the signals of their pumps, month by month.

A facility counts in a month if something of it ran on at least 15 days. A day on which nothing ran, and which was not
read well enough, is unknown: it decides for neither side.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.kpi.day_sums import days_between
from analytics.kpi.quarters import QUARTER_MS, Quarters, Steps, read_quarters
from analytics.kpi.water import Progress
from ingest.days import day_bounds
from ingest.lines import measurement
from ingest.register import Register

RUN_DAYS = 15
"""Days with run time that make a month count."""
VALID_SHARE = 0.75
"""Share of a day's quarter-hours that must be read before nobody may say that nothing ran."""
RUNNING_A = 0.5
"""A pump that draws more runs. [A]"""
KIND = "sewage_station"
IDLE, RAN, UNKNOWN = 0, 1, -1


@dataclass(frozen=True)
class FacilityMonth:
    """One facility in one month."""

    month: str
    """`YYYY-MM`."""
    days: int
    """Days of the month that the period holds."""
    ran: int
    unknown: int

    @property
    def counts(self) -> bool | None:
        """Whether it ran on enough days; None where the unknown days decide. A short month counts by its share."""
        needed = min(RUN_DAYS, -(-self.days // 2))
        if self.ran >= needed:
            return True
        return None if self.ran + self.unknown >= needed else False


@dataclass(frozen=True)
class Facility:
    """One facility over the period."""

    asset: str
    months: tuple[FacilityMonth, ...]
    has_signals: bool
    """Whether any point tells if it runs."""

    @property
    def runs(self) -> bool | None:
        """Whether it counts in each month; None where that is not known."""
        counts = [month.counts for month in self.months]
        if False in counts:
            return False
        return None if None in counts or not counts else True


def running_points(register: Register, assets: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return each sewage facility among some assets, with the points that tell whether it runs."""
    points: dict[str, list[str]] = {
        asset: [] for asset, stays in sorted(register.assets.items()) if asset in assets and stays[-1].kind == KIND
    }
    for entry in register.points.values():
        if entry.asset in points and (is_switch(entry.point) or is_counter(entry.point) or is_current(entry.point)):
            points[entry.asset].append(entry.point)
    return {asset: tuple(names) for asset, names in points.items()}


def is_switch(point: str) -> bool:
    """Whether a point says on or off of a pump or blower."""
    return measurement(point).endswith("_on") and measurement(point) != "mains_on"


def is_counter(point: str) -> bool:
    """Whether a point counts run time."""
    return measurement(point).endswith(("run_h", "run_s"))


def is_current(point: str) -> bool:
    """Whether a point reads a motor's current."""
    return measurement(point) == "current_a"


def facilities(
    store: Steps,
    points: Mapping[str, Sequence[str]],
    from_day: str,
    to_day: str,
    timezone: str,
    progress: Progress,
) -> list[Facility]:
    """Return how each facility ran over from_day <= day < to_day. Raises StoreError."""
    return [_facility(store, asset, names, from_day, to_day, timezone, progress) for asset, names in points.items()]


def _facility(
    store: Steps, asset: str, names: Sequence[str], from_day: str, to_day: str, timezone: str, progress: Progress
) -> Facility:
    days = days_between(from_day, to_day)
    bounds = [day_bounds(day, timezone) for day in days]
    states = []
    for name in names:
        quarters = read_quarters(store, name, bounds[0][0], bounds[-1][1])
        states.append(_days(name, quarters, [start_ms - bounds[0][0] for start_ms, _ in bounds]))
        progress(name)
    return Facility(asset, _months(days, _best(states, len(days))), has_signals=bool(names))


def _best(states: Sequence[NDArray[np.int64]], days: int) -> NDArray[np.int64]:
    """One signal that ran is enough; that nothing ran must be said by all of them."""
    if not states:
        return np.full(days, UNKNOWN)
    table = np.stack(states)
    idle = (table == IDLE).all(axis=0)
    return np.where((table == RAN).any(axis=0), RAN, np.where(idle, IDLE, UNKNOWN))


def _days(point: str, quarters: Quarters, since_start_ms: Sequence[int]) -> NDArray[np.int64]:
    first = np.asarray(since_start_ms) // QUARTER_MS
    read = ~np.isnan(quarters.mean)
    length = np.diff(np.append(first, len(read)))
    share = np.add.reduceat(read.astype(float), first) / length
    low, high = np.fmin.reduceat(quarters.low, first), np.fmax.reduceat(quarters.high, first)
    moved = high > low if is_counter(point) else high > (RUNNING_A if is_current(point) else 0.0)
    return np.where(moved, RAN, np.where(share >= VALID_SHARE, IDLE, UNKNOWN))


def _months(days: Sequence[str], state: NDArray[np.int64]) -> tuple[FacilityMonth, ...]:
    month = np.asarray([day[:7] for day in days])
    return tuple(
        FacilityMonth(
            str(name),
            int((month == name).sum()),
            int((state[month == name] == RAN).sum()),
            int((state[month == name] == UNKNOWN).sum()),
        )
        for name in np.unique(month)
    )
