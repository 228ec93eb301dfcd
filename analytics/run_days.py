"""Runs made day by day, joined into what they would have been in one piece.

A day's readings give that day's runs, whatever came before or after, so days can be computed apart, in any order and
on several machines, and kept: a late reading costs its own day, not the month.
"""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from analytics.runs import HELD_SHARE, LIVE, Devices, Runs, no_runs
from analytics.spans import Bool, Int


def join_runs(days: Sequence[Runs], devices: Devices) -> Runs:
    """Return the runs of several days as one, by device and time; a run that midnight cut is whole again.

    Parameters
    ----------
    days : sequence of Runs
        Each of one day, in any order.
    devices : Devices
        What `device` of the runs points into.

    Returns
    -------
    Runs
        Sorted by device and time.

    Examples
    --------
    >>> from analytics.runs import find_runs, simple_devices, voltage_readings
    >>> devices = simple_devices([0])
    >>> def day(*minutes):
    ...     return find_runs(voltage_readings([0] * len(minutes), np.array(minutes) * 60_000, [1.0] * 9), devices)
    >>> joined = join_runs([day(*range(9)), day(*range(9, 18)), day(*range(30, 39))], devices)
    >>> (joined.start_ms // 60_000).tolist(), (joined.end_ms // 60_000).tolist()
    ([0, 30], [17, 38])
    """
    every = _stack([day for day in days if len(day)])
    if len(every) < 2:
        return every
    linked = _linked(every, devices)
    first = np.flatnonzero(np.concatenate(([True], ~linked)))
    last = np.append(first[1:] - 1, len(every) - 1)
    since_ms = every.start_ms - np.repeat(every.start_ms[first], np.diff(np.append(first, len(every))))
    return Runs(
        device=every.device[first],
        state=every.state[first],
        start_ms=every.start_ms[first],
        end_ms=_held(every.end_ms[last], every, last, devices),
        fail_count=np.fmax.reduceat(every.fail_count, first),
        fail_start_ms=np.fmax.reduceat(every.fail_start_ms, first),
        fail_end_ms=np.fmax.reduceat(every.fail_end_ms, first),
        powered_low_ms=np.fmax.reduceat(every.powered_low_ms - since_ms, first),
        powered_high_ms=np.fmin.reduceat(every.powered_high_ms - since_ms, first),
        energy_first_kwh=np.fmin.reduceat(every.energy_first_kwh, first),
        energy_last_kwh=np.fmax.reduceat(every.energy_last_kwh, first),
    )


def _stack(days: Sequence[Runs]) -> Runs:
    if not days:
        return no_runs()
    stacked = {f.name: np.concatenate([getattr(day, f.name) for day in days]) for f in fields(Runs)}
    order = np.lexsort((stacked["start_ms"], stacked["device"]))
    return Runs(**{name: column[order] for name, column in stacked.items()})


def _linked(runs: Runs, devices: Devices) -> Bool:
    """Per neighbouring pair of runs, whether they are one: the rules that break a run do not hold between them."""
    gap_ms = runs.start_ms[1:] - runs.end_ms[:-1]
    counts = np.isfinite(runs.fail_count)
    moved = counts[1:] & counts[:-1] & (runs.fail_count[1:] != runs.fail_count[:-1])
    record_between = (
        (runs.fail_end_ms[1:] > runs.fail_start_ms[1:])
        & (runs.fail_start_ms[1:] >= runs.end_ms[:-1])
        & (runs.fail_end_ms[1:] <= runs.start_ms[1:])
    )
    same = (runs.device[1:] == runs.device[:-1]) & (runs.state[1:] == runs.state[:-1])
    return np.asarray(same & (gap_ms <= devices.max_gap_ms[runs.device[1:]]) & ~moved & ~record_between)


def _held(end_ms: Int, runs: Runs, last: Int, devices: Devices) -> Int:
    """Stretch the life of devices that report changes at once up to the change."""
    after = np.minimum(last + 1, len(runs) - 1)
    device = runs.device[last]
    near = runs.start_ms[after] - end_ms <= HELD_SHARE * devices.max_gap_ms[device]
    held = devices.on_change[device] & (runs.device[after] == device) & near & (after > last)
    held &= runs.state[last] == LIVE
    return np.where(held, runs.start_ms[after], end_ms)
