"""Do the bounds hold? Simulated county-months of 20 feeders, 200 transformers and 60 000 customers, fixed seeds."""

import os

import numpy as np
from benchmarks.table import Row

from analytics.bounds import Verdict
from simulators.calibration_score import Score, score_months

MONTHS = 300
MISSING = 0.05


def measure() -> list[Row]:
    """Score 300 county-months, 5 % of their readings missing."""
    return rows(score_months(range(MONTHS), missing=MISSING, workers=os.cpu_count() or 1))


def rows(scores: list[Score]) -> list[Row]:
    """The figures of scored months."""
    width = np.array([score.width_pct for score in scores])
    errors = {
        name: np.array([abs(getattr(score, f"{name}_pct") - score.true_pct) for score in scores])
        for name in ("point", "naive", "optimistic")
    }
    edges = np.concatenate([score.edge_errors_s for score in scores])
    interruptions, found = sum(s.interruptions for s in scores), sum(s.found for s in scores)
    return [
        Row("months whose bounds contain the true RS-1", sum(s.contained for s in scores), "", f"of {len(scores)}"),
        Row("readings missing, mean", 100 * float(np.mean([s.missing for s in scores])), "%"),
        Row("width of the bounds, median", float(np.median(width)), "pp"),
        Row("width of the bounds, 95 % of months below", float(np.quantile(width, 0.95)), "pp", "aim 0.02"),
        Row("months INDETERMINATE", 100 * _share(scores, Verdict.INDETERMINATE), "%", "against 99.83 %"),
        Row("error of the point estimate, median", float(np.median(errors["point"])), "pp"),
        Row("error where silence = outage, median", float(np.median(errors["naive"])), "pp"),
        Row("error where silence = supply, median", float(np.median(errors["optimistic"])), "pp"),
        Row("interruptions over 3 min missed", 100 * sum(s.missed for s in scores) / interruptions, "%"),
        Row("interruptions over 3 min false", 100 * sum(s.false for s in scores) / found, "%"),
        Row("start and end, median error", float(np.median(edges)), "s"),
        Row("start and end, 95 % of errors below", float(np.quantile(edges, 0.95)), "s"),
    ]


def _share(scores: list[Score], verdict: Verdict) -> float:
    return sum(score.verdict == verdict for score in scores) / len(scores)
