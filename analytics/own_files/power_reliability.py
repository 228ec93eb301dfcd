"""`steppe power reliability`: a ledger and its units to indices, bounds, verdict and what used the allowance up."""

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analytics.bounds import RsBounds
from analytics.customer_record import CustomerRecord, customer_record
from analytics.dlt836 import Dlt836, dlt836
from analytics.ieee1366 import Ieee1366, classes, ieee1366, total_losses
from analytics.interruptions import NO_UNIT, Ledger, Merged, merge_ledger
from analytics.major_events import frequent_interruptions
from analytics.own_files.ledger_files import LedgerFile, Units, read_ledger, read_units
from analytics.own_files.local_time import local_midnights
from analytics.own_files.power_rules import Edition, power_rules
from analytics.own_files.unit_rollups import RegionRow, by_region, load_weighted
from analytics.reliability import MS_PER_HOUR, Nature, allowance_hours, equivalent_customers, period_hours
from edge.errors import BadInput

Standard = Literal["dlt836", "ieee1366"]
Real = NDArray[np.float64]

DLT_KEYS = (
    "period_h", "n_eq", "customer_hours", "rs1", "rs2", "rs3", "asai4", "aihc1_h", "aitc1", "saidi_f_h", "saidi_s_h",
)  # fmt: skip
IEEE_KEYS = ("saidi_min", "saifi", "caidi_min", "asai_pct", "maifi", "ctaidi_min", "caifi")
CEMI_N = (1, 2, 3, 4, 5)
CELID_H = (1, 3, 8, 24)
MOST_USES = 8
"""Lines of what used the allowance up."""


@dataclass(frozen=True)
class Question:
    """What is asked of a ledger."""

    ledger: Path
    units: Path | None
    served: float | None
    start_ms: int
    end_ms: int
    now_ms: int
    local: ZoneInfo
    target: float
    standard: Standard = "dlt836"
    edition: Edition = "2016"
    merge_gap_s: float = 0.0


@dataclass(frozen=True)
class YearSoFar:
    """The allowance of the calendar year in which the period ends, as far as this ledger knows."""

    year: int
    allowance_h: float
    """[h per customer]"""
    used_h: float
    """From 1 January to the end of the period. [h per customer]"""
    uses: tuple[tuple[str, float], ...]
    """What used most of it, with its hours per customer."""

    @property
    def left_h(self) -> float:
        """What the target still leaves for the rest of the year. [h per customer]"""
        return self.allowance_h - self.used_h


@dataclass(frozen=True)
class Answer:
    """What the ledger says about the period."""

    question: Question
    file: LedgerFile
    units: Units | None
    merged: Merged
    outages: Merged
    """Total losses alone, as IEEE 1366 takes them."""
    dlt: Dlt836
    ieee: Ieee1366
    customers: CustomerRecord | None
    load: tuple[float, float]
    """ASIFI [1] and ASIDI [min]; NaN where loads are not known."""

    @property
    def bounds(self) -> RsBounds:
        """The index of the chosen standard; a plain ledger leaves no time unobserved."""
        index = self.dlt.rs1 if self.question.standard == "dlt836" else self.ieee.asai_pct
        return RsBounds(index, index, index, 1.0, self.dlt.n_eq * self.dlt.period_h)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the input, one line each."""
        q, ledger = self.question, self.file.ledger
        outside = int(((ledger.end_ms <= q.start_ms) | (ledger.start_ms >= q.end_ms)).sum())
        about_period = (f"{outside} records lie outside the period",) if outside else ()
        return (*(self.units.notes if self.units else ()), *self.file.notes, *about_period)

    def as_json(self) -> dict[str, Any]:
        """The keys that `--json` promises; NaN becomes null when it is written."""
        ieee: dict[str, Any] = {key: getattr(self.ieee, key) for key in IEEE_KEYS}
        known = self.customers
        ieee["cemi"] = None if known is None else {str(n): known.cemi(n) for n in CEMI_N}
        ieee["celid"] = None if known is None else {str(h): known.celid_single(h) for h in CELID_H}
        ieee["asifi"], ieee["asidi_min"] = self.load
        bounds, target = self.bounds, self.question.target
        rejected = [*(self.units.rejected if self.units else ()), *self.file.rejected]
        return {
            **{key: getattr(self.dlt, key) for key in DLT_KEYS},
            "ieee": ieee,
            "bounds": {
                "low": bounds.low_pct,
                "point": bounds.point_pct,
                "high": bounds.high_pct,
                "coverage": bounds.coverage,
                "verdict": bounds.verdict(target),
                "target": target,
            },
            "rejected": [{"row": rejection.row, "reason": rejection.reason} for rejection in rejected],
            "frequent": list(self.frequent),
            "regions": [asdict(row) for row in self.regions],
        }

    @cached_property
    def year(self) -> YearSoFar:
        """What the target left for the year, and what took it."""
        q = self.question
        year = datetime.fromtimestamp((q.end_ms - 1) / 1000, q.local).year
        first, after = (round(datetime(y, 1, 1, tzinfo=q.local).timestamp() * 1000) for y in (year, year + 1))
        n_eq = _customers_served(q, self.units, first, q.end_ms)
        labels, customer_hours = self._used(first, q.end_ms)
        hours = customer_hours / (n_eq if n_eq > 0 else np.nan)
        return YearSoFar(
            year, allowance_hours(q.target, period_hours(first, after)), float(hours.sum()), _largest(labels, hours)
        )

    @cached_property
    def frequent(self) -> tuple[str, ...]:
        """Units interrupted too often by the end of the period (R13), the most frequent first."""
        blocks = self.merged.blocks
        known = blocks.unit != NO_UNIT
        units = frequent_interruptions(blocks.unit[known], blocks.start_ms[known], until_ms=self.question.end_ms)
        return tuple(self.file.unit_names.take(pa.array(units)).to_pylist())

    def _used(self, start_ms: int, end_ms: int) -> tuple[pa.Array, Real]:
        """What the index of the chosen standard is made of: labels, and what each takes. [customer-hours]"""
        labels, pieces = self.file.labels, self.merged.pieces
        if self.question.standard == "dlt836":
            return labels.take(pa.array(pieces.record)), pieces.customer_hours(start_ms, end_ms)
        labels, pieces = labels.filter(pa.array(self.file.ledger.share_off >= 1.0)), self.outages.pieces
        sustained, _ = classes(self.outages.blocks, start_ms, end_ms)
        hours = np.where(sustained[pieces.block], pieces.customer_hours(), 0.0)
        return labels.take(pa.array(pieces.record)), hours

    @property
    def regions(self) -> tuple[RegionRow, ...]:
        """A row per region of the units file; none where it names no region."""
        if self.units is None or not any(self.units.regions.to_pylist()):
            return ()
        return by_region(self.merged, self.units, self.question.start_ms, self.question.end_ms)

    def daily_hours(self) -> tuple[NDArray[np.int64], dict[Nature, Real]]:
        """The midnights of the period, and hours per customer of each day by nature."""
        q, pieces = self.question, self.merged.pieces
        edges = np.clip(local_midnights(q.start_ms, q.end_ms, q.local), q.start_ms, q.end_ms)
        weight = pieces.customers * pieces.share_off / MS_PER_HOUR / self.dlt.n_eq
        return edges, {
            nature: _hours_between(edges, pieces.start_ms[which], pieces.end_ms[which], weight[which])
            for nature in Nature
            for which in [pieces.nature == nature]
        }


def answer(question: Question) -> Answer:
    """Read the files and compute; raises `BadInput` where they cannot be what they claim."""
    q = question
    if q.end_ms <= q.start_ms:
        raise BadInput("--to must lie after --from")
    units = None if q.units is None else read_units(q.units, q.local)
    file = read_ledger(
        q.ledger,
        q.local,
        open_until_ms=min(q.now_ms, q.end_ms),
        units=units,
        served=np.inf if q.served is None else q.served,
        not_counted=power_rules().causes_not_counted(q.edition),
    )
    try:
        return _computed(q, file, units)
    except ValueError as error:
        raise BadInput(f"{q.ledger}: {error}; check customers, --units and --served") from error


def _computed(q: Question, file: LedgerFile, units: Units | None) -> Answer:
    n_eq = _customers_served(q, units, q.start_ms, q.end_ms)
    merged = _merged(file.ledger, units, q.merge_gap_s)
    lost = total_losses(file.ledger)
    outages = merged if len(lost) == len(file.ledger) and not q.merge_gap_s else _merged(lost, units, 0.0)
    return Answer(
        q,
        file,
        units,
        merged,
        outages,
        dlt836(merged, start_ms=q.start_ms, end_ms=q.end_ms, n_eq=n_eq),
        ieee1366(outages, start_ms=q.start_ms, end_ms=q.end_ms, customers_served=n_eq),
        customer_record(outages, start_ms=q.start_ms, end_ms=q.end_ms, customers_served=n_eq),
        (np.nan, np.nan) if units is None else load_weighted(outages, units, q.start_ms, q.end_ms),
    )


def _merged(ledger: Ledger, units: Units | None, merge_gap_s: float) -> Merged:
    if units is None:
        return merge_ledger(ledger, merge_gap_s=merge_gap_s)
    return merge_ledger(ledger, merge_gap_s=merge_gap_s, service_from_ms=units.from_ms, service_to_ms=units.to_ms)


def _customers_served(q: Question, units: Units | None, start_ms: int, end_ms: int) -> float:
    """Equivalent customers of a span: those stated, or the units weighted by their time in service."""
    if units is None:
        return q.served if q.served is not None else float("nan")
    return equivalent_customers(units.customers, units.from_ms, units.to_ms, start_ms, end_ms)


def _largest(labels: pa.Array, hours: Real) -> tuple[tuple[str, float], ...]:
    """The labels with most hours, largest first."""
    if not len(hours):
        return ()
    encoded = labels.dictionary_encode()
    sums = np.bincount(np.asarray(encoded.indices), weights=hours)
    names = pc.if_else(pc.equal(encoded.dictionary, ""), "(no cause given)", encoded.dictionary).to_pylist()
    top = [index for index in np.argsort(-sums, kind="stable")[:MOST_USES] if sums[index] > 0]
    return tuple((names[index], float(sums[index])) for index in top)


def _hours_between(edges: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64], weight: Real) -> Real:
    """Weighted time of intervals between successive edges: by the running total at each edge."""

    def before(times: NDArray[np.int64]) -> Real:
        order = np.argsort(times)
        passed = np.searchsorted(times[order], edges)
        relative = (times[order] - edges[0]).astype(np.float64)
        weights = np.concatenate(([0.0], np.cumsum(weight[order])))
        moments = np.concatenate(([0.0], np.cumsum(weight[order] * relative)))
        return np.asarray(weights[passed] * (edges - edges[0]) - moments[passed])

    return np.diff(before(start) - before(end))
