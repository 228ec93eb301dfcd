"""What a meter kept by itself while nobody listened (O12).

Between two stretches of life the device may have been silent for hours. Its own registers say what happened: an
unchanged counter of power failures proves supply throughout; a record of the last failure gives start and end; the
powered-time counter and the energy bound how long the supply can have been away.
"""

from typing import NamedTuple

import numpy as np

from analytics.runs import LIVE, LOST, Devices, Float, Runs
from analytics.spans import Bool, Int, Spans, spans

MS_PER_H = 3_600_000
RECORD_STEP_MS = 1000
"""Resolution of a record of failures. [ms]"""


class Marked(NamedTuple):
    """Spans of devices, each with the run that proves it."""

    spans: Spans
    run: Int


class Windows(NamedTuple):
    """Silences of which only the length of the outage inside is bounded; every array has shape (windows,)."""

    device: Int
    start_ms: Int
    end_ms: Int
    least_ms: Int
    """The supply was away for at least this long inside. [ms]"""
    most_ms: Int
    """And for at most this long. [ms]"""
    failures: Int
    """How many failures the meter counted inside; 0 where it did not say. [failures]"""
    run: Int
    """The run after the silence, whose counters tell."""


class Clocks(NamedTuple):
    """Readings of powered-time counters: the time under power up to `t_ms`, plus a constant of the counter."""

    device: Int
    counter: Int
    """Which counter; a meter that was replaced or reset starts a new one."""
    t_ms: Int
    low_ms: Int
    high_ms: Int


class Kept(NamedTuple):
    """Everything the meters' own registers prove."""

    live: Marked
    lost: Marked
    recorded: Marked
    """Where each recorded failure lies at most: `lost`, and the error of the record on both sides."""
    windows: Windows
    clocks: Clocks


def read_counters(runs: Runs, devices: Devices) -> Kept:
    """Return what the registers prove of the silences between the stretches of life of each device.

    Parameters
    ----------
    runs : Runs
        Of all devices, as `find_runs` gives them.
    devices : Devices
        What `runs.device` points into.

    Returns
    -------
    Kept
        Spans of proven life and loss, and bounds on the outage in what is left.

    Notes
    -----
    With n the counted failures, [f, g) the recorded one and [a, b) a silence between two stretches of life::

        n = 0                      supply through [a, b); likewise where a meter without counter tells the same record
        n unknown, a <= f < g <= b loss in [f + e, g - e), supply in [g + e, b)      e: error of the record
        n = 1                      and supply in [a, f - e)
        powered time grew by p     outage inside = (b - a) - p, to the counters' resolution
        energy grew by w           outage inside <= (b - a) - w / P_max

    A counter that went backwards (the meter was replaced) says nothing.

    Examples
    --------
    Silent from minute 1 to 9 with an unchanged counter of failures, so supplied throughout:

    >>> from dataclasses import replace
    >>> from analytics.runs import find_runs, simple_devices, voltage_readings
    >>> readings = voltage_readings([0] * 4, np.array([0, 1, 9, 10]) * 60_000, [1.0] * 4)
    >>> devices = simple_devices([0])
    >>> kept = read_counters(find_runs(replace(readings, fail_count=np.full(4, 7.0)), devices), devices)
    >>> (kept.live.spans.start_ms // 60_000).tolist(), (kept.live.spans.end_ms // 60_000).tolist()
    ([1], [9])

    References
    ----------
    .. [1] The method is steppe's own: rule O12; tests/analytics/test_evidence_rules.py works it by hand.
    """
    before, after = _silences(runs)
    a, b, device = runs.end_ms[before], runs.start_ms[after], runs.device[after]
    failures = runs.fail_count[after] - runs.fail_count[before]
    contradicted = _lost_between(runs, before, after)
    same_record = (runs.fail_start_ms[after] == runs.fail_start_ms[before]) & (
        runs.fail_end_ms[after] == runs.fail_end_ms[before]
    )
    unchanged = ((failures == 0) | (np.isnan(failures) & same_record)) & ~contradicted
    start, end, error = *_record(runs, after), devices.log_error_ms[device]
    recorded = (end > start) & (start >= a - error) & (end <= b + error) & ~(failures <= 0)
    start, end = np.clip(start, a, b), np.clip(end, a, b)
    only_one = recorded & (failures == 1)
    open_end = np.where(recorded, np.maximum(start - error, a), b)
    live = [
        _marked(device, a, b, unchanged, after),
        _marked(device, np.minimum(end + error, b), b, recorded, after),
        _marked(device, a, open_end, only_one, after),
    ]
    lost = _marked(device, start + error, end - error, recorded, after)
    at_most = _marked(device, np.maximum(start - error, a), np.minimum(end + error, b), recorded, after)
    least, most = _outage_bounds(runs, before, after, devices)
    unclear = ~unchanged & ~only_one & (b > a)
    unclear &= (least > 0) | (most < b - a) | (failures > 0)
    counted = np.where(failures > 0, failures, 0).astype(np.int64)
    windows = Windows(*(c[unclear] for c in (device, a, b, least, most, counted, after)))
    windows = _with_records(windows, at_most, runs)
    return Kept(_together(live), lost, at_most, windows, _clocks(runs))


def _with_records(windows: Windows, recorded: Marked, runs: Runs) -> Windows:
    """Add the recorded failures: a clock that is off shifts a failure, it does not change how long it was."""
    length = (runs.fail_end_ms[recorded.run] - runs.fail_start_ms[recorded.run]).astype(np.int64)
    span_ms = recorded.spans.end_ms - recorded.spans.start_ms
    least = np.clip(length - 2 * RECORD_STEP_MS, 0, span_ms)
    most = np.clip(length + 2 * RECORD_STEP_MS, 0, span_ms)
    known = (*recorded.spans, least, most, np.ones(len(length), np.int64), recorded.run)
    return Windows(*(np.concatenate(pair) for pair in zip(windows, known, strict=True)))


def _silences(runs: Runs) -> tuple[Int, Int]:
    """Pairs of neighbouring stretches of life of one device, whatever was said between them."""
    live = np.flatnonzero(runs.state == LIVE)
    paired = runs.device[live[1:]] == runs.device[live[:-1]]
    return live[:-1][paired], live[1:][paired]


def _lost_between(runs: Runs, before: Int, after: Int) -> Bool:
    lost = np.concatenate(([0], np.cumsum(runs.state == LOST)))
    return np.asarray(lost[after] > lost[before])


def _record(runs: Runs, after: Int) -> tuple[Int, Int]:
    start, end = runs.fail_start_ms[after], runs.fail_end_ms[after]
    known = np.isfinite(start) & np.isfinite(end)
    return np.where(known, start, 0).astype(np.int64), np.where(known, end, 0).astype(np.int64)


def _marked(device: Int, start_ms: Int, end_ms: Int, where: Bool, run: Int) -> Marked:
    where = where & (end_ms > start_ms)
    return Marked(spans(device[where], start_ms[where], end_ms[where]), run[where])


def _together(parts: list[Marked]) -> Marked:
    columns = zip(*(part.spans for part in parts), strict=True)
    return Marked(Spans(*map(np.concatenate, columns)), np.concatenate([part.run for part in parts]))


def _outage_bounds(runs: Runs, before: Int, after: Int, devices: Devices) -> tuple[Int, Int]:
    """Least and most outage in each silence, by powered time and by energy. [ms]"""
    gap = (runs.start_ms[after] - runs.end_ms[before]).astype(np.float64)
    run_ms = runs.end_ms[before] - runs.start_ms[before]
    powered_most = runs.powered_high_ms[after] - runs.powered_low_ms[before] - run_ms
    powered_least = runs.powered_low_ms[after] - runs.powered_high_ms[before] - run_ms
    reset = powered_most < 0
    least = np.where(reset, 0.0, np.nan_to_num(gap - powered_most, nan=0.0))
    most = np.where(reset, gap, np.fmin(gap - powered_least, gap))
    most = np.fmin(most, gap - _hours_of_energy(runs, before, after, devices) * MS_PER_H)
    return np.clip(np.floor(least), 0, gap).astype(np.int64), np.clip(np.ceil(most), 0, gap).astype(np.int64)


def _hours_of_energy(runs: Runs, before: Int, after: Int, devices: Devices) -> Float:
    """The least time under power that explains the energy that flowed. [h]"""
    flowed = runs.energy_first_kwh[after] - runs.energy_last_kwh[before]
    return np.where(flowed > 0, flowed, np.nan) / devices.max_power_kw[runs.device[after]]


def _clocks(runs: Runs) -> Clocks:
    told = np.flatnonzero((runs.state == LIVE) & np.isfinite(runs.powered_low_ms))
    low, high, device = runs.powered_low_ms[told], runs.powered_high_ms[told], runs.device[told]
    fresh = np.ones(len(told), np.bool_)
    fresh[1:] = (device[1:] != device[:-1]) | (high[1:] < low[:-1])
    return Clocks(
        device, np.cumsum(fresh), runs.start_ms[told], np.floor(low).astype(np.int64), np.ceil(high).astype(np.int64)
    )
