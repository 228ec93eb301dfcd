"""How well events were found, against labels: by rows, by events, by delay and by false alarms per day.

Never point-adjusted: a row counts as found only if that very row was flagged.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.signals import rising, true_runs


@dataclass(frozen=True)
class DetectionScores:
    """Scores of one detection against labels."""

    precision: float
    """Share of flagged rows that are labelled; NaN if none is flagged."""
    recall: float
    """Share of labelled rows that are flagged; NaN if none is labelled."""
    f1: float
    events: int
    """Unbroken stretches of labelled rows."""
    events_found: int
    """Of these, the ones in which at least one row is flagged."""
    median_delay_min: float
    """From the first labelled row to the first flagged one in it, over events found; NaN if none is. [min]"""
    false_per_day: float
    """Unbroken stretches of flagged rows without a single labelled one, per day of the calendar. [1/d]"""


def detection_scores(active: ArrayLike, label: ArrayLike, time_s: ArrayLike) -> DetectionScores:
    """Score flags against labels.

    Parameters
    ----------
    active, label : array_like of bool, shape (n,)
        Whether each row was flagged, and whether it belongs to an event.
    time_s : array_like, shape (n,)
        Rising instants of the rows. [s]

    Returns
    -------
    DetectionScores

    Raises
    ------
    ValueError
        If the columns differ in length or the instants do not rise.

    Examples
    --------
    >>> found = detection_scores([0, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 0], [0, 60, 120, 180, 240, 300])
    >>> found.precision, found.recall, found.events_found, found.median_delay_min
    (0.3333333333333333, 0.5, 1, 1.0)

    References
    ----------
    .. [1] GECCO Industrial Challenge 2018, pointwise F1.
    """
    flagged, labelled = np.asarray(active, dtype=bool), np.asarray(label, dtype=bool)
    times = rising(time_s, len(flagged))
    if flagged.shape != labelled.shape:
        raise ValueError(f"{len(labelled)} labels for {len(flagged)} rows: give one per row")
    hits = int((flagged & labelled).sum())
    delays_min = [
        (times[start + np.argmax(flagged[start:end])] - times[start]) / 60
        for start, end in zip(*true_runs(labelled), strict=True)
        if flagged[start:end].any()
    ]
    false = sum(not labelled[start:end].any() for start, end in zip(*true_runs(flagged), strict=True))
    days = (times[-1] - times[0]) / 86_400 if len(times) > 1 else np.nan
    return DetectionScores(
        precision=_share(hits, int(flagged.sum())),
        recall=_share(hits, int(labelled.sum())),
        f1=_share(2 * hits, int(flagged.sum() + labelled.sum())),
        events=len(true_runs(labelled)[0]),
        events_found=len(delays_min),
        median_delay_min=float(np.median(delays_min)) if delays_min else float("nan"),
        false_per_day=false / days,
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
