"""Drinking water by numbers: compliance of a day, and reliability of supply by days and by user-hours.

Arrays in, numbers out. Silence is never a value: an hour without telemetry is unknown, neither supplied nor out, and a
day with too few valid values has no mean.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

VALID_SHARE = 0.75
"""Share of a day's values that must be valid for the day to have a mean on line (HJ 356-2019)."""
SUPPLIED_SHARE = 0.80
"""Share of an hour's pressures that must reach the minimum for the hour to count as supplied."""

UNKNOWN, OUT, SUPPLIED = -1, 0, 1


@dataclass(frozen=True)
class DayMeans:
    """The mean of each local day, weighted by flow and plain."""

    day: Ints
    """Days since 1970-01-01, local."""
    flow_weighted: Floats
    """On-line mean; NaN where too few values were valid."""
    plain: Floats
    """Mean of the values alone, as of a mixed sample with equal parts; NaN likewise."""
    valid_share: Floats


def day_means(
    value: ArrayLike, flow_m3_h: ArrayLike, time_s: ArrayLike, *, utc_offset_s: float, expected_per_day: int
) -> DayMeans:
    """The means of the days for compliance with daily limits.

    Parameters
    ----------
    value, flow_m3_h : array_like, shape (n,)
        Concentration and flow [m³/h] at each instant; a value counts only with its flow. Flow below zero is missing.
    time_s : array_like, shape (n,)
        Instants. [s since 1970-01-01T00:00Z]
    utc_offset_s : float
        Local time less UTC. [s]
    expected_per_day : int
        Values that a day without loss has; 75 % of them must be valid.

    Returns
    -------
    DayMeans
        Of the days that have at least one row.

    Notes
    -----
    ::

        mean = Σ q·c / Σ q

    Examples
    --------
    >>> day_means([40, 80], [3, 1], [0, 43200], utc_offset_s=0, expected_per_day=2).flow_weighted
    array([50.])

    References
    ----------
    .. [1] HJ 356-2019, chapter 7, effective mean value. GB 18918-2002, 4.1.4, daily mean.
    """
    values, flow = np.asarray(value, dtype=float), np.asarray(flow_m3_h, dtype=float)
    local_day = np.floor((np.asarray(time_s, dtype=float) + utc_offset_s) / 86_400).astype(np.int64)
    days, where = np.unique(local_day, return_inverse=True)
    valid = ~np.isnan(values) & (flow >= 0)
    weight, mass = np.where(valid, flow, 0.0), np.where(valid, flow * values, 0.0)

    def total(x: Floats | Bools) -> Floats:
        return np.bincount(where, x.astype(float), len(days)).astype(float)

    count = total(valid)
    share = count / expected_per_day
    enough = share >= VALID_SHARE
    weighted = _ratio(total(mass), total(weight), enough)
    return DayMeans(days, weighted, _ratio(total(np.where(valid, values, 0.0)), count, enough), share)


def projected_day_mean(value: ArrayLike, volume_m3: ArrayLike, remaining_m3: ArrayLike) -> Floats:
    """Where the day's flow-weighted mean will end if the last value stays to midnight.

    Parameters
    ----------
    value, volume_m3 : array_like, shape (n,)
        The day's values so far, and the volume that each stands for [m³]. NaN in either leaves the pair out.
    remaining_m3 : array_like, shape (n,)
        Volume expected from each instant to the end of the day. [m³]

    Returns
    -------
    ndarray, shape (n,)
        Projection made at each instant, from the values up to it. NaN before the first value.

    Notes
    -----
    ::

        (Σ q·c so far + q_rem · c_last) / (Σ q so far + q_rem)

    Examples
    --------
    >>> projected_day_mean([40, 60], [100, 100], [300, 200])
    array([40., 55.])
    """
    values, volume = np.asarray(value, dtype=float), np.asarray(volume_m3, dtype=float)
    remaining = np.asarray(remaining_m3, dtype=float)
    valid = ~np.isnan(values) & ~np.isnan(volume)
    mass = np.cumsum(np.where(valid, values * volume, 0.0))
    passed = np.cumsum(np.where(valid, volume, 0.0))
    last_row = np.maximum.accumulate(np.where(valid, np.arange(len(values)), -1))
    last = np.where(last_row >= 0, values[last_row], np.nan)
    return _ratio(mass + remaining * last, passed + remaining, last_row >= 0)


@dataclass(frozen=True)
class Reliability:
    """Reliability of supply by days and by user-hours, with what is unknown kept apart."""

    supplied_user_h: float
    outage_user_h: float
    unknown_user_h: float
    days: int
    days_short: int
    """Days on which some users were known to be without enough water."""
    days_unknown: int
    """Days without a known shortage on which some hour of some users is unknown."""

    @property
    def by_user_hours(self) -> tuple[float, float]:
        """Lower and upper bound of 1 − Σ outage·users / Σ hours·users."""
        total = self.supplied_user_h + self.outage_user_h + self.unknown_user_h
        if total == 0:
            return (0.0, 1.0)
        return (self.supplied_user_h / total, 1 - self.outage_user_h / total)

    @property
    def by_days(self) -> tuple[float, float]:
        """Lower and upper bound of 1 − (days short of water) / days."""
        if self.days == 0:
            return (0.0, 1.0)
        return (1 - (self.days_short + self.days_unknown) / self.days, 1 - self.days_short / self.days)


def hourly_supply(pressure_mpa: ArrayLike, minimum_mpa: float) -> Ints:
    """Whether each hour was supplied: 1 supplied, 0 out, −1 unknown.

    Parameters
    ----------
    pressure_mpa : array_like, shape (hours, k) or (hours, zones, k)
        The k pressures expected in each hour, NaN where none came. [MPa]
    minimum_mpa : float
        Pressure at which water reaches the highest tap. [MPa]

    Returns
    -------
    ndarray of int, shape (hours,) or (hours, zones)
        An hour is supplied if at least 80 % of the pressures read reach the minimum. With fewer than half of them
        read it is unknown.

    Examples
    --------
    >>> nan = float("nan")
    >>> hourly_supply([[0.2, 0.2, 0.2, 0.2, 0.05], [0.2, 0.05, 0.05, 0.2, 0.2], [nan, nan, nan, 0.2, 0.2]], 0.1)
    array([ 1,  0, -1])
    """
    pressure = np.asarray(pressure_mpa, dtype=float)
    read = (~np.isnan(pressure)).sum(axis=-1)
    enough = (pressure >= minimum_mpa).sum(axis=-1)
    supplied = np.where(enough >= SUPPLIED_SHARE * read, SUPPLIED, OUT)
    return np.where(2 * read < pressure.shape[-1], UNKNOWN, supplied).astype(np.int64)


def supply_reliability(state: ArrayLike, users: ArrayLike) -> Reliability:
    """Sum up hours of supply as reliability.

    Parameters
    ----------
    state : array_like of int, shape (hours, zones)
        From `hourly_supply`, whole days of 24 hours.
    users : array_like, shape (zones,)
        People served in each zone.

    Returns
    -------
    Reliability

    Raises
    ------
    ValueError
        If the hours are not whole days or a number of users is negative.

    Notes
    -----
    ::

        R_uh = 1 − Σ outage_h · users / Σ hours · users        R_d = 1 − days short / days

    Examples
    --------
    >>> year = supply_reliability([[1, 1]] * 20 + [[0, 1]] * 2 + [[-1, 1]] * 2, [100, 300])
    >>> year.by_user_hours, year.days_short
    ((0.9583333333333334, 0.9791666666666666), 1)

    References
    ----------
    .. [1] T/CHES 18-2018, rural drinking water safety: reliability of supply (95 %, 90 %).
    """
    hours, people = np.asarray(state, dtype=np.int64), np.asarray(users, dtype=float)
    if len(hours) % 24 or (people < 0).any():
        raise ValueError(f"{len(hours)} hours: give whole days of 24 hours, and users of zero or more")
    served = hours[:, people > 0].reshape(len(hours) // 24, 24 * int((people > 0).sum()))
    short, unknown = (served == OUT).any(axis=1), (served == UNKNOWN).any(axis=1)
    supplied_h, outage_h, unknown_h = (float(((hours == code) * people).sum()) for code in (SUPPLIED, OUT, UNKNOWN))
    return Reliability(
        supplied_user_h=supplied_h,
        outage_user_h=outage_h,
        unknown_user_h=unknown_h,
        days=len(short),
        days_short=int(short.sum()),
        days_unknown=int((unknown & ~short).sum()),
    )


def reliability_grade(days_short: int) -> Literal["met", "basically met", "not met"]:
    """The survey's verdict on a year: fewer than 18 days short of water is met, fewer than 36 basically met.

    The test is on days, not on the percentage.

    Parameters
    ----------
    days_short : int
        Days of the year on which someone was short of water.

    Returns
    -------
    str

    Examples
    --------
    >>> [reliability_grade(days) for days in (17, 18, 35, 36)]
    ['met', 'basically met', 'basically met', 'not met']

    References
    ----------
    .. [1] T/CHES 18-2018, survey form.
    """
    if days_short < 18:
        return "met"
    return "basically met" if days_short < 36 else "not met"


def _ratio(above: Floats, below: Floats, where: Bools) -> Floats:
    return np.where(where & (below > 0), above / np.where(below > 0, below, np.nan), np.nan)
