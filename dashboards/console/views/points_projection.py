"""Where a value is heading: the straight line through its last steps, and when it would meet a limit.

A statement about the last half-hour, not a forecast; made only where the value moves clearly and evenly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dashboards.console.views.points_limits import PointLimit, broken

STEPS = 6
"""So many steps with a value are looked at, without a gap between them."""
AHEAD_MS = 2 * 3_600_000
"""A limit further away is not named. [ms]"""
STRAIGHT = 0.9
"""Share of the steps' variance that the line must explain (its R²)."""


@dataclass(frozen=True)
class Projection:
    """A line from the last step to the limit it would meet."""

    from_ms: int
    from_value: float
    to_ms: int
    """When it would meet the limit. [ms since 1970-01-01T00:00Z]"""
    to_value: float
    """The limit. [point's unit]"""
    level: str
    """Level of the limit: LL, L, H, HH or P."""


def projected(
    t_ms: Sequence[int], mean: Sequence[float | None], limits: Iterable[PointLimit], *, now_ms: int
) -> Projection | None:
    """Return where the last steps lead; None where they are too few, too old, not straight, or meet no limit soon.

    A value that is beyond a limit already leads nowhere either: it has got there.

    Parameters
    ----------
    t_ms : sequence of int, shape (n,)
        Middles of the steps. [ms since 1970-01-01T00:00Z]
    mean : sequence of float or None, shape (n,)
        None where the line is interrupted. [point's unit]
    limits : iterable of PointLimit
        Of the same point.
    now_ms : int
        The present. [ms since 1970-01-01T00:00Z]

    Examples
    --------
    >>> low = PointLimit("LL", 0.2, False, "O", 300, 900, 0.02, "plant", "", True)
    >>> five_min = 300_000
    >>> steps = [five_min * k for k in range(6)]
    >>> found = projected(steps, [0.60, 0.55, 0.50, 0.45, 0.40, 0.35], [low], now_ms=steps[-1])
    >>> found.level, round((found.to_ms - steps[-1]) / 60_000)
    ('LL', 15)
    """
    last, values = t_ms[-STEPS:], mean[-STEPS:]
    if len(last) < STEPS or any(value is None for value in values):
        return None
    at, y = np.array(last, float), np.array(values, float)
    step_ms = (at[-1] - at[0]) / (STEPS - 1)
    known = tuple(limits)
    if now_ms - at[-1] > 2 * step_ms or broken(known, y[-1]) or not _is_straight(at, y):
        return None
    slope = np.polyfit(at - at[-1], y, 1)[0]
    met = [(at[-1] + (limit.value - y[-1]) / slope, limit) for limit in known if _is_ahead(limit, y[-1], slope)]
    to_ms, limit = min(met, key=lambda pair: pair[0], default=(np.inf, None))
    if limit is None or to_ms > at[-1] + AHEAD_MS:
        return None
    return Projection(int(at[-1]), float(y[-1]), int(to_ms), limit.value, limit.level)


def _is_straight(at: np.ndarray, y: np.ndarray) -> bool:
    if np.ptp(y) == 0:
        return False
    return bool(np.corrcoef(at, y)[0, 1] ** 2 >= STRAIGHT)


def _is_ahead(limit: PointLimit, value: float, slope: float) -> bool:
    """Whether a value that keeps the limit moves towards it."""
    return (slope > 0) == limit.is_high and limit.value != value
