"""How good the alarms themselves are: rates, floods, chatter, stale alarms, the mix of priorities, and who is slow.

Arrays in, figures out. Limits are those of IEC 62682 and ISA-18.2 for one operator position; a village crew with a
phone is a weaker console, so the figures are printed beside the limits and judged by people.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

SLOT_MS = 10 * 60_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FLOOD_STARTS = 10
FLOOD_ENDS = 5
BUSY_HOUR = 30
CHATTER_COUNT = 3
CHATTER_MS = 60_000
STALE_MS = DAY_MS
TOP = 10


@dataclass(frozen=True)
class Performance:
    """Alarm-system figures of a period. Shares are of 1; a figure without a base is NaN."""

    annunciated: int
    """Alarms in the period."""
    per_day: float
    per_hour: float
    per_10_min: float
    slots_over_10_share: float
    """Slots of 10 min with more than 10 alarms."""
    hours_over_30_share: float
    max_per_10_min: int
    flood_share: float
    """Time in flood: from a slot with at least 10 alarms until one with fewer than 5."""
    top_10_share: float
    """The ten most frequent alarms' share of all."""
    chattering: int
    """Alarms that came at least 3 times within 60 s."""
    stale: int
    """Alarms that stood for more than 24 h in the period."""
    standing: int
    """Alarms that stand at its end."""
    priority_share: tuple[float, float, float, float]
    """Low, medium, high, critical."""
    ack_median_s: float
    ack_p90_s: float


def performance(
    onset_ms: ArrayLike,
    returned_ms: ArrayLike,
    acked_ms: ArrayLike,
    alarm: ArrayLike,
    severity: ArrayLike,
    *,
    start_ms: int,
    end_ms: int,
) -> Performance:
    """Return the alarm-system figures of [start, end).

    Parameters
    ----------
    onset_ms, returned_ms, acked_ms : array_like, shape (n,)
        When each occurrence began, went, and was acknowledged; NaN for not yet. [ms since 1970-01-01T00:00Z]
    alarm : array_like of int, shape (n,)
        Which alarm it was, by number.
    severity : array_like of int, shape (n,)
        1 low to 4 critical.
    start_ms, end_ms : int
        The period. [ms since 1970-01-01T00:00Z]

    Returns
    -------
    Performance
        Counts are of occurrences that began in the period; stale and standing look at all that stood in it.

    Raises
    ------
    ValueError
        If the columns differ in length or the period is empty.

    Notes
    -----
    Rates divide the count by the length of the period: ``per_10_min = n / (T / 10 min)``.

    Examples
    --------
    >>> minute = 60_000
    >>> day = performance([0, minute, 2 * minute], [minute, 2 * minute, np.nan], [np.nan] * 3, [7, 7, 8], [2, 2, 3],
    ...                   start_ms=0, end_ms=24 * 60 * minute)
    >>> day.annunciated, day.per_day, day.max_per_10_min, day.standing
    (3, 3.0, 3, 1)

    References
    ----------
    .. [1] IEC 62682:2014 and ANSI/ISA-18.2-2016, performance metrics; EEMUA 191.
    """
    onset, returned, acked = (np.asarray(column, float) for column in (onset_ms, returned_ms, acked_ms))
    which, grade = np.asarray(alarm, np.int64), np.asarray(severity, np.int64)
    if len({len(column) for column in (onset, returned, acked, which, grade)}) > 1:
        raise ValueError("the columns of the occurrences differ in length")
    if end_ms <= start_ms:
        raise ValueError("the period is empty")
    inside = (onset >= start_ms) & (onset < end_ms)
    begins, count = onset[inside], int(inside.sum())
    slots, hours = _per(begins, start_ms, end_ms, SLOT_MS), _per(begins, start_ms, end_ms, HOUR_MS)
    delay_s = (acked - onset)[inside & ~np.isnan(acked)] / 1000
    span_ms = end_ms - start_ms
    return Performance(
        annunciated=count,
        per_day=count * DAY_MS / span_ms,
        per_hour=count * HOUR_MS / span_ms,
        per_10_min=count * SLOT_MS / span_ms,
        slots_over_10_share=float((slots > FLOOD_STARTS).mean()),
        hours_over_30_share=float((hours > BUSY_HOUR).mean()),
        max_per_10_min=int(slots.max()),
        flood_share=float(floods(slots).mean()),
        top_10_share=_top_share(which[inside]),
        chattering=_chattering(which[inside], begins),
        stale=int((np.minimum(_until(returned, end_ms), end_ms) - np.maximum(onset, start_ms) > STALE_MS).sum()),
        standing=int(((onset < end_ms) & (_until(returned, end_ms) >= end_ms)).sum()),
        priority_share=_shares(grade[inside]),
        ack_median_s=float(np.median(delay_s)) if len(delay_s) else float("nan"),
        ack_p90_s=float(np.quantile(delay_s, 0.9)) if len(delay_s) else float("nan"),
    )


def floods(per_slot: ArrayLike) -> NDArray[np.bool_]:
    """Return which slots of 10 min lie in a flood.

    Parameters
    ----------
    per_slot : array_like of int, shape (n,)
        Alarms in each slot.

    Returns
    -------
    ndarray of bool, shape (n,)
        A flood begins with a slot of at least `FLOOD_STARTS` alarms and ends before one of fewer than `FLOOD_ENDS`.

    Examples
    --------
    >>> floods([0, 12, 6, 5, 4, 6]).astype(int).tolist()
    [0, 1, 1, 1, 0, 0]

    References
    ----------
    .. [1] IEC 62682:2014, alarm flood.
    """
    count = np.asarray(per_slot, np.int64)
    mark = np.where(count >= FLOOD_STARTS, 1, np.where(count < FLOOD_ENDS, -1, 0))
    last = np.maximum.accumulate(np.where(mark != 0, np.arange(len(mark)), -1))
    return np.asarray((last >= 0) & (mark[np.maximum(last, 0)] == 1))


def _per(at_ms: NDArray[np.float64], start_ms: int, end_ms: int, slot_ms: int) -> NDArray[np.int64]:
    slots = -(-(end_ms - start_ms) // slot_ms)
    return np.bincount(((at_ms - start_ms) // slot_ms).astype(np.int64), minlength=slots)


def _until(returned_ms: NDArray[np.float64], end_ms: int) -> NDArray[np.float64]:
    return np.where(np.isnan(returned_ms), end_ms, returned_ms)


def _top_share(which: NDArray[np.int64]) -> float:
    if len(which) == 0:
        return float("nan")
    counts = np.sort(np.unique(which, return_counts=True)[1])[::-1]
    return float(counts[:TOP].sum() / len(which))


def _chattering(which: NDArray[np.int64], at_ms: NDArray[np.float64]) -> int:
    """Alarms with `CHATTER_COUNT` onsets within `CHATTER_MS`."""
    order = np.lexsort((at_ms, which))
    alarm, at = which[order], at_ms[order]
    ahead = CHATTER_COUNT - 1
    close = (alarm[ahead:] == alarm[:-ahead]) & (at[ahead:] - at[:-ahead] <= CHATTER_MS)
    return len(np.unique(alarm[ahead:][close]))


def _shares(grade: NDArray[np.int64]) -> tuple[float, float, float, float]:
    if len(grade) == 0:
        return (float("nan"),) * 4
    low, medium, high, critical = (np.bincount(grade, minlength=5)[1:5] / len(grade)).tolist()
    return low, medium, high, critical
