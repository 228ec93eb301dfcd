"""Weeks of ten-minute voltages by EN 50160, and the Brazilian month-like count beside it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

INTERVALS_PER_WEEK = 1008
Level = Literal["lv", "mv", "islanded"]

SHARES: dict[Level, float] = {"lv": 0.95, "mv": 0.99, "islanded": 0.0}
"""Share of the week's intervals that must lie within ±10 %."""
WIDE_LIMITS: dict[Level, tuple[float, float]] = {"lv": (0.85, 1.10), "mv": (0.85, 1.15), "islanded": (0.85, 1.10)}
"""What every interval must keep, as a share of nominal."""


@dataclass(frozen=True)
class Week:
    """One week of ten-minute values at one phase."""

    n: int
    """Valid intervals; those with an interruption or a missing minute are left out."""
    n1: int
    """Intervals outside ±10 %."""
    n2: int
    """Intervals outside the wide limits."""
    max_v: float
    """[V]"""
    min_v: float
    """[V]"""
    most_n1_share: float

    @property
    def p95_ok(self) -> bool | None:
        """Few enough intervals lie outside ±10 %; None for a week without intervals."""
        return None if not self.n else self.n1 / self.n <= self.most_n1_share

    @property
    def p100_ok(self) -> bool | None:
        """No interval lies outside the wide limits; None for a week without intervals."""
        return None if not self.n else self.n2 == 0


def ten_minute_rms(voltage_v: ArrayLike, *, outage: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return ten-minute values from one-minute values, NaN where any of the ten is missing or an outage.

    Parameters
    ----------
    voltage_v : array_like, shape (..., minutes)
        One-minute values from a clock tick of ten minutes on; NaN where there is none. Left-over minutes at the end
        are not used. [V]
    outage : array_like of bool, shape (..., minutes), optional
        Minutes with an interruption, which flags the whole interval.

    Returns
    -------
    ndarray, shape (..., minutes // 10)
        RMS of the ten. From minute *means* it is a lower bound of the true value. [V]

    Raises
    ------
    ValueError
        If the mask does not broadcast.

    Notes
    -----
    ::

        U_10min = sqrt(Σ U_1min² / 10)

    Examples
    --------
    >>> ten_minute_rms([230.0] * 10 + [230.0] * 9 + [float("nan")] + [220.0] * 5 + [240.0] * 5).round(3).tolist()
    [230.0, nan, 230.217]

    References
    ----------
    .. [1] IEC 61000-4-30, aggregation over 10 min aligned to the clock.
    """
    volts = np.array(voltage_v, dtype=np.float64)
    if outage is not None:
        volts[np.broadcast_to(np.asarray(outage, dtype=np.bool_), volts.shape)] = np.nan
    whole = volts.shape[-1] // 10
    blocks = volts[..., : whole * 10].reshape(*volts.shape[:-1], whole, 10)
    return np.asarray(np.sqrt(np.mean(blocks**2, axis=-1)))


def en50160_week(ten_minute_v: ArrayLike, nominal_v: float, *, level: Level = "lv") -> Week:
    """Count a week of ten-minute values by EN 50160.

    Parameters
    ----------
    ten_minute_v : array_like, shape (intervals,)
        Values of one phase, NaN for invalid intervals. [V]
    nominal_v : float
        Nominal (LV) or declared (MV) voltage. [V]
    level : {"lv", "mv", "islanded"}
        LV: ±10 % for 95 % of the week and +10/-15 % always. MV: ±10 % for 99 % and ±15 % always. Islanded: +10/-15 %.

    Returns
    -------
    Week
        A value at a limit is inside.

    Notes
    -----
    ::

        p95: n1 / n <= 5 % (lv), 1 % (mv)          p100: n2 = 0

    Examples
    --------
    >>> week = en50160_week([230.0] * 957 + [206.9] * 51, 230.0)
    >>> week.n, week.n1, week.n2, week.p95_ok, week.p100_ok
    (1008, 51, 0, False, True)

    References
    ----------
    .. [1] EN 50160, "Voltage characteristics of electricity supplied by public electricity networks."
    """
    values = np.asarray(ten_minute_v, dtype=np.float64)
    ratio = np.round(values[~np.isnan(values)] / nominal_v, 6)
    low, high = WIDE_LIMITS[level]
    n = len(ratio)
    return Week(
        n=n,
        n1=int(((ratio < 0.9) | (ratio > 1.1)).sum()),
        n2=int(((ratio < low) | (ratio > high)).sum()),
        max_v=float(np.nanmax(values)) if n else float("nan"),
        min_v=float(np.nanmin(values)) if n else float("nan"),
        most_n1_share=1.0 - SHARES[level],
    )


@dataclass(frozen=True)
class Prodist:
    """Shares of precarious and critical readings of the Brazilian rules. [%]"""

    drp_pct: float
    drc_pct: float

    @property
    def complies(self) -> bool:
        """At most 3 % precarious and 0.5 % critical."""
        return self.drp_pct <= 3.0 and self.drc_pct <= 0.5


def prodist(precarious: int, critical: int, readings: int = INTERVALS_PER_WEEK) -> Prodist:
    """Return DRP and DRC of PRODIST module 8.

    Parameters
    ----------
    precarious, critical : int
        Ten-minute readings in each range.
    readings : int
        Valid readings; purged ones are replaced by following ones until there are 1008.

    Returns
    -------
    Prodist
        NaN for no readings. [%]

    Notes
    -----
    ::

        DRP = 100·n(precarious) / n          DRC = 100·n(critical) / n

    Examples
    --------
    >>> round(prodist(30, 0).drp_pct, 6), prodist(30, 0).complies, prodist(31, 0).complies
    (2.97619, True, False)

    References
    ----------
    .. [1] ANEEL, PRODIST module 8.
    """
    if readings <= 0:
        return Prodist(float("nan"), float("nan"))
    return Prodist(100.0 * precarious / readings, 100.0 * critical / readings)
