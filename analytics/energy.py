"""Energy and load: line loss, load of transformers, power factor, the low-voltage list."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.reliability import ratio

Real = NDArray[np.float64]
Mask = NDArray[np.bool_]

HEAVY, OVERLOAD = 0.8, 1.0
"""Load rates from which a transformer is heavily loaded, and overloaded."""
SUSTAINED_H = 2.0
"""How long a load must last to count. [h]"""
LOW_VOLTAGE_MIN = 60
"""Minutes under the lower limit that put a customer on the list. [min]"""


@dataclass(frozen=True)
class LineLoss:
    """Loss of lines or transformer areas, as columns of shape (n,)."""

    loss_kwh: Real
    loss_pct: Real
    """NaN where no energy went in. [%]"""
    suspect: Mask
    """Negative or above 100 %: topology, clocks or a ratio are wrong; it is not a saving."""


def line_loss(energy_in_kwh: ArrayLike, energy_out_kwh: ArrayLike, feed_in_kwh: ArrayLike = 0.0) -> LineLoss:
    """Return the line loss (线损率) of feeders or of transformer areas.

    Parameters
    ----------
    energy_in_kwh, energy_out_kwh : array_like, shape (n,)
        Supplied and sold between the same two freeze instants. [kWh]
    feed_in_kwh : array_like, shape (n,), optional
        What generators on the line fed in; it is energy in too. [kWh]

    Returns
    -------
    LineLoss

    Raises
    ------
    ValueError
        If the columns do not broadcast.

    Notes
    -----
    ::

        loss = (E_in + E_feed-in − E_out) / (E_in + E_feed-in)·100

    Examples
    --------
    >>> line_loss([120_000.0], [111_600.0]).loss_pct.tolist()
    [7.0]
    >>> line_loss([100.0], [103.0]).suspect.tolist()
    [True]

    References
    ----------
    .. [1] State-grid rules of rural line loss: about 7 % at 10 kV, up to 10 to 12 % in low voltage.
    """
    supplied = np.asarray(energy_in_kwh, np.float64) + np.asarray(feed_in_kwh, np.float64)
    supplied, sold = np.broadcast_arrays(supplied, np.asarray(energy_out_kwh, np.float64))
    pct = np.full(supplied.shape, np.nan)
    np.divide((supplied - sold) * 100.0, supplied, out=pct, where=supplied > 0)
    return LineLoss(supplied - sold, pct, (pct < 0) | (pct > 100) | ((supplied <= 0) & (sold > 0)))


def load_rate(active_kw: ArrayLike, reactive_kvar: ArrayLike, rated_kva: ArrayLike) -> Real:
    """Return the load rate of transformers.

    Parameters
    ----------
    active_kw, reactive_kvar : array_like, shape (...)
        [kW], [kvar]
    rated_kva : array_like
        Rated power. [kVA]

    Returns
    -------
    ndarray, shape (...)
        1 at rated power; NaN where the rated power is not positive.

    Notes
    -----
    ::

        β = sqrt(P² + Q²) / S_N

    Examples
    --------
    >>> float(load_rate(80.0, 60.0, 125.0))
    0.8

    References
    ----------
    .. [1] Chinese operating practice: heavy from 0.8, overload from 1.0, each for two hours (not verified).
    """
    power, rated = np.broadcast_arrays(np.hypot(active_kw, reactive_kvar), np.asarray(rated_kva, np.float64))
    rate = np.full(power.shape, np.nan)
    np.divide(power, rated, out=rate, where=rated > 0)
    return rate


def sustained_hours(load: ArrayLike, at_least: float, *, step_h: float, sustained_h: float = SUSTAINED_H) -> float:
    """Return the hours that a load was high, in runs long enough to count. [h]

    Parameters
    ----------
    load : array_like, shape (n,)
        Load rate at regular steps; NaN ends a run.
    at_least : float
        `HEAVY` or `OVERLOAD`.
    step_h : float
        Length of a step. [h]
    sustained_h : float
        Shortest run that counts. [h]

    Returns
    -------
    float
        [h]

    Notes
    -----
    ::

        Σ of the runs of load >= at_least that last sustained_h or longer

    Examples
    --------
    Two and a half hours count, one and a half do not:

    >>> sustained_hours([0.9] * 5 + [0.5] + [0.9] * 3, HEAVY, step_h=0.5)
    2.5

    References
    ----------
    .. [1] Heavy (80 %) and overload (100 %) for two hours, as distribution utilities report them (from memory).
    """
    high = np.concatenate(([False], np.asarray(load, dtype=np.float64) >= at_least - 1e-12, [False]))
    edges = np.flatnonzero(np.diff(high.astype(np.int8)))
    hours = (edges[1::2] - edges[::2]) * step_h
    return float(hours[hours >= sustained_h - 1e-9].sum())


def power_factor(active_kwh: ArrayLike, reactive_kvarh: ArrayLike) -> Real:
    """Return the mean power factor of a month from its energies.

    Parameters
    ----------
    active_kwh, reactive_kvarh : array_like, shape (n,)
        [kWh], [kvarh]

    Returns
    -------
    ndarray, shape (n,)
        NaN where no energy flowed.

    Notes
    -----
    ::

        cos φ = W_P / sqrt(W_P² + W_Q²)

    Examples
    --------
    >>> power_factor([80.0, 0.0], [60.0, 0.0]).tolist()
    [0.8, nan]

    References
    ----------
    .. [1] Chinese power-factor tariff: thresholds 0.85 and 0.90.
    """
    active = np.asarray(active_kwh, dtype=np.float64)
    apparent = np.hypot(active, np.asarray(reactive_kvarh, dtype=np.float64))
    factor = np.full(apparent.shape, np.nan)
    np.divide(active, apparent, out=factor, where=apparent > 0)
    return factor


def energy_not_served(energy_kwh: ArrayLike, n_eq: float) -> float:
    """Return AENS, the energy not served per customer. [kWh per customer]

    Parameters
    ----------
    energy_kwh : array_like, shape (n,)
        Energy not served in each interruption. [kWh]
    n_eq : float
        Equivalent customers.

    Returns
    -------
    float
        NaN where there are no customers.

    Notes
    -----
    ::

        AENS = Σ ENS / N_eq

    Examples
    --------
    >>> energy_not_served([300.0, 200.0], 1000)
    0.5

    References
    ----------
    .. [1] DL/T 836, "Reliability evaluation rules of power supply system".
    """
    return ratio(float(np.sum(energy_kwh)), n_eq)


def low_voltage_list(under_min: ArrayLike, *, more_than_min: int = LOW_VOLTAGE_MIN) -> NDArray[np.int64]:
    """Return the customers with low voltage for longer than an hour, the worst first.

    Parameters
    ----------
    under_min : array_like of int, shape (points,)
        Minutes under the lower limit, from `count_minutes`. [min]
    more_than_min : int
        [min]

    Returns
    -------
    ndarray of int64, shape (m,)
        Indices into the points.

    Notes
    -----
    ::

        listed = points with under_min > more_than_min, by falling under_min

    Examples
    --------
    >>> low_voltage_list([60, 61, 0, 500]).tolist()
    [3, 1]

    References
    ----------
    .. [1] GB/T 12325-2008, "Power quality - Deviation of supply voltage".
    """
    minutes = np.asarray(under_min, dtype=np.int64)
    listed = np.flatnonzero(minutes > more_than_min)
    return np.asarray(listed[np.argsort(-minutes[listed], kind="stable")])
