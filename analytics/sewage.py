"""Sewage by numbers: whether an effluent keeps its class, and whether rain or ground water gets into the sewers.

Arrays of one works, NaN where nothing was read: a comparison with NaN is False, so silence breaks no limit.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.limits import Limit, ammonia_limit_mg_l

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

HOUR_S, DAY_S = 3600.0, 86_400.0
STORM_FACTOR = 1.5


def infiltrating(day_volume_m3: ArrayLike, dry_day: ArrayLike) -> Bools:
    """Whether each day's volume is more than 1.5 times the median of the dry days, shape (days,).

    Parameters
    ----------
    day_volume_m3 : array_like, shape (days,)
        [m³]
    dry_day : array_like of bool, shape (days,)
        Days without rain.

    Returns
    -------
    ndarray of bool, shape (days,)

    Examples
    --------
    >>> infiltrating([100, 110, 240], [True, True, False]).tolist()
    [False, False, True]
    """
    volume = np.asarray(day_volume_m3, dtype=float)
    dry = volume[np.asarray(dry_day, dtype=bool) & ~np.isnan(volume)]
    return volume > STORM_FACTOR * (np.median(dry) if len(dry) else np.nan)


@dataclass(frozen=True)
class ClassDays:
    """How one quantity of an effluent kept its class, day by day."""

    limit: Limit
    high: Floats
    """The limit that counted on each day, in the quantity's unit."""
    broken: Bools
    unknown: Bools
    """Days without a mean: neither kept nor broken."""

    @property
    def share_kept(self) -> tuple[float, float]:
        """Lower and upper bound of the share of days that kept the limit."""
        days = len(self.broken)
        if days == 0:
            return (0.0, 1.0)
        return (1 - float((self.broken | self.unknown).sum()) / days, 1 - float(self.broken.sum()) / days)


def class_days(
    limits: Iterable[Limit],
    quantity: str,
    day_mean: ArrayLike,
    water_temp_24h_c: ArrayLike,
    *,
    built_before_2006: bool = False,
) -> ClassDays | None:
    """Compare the means of days with the daily limit of one grade; None where the grade has none.

    Parameters
    ----------
    limits : iterable of Limit
        Of one standard and grade, as `analytics.limits.in_force` gives them.
    quantity : str
        Such as `ammonia_mg_l`, whose limit follows the water's temperature.
    day_mean : array_like, shape (days,)
        NaN where the day has no valid mean.
    water_temp_24h_c : array_like, shape (days,)
        Mean water temperature of the day. NaN takes the stricter limit. [°C]
    built_before_2006 : bool
        Whether the works may keep the older limit of phosphorus.

    Returns
    -------
    ClassDays or None

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.limit_files import load_limits
    >>> from analytics.limits import in_force
    >>> grade = in_force(load_limits(), date(2026, 1, 1), standard="GB 18918-2002", grade="1A")
    >>> class_days(grade, "ammonia_mg_l", [6.0, 6.0, float("nan")], [8.0, 15.0, 15.0]).broken.tolist()
    [False, True, False]

    References
    ----------
    .. [1] GB 18918-2002, table 1.
    """
    rows = [row for row in limits if row.quantity == quantity and row.limit_kind == "daily"]
    if not rows:
        return None
    means = np.asarray(day_mean, dtype=float)
    by_condition = {row.condition: row for row in rows}
    age = "built_before_2006" if built_before_2006 else "built_from_2006"
    limit = next(by_condition[name] for name in (age, "warm", "") if name in by_condition)
    high = np.full(len(means), limit.high)
    if "cold" in by_condition:
        high = ammonia_limit_mg_l(limit.high, by_condition["cold"].high, water_temp_24h_c)
    return ClassDays(limit, high, (means > high) | (means < limit.low), np.isnan(means))
