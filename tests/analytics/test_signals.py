"""Dead-band, delays and the marks of failing instruments, each against a loop that a reader can follow."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analytics.instruments import changing_fast, drift_per_day, spikes, stuck
from analytics.signals import beyond, chattering, delayed, intervals, run_length, true_runs

readings = hnp.arrays(
    float,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30),
    elements=st.one_of(st.just(math.nan), st.floats(-3, 3, width=16)),
)
flags = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30))


def naive_beyond(values, setpoint, deadband):
    held, out = False, []
    for value in values:
        if value > setpoint:
            held = True
        elif value < setpoint - deadband:
            held = False
        out.append(held)
    return out


def naive_delayed(condition, times, on_s, off_s, on_rows, off_rows):
    active, out, against, since = False, [], 0, 0.0
    for held, now in zip(condition, times, strict=True):
        if held == active:
            against = 0
        else:
            against += 1
            since = now if against == 1 else since
            if now - since >= (on_s if held else off_s) and against >= (on_rows if held else off_rows):
                active, against = held, 0
        out.append(active)
    return out


def naive_stuck(values, rows, tolerance):
    last = [values[max(0, t - rows + 1) : t + 1] for t in range(len(values))]
    return [len(w) == rows and not any(map(math.isnan, w)) and max(w) - min(w) <= tolerance for w in last]


def naive_spikes(values, rows, k, floor):
    out = []
    for t, value in enumerate(values):
        before = [v for v in values[max(0, t - rows) : t] if not math.isnan(v)]
        if t < rows or not before or math.isnan(value):
            out.append(False)
            continue
        middle = float(np.median(before))
        spread = 1.4826 * float(np.median([abs(v - middle) for v in before]))
        out.append(abs(value - middle) > k * max(spread, floor))
    return out


def naive_fast(values, times, per_s, lag, rows):
    fast = [
        t >= lag and abs(values[t] - values[t - lag]) > per_s * (times[t] - times[t - lag]) for t in range(len(values))
    ]
    return [t + 1 >= rows and all(fast[t + 1 - rows : t + 1]) for t in range(len(values))]


def test_chlorine_falls_below_its_setpoint_and_comes_back_through_the_deadband():
    low = beyond([0.35, 0.29, 0.31, math.nan, 0.33], 0.3, 0.02, high=False)
    assert low.tolist() == [False, True, True, True, False]


def test_turbidity_alarm_waits_15_minutes_and_stays_30():
    minutes = np.arange(0, 120, 5)
    high = (minutes >= 20) & (minutes < 60)
    active = delayed(high, minutes * 60, on_delay_s=900, off_delay_s=1800)
    (alarm,) = intervals(active, minutes * 60)
    assert (alarm.start_s / 60, alarm.end_s / 60) == (35, 90)


@given(readings, st.floats(-2, 2, width=16), st.floats(0, 2, width=16))
def test_deadband_equals_the_loop(values, setpoint, deadband):
    expected = np.transpose([naive_beyond(column, setpoint, deadband) for column in values.T])
    assert (beyond(values, setpoint, deadband) == expected).all()


@given(readings, st.floats(-2, 2, width=16), st.floats(0, 2, width=16))
def test_low_condition_is_the_mirror_of_the_high_one(values, setpoint, deadband):
    assert (beyond(values, setpoint, deadband, high=False) == beyond(-values, -setpoint, deadband)).all()


@given(
    flags,
    st.lists(st.integers(1, 90), min_size=30, max_size=30),
    st.integers(0, 120),
    st.integers(0, 120),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_delays_equal_the_loop_at_any_spacing(condition, steps, on_s, off_s, on_rows, off_rows):
    times = np.cumsum(steps[: len(condition)]).astype(float)
    expected = [naive_delayed(column, times, on_s, off_s, on_rows, off_rows) for column in condition.T]
    active = delayed(condition, times, on_delay_s=on_s, off_delay_s=off_s, on_readings=on_rows, off_readings=off_rows)
    assert (active == np.transpose(expected)).all()


@given(readings, st.integers(1, 5), st.floats(0, 1, width=16))
def test_stuck_equals_the_loop(values, rows, tolerance):
    expected = np.transpose([naive_stuck(column.tolist(), rows, tolerance) for column in values.T])
    assert (stuck(values, rows=rows, tolerance=tolerance) == expected).all()


@given(readings, st.integers(1, 6), st.floats(1, 4, width=16), st.floats(0, 1, width=16))
def test_spikes_equal_the_loop(values, rows, k, floor):
    expected = np.transpose([naive_spikes(column.tolist(), rows, k, floor) for column in values.T])
    assert (spikes(values, rows=rows, k=k, floor=floor) == expected).all()


@given(readings, st.floats(0, 0.125, width=16), st.integers(1, 3), st.integers(1, 3))
def test_rate_of_change_equals_the_loop(values, per_s, lag, rows):
    times = np.arange(len(values)) * 60.0
    expected = np.transpose([naive_fast(column.tolist(), times, per_s, lag, rows) for column in values.T])
    assert (changing_fast(values, times, per_s=per_s, lag=lag, rows=rows) == expected).all()


@given(hnp.arrays(bool, st.integers(0, 40)))
def test_runs_rebuild_the_condition(condition):
    rebuilt = np.zeros(len(condition), dtype=bool)
    for start, end in zip(*true_runs(condition), strict=True):
        rebuilt[start:end] = True
        assert run_length(condition)[end - 1] == end - start
    assert (rebuilt == condition).all()


@given(st.lists(st.floats(0, 600, width=16), max_size=30), st.integers(1, 5))
def test_chatter_equals_the_loop(activations, count):
    times = sorted(activations)
    expected = [sum(t - 60 < earlier <= t for earlier in times[: i + 1]) >= count for i, t in enumerate(times)]
    assert chattering(times, window_s=60, count=count).tolist() == expected


@given(readings)
def test_a_prefix_is_judged_as_in_the_whole(values):
    """Nothing looks ahead: a file and a stream give the same answer."""
    cut = (len(values) + 1) // 2
    for judge in (
        lambda v: beyond(v, 0.5, 0.2),
        lambda v: stuck(v, rows=3, tolerance=0.1),
        lambda v: spikes(v, rows=3),
    ):
        assert (judge(values)[:cut] == judge(values[:cut])).all()


def test_drift_of_a_probe_is_found_through_an_outlier_and_a_gap():
    days = np.arange(20.0)
    bias = 0.01 * days
    bias[7], bias[11] = 3.0, math.nan
    assert drift_per_day(bias, days * 86_400) == pytest.approx(0.01)
    assert math.isnan(drift_per_day([1.0], [0]))


def test_wrong_input_is_told():
    with pytest.raises(ValueError, match="not zero or more"):
        beyond([1.0], 0.5, -0.1)
    with pytest.raises(ValueError, match="do not rise"):
        delayed([True, True], [60, 0])
    with pytest.raises(ValueError, match="2 instants for 1 rows"):
        intervals([True], [0, 60])
    with pytest.raises(ValueError, match="neither"):
        beyond(np.zeros((2, 2, 2)), 1.0)


def test_a_day_of_ten_thousand_points_passes_quickly():
    """A tenth of the day; the bench measures the whole and asks 20 million samples a second."""
    values = np.random.default_rng(1).normal(size=(144, 10_000))
    start = time.perf_counter()
    delayed(beyond(values, 1.0, 0.2), np.arange(144) * 60.0, on_delay_s=120, off_delay_s=300)
    assert values.size / (time.perf_counter() - start) > 2e6
