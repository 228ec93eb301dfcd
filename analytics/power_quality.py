"""Unbalance and harmonic distortion against their limits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Real = NDArray[np.float64]

UNBALANCE_LIMIT_PCT = 2.0
"""GB/T 15543-2008: 95 % of ten-minute values. [%]"""
UNBALANCE_SHORT_LIMIT_PCT = 4.0
"""GB/T 15543-2008: at any time. [%]"""
THD_LIMITS_PCT = ((1.0, 5.0), (10.0, 4.0), (66.0, 3.0), (110.0, 2.0))
"""GB/T 14549-1993: up to so many kV, THD of the voltage. [kV, %]"""
LEAST_LOAD = 0.2
"""Share of rated current below which an unbalance of currents says nothing."""
ROTATION = np.exp(2j * np.pi / 3)


def unbalance_from_phasors(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> tuple[Real, Real]:
    """Return the negative- and the zero-sequence unbalance.

    Parameters
    ----------
    a, b, c : array_like of complex, shape (...)
        Phasors of the three phases, in any one unit.

    Returns
    -------
    u2_pct, u0_pct : ndarray, shape (...)
        NaN where there is no positive sequence. [%]

    Notes
    -----
    With α = exp(j·120°)::

        U1 = (a + α·b + α²·c)/3    U2 = (a + α²·b + α·c)/3    U0 = (a + b + c)/3
        u2 = |U2|/|U1|·100         u0 = |U0|/|U1|·100

    Examples
    --------
    One phase dead: a third of each sequence.

    >>> alpha = np.exp(2j * np.pi / 3)
    >>> u2, u0 = unbalance_from_phasors(230.0, 230.0 * alpha**2, 0.0)
    >>> round(float(u2), 6), round(float(u0), 6)
    (50.0, 50.0)

    References
    ----------
    .. [1] GB/T 15543-2008, "Power quality - Three-phase voltage unbalance".
    """
    first, second, third = (np.asarray(phase, dtype=np.complex128) for phase in (a, b, c))
    positive = np.abs(first + ROTATION * second + ROTATION**2 * third)
    negative = np.abs(first + ROTATION**2 * second + ROTATION * third)
    zero = np.abs(first + second + third)
    return _percent(negative, positive), _percent(zero, positive)


def unbalance_from_line_voltages(ab: ArrayLike, bc: ArrayLike, ca: ArrayLike) -> Real:
    """Return the negative-sequence unbalance from the three line voltages. [%]

    Parameters
    ----------
    ab, bc, ca : array_like, shape (...)
        Magnitudes between phases, never from phase to neutral: from those the unbalance cannot be known. [V]

    Returns
    -------
    ndarray, shape (...)
        NaN where all three are 0. [%]

    Notes
    -----
    ::

        β  = (a⁴ + b⁴ + c⁴) / (a² + b² + c²)²
        u2 = sqrt((1 − sqrt(3 − 6β)) / (1 + sqrt(3 − 6β)))·100

    Examples
    --------
    >>> [round(float(unbalance_from_line_voltages(*v)), 4) for v in ((400, 400, 400), (400, 400, 380))]
    [0.0, 3.363]

    References
    ----------
    .. [1] IEC 61000-4-30; GB/T 15543-2008.
    """
    squares = np.square(np.stack(np.broadcast_arrays(ab, bc, ca)).astype(np.float64))
    total = squares.sum(axis=0)
    beta = np.full(total.shape, np.nan)
    np.divide(np.square(squares).sum(axis=0), np.square(total), out=beta, where=total > 0)
    root = np.sqrt(np.clip(3.0 - 6.0 * beta, 0.0, 1.0))
    return np.asarray(np.sqrt((1.0 - root) / (1.0 + root)) * 100.0)


def unbalance_from_mean(voltages_v: ArrayLike) -> Real:
    """Return the largest deviation from the mean, which NEMA calls unbalance: LVUR of line, PVUR of phase voltages. [%]

    Parameters
    ----------
    voltages_v : array_like, shape (..., 3)
        Magnitudes. [V]

    Returns
    -------
    ndarray, shape (...)
        NaN where the mean is 0. [%]

    Notes
    -----
    ::

        max |U − mean(U)| / mean(U)·100

    Examples
    --------
    >>> float(unbalance_from_mean([400.0, 400.0, 370.0]).round(4))
    5.1282

    References
    ----------
    .. [1] NEMA MG 1; IEEE Std 936.
    """
    volts = np.asarray(voltages_v, dtype=np.float64)
    mean = volts.mean(axis=-1)
    return _percent(np.abs(volts - mean[..., None]).max(axis=-1), mean)


def current_unbalance(currents_a: ArrayLike, rated_a: float | None = None) -> Real:
    """Return how far the currents of the phases lie apart. [%]

    Parameters
    ----------
    currents_a : array_like, shape (..., 3)
        [A]
    rated_a : float, optional
        Rated current; below 20 % of it in the largest phase the result is NaN. [A]

    Returns
    -------
    ndarray, shape (...)
        NaN also where no current flows. [%]

    Notes
    -----
    ::

        (I_max − I_min) / I_max·100

    Examples
    --------
    >>> float(current_unbalance([150.0, 120.0, 105.0])), float(current_unbalance([15.0, 12.0, 10.0], rated_a=180.0))
    (30.0, nan)

    References
    ----------
    .. [1] Operating rules of Chinese distribution transformers: at most 15 %, with Dyn11 25 % (not verified).
    """
    currents = np.asarray(currents_a, dtype=np.float64)
    largest = currents.max(axis=-1)
    unbalance = _percent(largest - currents.min(axis=-1), largest)
    return unbalance if rated_a is None else np.where(largest < LEAST_LOAD * rated_a, np.nan, unbalance)


@dataclass(frozen=True)
class Judged:
    """A quantity against its limits."""

    p95_pct: float
    """95 % of the values are at most this; NaN without values. [%]"""
    max_pct: float
    """[%]"""
    complies: bool | None
    """None without values."""


def judge_unbalance(ten_minute_pct: ArrayLike) -> Judged:
    """Judge ten-minute unbalance: 95 % of the values up to 2 %, none above 4 %.

    Parameters
    ----------
    ten_minute_pct : array_like, shape (n,)
        Negative-sequence unbalance, NaN for invalid intervals. [%]

    Returns
    -------
    Judged

    Examples
    --------
    >>> judge_unbalance([1.0] * 95 + [3.0] * 5).complies, judge_unbalance([1.0] * 99 + [4.5]).complies
    (True, False)

    References
    ----------
    .. [1] GB/T 15543-2008.
    """
    return _judged(ten_minute_pct, UNBALANCE_LIMIT_PCT, UNBALANCE_SHORT_LIMIT_PCT)


def judge_thd(thd_pct: ArrayLike, nominal_kv: float) -> Judged:
    """Judge the total harmonic distortion of the voltage by its level.

    Parameters
    ----------
    thd_pct : array_like, shape (n,)
        Ten-minute values, NaN for invalid intervals. [%]
    nominal_kv : float
        Nominal voltage of the network: 0.38, 10, 35, 110 … [kV]

    Returns
    -------
    Judged
        Complies if 95 % of the values keep the limit.

    Raises
    ------
    ValueError
        If there is no limit for the level.

    Examples
    --------
    >>> judge_thd([4.9] * 95 + [6.0] * 5, 0.38).complies, judge_thd([4.9] * 100, 10).complies
    (True, False)

    References
    ----------
    .. [1] GB/T 14549-1993: 5, 4, 3 and 2 % at 0.38, 6 to 10, 35 to 66 and 110 kV.
    """
    for up_to_kv, limit in THD_LIMITS_PCT:
        if nominal_kv <= up_to_kv:
            return _judged(thd_pct, limit, np.inf)
    raise ValueError(f"GB/T 14549 has no limit of distortion for {nominal_kv:g} kV")


def _judged(values: ArrayLike, limit_pct: float, never_above_pct: float) -> Judged:
    """The smallest value that 95 % do not exceed decides, with the limits themselves allowed."""
    array = np.asarray(values, dtype=np.float64)
    known = np.sort(array[~np.isnan(array)])
    if not len(known):
        return Judged(float("nan"), float("nan"), None)
    p95 = float(known[int(np.ceil(0.95 * len(known) - 1e-9)) - 1])
    return Judged(p95, float(known[-1]), bool(p95 <= limit_pct and known[-1] <= never_above_pct))


def _percent(part: ArrayLike, whole: ArrayLike) -> Real:
    """`part` of `whole`, NaN where the whole is 0. [%]"""
    share = np.full(np.shape(whole), np.nan)
    np.divide(np.multiply(part, 100.0), whole, out=share, where=np.asarray(whole) > 0)
    return share
