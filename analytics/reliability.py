"""Supply reliability, the arithmetic under every index: hours, customer-hours, RS and its roll-up.

A period's hours are the hours it really has: 8784 in a leap year, never the constant 8760. Intervals are merged and
clipped by `analytics.intervals`.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Real = NDArray[np.float64]

MS_PER_HOUR = 3_600_000


class Nature(IntEnum):
    """Why supply stopped, in the order in which overlapping records claim time (R1)."""

    FAULT = 0
    LIMIT = 1
    PLANNED = 2


def period_hours(start_ms: int, end_ms: int) -> float:
    """Return the calendar hours of a period. [h]

    Parameters
    ----------
    start_ms, end_ms : int
        First instant of the period and first instant after it. [ms since 1970-01-01T00:00Z]

    Returns
    -------
    float
        Hours. [h]

    Raises
    ------
    ValueError
        If the period ends before it starts.

    Examples
    --------
    >>> period_hours(1_704_038_400_000, 1_735_660_800_000)  # 2024, Asia/Shanghai: a leap year
    8784.0
    """
    if end_ms < start_ms:
        raise ValueError(f"the period ends at {end_ms}, before it starts at {start_ms}")
    return (end_ms - start_ms) / MS_PER_HOUR


def customer_hours(start_ms: ArrayLike, end_ms: ArrayLike, customers: ArrayLike = 1.0) -> float:
    """Sum duration times customers (停电时户数). [customer-hours]

    Parameters
    ----------
    start_ms, end_ms : array_like of int, shape (n,)
        Merged and clipped intervals. [ms since 1970-01-01T00:00Z]
    customers : array_like, shape (n,) or scalar
        Customers without supply in each. [customers]

    Returns
    -------
    float
        CH. [customer-hours]

    Notes
    -----
    ::

        CH = Σ (end − start)·customers

    Examples
    --------
    >>> customer_hours([0, 0], [7_200_000, 3_600_000], [120, 80])
    320.0

    References
    ----------
    .. [1] DL/T 836, "Reliability evaluation rules of power supply system".
    """
    hours = (np.asarray(end_ms, dtype=np.int64) - np.asarray(start_ms, dtype=np.int64)) / MS_PER_HOUR
    return float(np.sum(hours * np.asarray(customers, dtype=np.float64)))


def equivalent_customers(
    customers: ArrayLike, from_ms: ArrayLike, to_ms: ArrayLike, start_ms: int, end_ms: int
) -> float:
    """Return the customers of a period weighted by their time in service (等效总用户数, R11).

    Parameters
    ----------
    customers : array_like, shape (n,)
        Customers of each unit. [customers]
    from_ms, to_ms : array_like of int, shape (n,)
        First instant in service and first instant no longer in service. [ms since 1970-01-01T00:00Z]
    start_ms, end_ms : int
        The period. [ms since 1970-01-01T00:00Z]

    Returns
    -------
    float
        N_eq; NaN for an empty period (R9). [customers]

    Notes
    -----
    With h the hours a unit was in service within the period of T hours::

        N_eq = Σ customers·h / T

    Examples
    --------
    >>> equivalent_customers([100, 50], [0, 360], [720, 720], 0, 720)
    125.0

    References
    ----------
    .. [1] DL/T 836-2016, "Reliability evaluation rules of power supply system".
    """
    if end_ms <= start_ms:
        return float("nan")
    served = np.clip(np.minimum(to_ms, end_ms) - np.maximum(from_ms, start_ms), 0, None)
    return float(np.sum(np.asarray(customers, dtype=np.float64) * served) / (end_ms - start_ms))


def reliability_pct(customer_hours_out: float, n_eq: float, period_h: float) -> float:
    """Return the supply reliability RS (ASAI). [%]

    Parameters
    ----------
    customer_hours_out : float
        Customer-hours without supply, merged and clipped to the period. [customer-hours]
    n_eq : float
        Equivalent customers. [customers]
    period_h : float
        Calendar hours of the period. [h]

    Returns
    -------
    float
        RS; NaN where there are no customers or no hours (R9). [%]

    Raises
    ------
    ValueError
        If more customer-hours are out than the period has, or fewer than none: an error in the data (R9).

    Notes
    -----
    ::

        RS = (1 − CH / (N_eq·T))·100

    Examples
    --------
    >>> round(reliability_pct(1946.6667, n_eq=1000, period_h=720), 6)
    99.72963
    >>> round(reliability_pct(10.59, n_eq=1, period_h=8784), 2)  # 2016 had 8784 hours
    99.88

    References
    ----------
    .. [1] DL/T 836, "Reliability evaluation rules of power supply system".
    """
    available = n_eq * period_h
    if not available > 0:
        return float("nan")
    share = customer_hours_out / available
    if not -1e-12 <= share <= 1 + 1e-9:
        raise ValueError(
            f"{customer_hours_out:g} customer-hours out of {available:g}: the ledger and the units disagree"
        )
    return (1.0 - min(max(share, 0.0), 1.0)) * 100.0


def allowance_hours(target_pct: float, period_h: float) -> float:
    """Return the hours per customer that a target leaves for interruptions. [h]

    Parameters
    ----------
    target_pct : float
        Target of RS. [%]
    period_h : float
        Calendar hours of the period. [h]

    Returns
    -------
    float
        Hours per customer. [h]

    Notes
    -----
    ::

        h = (1 − RS/100)·T

    Examples
    --------
    >>> round(allowance_hours(99.83, 8760), 4), round(allowance_hours(99.83, 8784), 4)
    (14.892, 14.9328)

    References
    ----------
    .. [1] DL/T 836-2016, "Reliability evaluation rules of power supply system".
    """
    return (100.0 - target_pct) / 100.0 * period_h


def limiting_share_off(allowed_kw: ArrayLike, normal_kw: ArrayLike) -> Real:
    """Return the share of demand not served while supply is limited; times the hours, it is the equivalent time.

    Parameters
    ----------
    allowed_kw, normal_kw : array_like, shape (n,)
        Demand allowed during limiting and demand without it. [kW]

    Returns
    -------
    ndarray, shape (n,)
        Share 0…1; NaN where the normal demand is not positive.

    Notes
    -----
    ::

        t_eq = t_limit·(1 − P_allowed / P_normal)

    Examples
    --------
    >>> 4.0 * float(limiting_share_off(60.0, 100.0))  # 4 h at 60 % of demand [h]
    1.6

    References
    ----------
    .. [1] DL/T 836-2016, "Reliability evaluation rules of power supply system".
    """
    allowed, normal = np.broadcast_arrays(np.asarray(allowed_kw, np.float64), np.asarray(normal_kw, np.float64))
    ratio = np.full(normal.shape, np.nan)
    np.divide(allowed, normal, out=ratio, where=normal > 0)
    return np.asarray(1.0 - np.clip(ratio, 0.0, 1.0))


def roll_up_pct(customer_hours_out: ArrayLike, available_h: ArrayLike) -> float:
    """Return RS of a region from its parts: sums of partials, never a mean of percentages (R10). [%]

    Parameters
    ----------
    customer_hours_out : array_like, shape (n,)
        CH of each part, all at the same level (MV or LV). [customer-hours]
    available_h : array_like, shape (n,)
        N_eq·T of each part. [customer-hours]

    Returns
    -------
    float
        RS; NaN where nothing was available. [%]

    Notes
    -----
    ::

        RS = (1 − Σ CH / Σ N_eq·T)·100

    Examples
    --------
    >>> round(roll_up_pct([72.0, 72.0], [7200.0, 72_000.0]), 6)  # 99.0 and 99.9 %
    99.818182

    References
    ----------
    .. [1] DL/T 836-2016, "Reliability evaluation rules of power supply system".
    """
    return reliability_pct(float(np.sum(customer_hours_out)), float(np.sum(available_h)), 1.0)


def ratio(part: float, whole: float) -> float:
    """Return `part / whole`, NaN where the whole is not positive: undefined is never 0.

    Parameters
    ----------
    part, whole : float
        In any one unit.

    Returns
    -------
    float

    Examples
    --------
    >>> ratio(1.0, 4.0), ratio(0.0, 0.0)
    (0.25, nan)
    """
    return part / whole if whole > 0 else float("nan")
