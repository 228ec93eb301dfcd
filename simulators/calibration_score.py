"""How the evidence fares in simulated county-months: held against the truth, and against two simpler methods."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np

from analytics.bounds import Verdict
from analytics.evidence import SupplyEvidence, infer_supply
from analytics.inferred import Inferred, infer_interruptions
from analytics.runs import LIVE, LOST, Float, Runs, find_runs
from analytics.spans import Bool, Int, Spans, clip, covering, pack, spans, total_ms, union
from simulators.calibration import CountyMonth, simulate_month

TARGET_PCT = 99.83
SUSTAINED_MS = 3 * 60_000
"""Interruptions longer than this are looked for one by one. [ms]"""


class Score(NamedTuple):
    """One county-month."""

    missing: float
    true_pct: float
    low_pct: float
    point_pct: float
    high_pct: float
    naive_pct: float
    """Silence of the terminal is an outage. [%]"""
    optimistic_pct: float
    """Silence is supply. [%]"""
    interruptions: int
    """True interruptions of transformers longer than three minutes that began in the month."""
    missed: int
    found: int
    """Inferred interruptions longer than three minutes."""
    false: int
    edge_errors_s: tuple[float, ...]
    """How far the estimated starts and ends of the found ones were off. [s]"""

    @property
    def contained(self) -> bool:
        """Whether the truth lies within the bounds."""
        return self.low_pct <= self.true_pct <= self.high_pct

    @property
    def width_pct(self) -> float:
        """Distance of the bounds. [percentage points]"""
        return self.high_pct - self.low_pct

    @property
    def verdict(self) -> Verdict:
        """Against the target of the year 2025."""
        if self.low_pct >= TARGET_PCT:
            return Verdict.PASS
        return Verdict.FAIL if self.high_pct < TARGET_PCT else Verdict.INDETERMINATE


def score_months(seeds: range, *, missing: float, workers: int) -> list[Score]:
    """Return the scores of many months, by `workers` processes."""
    if workers == 1:
        return [score_month(seed, missing=missing) for seed in seeds]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(partial(score_month, missing=missing), seeds))


def score_month(seed: int, *, missing: float) -> Score:
    """Return the score of the county-month of a seed."""
    month = simulate_month(seed, missing=missing)
    runs = find_runs(month.readings, month.devices)
    evidence = infer_supply(runs, month.devices, month.topology, month.start_ms, month.end_ms)
    rows = infer_interruptions(evidence, month.topology)
    rs = evidence.rs()
    return Score(
        month.missing,
        month.true_rs_pct(),
        rs.low_pct,
        rs.point_pct,
        rs.high_pct,
        _simple_pct(month, runs, silence_is_outage=True),
        _simple_pct(month, runs, silence_is_outage=False),
        *_one_by_one(month, evidence, rows),
    )


def _simple_pct(month: CountyMonth, runs: Runs, *, silence_is_outage: bool) -> float:
    """RS-1 from the terminals' words alone. [%]"""
    word = runs.state == (LIVE if silence_is_outage else LOST)
    mine = word & (runs.device < len(month.terminal_of))
    heard = clip(union(spans(runs.device[mine], runs.start_ms[mine], runs.end_ms[mine])), month.start_ms, month.end_ms)
    period_ms = month.end_ms - month.start_ms
    said_ms = total_ms(heard, len(month.terminal_of))
    out_ms = period_ms - said_ms if silence_is_outage else said_ms
    weight = month.topology.customers[month.devices.asset[month.terminal_of]]
    return 100 * (1 - float(out_ms @ weight) / float(period_ms * weight.sum()))


def _one_by_one(
    month: CountyMonth, evidence: SupplyEvidence, rows: Inferred
) -> tuple[int, int, int, int, tuple[float, ...]]:
    """Interruptions, missed, found, false, and the errors of start and end."""
    customers = month.topology.customers[month.outages.key] > 0
    truth = month.outages.take(customers & _sustained(month.outages, month))
    asset = evidence.units.asset[rows.unit]
    reach = Spans(asset, rows.start_ms - rows.start_error_ms, rows.end_ms + rows.end_error_ms)
    estimate = Spans(asset, rows.start_ms, rows.end_ms)
    long = _sustained(estimate, month)
    outages = month.outages.take(customers)
    missed = int((~_overlaps(truth, union(reach))).sum())
    false = int((~_overlaps(reach.take(long), outages)).sum())
    return len(truth.key), missed, int(long.sum()), false, _edge_errors_s(estimate.take(long), outages)


def _sustained(spans_: Spans, month: CountyMonth) -> Bool:
    began = (spans_.start_ms >= month.start_ms) & (spans_.start_ms < month.end_ms)
    return np.asarray(began & (spans_.end_ms - spans_.start_ms > SUSTAINED_MS))


def _overlaps(some: Spans, disjoint: Spans) -> Bool:
    """Whether each of some spans shares time with one of the sorted, disjoint ones."""
    following = np.searchsorted(pack(disjoint.key, disjoint.end_ms), pack(some.key, some.start_ms), side="right")
    inside = following < len(disjoint.key)
    at = np.minimum(following, max(len(disjoint.key) - 1, 0))
    if not len(disjoint.key):
        return np.zeros(len(some.key), np.bool_)
    return np.asarray(inside & (disjoint.key[at] == some.key) & (disjoint.start_ms[at] < some.end_ms))


def _edge_errors_s(found: Spans, truth: Spans) -> tuple[float, ...]:
    """Errors of start and end, where one true outage lies under the middle of what was found. [s]"""
    middle: Int = (found.start_ms + found.end_ms) // 2
    row = covering(truth, found.key, middle)
    matched = found.take(row >= 0)
    true_start, true_end = truth.start_ms[row[row >= 0]], truth.end_ms[row[row >= 0]]
    errors: Float = np.abs(np.concatenate([matched.start_ms - true_start, matched.end_ms - true_end])) / 1000
    return tuple(errors.tolist())
