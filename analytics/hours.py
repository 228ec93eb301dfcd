"""Hours of an instrument: the mean of each that was read well enough, and how often a limit was kept. Arrays only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

QUARTERS_PER_H = 4
VALID_QUARTERS = 3
"""Quarter-hours with a value that make an hour valid: 75 % of it, as HJ 356-2019 asks of a day."""


@dataclass(frozen=True)
class HoursKept:
    """Hours of one instrument, or of several added up."""

    expected: int
    valid: int
    """With a mean."""
    kept: int
    """Of these, hours whose mean kept the limit."""

    def __add__(self, other: "HoursKept") -> "HoursKept":
        return HoursKept(self.expected + other.expected, self.valid + other.valid, self.kept + other.kept)

    @property
    def kept_pct(self) -> float:
        """Share of the valid hours that kept the limit; NaN without any. [%]"""
        return 100 * self.kept / self.valid if self.valid else float("nan")

    @property
    def bounds_pct(self) -> tuple[float, float]:
        """The share of all hours if each unknown one broke the limit, and if each kept it; NaN for none. [%]"""
        if self.expected == 0:
            return float("nan"), float("nan")
        unknown = self.expected - self.valid
        return 100 * self.kept / self.expected, 100 * (self.kept + unknown) / self.expected

    @property
    def coverage_pct(self) -> float:
        """Valid hours among those expected; NaN for none. [%]"""
        return 100 * self.valid / self.expected if self.expected else float("nan")


def hour_means(quarter_mean: ArrayLike) -> NDArray[np.float64]:
    """Return the mean of each hour.

    Parameters
    ----------
    quarter_mean : array_like, shape (4·hours,)
        Mean of each quarter-hour; NaN where nothing was read.

    Returns
    -------
    ndarray, shape (hours,)
        Mean of the quarters that have a value; NaN where fewer than three do.

    Raises
    ------
    ValueError
        If the quarters are not whole hours.

    Notes
    -----
    Quarters weigh the same however often each was read, so a burst of readings is no longer time::

        c(hour) = Σ c(quarter) / n,  n ≥ 3

    Examples
    --------
    >>> nan = float("nan")
    >>> hour_means([1.0, 2.0, 3.0, nan, 1.0, 1.0, nan, nan])
    array([ 2., nan])

    References
    ----------
    .. [1] HJ 356-2019, validity of on-line data; the quarters are steppe's own.
    """
    quarters = np.asarray(quarter_mean, np.float64)
    if len(quarters) % QUARTERS_PER_H:
        raise ValueError(f"{len(quarters)} quarter-hours are not whole hours")
    by_hour = quarters.reshape(-1, QUARTERS_PER_H)
    known = ~np.isnan(by_hour)
    count = known.sum(axis=1)
    total = np.where(known, by_hour, 0.0).sum(axis=1)
    return np.where(count >= VALID_QUARTERS, total / np.maximum(count, 1), np.nan)


def hours_kept(hour_mean: ArrayLike, broken: ArrayLike) -> HoursKept:
    """Return how many hours kept a limit.

    Parameters
    ----------
    hour_mean : array_like, shape (hours,)
        From `hour_means`.
    broken : array_like of bool, shape (hours,)
        Whether the hour's mean breaks the limit, as `Limit.broken_by` says; ignored where there is no mean.

    Examples
    --------
    >>> one = hours_kept([0.5, 1.5, float("nan"), 0.8], [False, True, False, False])
    >>> one.kept, one.valid, one.bounds_pct
    (2, 3, (50.0, 75.0))

    References
    ----------
    .. [1] GB 5749-2022 limits single measurements; the mean of an hour stands for one.
    """
    valid = ~np.isnan(np.asarray(hour_mean, np.float64))
    kept = valid & ~np.asarray(broken, np.bool_)
    return HoursKept(len(valid), int(valid.sum()), int(kept.sum()))
