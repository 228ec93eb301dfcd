"""The demo's numbers: from the store's readings to what an operator answers for, by the functions of `analytics`.

Only what the centre has is used here: its store and its register. Nothing of the simulator is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.bounds import RsBounds
from analytics.evidence import SupplyEvidence, infer_supply
from analytics.inferred import Inferred, infer_interruptions
from analytics.instruments import stuck
from analytics.kpi.model import CountyModel, make_model
from analytics.kpi.readings import day_runs
from analytics.own_files.power_rules import power_rules
from analytics.signals import beyond, delayed, intervals, true_runs
from analytics.voltage import MinuteCounts, count_states, minute_states
from ingest.register import Register
from ingest.store import Columns, Store
from simulators.watches import Watch, stuck_name

MINUTE_MS = 60_000
DAY_MINUTES = 1440
AROUND_MS = 45 * MINUTE_MS
"""Readings before and after the period, which resolve a silence across its edges."""
STUCK_S = 7200.0
BAD_FROM = 8


@dataclass(frozen=True)
class FoundInterruption:
    """An interruption as the evidence has it."""

    asset: str
    start_ms: int
    end_ms: int
    start_error_ms: int
    end_error_ms: int


@dataclass(frozen=True)
class FoundAlarm:
    """A condition that lasted, as the readings have it."""

    watch: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Numbers:
    """What the centre says about the period."""

    rs_mv: RsBounds
    """Every transformer counts once. [%]"""
    rs_lv: RsBounds
    """Every customer counts once. [%]"""
    resolution_ms: int
    interruptions: tuple[FoundInterruption, ...]
    voltage: Mapping[tuple[str, int], MinuteCounts]
    """(point, day) → minutes by state."""
    alarms: tuple[FoundAlarm, ...]


def compute(
    store: Store,
    register: Register,
    county: str,
    midnight_ms: int,
    days: int,
    watches: Sequence[Watch],
    flat_line_points: Sequence[str],
) -> Numbers:
    """Compute all numbers of `days` local days; `county` is the code of the banner.

    `watches` are the water conditions to look for; the `flat_line_points` are looked at for a stuck sensor.
    """
    end_ms = midnight_ms + days * DAY_MINUTES * MINUTE_MS
    model = make_model(register, county)
    evidence = _evidence(store, model, midnight_ms, end_ms)
    ledger = infer_interruptions(evidence, model.topology, model.plans)
    return Numbers(
        rs_mv=evidence.rs(level="mv"),
        rs_lv=evidence.rs(level="lv"),
        resolution_ms=evidence.resolution_ms,
        interruptions=_interruptions(ledger, evidence, model),
        voltage=_voltage(store, model, ledger, evidence, midnight_ms, days),
        alarms=(
            *(alarm for watch in watches for alarm in _lasting(store, watch, midnight_ms, end_ms)),
            *(alarm for point in flat_line_points for alarm in _flat_lines(store, point, midnight_ms, end_ms)),
        ),
    )


def _evidence(store: Store, model: CountyModel, start_ms: int, end_ms: int) -> SupplyEvidence:
    rows = store.read(sorted(model.points), start_ms - AROUND_MS, end_ms + AROUND_MS)
    runs, gaps = day_runs(rows, model)
    return infer_supply(runs, model.devices(gaps), model.topology, start_ms, end_ms)


def _interruptions(ledger: Inferred, evidence: SupplyEvidence, model: CountyModel) -> tuple[FoundInterruption, ...]:
    assets = [model.asset_ids[asset] for asset in evidence.units.asset[ledger.unit]]
    columns = (ledger.start_ms, ledger.end_ms, ledger.start_error_ms, ledger.end_error_ms)
    return tuple(
        FoundInterruption(asset, *(int(column[row]) for column in columns)) for row, asset in enumerate(assets)
    )


def _voltage(
    store: Store, model: CountyModel, ledger: Inferred, evidence: SupplyEvidence, midnight_ms: int, days: int
) -> dict[tuple[str, int], MinuteCounts]:
    out = _out_minutes(ledger, evidence, model, midnight_ms, days)
    counts = {}
    for name, entry in model.voltage_points.items():
        rows = store.read([name], midnight_ms, midnight_ms + days * DAY_MINUTES * MINUTE_MS)
        volts = _minutes(rows, midnight_ms, days)
        quiet = np.zeros(days * DAY_MINUTES, dtype=bool)
        limits = power_rules().profile(entry.limits).limits()
        states = minute_states(volts, limits, outage=out.get(entry.asset, quiet))
        for day in range(days):
            counts[name, day] = count_states(states[day * DAY_MINUTES : (day + 1) * DAY_MINUTES])
    return counts


def _minutes(rows: Columns, midnight_ms: int, days: int) -> NDArray[np.float64]:
    """One value per minute, the last one read in it; NaN where there is none."""
    minutes = np.full(days * DAY_MINUTES, np.nan)
    good = rows.quality < BAD_FROM
    minutes[(rows.t_ms[good] - midnight_ms) // MINUTE_MS] = rows.value[good]
    return minutes


def _out_minutes(
    ledger: Inferred, evidence: SupplyEvidence, model: CountyModel, midnight_ms: int, days: int
) -> dict[str, NDArray[np.bool_]]:
    """Per asset the minutes that overlap one of its interruptions."""
    out: dict[str, NDArray[np.bool_]] = {}
    for row, unit in enumerate(ledger.unit):
        asset = model.asset_ids[evidence.units.asset[unit]]
        mask = out.setdefault(asset, np.zeros(days * DAY_MINUTES, dtype=bool))
        first = (int(ledger.start_ms[row]) - midnight_ms) // MINUTE_MS
        last = -(-(int(ledger.end_ms[row]) - midnight_ms) // MINUTE_MS)
        mask[max(first, 0) : max(last, 0)] = True
    return out


def _lasting(store: Store, watch: Watch, start_ms: int, end_ms: int) -> Iterator[FoundAlarm]:
    """The spans in which a value stayed beyond its level, from the first reading beyond it to the last."""
    t_s, values = _series(store, watch.point, start_ms, end_ms)
    condition = beyond(values, watch.level, 0.0, high=watch.is_high)
    active = delayed(condition, t_s, on_delay_s=watch.on_delay_s, off_delay_s=watch.off_delay_s)
    for one in intervals(active, t_s):
        end_s = one.end_s - watch.off_delay_s if np.isfinite(one.end_s) else t_s[-1]
        yield FoundAlarm(watch.name, int((one.start_s - watch.on_delay_s) * 1000), int(end_s * 1000))


def _flat_lines(store: Store, point: str, start_ms: int, end_ms: int) -> list[FoundAlarm]:
    """The spans in which a sensor said one and the same for two hours and more."""
    t_s, values = _series(store, point, start_ms, end_ms)
    if len(t_s) < 2:
        return []
    rows = max(int(STUCK_S / float(np.median(np.diff(t_s)))), 2)
    firsts, ends = true_runs(stuck(values, rows=rows, tolerance=0.0))
    return [
        FoundAlarm(stuck_name(point), int(t_s[first - rows + 1] * 1000), int(t_s[end - 1] * 1000))
        for first, end in zip(firsts, ends, strict=True)
    ]


def _series(store: Store, point: str, start_ms: int, end_ms: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = store.read([point], start_ms, end_ms)
    good = rows.quality < BAD_FROM
    return rows.t_ms[good] / 1000.0, rows.value[good]
