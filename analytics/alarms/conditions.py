"""Set-points with dead-band and delays for all points at once, one reading per point at a time.

The batch twin, for a whole recording, is `analytics.signals`; a test holds the two equal. Everything follows the
instants at which instruments were read, never the time of arrival, so the same readings give the same alarms whether
they came one by one or after an outage of the link.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RISES = 6
"""How many onsets are remembered, to see chatter."""
NEVER_MS = -(2**62)


@dataclass(frozen=True, eq=False)
class Rules:
    """One row per set-point; every array has shape (n,)."""

    point: NDArray[np.int64]
    """Which point it watches: a number of the caller's."""
    is_high: NDArray[np.bool_]
    """True: beyond means above the set-point; False: below it."""
    setpoint: NDArray[np.float64]
    """In the point's unit."""
    deadband: NDArray[np.float64]
    """How far inside the value must come back. [point's unit]"""
    on_delay_ms: NDArray[np.int64]
    off_delay_ms: NDArray[np.int64]
    on_readings: NDArray[np.int64]
    """Readings in a row that must be beyond, at least 1."""
    off_readings: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.point)


@dataclass(eq=False)
class Memory:
    """What the rules remember between readings; every array has shape (n,)."""

    beyond: NDArray[np.bool_]
    """The last good reading was beyond, dead-band considered."""
    since_ms: NDArray[np.int64]
    """Instant of the first reading of the present run. [ms since 1970-01-01T00:00Z]"""
    run: NDArray[np.int64]
    """Readings in the present run."""
    holds: NDArray[np.bool_]
    """The condition holds, after the delays."""
    last_ms: NDArray[np.int64]
    """Instant of the last reading looked at; older ones change nothing."""
    stretched_ms: NDArray[np.int64]
    """Off-delay in place of the rule's own where it is longer: the condition chatters. [ms]"""
    risen_ms: NDArray[np.int64]
    """Shape (n, `RISES`): the last times the condition came true, newest last. [ms since 1970-01-01T00:00Z]"""

    @classmethod
    def blank(cls, n: int) -> "Memory":
        """Nothing has been read yet, of `n` rules."""
        return cls(
            beyond=np.zeros(n, bool),
            since_ms=np.zeros(n, np.int64),
            run=np.zeros(n, np.int64),
            holds=np.zeros(n, bool),
            last_ms=np.full(n, -1, np.int64),
            stretched_ms=np.zeros(n, np.int64),
            risen_ms=np.full((n, RISES), NEVER_MS, np.int64),
        )


@dataclass(frozen=True, eq=False)
class Changes:
    """Conditions that came true or went, in the order of the rules; shape (k,)."""

    rule: NDArray[np.int64]
    rose: NDArray[np.bool_]
    at_ms: NDArray[np.int64]
    """Instant of the reading that decided it. [ms since 1970-01-01T00:00Z]"""
    since_ms: NDArray[np.int64]
    """Instant of the first reading of the run that decided it. [ms since 1970-01-01T00:00Z]"""
    value: NDArray[np.float64]


def advance(rules: Rules, memory: Memory, rule: ArrayLike, t_ms: ArrayLike, value: ArrayLike) -> Changes:
    """Take one reading for each of some rules into `memory`, and return the conditions that changed.

    Parameters
    ----------
    rules : Rules
        n set-points.
    memory : Memory
        Of the same n; changed in place.
    rule : array_like of int, shape (m,)
        Which rules have a reading; none twice.
    t_ms : array_like of int, shape (m,)
        When it was sampled. [ms since 1970-01-01T00:00Z]
    value : array_like, shape (m,)
        NaN where there is no value: the condition is held as it was. [point's unit]

    Returns
    -------
    Changes
        At most one per rule. A reading no newer than the last one changes nothing.

    Notes
    -----
    Beyond a high set-point s is ``v > s``, and stays so until ``v <= s - deadband``; low ones mirror it. A run of
    beyond readings makes the condition hold once it is `on_delay_ms` long and has `on_readings` readings.

    Examples
    --------
    >>> one = dict(point=[0], is_high=[True], setpoint=[1.0], deadband=[0.1], on_delay_ms=[60_000])
    >>> turbidity = as_rules(**one, off_delay_ms=[0], on_readings=[1], off_readings=[1])
    >>> memory = Memory.blank(1)
    >>> [advance(turbidity, memory, [0], [60_000 * k], [v]).rose.tolist() for k, v in enumerate([1.2, 1.1, 0.95, 0.8])]
    [[], [True], [], [False]]

    References
    ----------
    .. [1] ISA-18.2-2016, alarm attributes: dead-band, on-delay and off-delay.
    """
    which, at, v = np.asarray(rule, np.int64), np.asarray(t_ms, np.int64), np.asarray(value, float)
    fresh = (at > memory.last_ms[which]) & ~np.isnan(v)
    which, at, v = which[fresh], at[fresh], v[fresh]
    beyond = _beyond(rules, memory, which, v)
    _extend_runs(memory, which, at, beyond)
    changes = _decide(rules, memory, which, at, v)
    memory.holds[changes.rule] = changes.rose
    rose = changes.rule[changes.rose]
    memory.risen_ms[rose] = np.column_stack([memory.risen_ms[rose, 1:], changes.at_ms[changes.rose]])
    return changes


def as_rules(**columns: ArrayLike) -> Rules:
    """Return the columns as `Rules`, each with its type. Raises ValueError if they differ in length."""
    kinds = {"is_high": bool, "setpoint": float, "deadband": float}
    arrays = {name: np.asarray(column, kinds.get(name, np.int64)) for name, column in columns.items()}
    if len({len(array) for array in arrays.values()}) > 1:
        raise ValueError("the columns of the rules differ in length")
    return Rules(**arrays)


def _beyond(rules: Rules, memory: Memory, which: NDArray[np.int64], v: NDArray[np.float64]) -> NDArray[np.bool_]:
    sign = np.where(rules.is_high[which], 1.0, -1.0)
    inside_by = np.where(memory.beyond[which], rules.deadband[which], 0.0)
    return sign * (v - rules.setpoint[which]) > -inside_by


def _extend_runs(memory: Memory, which: NDArray[np.int64], at: NDArray[np.int64], beyond: NDArray[np.bool_]) -> None:
    turned = (beyond != memory.beyond[which]) | (memory.run[which] == 0)
    memory.since_ms[which] = np.where(turned, at, memory.since_ms[which])
    memory.run[which] = np.where(turned, 1, memory.run[which] + 1)
    memory.beyond[which] = beyond
    memory.last_ms[which] = at


def _decide(
    rules: Rules, memory: Memory, which: NDArray[np.int64], at: NDArray[np.int64], v: NDArray[np.float64]
) -> Changes:
    beyond = memory.beyond[which]
    off_delay_ms = np.maximum(rules.off_delay_ms[which], memory.stretched_ms[which])
    delay_ms = np.where(beyond, rules.on_delay_ms[which], off_delay_ms)
    readings = np.where(beyond, rules.on_readings[which], rules.off_readings[which])
    ripe = (at - memory.since_ms[which] >= delay_ms) & (memory.run[which] >= readings)
    changed = ripe & (beyond != memory.holds[which])
    return Changes(which[changed], beyond[changed], at[changed], memory.since_ms[which[changed]], v[changed])
