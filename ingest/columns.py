"""What every store does with columns before and after it keeps them."""

import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge.wire import POINT_PATTERN, SITE_PATTERN, Quality
from ingest.store import MAX_BUCKETS, Columns, Partial

MAX_T_MS = 2**42 - 1
"""The year 2109: later instants are refused, so that an instant fits into 42 bits. [ms since 1970-01-01T00:00Z]"""
FIRST_BAD = int(Quality.BAD_NO_ANSWER)

_FULL_NAME = re.compile(SITE_PATTERN.removesuffix("$") + "/" + POINT_PATTERN.removeprefix("^"))
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")


def empty(points: Sequence[str] = ()) -> Columns:
    """Return no rows of `points`."""
    return Columns(
        points=tuple(points),
        index=np.zeros(0, np.int32),
        t_ms=np.zeros(0, np.int64),
        value=np.zeros(0, np.float64),
        quality=np.zeros(0, np.uint8),
    )


def take(rows: Columns, which: NDArray[np.bool_] | NDArray[np.intp]) -> Columns:
    """Return the rows that `which` selects by mask or by number, with the same points."""
    return Columns(rows.points, rows.index[which], rows.t_ms[which], rows.value[which], rows.quality[which])


def join(parts: Sequence[Columns], points: Sequence[str]) -> Columns:
    """Return the rows of `parts` one after the other; all parts have the same `points`."""
    if not parts:
        return empty(points)
    return Columns(
        points=tuple(points),
        index=np.concatenate([part.index for part in parts]),
        t_ms=np.concatenate([part.t_ms for part in parts]),
        value=np.concatenate([part.value for part in parts]),
        quality=np.concatenate([part.quality for part in parts]),
    )


def taken(rows: Columns, refused: Iterable[int]) -> NDArray[np.intp]:
    """Return the numbers of the rows that are not among `refused`."""
    keep = np.ones(len(rows), dtype=bool)
    keep[list(refused)] = False
    return np.flatnonzero(keep)


def refusals(rows: Columns) -> dict[int, str]:
    """Return row number → why no store takes it: name, instant, or a value that contradicts its quality."""
    names_bad = np.array([not is_point(name) for name in rows.points], dtype=bool)
    bad_name = names_bad[rows.index] if names_bad.any() else np.zeros(len(rows), dtype=bool)
    bad_time = (rows.t_ms < 0) | (rows.t_ms > MAX_T_MS)
    bad_value = ~np.isfinite(rows.value) & (rows.quality < FIRST_BAD)
    reasons: dict[int, str] = {}
    for row in np.flatnonzero(bad_name | bad_time | bad_value).tolist():
        if bad_name[row]:
            reasons[row] = f"point {rows.points[rows.index[row]]!r} is not <site>/<device>.<quantity>"
        elif bad_time[row]:
            reasons[row] = f"instant {rows.t_ms[row]} ms is not between 1970 and 2109"
        else:
            reasons[row] = f"value {rows.value[row]} is not finite and quality {rows.quality[row]} is not BAD"
    return reasons


def partial_refusals(partials: Sequence[Partial]) -> dict[int, str]:
    """Return number in the call → why no store takes this partial sum."""
    checked = ((number, _partial_refusal(partial)) for number, partial in enumerate(partials))
    return {number: reason for number, reason in checked if reason}


@lru_cache(maxsize=200_000)
def is_point(name: str) -> bool:
    """Whether `name` is a full point name, `<site>/<device>.<quantity>`."""
    return _FULL_NAME.match(name) is not None


def without_bad_values(rows: Columns) -> NDArray[np.float64]:
    """Return the values, NaN where quality is BAD: a silent device has no value, whatever was sent with it."""
    bad = rows.quality >= FIRST_BAD
    return np.where(bad, np.nan, rows.value) if bad.any() else rows.value


def slots(start_ms: int, end_ms: int, period_ms: int) -> int:
    """Return how many periods begin in [start, end)."""
    if period_ms <= 0:
        raise ValueError(f"period_ms must be positive, not {period_ms}")
    return max(-(-(end_ms - start_ms) // period_ms), 0)


def check_buckets(start_ms: int, end_ms: int, step_ms: int) -> None:
    """Raise ValueError for a step that is not positive or for more than `MAX_BUCKETS` steps."""
    steps = slots(start_ms, end_ms, step_ms)
    if steps > MAX_BUCKETS:
        raise ValueError(f"{steps} steps of {step_ms} ms: at most {MAX_BUCKETS} at once. Choose a longer step")


def _partial_refusal(partial: Partial) -> str:
    for label, text in (("kpi", partial.kpi), ("subject", partial.subject), *(("sum", name) for name in partial.sums)):
        if not text or not text.isprintable() or "\\" in text:
            return f"{label} {text!r} is empty or holds a backslash, a line end or another control character"
    if not _DAY.match(partial.day):
        return f"day {partial.day!r} is not YYYY-MM-DD"
    for name, value in partial.sums.items():
        if not math.isfinite(value):
            return f"sum {name!r} is {value}: only finite sums can be added up"
    return ""
