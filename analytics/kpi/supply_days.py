"""Supply of one county on one local day: from what devices said to partial sums and interruptions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics.evidence import SupplyEvidence, infer_supply
from analytics.inferred import BY_PERSON, METER_RECORD, SILENCE, TERMINAL, Inferred, infer_interruptions
from analytics.kpi.database import DeviceDay, InterruptionRow, Judgement
from analytics.kpi.judged import judged_facts
from analytics.kpi.model import CountyModel
from analytics.live_path import PERSON
from analytics.reliability import Nature
from analytics.run_days import join_runs
from analytics.spans import Bool, Int

EVIDENCE_NAMES = {BY_PERSON: "person", METER_RECORD: "meter_record", TERMINAL: "terminal", SILENCE: "silence"}
TIME_SUMS = ("in_service_ms", "lost_ms", "open_ms", "least_ms", "most_ms", "valued_ms", "by_rate_ms")
"""Sums of `analytics.unresolved.UnitTime` that a day keeps; `analytics.kpi.rollup` adds them up."""


@dataclass(frozen=True, eq=False)
class SupplyDay:
    """One county's day."""

    evidence: SupplyEvidence
    sums: dict[str, dict[str, float]]
    """Asset → named sums."""
    interruptions: list[InterruptionRow]
    """Those that began on the day."""


def supply_day(
    model: CountyModel,
    heard: Sequence[DeviceDay],
    judgements: Sequence[Judgement],
    start_ms: int,
    end_ms: int,
) -> SupplyDay:
    """Return the supply of a county between two instants of one day.

    `heard` reaches beyond the day as `KpiDatabase.days_around` gives it: that is what resolves silences across
    midnight.
    """
    number = {name: index for index, name in enumerate(model.device_names)}
    devices = model.devices({day.device: day.gap_ms for day in sorted(heard, key=lambda d: d.gap_ms)})
    runs = join_runs(
        [
            replace(day.runs, device=np.full(len(day.runs), number[day.device], np.int64))
            for day in sorted(heard, key=lambda d: (d.device, d.day))
            if day.device in number
        ],
        devices,
    )
    asset_number = {asset: index for index, asset in enumerate(model.asset_ids)}
    judged = judged_facts(judgements, asset_number, model.topology)
    evidence = infer_supply(runs, devices, model.topology, start_ms, end_ms, judged=judged)
    inferred = infer_interruptions(evidence, model.topology, model.plans)
    return SupplyDay(evidence, _sums(evidence, inferred, model), _interruptions(evidence, inferred, model))


def outages_of(evidence: SupplyEvidence, inferred_asset: int) -> tuple[Int, Int]:
    """Return start and end of the proven losses of one asset. [ms since 1970-01-01T00:00Z]"""
    pieces, units = evidence.pieces, evidence.units
    mine = np.isin(pieces.unit, np.flatnonzero(units.asset == inferred_asset)) & (pieces.state > 1)
    return pieces.start_ms[mine], pieces.end_ms[mine]


def _sums(evidence: SupplyEvidence, inferred: Inferred, model: CountyModel) -> dict[str, dict[str, float]]:
    units, time = evidence.units, evidence.time
    columns: dict[str, Int] = {name: getattr(time, name) for name in TIME_SUMS}
    columns["customer_ms"] = time.in_service_ms * units.customers
    columns["transformer_ms"] = np.where(evidence.is_transformer, time.in_service_ms, 0)
    columns |= _interruption_sums(evidence, inferred)
    sums: dict[str, dict[str, float]] = {}
    for unit in np.flatnonzero(time.in_service_ms > 0):
        asset = model.asset_ids[units.asset[unit]]
        if asset in model.own:
            row = sums.setdefault(asset, dict.fromkeys(columns, 0.0))
            for name, column in columns.items():
                row[name] += float(column[unit])
    return sums


def _interruption_sums(evidence: SupplyEvidence, inferred: Inferred) -> dict[str, Int]:
    """Per unit: interruptions that began in the period, how uncertain their edges are, and the time by nature. [ms]"""
    count = len(evidence.units.row)
    began = _began(evidence, inferred)
    length = np.minimum(inferred.end_ms, evidence.end_ms) - np.maximum(inferred.start_ms, evidence.start_ms)
    length = np.maximum(length, 0)
    by_nature = {
        f"{nature.name.lower()}_ms": np.bincount(
            inferred.unit[inferred.nature == nature], length[inferred.nature == nature], count
        ).astype(np.int64)
        for nature in Nature
    }
    errors_ms = (inferred.start_error_ms + inferred.end_error_ms)[began]
    edges = np.bincount(inferred.unit[began], errors_ms, count).astype(np.int64)
    return {"interruptions": np.bincount(inferred.unit[began], minlength=count), "edges_ms": edges, **by_nature}


def _began(evidence: SupplyEvidence, inferred: Inferred) -> Bool:
    return np.asarray((inferred.start_ms >= evidence.start_ms) & (inferred.start_ms < evidence.end_ms))


def _interruptions(evidence: SupplyEvidence, inferred: Inferred, model: CountyModel) -> list[InterruptionRow]:
    rows = [_row(evidence, inferred, int(row), model) for row in np.flatnonzero(_began(evidence, inferred))]
    return [row for row in rows if row.asset in model.own]


def _row(evidence: SupplyEvidence, inferred: Inferred, row: int, model: CountyModel) -> InterruptionRow:
    runs = evidence.runs
    return InterruptionRow(
        asset=model.asset_ids[evidence.units.asset[inferred.unit[row]]],
        start_ms=int(inferred.start_ms[row]),
        end_ms=int(inferred.end_ms[row]),
        start_error_ms=int(inferred.start_error_ms[row]),
        end_error_ms=int(inferred.end_error_ms[row]),
        is_open=bool(inferred.is_open[row]),
        nature=Nature(int(inferred.nature[row])).name.lower(),
        event_asset=model.asset_ids[inferred.event_asset[row]],
        customers=int(inferred.customers[row]),
        confidence=float(inferred.confidence[row]),
        evidence=EVIDENCE_NAMES[int(inferred.evidence[row])],
        witnesses=tuple(
            (model.device_names[runs.device[run]], int(runs.start_ms[run]))
            for run in inferred.witnesses(row).tolist()
            if run != PERSON
        ),
    )
