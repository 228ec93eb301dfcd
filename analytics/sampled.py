"""SAIDI where only a sample of the customers is watched, with its interval (O9)."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from analytics.spans import Int


class SampledSaidi(NamedTuple):
    """An estimate with its 95 % interval, by resampling whole strata."""

    saidi_min: float
    """[min per customer]; NaN where no stratum was watched by enough."""
    low_min: float
    high_min: float
    watched: float
    """Share of customer-time in which enough of a stratum reported. [0..1]"""


def sampled_saidi(
    stratum_customers: ArrayLike,
    reporting: tuple[ArrayLike, ArrayLike, ArrayLike],
    out: tuple[ArrayLike, ArrayLike, ArrayLike],
    *,
    start_ms: int,
    end_ms: int,
    least_reporting: int = 1,
    resamples: int = 1000,
    seed: int = 0,
) -> SampledSaidi:
    """Estimate SAIDI from sensors on a subset of customers, stratum by stratum.

    Parameters
    ----------
    stratum_customers : array_like, shape (h,)
        Customers of each stratum (feeder or transformer), watched or not. [customers]
    reporting : (stratum, start_ms, end_ms), each array_like of shape (n,)
        When a sensor's state was known: one interval per sensor and stretch.
    out : (stratum, start_ms, end_ms), each array_like of shape (m,)
        When a sensor was without supply; within its reporting time.
    start_ms, end_ms : int
        The period. [ms since 1970-01-01T00:00Z]
    least_reporting : int
        Time in which fewer sensors of a stratum report is left out. [sensors]
    resamples, seed : int
        Of the bootstrap over strata.

    Returns
    -------
    SampledSaidi
        NaN throughout where nothing was watched; the interval is NaN with fewer than two strata watched.

    Raises
    ------
    ValueError
        If columns differ in length, or the period is empty.

    Notes
    -----
    With N_h customers, m_h(t) reporting and o_h(t) of them out, over the time with m_h(t) >= least_reporting::

        SAIDI = Σ_h (N_h / N) · T · mean_t [ o_h(t) / m_h(t) ]

    A stratum watched for part of the period stands for the whole of it, and strata never watched are represented by
    the others: N sums the strata that were watched.

    Examples
    --------
    Two strata of 300 and 100 customers over an hour; one of two sensors of the first is out for 20 minutes:

    >>> minute = 60_000
    >>> reporting = ([0, 0, 1], [0, 0, 0], [60 * minute] * 3)
    >>> out = ([0], [10 * minute], [30 * minute])
    >>> round(sampled_saidi([300, 100], reporting, out, start_ms=0, end_ms=60 * minute).saidi_min, 6)
    7.5

    References
    ----------
    .. [1] N. Klugman et al., "Watching the grid: utility-independent measurements of electricity reliability in
       Accra, Ghana", IPSN 2021 (sensors on a subset of customers); the expression is steppe's own.
    """
    if end_ms <= start_ms:
        raise ValueError(f"period: the end {end_ms} must lie after the start {start_ms} [ms]")
    customers = np.asarray(stratum_customers, np.float64)
    share, watched_ms = _mean_share_out(len(customers), reporting, out, start_ms, end_ms, least_reporting)
    used = np.flatnonzero(watched_ms > 0)
    minutes = (end_ms - start_ms) / 60_000
    total = customers.sum()
    watched = float(customers @ watched_ms) / (total * (end_ms - start_ms)) if total else math.nan
    if not len(used):
        return SampledSaidi(math.nan, math.nan, math.nan, 0.0 if total else math.nan)
    estimate = _weighted(customers[used], share[used]) * minutes
    if len(used) < 2:
        return SampledSaidi(estimate, math.nan, math.nan, watched)
    picks = np.random.default_rng(seed).integers(0, len(used), (resamples, len(used)))
    drawn = used[picks]
    again = (customers[drawn] * share[drawn]).sum(axis=1) / customers[drawn].sum(axis=1) * minutes
    low, high = np.quantile(again, [0.025, 0.975])
    return SampledSaidi(estimate, float(low), float(high), watched)


def garwood(count: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact Poisson interval of a count.

    Parameters
    ----------
    count : int
        Interruptions seen.
    confidence : float
        [0..1]

    Returns
    -------
    low, high : float
        Interruptions expected.

    Notes
    -----
    ::

        low = ½ χ²(α/2, 2k)      high = ½ χ²(1 − α/2, 2k + 2)

    Raises
    ------
    ValueError
        If the count is negative or the confidence is not between 0 and 1.

    Examples
    --------
    >>> [round(bound, 6) for bound in garwood(10)]
    [4.795389, 18.390356]

    References
    ----------
    .. [1] F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936).
    """
    if count < 0 or not 0 < confidence < 1:
        raise ValueError(f"count {count} must not be negative, confidence {confidence} must lie between 0 and 1")
    tail = (1 - confidence) / 2
    low = float(chi2.ppf(tail, 2 * count)) / 2 if count else 0.0
    return low, float(chi2.ppf(1 - tail, 2 * count + 2)) / 2


def _mean_share_out(
    strata: int,
    reporting: tuple[ArrayLike, ArrayLike, ArrayLike],
    out: tuple[ArrayLike, ArrayLike, ArrayLike],
    start_ms: int,
    end_ms: int,
    least_reporting: int,
) -> tuple[NDArray[np.float64], Int]:
    """Per stratum the mean of o(t)/m(t) over the time with enough sensors, and that time. [1], [ms]"""
    known, away = (_clipped(columns, start_ms, end_ms) for columns in (reporting, out))
    share, watched = np.zeros(strata), np.zeros(strata, np.int64)
    for stratum in range(strata):
        mine, gone = ([column[c[0] == stratum] for column in c[1:]] for c in (known, away))
        edges = np.unique(np.concatenate([*mine, *gone]))
        length = np.diff(edges)
        number, lost = _depth(edges, *mine), _depth(edges, *gone)
        enough = number >= max(least_reporting, 1)
        watched[stratum] = length[enough].sum()
        if watched[stratum]:
            weighed = np.minimum(lost[enough] / number[enough], 1.0) * length[enough]
            share[stratum] = weighed.sum() / watched[stratum]
    return share, watched


def _clipped(columns: tuple[ArrayLike, ArrayLike, ArrayLike], start_ms: int, end_ms: int) -> tuple[Int, Int, Int]:
    stratum, start, end = (np.asarray(column, np.int64) for column in columns)
    if not len(stratum) == len(start) == len(end):
        raise ValueError("stratum, start and end must have the same length")
    start, end = np.clip(start, start_ms, end_ms), np.clip(end, start_ms, end_ms)
    kept = end > start
    return stratum[kept], start[kept], end[kept]


def _depth(edges: Int, start: Int, end: Int) -> Int:
    """How many intervals cover each stretch between two edges."""
    depth = np.zeros(len(edges), np.int64)
    np.add.at(depth, np.searchsorted(edges, start), 1)
    np.add.at(depth, np.searchsorted(edges, end), -1)
    return np.asarray(np.cumsum(depth)[:-1])


def _weighted(weight: NDArray[np.float64], value: NDArray[np.float64]) -> float:
    return float(weight @ value / weight.sum()) if weight.sum() else math.nan
