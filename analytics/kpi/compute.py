"""One county's day, computed from the store: the one piece of work that the service and the backfill share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from analytics.evidence import SupplyEvidence
from analytics.kpi.database import Correction, DeviceDay, InterruptionRow, Judgement, KpiDatabase
from analytics.kpi.model import CountyModel
from analytics.kpi.readings import day_runs
from analytics.kpi.sources import Reader
from analytics.kpi.supply_days import outages_of, supply_day
from analytics.kpi.voltage_days import voltage_day
from analytics.voltage_limits import VOLTAGE_LIMITS
from ingest.columns import take
from ingest.days import day_bounds
from ingest.store import Columns, Partial, Store

SUPPLY, VOLTAGE = "supply", "voltage"
POINTS_PER_READ = 500
ARRIVAL_MS = 30 * 60_000
"""Readings of a day arrive this long after it without anybody calling it late. [ms]"""


@dataclass(frozen=True, eq=False)
class CountyDay:
    """Everything a county's day comes to."""

    day: str
    supply: Mapping[str, Mapping[str, float]]
    """Asset → named sums."""
    voltage: Mapping[str, Mapping[str, float]]
    """Point → minutes by state."""
    interruptions: Sequence[InterruptionRow]

    def partials(self, computed_ms: int) -> list[Partial]:
        """The day as the store keeps it."""
        return [
            Partial(kpi, subject, self.day, dict(sums), computed_ms)
            for kpi, subjects in ((SUPPLY, self.supply), (VOLTAGE, self.voltage))
            for subject, sums in sorted(subjects.items())
        ]


def hear_day(store: Reader, model: CountyModel, devices: Sequence[str], day: str, timezone: str) -> list[DeviceDay]:
    """Return what these devices said on a local day, from their readings in the store."""
    start_ms, end_ms = day_bounds(day, timezone)
    names = sorted(devices)
    heard = []
    for first in range(0, len(names), POINTS_PER_READ):
        some = names[first : first + POINTS_PER_READ]
        heard += hear(store.read(model.points_of(some), start_ms, end_ms), model, some, day)
    return heard


def hear(rows: Columns, model: CountyModel, devices: Sequence[str], day: str) -> list[DeviceDay]:
    """Return what these devices said on a day, from its readings; a silent one has no runs."""
    runs, gaps = day_runs(rows, model)
    number = {name: index for index, name in enumerate(model.device_names)}
    heard = []
    for name in devices:
        mine = runs.device == number[name]
        columns = {column: values[mine] for column, values in vars(runs).items()}
        one = replace(runs, **{**columns, "device": np.zeros(int(mine.sum()), np.int64)})
        heard.append(DeviceDay(name, day, gaps.get(name, 0), one))
    return heard


def compute_day(
    store: Reader,
    model: CountyModel,
    heard: Sequence[DeviceDay],
    judgements: Sequence[Judgement],
    day: str,
    timezone: str,
    until_ms: int,
) -> CountyDay:
    """Return a county's day up to `until_ms`."""
    start_ms, end_ms = day_bounds(day, timezone)
    supply = supply_day(model, heard, judgements, start_ms, min(end_ms, until_ms))
    points = sorted(name for name, point in model.voltage_points.items() if point.limits in VOLTAGE_LIMITS)
    voltage = _voltage(store, model, supply.evidence, points, start_ms, min(end_ms, until_ms))
    return CountyDay(day, supply.sums, voltage, supply.interruptions)


def publish(store: Store, database: KpiDatabase, result: CountyDay, *, now_ms: int, closed_ms: int, why: str) -> int:
    """Write what differs from what the store holds, and note it if the day had been published whole; return how many.

    `closed_ms` is the end of the day: a value computed after it was final, so changing it is a correction, once the
    last readings of the day had their time to arrive. The note is kept before the value changes: a cut between the
    two repeats the note, which is the same note.
    """
    held = {
        (p.kpi, p.subject): p
        for kpi in (SUPPLY, VOLTAGE)
        for p in store.read_kpi(kpi, result.day, next_day(result.day))
    }
    changed = [
        p
        for p in result.partials(now_ms)
        if (p.kpi, p.subject) not in held or dict(held[p.kpi, p.subject].sums) != dict(p.sums)
    ]
    settled = now_ms >= closed_ms + ARRIVAL_MS
    final = [p for p in changed if settled and _was_final(held.get((p.kpi, p.subject)), closed_ms)]
    database.correct(c for p in final for c in _corrections(held[p.kpi, p.subject], p, now_ms, why))
    database.save_interruptions(result.day, result.supply, result.interruptions)
    if changed:
        store.write_kpi(changed)
    database.mark_published(result.day)
    return len(changed)


def _voltage(
    store: Reader, model: CountyModel, evidence: SupplyEvidence, points: Sequence[str], start_ms: int, end_ms: int
) -> dict[str, dict[str, float]]:
    number = {asset: index for index, asset in enumerate(model.asset_ids)}
    sums = {}
    for first in range(0, len(points), POINTS_PER_READ):
        rows = store.read(points[first : first + POINTS_PER_READ], start_ms, end_ms)
        bounds = np.searchsorted(rows.index, np.arange(len(rows.points) + 1))
        for place, name in enumerate(rows.points):
            entry = model.voltage_points[name]
            mine = take(rows, np.arange(bounds[place], bounds[place + 1]))
            lost = outages_of(evidence, number[entry.asset])
            sums[name] = voltage_day(mine, VOLTAGE_LIMITS[entry.limits], *lost, start_ms, end_ms)
    return sums


def _was_final(held: Partial | None, closed_ms: int) -> bool:
    return held is not None and held.computed_ms >= closed_ms


def _corrections(old: Partial, new: Partial, now_ms: int, why: str) -> list[Correction]:
    names = sorted(set(old.sums) | set(new.sums))
    pairs = [(name, old.sums.get(name, 0.0), new.sums.get(name, 0.0)) for name in names]
    return [
        Correction(now_ms, new.kpi, new.subject, new.day, name, before, after, why, old.computed_ms)
        for name, before, after in pairs
        if before != after
    ]


def next_day(day: str) -> str:
    """Return the local day after a day."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
