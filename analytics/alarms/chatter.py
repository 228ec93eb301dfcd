"""Chatter: a condition that comes and goes too often is held on longer, until it has been calm for an hour.

It follows the readings' own instants, as the conditions do, so the same readings give the same stretches whenever they
come, and a restarted engine goes on where it was.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.alarms.conditions import RISES, Changes, Memory, Rules

QUICK = (3, 60_000)
"""So many onsets within so long are chatter. [–, ms]"""
SLOW = (RISES, 600_000)
STRETCH = 1.5
FIRST_MS, LONGEST_MS = 60_000, 3_600_000
"""Off-delay of a condition without one of its own at its first chatter; longest off-delay. [ms]"""
CALM_MS = 3_600_000
"""Without an onset for so long, a condition is calm again. [ms]"""


def damp(rules: Rules, memory: Memory, changes: Changes) -> None:
    """Stretch the off-delay of every condition that came true just now and chatters; `memory` changes in place.

    Parameters
    ----------
    rules : Rules
        n set-points.
    memory : Memory
        Of the same n, after `conditions.advance`.
    changes : Changes
        What `advance` returned.

    Notes
    -----
    At each onset that is the third within 60 s or the sixth within 10 min::

        off_delay = min(max(1.5 · off_delay, 60 s), 1 h)

    Examples
    --------
    >>> from analytics.alarms.conditions import advance, as_rules
    >>> one = dict(point=[0], is_high=[True], setpoint=[1.0], deadband=[0.0], on_delay_ms=[0], off_delay_ms=[0])
    >>> rules, memory = as_rules(**one, on_readings=[1], off_readings=[1]), Memory.blank(1)
    >>> for second, value in enumerate([2, 0, 2, 0, 2, 0]):
    ...     damp(rules, memory, advance(rules, memory, [0], [1000 * second], [value]))
    >>> memory.stretched_ms.tolist(), memory.holds.tolist()
    ([60000], [True])

    References
    ----------
    .. [1] ISA-18.2-2016, chattering alarms; netdata, back-off of repeated notifications (multiplier 1.5, at most 1 h).
    """
    rose, at_ms = changes.rule[changes.rose], changes.at_ms[changes.rose]
    chatters = _came_often(memory, rose, at_ms, *QUICK) | _came_often(memory, rose, at_ms, *SLOW)
    rule = rose[chatters]
    off_ms = np.maximum(rules.off_delay_ms[rule], memory.stretched_ms[rule])
    longer_ms = np.maximum((STRETCH * off_ms).astype(np.int64), FIRST_MS)
    memory.stretched_ms[rule] = np.minimum(longer_ms, np.maximum(LONGEST_MS, rules.off_delay_ms[rule]))


def relax(memory: Memory, rule: NDArray[np.int64]) -> None:
    """Give the rules that were just read their own off-delay back where they have been calm for `CALM_MS`."""
    calm = ~memory.holds[rule] & (memory.last_ms[rule] - memory.risen_ms[rule, -1] >= CALM_MS)
    memory.stretched_ms[rule[calm]] = 0


def onsets(memory: Memory, rule: NDArray[np.int64], within_ms: int = SLOW[1]) -> NDArray[np.int64]:
    """Return how often each rule's condition came true within `within_ms` before its last onset, itself counted."""
    newest_ms = memory.risen_ms[rule, -1:]
    return np.asarray((newest_ms - memory.risen_ms[rule] <= within_ms).sum(axis=1))


def _came_often(
    memory: Memory, rule: NDArray[np.int64], at_ms: NDArray[np.int64], count: int, within_ms: int
) -> NDArray[np.bool_]:
    return np.asarray(at_ms - memory.risen_ms[rule, -count] <= within_ms)
