"""The ledger that the evidence supports: each inferred interruption with its doubt and its witnesses (O4–O8).

rows = infer_interruptions(evidence, topology, plans)
rows.start_ms, rows.start_error_ms       # best estimate, and how far it may be off
rows.witnesses(3)                        # runs of readings that support row 3
"""

from dataclasses import dataclass, fields, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from analytics.evidence import SupplyEvidence
from analytics.live_path import ABSENT, LOST_ABOVE, LOST_HERE, PERSON, UNKNOWN, neighbours, on_units
from analytics.outage_events import group_events
from analytics.reliability import Nature
from analytics.runs import LIVE, Float, Runs
from analytics.spans import Bool, Int, Spans, pack, spans
from analytics.topology import Facts, Topology, descend
from analytics.unresolved import BY_RATE, RECORDED

BY_PERSON, METER_RECORD, TERMINAL, SILENCE = 0, 1, 3, 5
"""The strongest evidence behind a row, numbered as in the design: a person; a meter's own record; a device that answers
without supply (terminal, gateway); the corroborated silence of many."""
CONFIDENCE = {BY_PERSON: 1.0, METER_RECORD: 0.99, TERMINAL: 0.95, SILENCE: 0.8}
PLAN_SHARE = 0.5
"""Of an interruption, that a plan must cover for it to count as planned (O8)."""


class Plans(NamedTuple):
    """Approved interruptions; every array has shape (plans,)."""

    asset: Int
    start_ms: Int
    end_ms: Int
    nature: NDArray[np.int8]
    """Nature.PLANNED or Nature.LIMIT."""


_NONE = np.zeros(0, np.int64)
NO_PLANS = Plans(_NONE, _NONE, _NONE, np.zeros(0, np.int8))


@dataclass(frozen=True, eq=False)
class Inferred:
    """Interruptions of units, by unit and start; every array has shape (rows,)."""

    unit: Int
    """Which of `evidence.units`."""
    start_ms: Int
    end_ms: Int
    """Best estimate. [ms since 1970-01-01T00:00Z]"""
    start_error_ms: Int
    end_error_ms: Int
    """The true instant lies within this of the estimate. [ms]"""
    is_open: Bool
    """Not over at the end of the period, as far as is known (R5)."""
    nature: NDArray[np.int8]
    """`analytics.reliability.Nature`."""
    event_asset: Int
    """The highest asset whose whole supply was lost with it (O4)."""
    event: Int
    """Rows of one event share a number."""
    customers: Int
    """By the topology at the time, not by who spoke (O7)."""
    confidence: Float
    """That there was an interruption at all. [0..1]"""
    evidence: NDArray[np.int8]
    """BY_PERSON, METER_RECORD, TERMINAL or SILENCE."""
    indptr: Int
    """Shape (rows + 1,): `witness[indptr[i]:indptr[i + 1]]` are the runs that support row i."""
    witness: Int

    def __len__(self) -> int:
        return len(self.unit)

    def pick(self, rows: Int) -> Self:
        """These rows, in this order; a row may be picked twice."""
        count = np.diff(self.indptr)[rows]
        indptr = np.concatenate(([0], np.cumsum(count)))
        at = np.arange(indptr[-1]) - np.repeat(indptr[:-1], count) + np.repeat(self.indptr[:-1][rows], count)
        columns = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name not in ("indptr", "witness")}
        return replace(self, **columns, indptr=indptr, witness=self.witness[at])

    def witnesses(self, row: int) -> Int:
        """The runs of readings that support a row: indices into `evidence.runs`, `PERSON` for a person."""
        return self.witness[self.indptr[row] : self.indptr[row + 1]]


def infer_interruptions(evidence: SupplyEvidence, topology: Topology, plans: Plans = NO_PLANS) -> Inferred:
    """Return the interruptions that the evidence supports.

    Parameters
    ----------
    evidence : SupplyEvidence
        Of a period, as `infer_supply` gives it.
    topology : Topology
        The same that the evidence was inferred with.
    plans : Plans
        Approved interruptions; one that covers at least half of a row makes it planned, the excess beyond the plan's
        end is a row of its own, a fault (O8).

    Returns
    -------
    Inferred
        A row per unit and interruption; each with the uncertainty of its edges (O5) and its witnesses.

    Examples
    --------
    >>> from analytics.evidence import infer_supply
    >>> from analytics.runs import find_runs, simple_devices, voltage_readings
    >>> from analytics.topology import FEEDER, TRANSFORMER, simple_topology
    >>> minute = np.arange(61)
    >>> volts = np.where((minute >= 20) & (minute < 30), 0.0, 1.0)
    >>> devices, county = simple_devices([1]), simple_topology([-1, 0], [0, 40], [FEEDER, TRANSFORMER])
    >>> runs = find_runs(voltage_readings([0] * 61, minute * 60_000, volts), devices)
    >>> rows = infer_interruptions(infer_supply(runs, devices, county, 0, 3_600_000), county)
    >>> rows.start_ms.tolist(), rows.start_error_ms.tolist(), rows.customers.tolist()
    ([1170000], [30000], [40])

    References
    ----------
    .. [1] The method is steppe's own: rules O4 to O8; tests/analytics/test_evidence_rules.py works it by hand.
    """
    blocks = _blocks(evidence)
    strongest, indptr, witness = _witnesses(evidence, blocks)
    asset = evidence.units.asset[blocks.unit]
    event_asset, event = group_events(blocks.unit, asset, blocks.start_ms, evidence.units, topology)
    rows = Inferred(
        unit=blocks.unit,
        start_ms=blocks.start_ms,
        end_ms=blocks.end_ms,
        start_error_ms=blocks.start_error_ms,
        end_error_ms=blocks.end_error_ms,
        is_open=blocks.is_open,
        nature=np.full(len(blocks.unit), Nature.FAULT, np.int8),
        event_asset=event_asset,
        event=event,
        customers=evidence.units.customers[blocks.unit],
        confidence=np.select([strongest == code for code in CONFIDENCE], list(CONFIDENCE.values()), 0.0),
        evidence=strongest,
        indptr=indptr,
        witness=witness,
    )
    return _planned(rows, evidence, topology, plans)


class _Blocks(NamedTuple):
    """Stretches in which a unit counts as out, with their edges."""

    unit: Int
    start_ms: Int
    end_ms: Int
    start_error_ms: Int
    end_error_ms: Int
    is_open: Bool
    on_record: Bool
    """A failure on record that is shorter than the record's error."""
    reach: Spans
    """Where the block may lie at most, per unit: for finding its witnesses."""


def _blocks(evidence: SupplyEvidence) -> _Blocks:
    pieces, value = evidence.pieces, evidence.value
    out = np.isin(pieces.state, (LOST_HERE, LOST_ABOVE))
    out |= (pieces.state == UNKNOWN) & (value.how != BY_RATE)
    follows = np.zeros(len(out), np.bool_)
    follows[1:] = out[1:] & out[:-1] & (np.diff(pieces.unit) == 0) & (pieces.end_ms[:-1] == pieces.start_ms[1:])
    first = np.flatnonzero(out & ~follows)
    last = np.flatnonzero(out & ~np.append(follows[1:], np.False_))
    assumed = pieces.state == UNKNOWN
    start = np.where(assumed, value.out_from_ms, pieces.start_ms)[first]
    end = np.where(assumed, value.out_to_ms, pieces.end_ms)[last]
    start_error = np.where(assumed[first], np.maximum(start - pieces.start_ms[first], pieces.end_ms[first] - start), 0)
    end_error = np.where(assumed[last], np.maximum(end - pieces.start_ms[last], pieces.end_ms[last] - end), 0)
    blocks = _Blocks(
        unit=pieces.unit[first],
        start_ms=start,
        end_ms=end,
        start_error_ms=start_error,
        end_error_ms=end_error,
        is_open=(neighbours(pieces)[1][last] == ABSENT) & (end >= evidence.end_ms),
        on_record=assumed[first] & (value.how[first] == RECORDED),
        reach=Spans(pieces.unit[first], pieces.start_ms[first], pieces.end_ms[last]),
    )
    return _within(blocks, evidence)


def _within(blocks: _Blocks, evidence: SupplyEvidence) -> _Blocks:
    """Those that touch the period and the unit's time in service."""
    units = evidence.units
    kept = (blocks.start_ms < units.end_ms[blocks.unit]) & (blocks.end_ms > units.start_ms[blocks.unit])
    columns = {name: getattr(blocks, name)[kept] for name in _Blocks._fields if name != "reach"}
    return _Blocks(**columns, reach=blocks.reach.take(kept))


def _witnesses(evidence: SupplyEvidence, blocks: _Blocks) -> tuple[NDArray[np.int8], Int, Int]:
    """Strongest evidence per block, and its witnesses as compressed rows."""
    proof, runs = evidence.proof, evidence.runs
    here, above = (on_units(f.spans, evidence.units, f.source) for f in (proof.lost_here, proof.lost_above))
    unit, at_ms = (np.concatenate([getattr(f.spans, name) for f in (here, above)]) for name in ("key", "start_ms"))
    run = np.concatenate([here.source, above.source])
    block = np.searchsorted(pack(blocks.reach.key, blocks.reach.start_ms), pack(unit, at_ms), side="right") - 1
    known = block >= 0
    known[known] &= pack(*_end_of(blocks.reach, block[known])) > pack(unit[known], at_ms[known])
    pairs = np.unique(np.stack([block[known], run[known]]), axis=1)
    indptr = np.searchsorted(pairs[0], np.arange(len(blocks.unit) + 1))
    strongest = np.where(blocks.on_record, METER_RECORD, SILENCE).astype(np.int8)
    np.minimum.at(strongest, pairs[0], _code(pairs[1], runs))
    return strongest, indptr, pairs[1]


def _code(run: Int, runs: Runs) -> NDArray[np.int8]:
    """The kind of evidence: a record is told after the fact, by a meter that lives again."""
    stated = run == PERSON
    state = np.where(stated, 0, runs.state[np.where(stated, 0, run)] if len(runs) else 0)
    return np.select([stated, state == LIVE], [BY_PERSON, METER_RECORD], TERMINAL).astype(np.int8)


def _end_of(reach: Spans, block: Int) -> tuple[Int, Int]:
    return reach.key[block], reach.end_ms[block]


def _planned(rows: Inferred, evidence: SupplyEvidence, topology: Topology, plans: Plans) -> Inferred:
    """Match the rows with plans by place and time, and cut off what runs on after the plan's end."""
    if not len(plans.asset) or not len(rows):
        return rows
    below = descend(Facts(spans(plans.asset, plans.start_ms, plans.end_ms), np.arange(len(plans.asset))), topology)
    on = on_units(below.spans, evidence.units, below.source)
    row, plan = _pairs(rows.unit, on.spans.key)
    overlap = np.minimum(rows.end_ms[row], on.spans.end_ms[plan]) - np.maximum(
        rows.start_ms[row], on.spans.start_ms[plan]
    )
    covers = overlap >= PLAN_SHARE * (rows.end_ms[row] - rows.start_ms[row])
    row, plan, overlap = row[covers], on.source[plan[covers]], overlap[covers]
    order = np.argsort(overlap, kind="stable")
    matched = np.full(len(rows), -1, np.int64)
    matched[row[order]] = plan[order]
    return _split_excess(rows, matched, plans)


def _split_excess(rows: Inferred, matched: Int, plans: Plans) -> Inferred:
    is_planned = matched >= 0
    plan_end = np.where(is_planned, plans.end_ms[matched], rows.end_ms)
    excess = is_planned & (rows.end_ms > plan_end)
    nature = np.where(is_planned, plans.nature[matched], rows.nature).astype(np.int8)
    planned = replace(
        rows,
        nature=nature,
        end_ms=np.where(excess, plan_end, rows.end_ms),
        end_error_ms=np.where(excess, 0, rows.end_error_ms),
        is_open=rows.is_open & ~excess,
    )
    order = np.argsort(np.concatenate([np.arange(len(rows)), np.flatnonzero(excess)]), kind="stable")
    picked = np.concatenate([np.arange(len(rows)), np.flatnonzero(excess)])[order]
    late = (np.arange(len(order)) >= len(rows))[order]
    doubled, source = planned.pick(picked), rows.pick(picked)
    return replace(
        doubled,
        start_ms=np.where(late, plan_end[picked], doubled.start_ms),
        start_error_ms=np.where(late, 0, doubled.start_error_ms),
        end_ms=np.where(late, source.end_ms, doubled.end_ms),
        end_error_ms=np.where(late, source.end_error_ms, doubled.end_error_ms),
        is_open=np.where(late, source.is_open, doubled.is_open),
        nature=np.where(late, np.int8(Nature.FAULT), doubled.nature),
    )


def _pairs(left: Int, right: Int) -> tuple[Int, Int]:
    """All pairs of rows with equal keys."""
    order = np.argsort(right, kind="stable")
    first = np.searchsorted(right[order], left, side="left")
    count = np.searchsorted(right[order], left, side="right") - first
    row = np.repeat(np.arange(len(left)), count)
    return row, order[np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + first[row]]
