"""Marks of a failing instrument: too fast, stuck, spiking, drifting.

Values are shaped (n,) for one point or (n, m) for m points, one row per instant, NaN where nothing was read. Only the
row itself and rows before it are looked at, so that a file and a stream give the same answer.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from analytics.signals import Bools, Floats, columns, rising, run_length

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal sample over its median absolute deviation."""


def changing_fast(value: ArrayLike, time_s: ArrayLike, *, per_s: float, lag: int = 1, rows: int = 2) -> Bools:
    """Whether the value has changed faster than allowed for `rows` rows running.

    The rate at row t is ``|x[t] - x[t - lag]| / (time[t] - time[t - lag])``, in the value's unit per second. Rows
    without both values count as not fast.

    Parameters
    ----------
    value : array_like, shape (n,) or (n, m)
    time_s : array_like, shape (n,)
        Rising instants. [s]
    per_s : float
        Fastest change allowed, in the value's unit per second.
    lag : int
        Rows between the two values compared.
    rows : int
        Rows running that must be too fast.

    Returns
    -------
    ndarray of bool, shape as `value`

    Examples
    --------
    >>> changing_fast([1.0, 1.0, 1.4, 1.8, 1.8], [0, 60, 120, 180, 240], per_s=0.005).tolist()
    [False, False, False, True, False]
    """
    values = columns(value)
    times = rising(time_s, len(values))
    fast = np.zeros(values.shape, dtype=bool)
    fast[lag:] = np.abs(values[lag:] - values[:-lag]) > per_s * (times[lag:] - times[:-lag])[:, None]
    return (run_length(fast) >= rows).reshape(np.shape(value))


def stuck(value: ArrayLike, *, rows: int, tolerance: float) -> Bools:
    """Whether the last `rows` rows, all read, span no more than `tolerance` (half the resolution, say).

    Parameters
    ----------
    value : array_like, shape (n,) or (n, m)
    rows : int
        Rows looked at, the judged one included.
    tolerance : float
        Widest span that is still stuck, in the value's unit.

    Returns
    -------
    ndarray of bool, shape as `value`
        False where one of the rows is missing, and for the first `rows` − 1 rows.

    Examples
    --------
    >>> stuck([7.1, 7.2, 7.2, 7.2, float("nan"), 7.2], rows=3, tolerance=0.0).tolist()
    [False, False, False, True, False, False]
    """
    values = columns(value)
    out = np.zeros(values.shape, dtype=bool)
    if rows <= len(values):
        windows = sliding_window_view(values, rows, axis=0)
        out[rows - 1 :] = windows.max(axis=-1) - windows.min(axis=-1) <= tolerance
    return out.reshape(np.shape(value))


def spikes(value: ArrayLike, *, rows: int = 11, k: float = 3.0, floor: float = 0.0) -> Bools:
    """Whether a value stands out of the rows before it by more than `k` robust standard deviations (Hampel, causal).

    Parameters
    ----------
    value : array_like, shape (n,) or (n, m)
    rows : int
        Rows before the judged one that make median and spread; NaN among them are left out.
    k : float
        Robust standard deviations allowed.
    floor : float
        Smallest standard deviation believed, such as the instrument's resolution, in the value's unit.

    Returns
    -------
    ndarray of bool, shape as `value`
        False for NaN, and for the first `rows` rows.

    Notes
    -----
    With the median m and the median absolute deviation MAD of the rows before::

        |x − m| > k · max(1.4826 · MAD, floor)

    Examples
    --------
    >>> spikes([1.0, 1.1, 0.9, 1.0, 9.0, 1.0], rows=4).tolist()
    [False, False, False, False, True, False]

    References
    ----------
    .. [1] R. K. Pearson, "Outliers in process modeling and identification", IEEE Trans. Control Syst. Tech. 10, 2002.
    """
    values = columns(value)
    out = np.zeros(values.shape, dtype=bool)
    if rows < len(values):
        before = sliding_window_view(values, rows, axis=0)[:-1]
        median = _median(before)
        spread = MAD_TO_SIGMA * _median(np.abs(before - median[..., None]))
        out[rows:] = np.abs(values[rows:] - median) > k * np.maximum(spread, floor)
    return out.reshape(np.shape(value))


def drift_per_day(value: ArrayLike, time_s: ArrayLike) -> float:
    """Slow change of one instrument: the median of the slopes between all pairs of values (Theil–Sen).

    Give night medians of two to four weeks, or differences to a twin or to the laboratory. In the value's unit per
    day; NaN with fewer than two values.

    Parameters
    ----------
    value : array_like, shape (n,)
    time_s : array_like, shape (n,)
        Rising instants. [s]

    Returns
    -------
    float
        In the value's unit per day.

    Examples
    --------
    >>> drift_per_day([7.0, 7.1, 7.2, 9.9, 7.4], [0, 86400, 172800, 259200, 345600])
    0.1

    References
    ----------
    .. [1] P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", J. Am. Stat. Assoc. 63, 1968.
    """
    values = np.asarray(value, dtype=float)
    days = rising(time_s, len(values)) / 86_400
    known = ~np.isnan(values)
    first, second = np.triu_indices(int(known.sum()), 1)
    if not len(first):
        return float("nan")
    x, y = days[known], values[known]
    return round(float(np.median((y[second] - y[first]) / (x[second] - x[first]))), 12)


def _median(windows: Floats) -> Floats:
    """Median along the last axis without NaN; NaN where nothing is known."""
    ordered = np.sort(windows, axis=-1)
    known = (~np.isnan(ordered)).sum(axis=-1)
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    ends = [
        np.take_along_axis(ordered, np.minimum(i, ordered.shape[-1] - 1)[..., None], -1)[..., 0] for i in (low, high)
    ]
    return np.where(known > 0, (ends[0] + ends[1]) / 2, np.nan)
