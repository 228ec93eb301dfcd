"""Supply as a customer counts it: how long interruptions last, and what the evenings had of it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.intervals import Ms
from analytics.reliability import MS_PER_HOUR

Real = NDArray[np.float64]

BANDS_H = (0.25, 1.0, 3.0)
"""Edges between the bands of durations: up to 15 min, 1 h, 3 h, longer. [h]"""


def duration_bands(hours: ArrayLike, customers: ArrayLike = 1.0) -> Real:
    """Count interruptions by duration: under 15 min, to 1 h, to 3 h, longer.

    Parameters
    ----------
    hours : array_like, shape (n,)
        Durations. [h]
    customers : array_like, shape (n,) or scalar
        Weight of each.

    Returns
    -------
    ndarray, shape (4,)

    Notes
    -----
    ::

        [0, 0.25)   [0.25, 1)   [1, 3]   (3, ∞)   in hours

    Examples
    --------
    >>> duration_bands([0.1, 0.25, 1.0, 3.0, 3.1]).tolist()
    [1.0, 1.0, 2.0, 1.0]

    References
    ----------
    .. [1] Prayas, Electricity Supply Monitoring Initiative: the bands of its reports.
    """
    durations = np.asarray(hours, dtype=np.float64)
    band = np.searchsorted(BANDS_H, durations, side="right")
    band = np.where(durations == BANDS_H[-1], len(BANDS_H) - 1, band)
    weights = np.broadcast_to(np.asarray(customers, dtype=np.float64), durations.shape)
    return np.bincount(band, weights=weights, minlength=len(BANDS_H) + 1).astype(np.float64, copy=False)


def evening_hours(
    out_from_ms: Ms, out_to_ms: Ms, midnights_ms: Ms, *, first_h: float = 17.0, last_h: float = 23.0
) -> Real:
    """Return the hours of supply of one customer in each evening.

    Parameters
    ----------
    out_from_ms, out_to_ms : ndarray of int64, shape (n,)
        Merged interruptions of the customer. [ms since 1970-01-01T00:00Z]
    midnights_ms : ndarray of int64, shape (days,)
        The local midnight that opens each day. [ms since 1970-01-01T00:00Z]
    first_h, last_h : float
        The evening, in hours after midnight. [h]

    Returns
    -------
    ndarray, shape (days,)
        Up to `last_h − first_h`. [h]

    Notes
    -----
    ::

        supply = (last_h − first_h) − Σ overlap of interruption and evening

    Examples
    --------
    Out from 16:00 to 18:30:

    >>> hour = 3_600_000
    >>> evening_hours(np.array([16 * hour]), np.array([18 * hour + hour // 2]), np.array([0])).tolist()
    [4.5]

    References
    ----------
    .. [1] Prayas, Electricity Supply Monitoring Initiative: evening supply hours.
    """
    begin = midnights_ms[:, None] + round(first_h * MS_PER_HOUR)
    end = midnights_ms[:, None] + round(last_h * MS_PER_HOUR)
    lost = np.clip(np.minimum(out_to_ms, end) - np.maximum(out_from_ms, begin), 0, None).sum(axis=1)
    return np.asarray((last_h - first_h) - lost / MS_PER_HOUR)
