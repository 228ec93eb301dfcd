"""Disinfection with free chlorine: the dose that water gets, the dose that it needs, and their ratio.

Arrays in, numbers out. Temperature, pH and residual are brought to the edge of the tables they lie outside of.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LOG_GIARDIA = 3.0
"""Inactivation of Giardia that the treatment must reach. [log10]"""
COLDEST_C, WARMEST_C = 0.5, 25.0
"""Temperatures between which the CT tables were measured. [°C]"""
CHLORINE_MG_L = (0.4, 3.0)
PH = (6.01, 9.0)
"""A table in use gives no CT at all at pH 6.0 and below, an infinite credit: never go there."""


def contact_ct(residual_mg_l: ArrayLike, volume_m3: float, flow_m3_h: ArrayLike, baffling: float = 0.3) -> Floats:
    """The disinfectant's dose that water gets in a tank: residual times the time that 90 % of it stays.

    Parameters
    ----------
    residual_mg_l : array_like, shape (n,)
        Residual at the outlet of the tank. [mg/L]
    volume_m3 : float
        Water in the tank at the time. [m³]
    flow_m3_h : array_like, shape (n,)
        Peak flow through it. Zero or less gives NaN: standing water is no proof of contact. [m³/h]
    baffling : float
        0.1 unbaffled, 0.3 poor, 0.5 average, 0.7 superior, 1.0 pipe.

    Returns
    -------
    ndarray, shape (n,)
        CT. [mg·min/L]

    Raises
    ------
    ValueError
        If the volume is not positive or the baffling factor is not in (0, 1].

    Notes
    -----
    ::

        t10 = V / Q · BF        CT = C · t10

    Examples
    --------
    >>> contact_ct([0.5], volume_m3=200, flow_m3_h=[120], baffling=0.5)
    array([25.])

    References
    ----------
    .. [1] US EPA, "Disinfection Profiling and Benchmarking Technical Guidance Manual", 2020, chapter 4.
    """
    if volume_m3 <= 0 or not 0 < baffling <= 1:
        raise ValueError(f"volume {volume_m3} m³, baffling {baffling}: give a volume above 0 and a factor in (0, 1]")
    flow = np.asarray(flow_m3_h, dtype=float)
    t10_min = 60 * volume_m3 / np.where(flow > 0, flow, np.nan) * baffling
    return np.asarray(residual_mg_l, dtype=float) * t10_min


def required_ct(residual_mg_l: ArrayLike, water_temp_c: ArrayLike, ph: ArrayLike, log: float = LOG_GIARDIA) -> Floats:
    """CT that free chlorine needs to inactivate Giardia.

    Parameters
    ----------
    residual_mg_l, water_temp_c, ph : array_like, shape (n,)
        Free chlorine [mg/L], temperature [°C], pH. Each is brought to the edge of the table it lies outside of.
    log : float
        Inactivation wanted. [log10]

    Returns
    -------
    ndarray, shape (n,)
        CT. [mg·min/L] NaN where an input is NaN.

    Notes
    -----
    Smith's regression, 0 to 8 % above the tables (the safe side), with L = log::

        T < 12.5 °C:  0.353·L·(12.006 + exp(2.46 − 0.073·T + 0.125·C + 0.389·pH))
        else:         0.361·L·(−2.261 + exp(2.69 − 0.065·T + 0.111·C + 0.361·pH))

    The table of the EPA gives 149 mg·min/L at 5 °C, 1 mg/L, pH 7.

    Examples
    --------
    >>> required_ct([1.0, 1.0], [5.0, -3.0], [7.0, 5.0]).round(0)
    array([161., 153.])

    References
    ----------
    .. [1] D. B. Smith, R. M. Clark et al., "An empirical model for interpolating CT values for chlorine inactivation
       of Giardia lamblia", J. Water SRT–Aqua 44, 1995.
    """
    chlorine = np.clip(np.asarray(residual_mg_l, dtype=float), *CHLORINE_MG_L)
    temperature = np.clip(np.asarray(water_temp_c, dtype=float), COLDEST_C, WARMEST_C)
    acidity = np.clip(np.asarray(ph, dtype=float), *PH)
    cold = 0.353 * (12.006 + np.exp(2.46 - 0.073 * temperature + 0.125 * chlorine + 0.389 * acidity))
    warm = 0.361 * (-2.261 + np.exp(2.69 - 0.065 * temperature + 0.111 * chlorine + 0.361 * acidity))
    return np.asarray(log * np.where(temperature < 12.5, cold, warm))


def inactivation_ratio(
    residual_mg_l: ArrayLike,
    water_temp_c: ArrayLike,
    ph: ArrayLike,
    *,
    volume_m3: float,
    flow_m3_h: ArrayLike,
    baffling: float = 0.3,
    log: float = LOG_GIARDIA,
) -> Floats:
    """The dose given over the dose required, shape (n,): below 1 the water is not disinfected.

    Ratios of tanks in a row add up. NaN where an input is missing or the water stands.

    Parameters
    ----------
    residual_mg_l, water_temp_c, ph, volume_m3, flow_m3_h, baffling, log
        As in `contact_ct` and `required_ct`.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> inactivation_ratio([0.5], [10.0], [7.5], volume_m3=500, flow_m3_h=[60], baffling=0.7).round(2)
    array([1.34])

    References
    ----------
    .. [1] 40 CFR 141.720, log credit of disinfection.
    """
    given = contact_ct(residual_mg_l, volume_m3, flow_m3_h, baffling)
    return given / required_ct(residual_mg_l, water_temp_c, ph, log)
