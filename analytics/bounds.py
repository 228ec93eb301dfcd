"""Supply reliability with its doubt: lower and upper bound, point, coverage and verdict (O10, O15)."""

import enum
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Verdict(enum.StrEnum):
    """What may be said against a target."""

    PASS = "PASS"  # noqa: S105
    """Even the lower bound reaches it."""
    FAIL = "FAIL"
    """Even the upper bound misses it."""
    INDETERMINATE = "INDETERMINATE"
    """Too much is unknown to say."""


@dataclass(frozen=True)
class RsBounds:
    """Supply reliability of a group of units over a period; NaN where nothing was in service."""

    low_pct: float
    """If everything unresolved was an outage, as far as the evidence allows. [%]"""
    point_pct: float
    """With the expected value for what is unresolved. [%]"""
    high_pct: float
    """If nothing unresolved was an outage, as far as the evidence allows. [%]"""
    coverage: float
    """Share of customer-time that is resolved. [0..1]"""
    customer_h: float
    """Customer-hours in service. [h]"""

    def verdict(self, target_pct: float) -> Verdict | None:
        """Judge against a target [%], unrounded; None where the index is undefined."""
        if math.isnan(self.low_pct):
            return None
        if self.low_pct >= target_pct:
            return Verdict.PASS
        return Verdict.FAIL if self.high_pct < target_pct else Verdict.INDETERMINATE


def rs_from_totals(*, out_h: float, unresolved_h: float, customers: float, period_h: float) -> RsBounds:
    """Bound RS-1 by what is known in total (O10).

    Parameters
    ----------
    out_h : float
        Proven outage, O. [customer-hours]
    unresolved_h : float
        Time of which nothing is known, U. [customer-hours]
    customers : float
        Customers in service, N. [customers]
    period_h : float
        Length of the period, T. [h]

    Returns
    -------
    RsBounds
        NaN throughout if N·T is 0; the point is NaN if all of it is unresolved.

    Raises
    ------
    ValueError
        If an argument is negative or O + U exceeds N·T.

    Notes
    -----
    ::

        RS_high = 1 − O / NT      RS_low = 1 − (O + U) / NT      point = 1 − O / (NT − U)

    Examples
    --------
    >>> june = rs_from_totals(out_h=900, unresolved_h=3600, customers=1000, period_h=720)
    >>> round(june.low_pct, 7), round(june.point_pct, 7), june.high_pct, june.coverage
    (99.375, 99.8743719, 99.875, 0.995)
    >>> june.verdict(99.83)
    <Verdict.INDETERMINATE: 'INDETERMINATE'>

    References
    ----------
    .. [1] DL/T 836-2016, reliability of supply; the bounds are steppe's own.
    """
    total_h = customers * period_h
    if min(out_h, unresolved_h, customers, period_h) < 0 or out_h + unresolved_h > total_h * (1 + 1e-12):
        raise ValueError(f"out {out_h} h and unresolved {unresolved_h} h must lie within {total_h} customer-hours")
    known_h = total_h - unresolved_h
    expected_h = out_h + unresolved_h * out_h / known_h if known_h > 0 else math.nan
    return rs_bounds(out_h, out_h + unresolved_h, expected_h, unresolved_h, total_h)


def rs_bounds(
    least_h: ArrayLike,
    most_h: ArrayLike,
    expected_h: ArrayLike,
    unresolved_h: ArrayLike,
    in_service_h: ArrayLike,
    weight: ArrayLike = 1.0,
) -> RsBounds:
    """Bound RS-1 of a group by the bounds of its units (O15).

    Parameters
    ----------
    least_h, most_h, expected_h : array_like, shape (n,)
        Outage of each unit: at least, at most, expected. [h]
    unresolved_h, in_service_h : array_like, shape (n,)
        Time of each unit that is unresolved, and in service. [h]
    weight : array_like, shape (n,) or scalar
        Customers of each unit; 1 at the MV level, where a transformer is one customer. [customers]

    Returns
    -------
    RsBounds
        NaN throughout if nothing was in service.

    Raises
    ------
    ValueError
        If bounds are not in order, or exceed the time in service.

    Notes
    -----
    With w the weight and h the time in service::

        RS_low = 1 − Σ w·O_max / Σ w·h      RS_high = 1 − Σ w·O_min / Σ w·h

    Examples
    --------
    >>> two = rs_bounds([1, 0], [1, 2], [1, 0.5], [0, 2], [100, 100], weight=[3, 1])
    >>> two.low_pct, two.point_pct, two.high_pct, two.coverage
    (98.75, 99.125, 99.25, 0.995)

    References
    ----------
    .. [1] The method is steppe's own: rule O15; tests/analytics/test_evidence_rules.py works it by hand.
    """
    least, most, expected, open_h, service = (
        _hours(column) for column in (least_h, most_h, expected_h, unresolved_h, in_service_h)
    )
    weights = np.broadcast_to(np.asarray(weight, np.float64), service.shape)
    slack = 1e-9 * (1 + service)
    if np.any(least < -slack) or np.any(least > most + slack) or np.any(most > service + slack):
        raise ValueError("outage bounds must be in order: 0 <= least <= most <= in service")
    total = float(weights @ service)
    if total == 0:
        return RsBounds(math.nan, math.nan, math.nan, math.nan, 0.0)

    def supplied_pct(outage: NDArray[np.float64]) -> float:
        return (1 - float(weights @ outage) / total) * 100

    covered = 1 - float(weights @ open_h) / total
    return RsBounds(supplied_pct(most), supplied_pct(expected), supplied_pct(least), covered, total)


def share_covered(unresolved_h: ArrayLike, in_service_h: ArrayLike, at_least: float = 0.9) -> float:
    """Return the share of units of which at least `at_least` of their time in service is resolved (O10). [0..1]

    Parameters
    ----------
    unresolved_h, in_service_h : array_like, shape (units,)
        [h]
    at_least : float
        [0..1]

    Returns
    -------
    float
        NaN where no unit was in service.

    Notes
    -----
    ::

        share = units with 1 − unresolved / in service >= at_least, over units in service

    Examples
    --------
    >>> share_covered([0, 20], [100, 100])
    0.5

    References
    ----------
    .. [1] The method is steppe's own: rule O10; tests/analytics/test_evidence_rules.py works it by hand.
    """
    open_h, service = _hours(unresolved_h), _hours(in_service_h)
    used = service > 0
    return float(np.mean(1 - open_h[used] / service[used] >= at_least)) if used.any() else math.nan


def _hours(column: ArrayLike) -> NDArray[np.float64]:
    return np.atleast_1d(np.asarray(column, np.float64))
