"""How reliable things are and how fast they are mended, from the history of their alarms. Arrays in, figures out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv

MERGE_MS = 30 * 60_000
"""Two failures of one asset closer than this are one. [ms]"""
HOUR_MS = 3_600_000


@dataclass(frozen=True, eq=False)
class Failures:
    """Failures of some assets, merged; every array has shape (k,)."""

    asset: NDArray[np.int64]
    onset_ms: NDArray[np.int64]
    restored_ms: NDArray[np.int64]


@dataclass(frozen=True)
class Upkeep:
    """Figures of one asset, or of many alike. A figure without a base is NaN."""

    failures: int
    mtbf_h: float
    """Mean operating time between failures; NaN where none failed. [h]"""
    mtbf_low_h: float
    """Lower end of the two-sided 95 % interval; where none failed, of the one-sided one. [h]"""
    mtbf_high_h: float
    """Upper end; infinite where none failed. [h]"""
    mttr_h: float
    """Mean time to restore, from the begin of the condition. [h]"""
    availability: float


def merged(asset: ArrayLike, onset_ms: ArrayLike, restored_ms: ArrayLike, *, merge_ms: int = MERGE_MS) -> Failures:
    """Return failures with those of one asset that overlap, or lie closer than `merge_ms`, made one.

    Parameters
    ----------
    asset : array_like of int, shape (n,)
        Which asset failed.
    onset_ms, restored_ms : array_like of int, shape (n,)
        When each failure began and ended. [ms since 1970-01-01T00:00Z]
    merge_ms : int
        A shorter time between two failures is no operation. [ms]

    Returns
    -------
    Failures
        Sorted by asset, then onset.

    Raises
    ------
    ValueError
        If the columns differ in length, or a failure ends before it begins.

    Notes
    -----
    A failure opens a new one where ``onset ≥ max(restored before it, of the asset) + merge``.

    Examples
    --------
    >>> minute = 60_000
    >>> pump = merged([1, 1, 1], [0, 20 * minute, 90 * minute], [10 * minute, 30 * minute, 95 * minute])
    >>> (pump.onset_ms // minute).tolist(), (pump.restored_ms // minute).tolist()
    ([0, 90], [30, 95])

    References
    ----------
    .. [1] ISO 14224:2016, failure events and down time.
    """
    which, onset, restored = (np.asarray(column, np.int64) for column in (asset, onset_ms, restored_ms))
    if not len(which) == len(onset) == len(restored):
        raise ValueError("the columns of the failures differ in length")
    if (restored < onset).any():
        raise ValueError("a failure ends before it begins")
    order = np.lexsort((onset, which))
    which, onset, restored = which[order], onset[order], restored[order]
    if len(which) == 0:
        return Failures(which, onset, restored)
    last = _running_max_per_group(which, restored)
    opens = np.concatenate([[True], (which[1:] != which[:-1]) | (onset[1:] >= last[:-1] + merge_ms)])
    first = np.flatnonzero(opens)
    return Failures(which[first], onset[first], np.maximum.reduceat(restored, first))


def upkeep(failures: Failures, *, observed_h: float, unknown_h: float = 0.0, confidence: float = 0.95) -> Upkeep:
    """Return MTBF with its interval, MTTR and availability.

    Parameters
    ----------
    failures : Failures
        Of one asset, or of many alike taken together.
    observed_h : float
        Length of the period times the number of assets. [h]
    unknown_h : float
        Of that, time without readings: neither operation nor failure. [h]
    confidence : float
        Of the interval.

    Raises
    ------
    ValueError
        If more time failed or was unknown than was observed.

    Notes
    -----
    With T the operating time, n the failures and χ²(p, k) the quantile of k degrees of freedom::

        T = observed − down − unknown        MTBF = T / n
        2T / χ²(1 − α/2, 2n + 2) ≤ MTBF ≤ 2T / χ²(α/2, 2n)
        n = 0:  MTBF ≥ 2T / χ²(1 − α, 2) = T / −ln α
        availability = MTBF / (MTBF + MTTR)

    Examples
    --------
    >>> two = merged([1, 1], [0, 10_000 * 3_600_000 // 10], [2 * 3_600_000, 1004 * 3_600_000])
    >>> pump = upkeep(two, observed_h=8760)
    >>> pump.failures, pump.mtbf_h, pump.mttr_h, round(pump.mtbf_low_h), round(pump.mtbf_high_h)
    (2, 4377.0, 3.0, 1212, 36142)

    References
    ----------
    .. [1] IEC 60605-4:2001, confidence intervals for constant failure rate, time-terminated.
    """
    down_h = float((failures.restored_ms - failures.onset_ms).sum()) / HOUR_MS
    up_h = observed_h - down_h - unknown_h
    if up_h < 0:
        raise ValueError(f"{down_h + unknown_h:g} h failed or unknown are more than the {observed_h:g} h observed")
    n, alpha = len(failures.onset_ms), 1 - confidence
    if n == 0:
        return Upkeep(0, float("nan"), up_h / -np.log(alpha), float("inf"), float("nan"), float("nan"))
    mtbf_h, mttr_h = up_h / n, down_h / n
    low_h, high_h = up_h / gammaincinv(n + 1, 1 - alpha / 2), up_h / gammaincinv(n, alpha / 2)
    return Upkeep(n, mtbf_h, float(low_h), float(high_h), mttr_h, mtbf_h / (mtbf_h + mttr_h))


def mean_time_to_acknowledge_min(onset_ms: ArrayLike, acked_ms: ArrayLike) -> float:
    """Return MTTA over the alarms that somebody acknowledged; NaN for none. [min]

    Parameters
    ----------
    onset_ms, acked_ms : array_like, shape (n,)
        Begin of each condition, and its first acknowledgement or NaN. [ms since 1970-01-01T00:00Z]

    Examples
    --------
    >>> mean_time_to_acknowledge_min([0, 0, 0], [60_000, 180_000, float("nan")])
    2.0

    References
    ----------
    .. [1] ISA-18.2-2016, response to alarms.
    """
    delay_ms = np.asarray(acked_ms, float) - np.asarray(onset_ms, float)
    taken = delay_ms[~np.isnan(delay_ms)]
    return float(taken.mean()) / 60_000 if len(taken) else float("nan")


def crow_amsaa(failure_h: ArrayLike, period_h: float) -> float:
    """Return β of the power-law process: above 1 failures come faster and faster, below 1 slower.

    Parameters
    ----------
    failure_h : array_like, shape (n,)
        Times of the failures from the begin of the period, each above 0 and at most `period_h`. [h]
    period_h : float
        Length of the period. [h]

    Returns
    -------
    float
        NaN for fewer than two failures.

    Raises
    ------
    ValueError
        If a failure lies outside the period.

    Notes
    -----
    Time-terminated maximum likelihood::

        β = n / Σ ln(T / tᵢ)

    Examples
    --------
    >>> round(crow_amsaa([4000, 6000, 7500, 8400], 8760), 2)
    2.94

    References
    ----------
    .. [1] IEC 61164:2004, reliability growth; Crow, AMSAA TR-138 (1974).
    """
    t_h = np.asarray(failure_h, float)
    if ((t_h <= 0) | (t_h > period_h)).any():
        raise ValueError("a failure lies outside the period")
    logs = float(np.log(period_h / t_h).sum())
    return len(t_h) / logs if len(t_h) > 1 and logs > 0 else float("nan")


def _running_max_per_group(group: NDArray[np.int64], value: NDArray[np.int64]) -> NDArray[np.int64]:
    """The largest value so far within each group of sorted groups."""
    span = int(value.max() - value.min()) + 1
    rank = np.cumsum(np.concatenate([[0], group[1:] != group[:-1]]))
    return np.asarray(np.maximum.accumulate(value - value.min() + rank * span) - rank * span + value.min())
