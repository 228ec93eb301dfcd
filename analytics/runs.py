"""What devices said, in runs: from readings to stretches of life, of lost supply, and of silence between them.

A device's word at one instant is LIVE (voltage within the limits of life, current, or an advance of energy), LOST (it
answers, powered from elsewhere, and reads no voltage; or it senses that its mains are away) or nothing. Equal words
one poll apart make a run (O14: a shorter interruption is below the method's resolution). A run ends where the words
change, where more than `max_gap_ms` passes, where the meter's own counter of power failures moved, or where its own
record of a failure falls between two readings.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.spans import Bool, Int, pack

Float = NDArray[np.float64]

NOTHING, LIVE, LOST = 0, 1, 2
HELD_SHARE = 0.7
"""Of the silence allowed: a word holds until the next one only if no poll between them was missed."""


@dataclass(frozen=True)
class Limits:
    """When a voltage is life, and when it is loss; between the two it proves nothing."""

    lost_below_pu: float = 0.10
    """IEC 61000-4-30 and EN 50160 use 5 %, some meters 10 % of the nominal voltage."""
    live_from_pu: float = 0.20
    """Above what an open conductor picks up from its neighbours."""
    live_current_a: float = 0.05


@dataclass(frozen=True, eq=False)
class Devices:
    """What is known of each device; every array has shape (devices,)."""

    asset: Int
    """The asset whose supply it sees."""
    max_gap_ms: Int
    """Readings further apart than this have silence between them; usually 1.5 polls. [ms]"""
    backhaul: Int
    """Which way its readings come (base station, gateway): devices that fall silent together."""
    on_change: Bool
    """True: a change is reported at the instant it happens (mains sensing), so a word holds until the next."""
    max_power_kw: Float
    """What can flow through it at most; NaN where unknown. [kW]"""
    log_error_ms: Int
    """How far its own record of power failures may be off: resolution and clock. [ms]"""
    powered_time_step_ms: Int
    """Resolution of its powered-time counter. [ms]"""


def simple_devices(asset: list[int], *, max_gap_ms: int = 90_000, backhaul: list[int] | None = None) -> Devices:
    """Return devices that differ only in their asset and backhaul: one poll a minute, records true to a second."""
    count = len(asset)
    return Devices(
        asset=np.asarray(asset, np.int64),
        max_gap_ms=np.full(count, max_gap_ms, np.int64),
        backhaul=np.asarray(backhaul or [0] * count, np.int64),
        on_change=np.zeros(count, np.bool_),
        max_power_kw=np.full(count, np.nan),
        log_error_ms=np.full(count, 1000, np.int64),
        powered_time_step_ms=np.full(count, 3600, np.int64),
    )


@dataclass(frozen=True, eq=False)
class Readings:
    """One row per device and poll, sorted by device and then by time; NaN where a value was not read or is BAD."""

    device: Int
    t_ms: Int
    voltage_pu: Float
    """The phase that decides, over its nominal value: highest where all must be dead, lowest where any (R12)."""
    current_a: Float
    mains_on: Float
    """1 mains present, 0 on battery."""
    energy_kwh: Float
    fail_count: Float
    """Power failures so far, counted by the meter itself."""
    powered_ms: Float
    """Time under power so far, counted by the meter itself. [ms]"""
    fail_start_ms: Float
    """The meter's own record of its last power failure. [ms since 1970-01-01T00:00Z]"""
    fail_end_ms: Float

    def __len__(self) -> int:
        return len(self.t_ms)


@dataclass(frozen=True, eq=False)
class Runs:
    """Stretches of one word of one device, sorted by device and then by time; every array has shape (runs,)."""

    device: Int
    state: NDArray[np.int8]
    """LIVE or LOST."""
    start_ms: Int
    """First reading of the run. [ms since 1970-01-01T00:00Z]"""
    end_ms: Int
    """Last reading of the run. [ms since 1970-01-01T00:00Z]"""
    fail_count: Float
    """NaN where it was never read in the run; likewise below."""
    fail_start_ms: Float
    fail_end_ms: Float
    powered_low_ms: Float
    """The powered-time counter at `start_ms` was at least this; every reading of the run narrows it. [ms]"""
    powered_high_ms: Float
    energy_first_kwh: Float
    energy_last_kwh: Float

    def __len__(self) -> int:
        return len(self.device)


def find_runs(readings: Readings, devices: Devices, limits: Limits = Limits()) -> Runs:
    """Return the runs of LIVE and LOST in the readings.

    Parameters
    ----------
    readings : Readings
        Shape (n,), sorted by device and time.
    devices : Devices
        What `readings.device` points into.
    limits : Limits
        Limits of life. [per unit]

    Returns
    -------
    Runs
        Sorted by device and time; readings that say nothing of the supply make none.

    Examples
    --------
    >>> minutes = np.array([0, 1, 2, 6, 7]) * 60_000
    >>> runs = find_runs(voltage_readings([0] * 5, minutes, [1.0, 1.0, 1.0, 0.0, 1.0]), simple_devices([0]))
    >>> runs.state.tolist(), (runs.end_ms // 60_000).tolist()
    ([1, 2, 1], [2, 6, 7])
    """
    word = words(readings, limits)
    kept = _take(readings, word != NOTHING)
    state = word[word != NOTHING]
    if not len(kept):
        return no_runs()
    count = _last_known(kept.fail_count, kept.device)
    broken = _breaks(kept, state, count, devices) | _record_between(kept)
    first = np.flatnonzero(np.concatenate(([True], broken)))
    last = np.append(first[1:] - 1, len(kept) - 1)
    return _summarise(kept, state, count, first, last, devices)


def voltage_readings(device: list[int] | Int, t_ms: list[int] | Int, voltage_pu: list[float] | Float) -> Readings:
    """Return readings of a voltage alone."""
    unknown = np.full(len(t_ms), np.nan)
    return Readings(
        np.asarray(device, np.int64), np.asarray(t_ms, np.int64), np.asarray(voltage_pu, np.float64), *[unknown] * 7
    )


def no_runs() -> Runs:
    """Return the runs of a device that never spoke."""
    whole, real = np.zeros(0, np.int64), np.zeros(0)
    return Runs(whole, np.zeros(0, np.int8), whole, whole, *[real] * 7)


def words(readings: Readings, limits: Limits) -> NDArray[np.int8]:
    """Return per reading what the device says of its supply: NOTHING, LIVE or LOST."""
    live = readings.voltage_pu >= limits.live_from_pu
    live |= np.isnan(readings.voltage_pu) & (
        (readings.current_a > limits.live_current_a) | _advanced(readings) | (readings.mains_on >= 0.5)
    )
    lost = (readings.voltage_pu < limits.lost_below_pu) | (np.isnan(readings.voltage_pu) & (readings.mains_on < 0.5))
    return np.select([live, lost], [LIVE, LOST], NOTHING).astype(np.int8)


def _advanced(readings: Readings) -> Bool:
    moved = np.zeros(len(readings), np.bool_)
    moved[1:] = (readings.device[1:] == readings.device[:-1]) & (np.diff(readings.energy_kwh) > 0)
    return moved


def _take(readings: Readings, mask: Bool) -> Readings:
    return Readings(**{name: column[mask] for name, column in vars(readings).items()})


def _last_known(values: Float, device: Int) -> Float:
    known = np.where(np.isnan(values), -1, np.arange(len(values)))
    row = np.maximum.accumulate(known)
    valid = (row >= 0) & (device[np.maximum(row, 0)] == device)
    return np.where(valid, values[np.maximum(row, 0)], np.nan)


def _breaks(kept: Readings, state: NDArray[np.int8], count: Float, devices: Devices) -> Bool:
    moved = np.isfinite(count[1:]) & np.isfinite(count[:-1]) & (count[1:] != count[:-1])
    return np.asarray(
        (kept.device[1:] != kept.device[:-1])
        | (state[1:] != state[:-1])
        | (np.diff(kept.t_ms) > devices.max_gap_ms[kept.device[1:]])
        | moved
    )


def _record_between(kept: Readings) -> Bool:
    """True between two readings if a failure that the meter recorded lies wholly between them."""
    between = np.zeros(max(len(kept) - 1, 0), np.bool_)
    told = (kept.fail_end_ms > kept.fail_start_ms) & (kept.fail_start_ms >= 0)
    told[1:] &= (kept.fail_end_ms[1:] != kept.fail_end_ms[:-1]) | (kept.device[1:] != kept.device[:-1])
    record = [c[told].astype(np.int64) for c in (kept.device, kept.fail_start_ms, kept.fail_end_ms)]
    after = np.searchsorted(pack(kept.device, kept.t_ms), pack(record[0], record[1]), side="right")
    inner = (after > 0) & (after < len(kept))
    after, device, end_ms = after[inner], record[0][inner], record[2][inner]
    whole = (kept.device[after] == device) & (kept.device[after - 1] == device) & (kept.t_ms[after] >= end_ms)
    between[after[whole] - 1] = True
    return between


def _summarise(kept: Readings, state: NDArray[np.int8], count: Float, first: Int, last: Int, devices: Devices) -> Runs:
    start_ms = kept.t_ms[first]
    since_start_ms = kept.t_ms - np.repeat(start_ms, np.diff(np.append(first, len(kept))))
    step_ms = devices.powered_time_step_ms[kept.device]
    end_ms = kept.t_ms[last].copy()
    _hold_until_next(end_ms, kept, state, last, devices)
    return Runs(
        device=kept.device[first],
        state=state[first],
        start_ms=start_ms,
        end_ms=end_ms,
        fail_count=np.fmax.reduceat(count, first),
        fail_start_ms=np.fmax.reduceat(kept.fail_start_ms, first),
        fail_end_ms=np.fmax.reduceat(kept.fail_end_ms, first),
        powered_low_ms=np.fmax.reduceat(kept.powered_ms - step_ms - since_start_ms, first),
        powered_high_ms=np.fmin.reduceat(kept.powered_ms + step_ms - since_start_ms, first),
        energy_first_kwh=np.fmin.reduceat(kept.energy_kwh, first),
        energy_last_kwh=np.fmax.reduceat(kept.energy_kwh, first),
    )


def _hold_until_next(end_ms: Int, kept: Readings, state: NDArray[np.int8], last: Int, devices: Devices) -> None:
    """Stretch the life of devices that report changes at once up to the change; on battery they may die first."""
    run = np.flatnonzero((last < len(kept) - 1) & (state[last] == LIVE))
    here, after = last[run], last[run] + 1
    device = kept.device[here]
    near = kept.t_ms[after] - kept.t_ms[here] <= HELD_SHARE * devices.max_gap_ms[device]
    held = devices.on_change[device] & (kept.device[after] == device) & near
    end_ms[run[held]] = kept.t_ms[after[held]]
