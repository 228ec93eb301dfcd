"""The daily partial sums of a long span, kept as arrays: a year's numbers in milliseconds.

A day is read from the store once, and again only after the service published it anew. Sums of sums stay whole numbers,
so that what comes out equals what the partials come to, to the last digit.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from analytics.kpi.compute import next_day
from analytics.kpi.database import KpiDatabase
from analytics.spans import Int
from ingest.store import Partial, Store, StoreDown

NEVER = -1
"""Published before anybody counted how often."""


@dataclass(frozen=True, eq=False)
class UnitSums:
    """Sums of many subjects over a span of days."""

    subjects: tuple[str, ...]
    columns: Mapping[str, Int]
    """Named sums, each of shape (subjects,)."""


@dataclass(frozen=True, eq=False)
class _Day:
    times: int
    """How often it had been published when it was read."""
    subject: Int
    values: Int
    """Shape (subjects of the day, sums)."""


class DaySums:
    """The days of one kind of partial sum, shared by all threads of a process."""

    def __init__(self, kpi: str, names: Sequence[str]) -> None:
        self._kpi, self._names = kpi, tuple(names)
        self._number: dict[str, int] = {}
        self._days: dict[str, _Day] = {}
        self._lock = threading.Lock()
        self.is_behind = False
        """The store could not be asked for what was published since; what was read before stands in for it."""

    def total(self, store: Store, database: KpiDatabase, from_day: str, to_day: str) -> UnitSums:
        """Return the sums per subject over from_day <= day < to_day.

        While the store is down they are as they were read last. Raises StoreError where they never were.
        """
        days = self._up_to_date(store, database, from_day, to_day)
        sums = np.zeros((len(self._number), len(self._names)), np.int64)
        for day in days.values():
            sums[day.subject] += day.values
        return self._unit_sums(sums)

    def by_day(self, store: Store, database: KpiDatabase, from_day: str, to_day: str) -> dict[str, UnitSums]:
        """Return the sums per subject of each day that has any, the subjects in the same order. Raises StoreError."""
        days = self._up_to_date(store, database, from_day, to_day)
        found = {}
        for name, day in days.items():
            sums = np.zeros((len(self._number), len(self._names)), np.int64)
            sums[day.subject] = day.values
            found[name] = self._unit_sums(sums)
        return found

    def _unit_sums(self, sums: Int) -> UnitSums:
        columns = {name: sums[:, place] for place, name in enumerate(self._names)}
        return UnitSums(tuple(self._number)[: len(sums)], columns)

    def _up_to_date(self, store: Store, database: KpiDatabase, from_day: str, to_day: str) -> dict[str, _Day]:
        with self._lock:
            times = database.published(from_day, to_day)
            names = days_between(from_day, to_day)
            old = [d for d in names if d not in self._days or self._days[d].times != times.get(d, NEVER)]
            try:
                for first, last in _stretches(old):
                    self._read(store, first, last, times)
                self.is_behind = self.is_behind and not old
            except StoreDown:
                if any(day not in self._days for day in old):
                    raise
                self.is_behind = True
            return {name: self._days[name] for name in names if len(self._days[name].subject)}

    def _read(self, store: Store, first: str, last: str, times: Mapping[str, int]) -> None:
        days: dict[str, list[Partial]] = {day: [] for day in days_between(first, next_day(last))}
        for partial in store.read_kpi(self._kpi, first, next_day(last)):
            days[partial.day].append(partial)
        for day, partials in days.items():
            self._days[day] = self._packed(partials, times.get(day, NEVER))

    def _packed(self, partials: Sequence[Partial], times: int) -> _Day:
        subject = [self._number.setdefault(p.subject, len(self._number)) for p in partials]
        values = np.asarray([[p.sums.get(name, 0.0) for name in self._names] for p in partials], np.float64)
        whole = np.rint(values).astype(np.int64).reshape(len(partials), len(self._names))
        return _Day(times, np.asarray(subject, np.int64), whole)


def days_between(from_day: str, to_day: str) -> list[str]:
    """Return the days with from_day <= day < to_day."""
    first, count = date.fromisoformat(from_day), (date.fromisoformat(to_day) - date.fromisoformat(from_day)).days
    return [(first + timedelta(days=step)).isoformat() for step in range(count)]


def _stretches(days: Sequence[str]) -> list[tuple[str, str]]:
    """First and last of each run of days without a hole."""
    found: list[tuple[str, str]] = []
    for day in days:
        if found and next_day(found[-1][1]) == day:
            found[-1] = found[-1][0], day
        else:
            found.append((day, day))
    return found
