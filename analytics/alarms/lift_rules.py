"""What a lift station remembers, and which conditions follow from it, by the array functions of the core."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from analytics.alarms.events import Severity
from analytics.alarms.settings import LiftStation
from analytics.lift_station import overflowing, running_dry, time_to_overflow_s
from analytics.pumps import (
    CYCLES_IN_A_ROW,
    DAY_S,
    IMBALANCE_SHARE,
    STARTS_PER_HOUR,
    Drawdowns,
    losing_capacity,
    runtime_imbalance,
    starts_in_hour,
)
from analytics.signals import delayed

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SEVERITY = {
    "overflow": Severity.CRITICAL,
    "overflow_near": Severity.HIGH,
    "dry_run": Severity.HIGH,
    "over_cycling": Severity.MEDIUM,
    "capacity_loss": Severity.MEDIUM,
    "run_imbalance": Severity.LOW,
}
KINDS = tuple(SEVERITY)
WINDOW_MS = 65 * 60_000
"""The last hour of rows, and a little more to see the first start in it. [ms]"""
DAY_MS = 86_400_000
DAYS = 7
CYCLES_KEPT = 500
LATELY_S = 600.0
"""Rows by which overflow and dry running are judged: many times their delays. [s]"""
GAP_MS = 15 * 60_000
"""Time between two rows that counts as run-time at most: what was not watched is nobody's. [ms]"""
DRY_ON_S, OFF_S = 30.0, 60.0
NEAR_S = 1800.0
"""An overflow within so long needs somebody on the way. [s]"""
NEAR_ON_S, NEAR_OFF_S = 120.0, 600.0
LEAST_RUN_H = 1.0
"""Twins that ran less than this in a week, on the mean, are not compared. [h]"""


class Row(NamedTuple):
    """What was known at one instant."""

    at_ms: int
    level_m: float | None
    """None where the level is not known."""
    switch: bool
    on: tuple[bool, ...]


class Day(NamedTuple):
    """Run-time of each pump on one day of UTC."""

    number: int
    run_ms: tuple[int, ...]


class Cycle(NamedTuple):
    """One run of one pump alone."""

    end_s: float
    rate_m_h: float


class Held(NamedTuple):
    """A condition that holds."""

    since_ms: int
    value: float | None


class Memory(msgspec.Struct):
    """What one station remembers, bounded however long it runs."""

    rows: list[Row]
    days: list[Day]
    cycles: list[list[Cycle]]
    """Per pump, the newest last."""
    tired: list[bool]
    """Per pump: its last cycles drew down too slowly."""
    begun: list[Row | None]
    """Per pump: the first row of its present run alone."""

    @classmethod
    def blank(cls, pumps: int) -> "Memory":
        """Nothing has been read yet, of so many pumps."""
        return cls([], [], [[] for _ in range(pumps)], [False] * pumps, [None] * pumps)

    @property
    def newest_ms(self) -> int:
        """Instant of the last row; -1 for none. [ms since 1970-01-01T00:00Z]"""
        return self.rows[-1].at_ms if self.rows else -1

    def take(self, at_ms: int, values: dict[int, float], *, level_lost: bool) -> None:
        """Add a row: values by place (level, switch, pumps); what is not among them holds."""
        last = self.rows[-1] if self.rows else Row(at_ms, None, False, (False,) * len(self.begun))
        level = None if level_lost else values.get(0, last.level_m)
        on = tuple(values[2 + n] > 0.5 if 2 + n in values else was for n, was in enumerate(last.on))
        row = Row(at_ms, level, values[1] > 0.5 if 1 in values else last.switch, on)
        self._count_run_time(last, row)
        self._follow_runs(last, row)
        self.rows.append(row)
        while self.rows[0].at_ms < at_ms - WINDOW_MS:
            del self.rows[0]

    def _count_run_time(self, last: Row, row: Row) -> None:
        """A span counts on the day on which it ends."""
        number, span_ms = row.at_ms // DAY_MS, min(row.at_ms - last.at_ms, GAP_MS)
        if not self.days or self.days[-1].number != number:
            self.days = [*self.days[-DAYS:], Day(number, (0,) * len(row.on))]
        ran = zip(self.days[-1].run_ms, last.on, strict=True)
        self.days[-1] = Day(number, tuple(run_ms + span_ms * was for run_ms, was in ran))

    def _follow_runs(self, last: Row, row: Row) -> None:
        """Note each run of a pump alone when it ends: at its last row of running."""
        for pump, first in enumerate(self.begun):
            alone = row.on[pump] and sum(row.on) == 1
            if first is not None and not alone:
                self._end_run(pump, first, last)
            self.begun[pump] = (first or row) if alone else None

    def _end_run(self, pump: int, first: Row, last: Row) -> None:
        if first.level_m is None or last.level_m is None or last.at_ms - first.at_ms < 1000 * OFF_S:
            return
        rate_m_h = 3_600_000 * (first.level_m - last.level_m) / (last.at_ms - first.at_ms)
        cycles = [*self.cycles[pump][1 - CYCLES_KEPT :], Cycle(last.at_ms / 1000, rate_m_h)]
        self.cycles[pump] = cycles
        enough = len(cycles) > 2 * CYCLES_IN_A_ROW
        self.tired[pump] = enough and bool(losing_capacity(Drawdowns(*np.array(cycles).T))[-1])


def holding(memory: Memory, station: LiftStation | None) -> dict[str, Held]:
    """Return what holds now, by kind; without the station's levels only what the pumps and the switch tell."""
    found = [*_of_switch_and_level(memory, station), *_of_pumps(memory, station)]
    return dict(found)


def _of_switch_and_level(memory: Memory, station: LiftStation | None) -> Iterator[tuple[str, Held]]:
    at_s = np.array([row.at_ms / 1000 for row in memory.rows])
    level = np.array([np.nan if row.level_m is None else row.level_m for row in memory.rows])
    weir_m = np.inf if station is None else station.weir_m
    switch, running = ([row.switch for row in memory.rows], [any(row.on) for row in memory.rows])
    lately = slice(int(np.searchsorted(at_s, at_s[-1] - LATELY_S)), None)
    over = overflowing(level, weir_m, switch)
    yield from _held("overflow", over[lately], at_s[lately], level[lately], 0.0, OFF_S)
    if station is None:
        return
    dry = running_dry(level, running, off_level_m=station.stop_m, range_m=station.weir_m - station.floor_m)
    yield from _held("dry_run", dry[lately], at_s[lately], level[lately], DRY_ON_S, OFF_S)
    last_of_minute = np.flatnonzero(np.diff(at_s // 60, append=np.inf) > 0)
    at_s, level = at_s[last_of_minute], level[last_of_minute]
    left_s = time_to_overflow_s(level, at_s, station.weir_m) if len(at_s) >= 5 else np.full(len(at_s), np.nan)
    near = (left_s > 0) & (left_s <= NEAR_S) & (level > station.start_m)
    yield from _held("overflow_near", near, at_s, left_s / 60, NEAR_ON_S, NEAR_OFF_S)


def _of_pumps(memory: Memory, station: LiftStation | None) -> Iterator[tuple[str, Held]]:
    newest_ms = memory.newest_ms
    at_s = np.array([row.at_ms / 1000 for row in memory.rows])
    most = STARTS_PER_HOUR if station is None else station.starts_per_hour
    on = np.array([row.on for row in memory.rows], bool).reshape(len(at_s), -1)
    starts = max((int(starts_in_hour(pump, at_s)[-1]) for pump in on.T), default=0)
    if starts > most:
        yield "over_cycling", Held(newest_ms, float(starts))
    for tired, cycles in zip(memory.tired, memory.cycles, strict=True):
        if tired:
            yield "capacity_loss", Held(int(cycles[-1].end_s * 1000), cycles[-1].rate_m_h)
            break
    whole_days = [day for day in memory.days[:-1] if day.number >= newest_ms // DAY_MS - DAYS]
    hours = np.sum([day.run_ms for day in whole_days], axis=0) / 3_600_000 if len(whole_days) == DAYS else np.zeros(0)
    if len(hours) > 1 and hours.mean() >= LEAST_RUN_H:
        share = runtime_imbalance(float(hours.max()), float(hours.min()))
        if share > IMBALANCE_SHARE:
            yield "run_imbalance", Held(int((at_s[-1] // DAY_S) * DAY_MS), share)


def _held(
    kind: str, condition: Bools, at_s: Floats, value: Floats, on_s: float, off_s: float
) -> Iterator[tuple[str, Held]]:
    """The condition with its delays, if it holds at the last row."""
    if not condition.any() or not delayed(condition, at_s, on_delay_s=on_s, off_delay_s=off_s)[-1]:
        return
    last = int(np.flatnonzero(condition)[-1])
    told = float(value[last])
    first = last - int(np.argmin(np.append(condition[last::-1], False))) + 1
    yield kind, Held(int(at_s[first] * 1000), told if np.isfinite(told) else None)
