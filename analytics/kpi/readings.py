"""From columns of points to what devices said: one row per device and poll, then runs."""

import numpy as np

from analytics.kpi.model import DEFAULT_GAP_MS, CountyModel
from analytics.runs import Float, Limits, Readings, Runs, find_runs
from analytics.spans import Int, pack
from edge.wire import Quality
from ingest.store import Columns

POLLS_OF_SILENCE = 1.5
"""A device is silent when this many of its polls pass without a word."""
POLLS_OF_JOINING = 0.25
"""Values of a device this close together were read in one poll."""
SHORTEST_GAP_MS = 1500
MS_PER_H, MS_PER_S = 3_600_000.0, 1000.0
FIELDS = {
    "voltage_v": ("voltage_pu", 1.0),
    "mains_on": ("mains_on", 1.0),
    "energy_kwh": ("energy_kwh", 1.0),
    "power_fail_count": ("fail_count", 1.0),
    "powered_time_h": ("powered_ms", MS_PER_H),
    "last_power_fail_start_s": ("fail_start_ms", MS_PER_S),
    "last_power_fail_end_s": ("fail_end_ms", MS_PER_S),
}
"""Quantity → column of `Readings`, and the factor to its unit."""


def day_runs(rows: Columns, model: CountyModel) -> tuple[Runs, dict[str, int]]:
    """Return the runs in one day's rows, and per device the silence that its own rhythm allows. [ms]

    Only GOOD readings are evidence: one whose clock or range is in doubt proves nothing.
    """
    device = np.asarray([model.points[name].device for name in rows.points], np.int64)[rows.index]
    good = np.flatnonzero(rows.quality == Quality.GOOD)
    good = good[np.argsort(pack(device[good], rows.t_ms[good]), kind="stable")]
    gaps = _silence_allowed_ms(rows.index[good].astype(np.int64), rows.t_ms[good], device[good], model)
    devices = model.devices(gaps)
    join_ms = (devices.max_gap_ms * (POLLS_OF_JOINING / POLLS_OF_SILENCE)).astype(np.int64)
    join_ms[devices.on_change] = 0  # mains that fail seconds after a report are no second value of the same poll
    readings = _one_row_per_poll(rows, good, device[good], model, join_ms)
    return find_runs(readings, devices, Limits()), gaps


def _silence_allowed_ms(index: Int, t_ms: Int, device: Int, model: CountyModel) -> dict[str, int]:
    """From each device's own rhythm: the lower quartile of the intervals between readings of one point."""
    gaps = {}
    bounds = np.searchsorted(device, np.arange(len(model.device_names) + 1))
    for number, name in enumerate(model.device_names):
        mine = slice(bounds[number], bounds[number + 1])
        points, count = np.unique(index[mine], return_counts=True)
        if not len(points):
            continue
        intervals = np.diff(t_ms[mine][index[mine] == points[np.argmax(count)]])
        intervals = intervals[intervals > 0]
        rhythm_ms = float(np.quantile(intervals, 0.25)) if len(intervals) else DEFAULT_GAP_MS / POLLS_OF_SILENCE
        gaps[name] = max(round(POLLS_OF_SILENCE * rhythm_ms), SHORTEST_GAP_MS)
    return gaps


def _one_row_per_poll(rows: Columns, good: Int, device: Int, model: CountyModel, join_ms: Int) -> Readings:
    t_ms = rows.t_ms[good]
    new = np.ones(len(good), np.bool_)
    new[1:] = (device[1:] != device[:-1]) | (np.diff(t_ms) > join_ms[device[1:]])
    poll, first = np.cumsum(new) - 1, np.flatnonzero(new)
    points = [model.points[name] for name in rows.points]
    factor = np.asarray([FIELDS[point.quantity][1] / point.nominal for point in points])[rows.index[good]]
    column = np.asarray([list(FIELDS).index(point.quantity) for point in points], np.int8)[rows.index[good]]
    value = rows.value[good] * factor
    columns: dict[str, Float] = {}
    for number, (name, _) in enumerate(FIELDS.values()):
        columns[name] = np.full(len(first), np.nan)
        mine = column == number
        np.fmax.at(columns[name], poll[mine], value[mine])
    lowest = (column == list(FIELDS).index("voltage_v")) & model.any_phase[device]
    columns["voltage_pu"][poll[lowest]] = np.nan
    np.fmin.at(columns["voltage_pu"], poll[lowest], value[lowest])
    unknown = np.full(len(first), np.nan)
    return Readings(device=device[first], t_ms=t_ms[first], current_a=unknown, **columns)
