"""From readings to minutes: rules V5 to V11 by name, classes, weeks and events by their worked examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.en50160 import en50160_week, prodist, ten_minute_rms
from analytics.voltage import Limits, State, count_minutes, minute_states
from analytics.voltage_classes import class_pct, composite_rate, mean_of_months_pct
from analytics.voltage_events import EventKind, below_with_hysteresis, dip_cell, event_spans, voltage_events
from analytics.voltage_minutes import (
    clock_suspect,
    minute_values,
    outage_minutes,
    primary_voltage,
    stuck_minutes,
)

D_POINT = Limits(198.0, 235.4, assess_lo=154.0, assess_hi=264.0, dead_below=11.0)
MINUTE = 60_000
NAN = float("nan")


@pytest.mark.parametrize(
    ("begin_s", "end_s", "touched"),
    [
        (60, 120, {1}),
        (60, 120.001, {1, 2}),
        (59.999, 120, {0, 1}),
        (61, 62, {1}),
        (61, 114, {1}),
        (61, 116, {1, 2}),
        (-500, 30, {0}),
        (200, 9999, {3, 4}),
    ],
)
def test_v5_a_minute_touched_by_an_outage_or_its_power_up_is_dropped(begin_s, end_s, touched):
    marked = outage_minutes([round(begin_s * 1000)], [round(end_s * 1000)], start_ms=0, minutes=5)
    assert set(np.flatnonzero(marked)) == touched


def test_v6_a_dead_phase_beside_living_ones_is_an_interruption_and_no_low_voltage():
    phases = minute_states([[230.0], [0.0], [231.0]], D_POINT)
    assert phases.ravel().tolist() == [State.OK, State.OUTAGE, State.OK]


def test_v7_secondary_voltages_are_scaled_before_limits_are_applied():
    class_a = Limits(10_000.0, 10_700.0)
    assert minute_states(primary_voltage([103.0, 107.1], 100), class_a).tolist() == [State.OK, State.OVER]
    with pytest.raises(ValueError, match="ratio"):
        primary_voltage([103.0], 0)


def test_v9_of_readings_with_the_same_time_the_last_received_counts():
    values, repeated = minute_values([0, MINUTE, 0, 0], [1.0, 2.0, 3.0, 4.0], start_ms=0, minutes=2)
    assert (values.tolist(), repeated) == ([4.0, 2.0], 2)


def test_several_readings_of_a_minute_make_its_mean():
    values, _ = minute_values([0, 20_000, 40_000], [230.0, 233.0, NAN], start_ms=0, minutes=1)
    assert values.tolist() == [231.5]


def test_v10_a_clock_wrong_by_more_than_a_minute_flags_the_month():
    assert clock_suspect([0.0, -60.5])
    assert not clock_suspect([60.0])


def test_v11_more_than_thirty_equal_minutes_are_a_stuck_sensor():
    day = np.concatenate([np.full(30, 230.1), np.full(31, 230.2), [230.3, NAN], np.full(40, NAN)])
    assert np.flatnonzero(stuck_minutes(day)).tolist() == list(range(30, 61))


def test_v11_a_dead_line_and_whole_volts_may_be_constant():
    assert not stuck_minutes([0.0] * 60 + [230.1], dead_below=11.0).any()
    assert not stuck_minutes([230.0] * 60).any()


def test_v12_e10_composite_is_judged_unrounded():
    full = composite_rate({"A": 99.95, "B": 99.90, "C": 99.80, "D": 99.20})
    without_b = composite_rate({"A": 99.95, "B": NAN, "C": 99.80, "D": 99.20})
    assert full.pct == pytest.approx(99.791667, abs=5e-7)
    assert (without_b.pct, without_b.basis) == (pytest.approx(99.725), "ACD")
    assert full.pct >= 99.68
    assert not composite_rate({"D": 99.6752}).pct >= 99.68, "99.68 when rounded"


def test_composite_without_class_a_is_the_mean_of_the_others_and_not_comparable():
    rate = composite_rate({"B": 99.0, "D": 98.0})
    assert (rate.pct, rate.basis, rate.comparable) == (98.5, "BD", False)
    assert np.isnan(composite_rate({}).pct)


def test_a_point_with_little_coverage_stays_out_of_its_class():
    assert class_pct([99.0, 97.0], [100.0, 89.99]) == 99.0
    assert np.isnan(class_pct([99.0], [10.0]))
    assert mean_of_months_pct([98.0, 99.0, NAN]) == 98.5


def test_e9_naive_wall_clock_would_say_91_67():
    """Why outage and missing minutes leave the denominator: the same day by the clock."""
    day = np.repeat([220.0, 240.0, 190.0, 0.0, NAN, 150.0], [1300, 40, 30, 45, 20, 5])
    counts = count_minutes(day, D_POINT)
    assert 100 * 1320 / counts.minutes == pytest.approx(91.666667, abs=5e-7)


def test_e9_allowance_of_minutes_at_99_68_percent():
    share = 1 - 0.9968
    assert [round(n * share, 3) for n in (525_600, 44_640, 1440)] == [1681.92, 142.848, 4.608]


def test_a_ten_minute_value_needs_ten_valid_minutes_and_no_outage():
    minutes = np.full(40, 230.0)
    minutes[15] = NAN
    outage = np.zeros(40, dtype=bool)
    outage[25] = True
    assert np.isnan(ten_minute_rms(minutes, outage=outage)).tolist() == [False, True, True, False]


def test_ten_minute_value_is_the_root_of_the_mean_square():
    assert ten_minute_rms([220.0, 240.0] * 5)[0] == pytest.approx(np.sqrt((220**2 + 240**2) / 2))


@pytest.mark.parametrize(
    ("outside", "p95_ok"),
    [(50, True), (51, False)],
)
def test_a_week_of_1008_intervals_may_have_50_outside(outside, p95_ok):
    week = en50160_week([230.0] * (1008 - outside) + [253.1] * outside, 230.0)
    assert (week.n, week.n1, week.n2) == (1008, outside, outside)
    assert week.p95_ok is p95_ok
    assert week.p100_ok is False


def test_a_value_at_the_limit_is_inside_and_levels_differ():
    values = [207.0, 253.0, 195.5, 195.4, 264.5]
    lv, mv, islanded = (en50160_week(values, 230.0, level=level) for level in ("lv", "mv", "islanded"))
    assert (lv.n1, lv.n2, mv.n2, islanded.n2) == (3, 2, 1, 2)


def test_a_week_without_intervals_has_no_verdict():
    week = en50160_week([NAN] * 1008, 230.0)
    assert (week.n, week.p95_ok, week.p100_ok) == (0, None, None)
    assert np.isnan(week.max_v)


def test_e16_prodist():
    assert prodist(30, 0).drp_pct == pytest.approx(2.976190, abs=5e-7)
    assert prodist(31, 0).drp_pct == pytest.approx(3.075397, abs=5e-7)
    assert (prodist(30, 0).complies, prodist(31, 0).complies) == (True, False)


def test_e12_hysteresis_on_the_open_test_vector():
    low = np.array([100, 90, 80, 70, 80, 90, 100, 100, 60, 100], dtype=float)
    high = np.array([100, 110, 120, 130, 120, 110, 100, 100, 140, 100], dtype=float)
    dips = event_spans(below_with_hysteresis(low, 95, 2), low)
    swells = event_spans(below_with_hysteresis(-high, -105, 2), high, highest=True)
    for spans, extremes in ((dips, [70, 60]), (swells, [130, 140])):
        assert (10 * spans.first).tolist() == [10, 80]
        assert (10 * spans.after).tolist() == [60, 90]
        assert spans.extreme.tolist() == extremes


def test_voltage_events_are_refused_from_minute_means():
    with pytest.raises(ValueError, match="too coarse"):
        voltage_events([[230.0] * 10], 230.0, interval_ms=60_000)


def test_a_dip_lasts_until_the_last_phase_is_back_and_dips_of_phases_are_one_event():
    a = [230, 190, 190, 230, 230, 230]
    b = [230, 230, 150, 150, 230, 230]
    events = voltage_events([a, b, [230] * 6], 230.0, interval_ms=10)
    assert events.kind.tolist() == [EventKind.DIP]
    assert (events.first.tolist(), events.after.tolist(), events.residual_v.tolist()) == ([1], [4], [150.0])


def test_a_loss_of_all_phases_is_an_interruption_and_of_one_phase_a_dip():
    dead, alive = [230, 5, 5, 230], [230] * 4
    assert voltage_events([dead, dead], 230.0, interval_ms=10).kind.tolist() == [EventKind.INTERRUPTION]
    assert voltage_events([dead, alive], 230.0, interval_ms=10).kind.tolist() == [EventKind.DIP]


def test_dip_table_corners():
    assert [dip_cell(89.9, 10), dip_cell(80, 200), dip_cell(79.9, 201), dip_cell(4.9, 60_000)] == [
        "A1",
        "A1",
        "B2",
        "X5",
    ]
    assert [dip_cell(90, 100), dip_cell(50, 9), dip_cell(50, 60_001)] == ["", "", ""]


@given(st.lists(st.floats(0, 300), max_size=40), st.floats(50, 250), st.floats(0, 20))
def test_hysteresis_follows_its_definition(values, threshold, hysteresis):
    inside, state = [], False
    for value in values:
        if value < threshold:
            state = True
        elif value >= threshold + hysteresis:
            state = False
        inside.append(state)
    assert below_with_hysteresis(values, threshold, hysteresis).tolist() == inside


@given(st.lists(st.tuples(st.integers(-300, 900), st.integers(1, 400)), max_size=6))
def test_outage_minutes_follow_their_definition(outages):
    begin, end = np.array([(b * 1000, (b + n) * 1000) for b, n in outages], dtype=np.int64).reshape(-1, 2).T
    marked = outage_minutes(begin, end, start_ms=0, minutes=12, power_up_s=0)
    touched = [any(b < (m + 1) * MINUTE and e > m * MINUTE for b, e in zip(begin, end, strict=True)) for m in range(12)]
    assert marked.tolist() == touched
