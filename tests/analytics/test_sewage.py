"""Lift-station rules and class compliance, worked by hand."""

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analytics.lift_station import level_sensor_at_fault, overflowing, running_dry, time_to_overflow_s
from analytics.limit_files import load_limits
from analytics.limits import in_force
from analytics.pumps import (
    Drawdowns,
    drawdowns,
    longest_run_s,
    losing_capacity,
    over_cycling,
    runtime_imbalance,
    shortest_cycle_min,
    starts_in_hour,
)
from analytics.sewage import class_days, infiltrating

NAN = math.nan
MINUTE = np.arange(0, 3600, 60.0)
CLASS_1A = in_force(load_limits(), date(2026, 3, 1), standard="GB 18918-2002", grade="1A")


def test_overflow_is_seen_by_level_or_by_switch_even_without_a_level():
    assert overflowing([2.9, 3.0, NAN, NAN], 3.0, [0, 0, 1, 0]).tolist() == [False, True, True, False]


def test_pump_runs_dry_only_while_it_runs():
    dry = running_dry([0.19, 0.19, 0.21, NAN], [1, 0, 1, 1], off_level_m=0.5, range_m=3.0)
    assert dry.tolist() == [True, False, False, False]


def test_seventh_start_within_the_hour_is_over_cycling():
    on = np.tile([0, 1], 8)
    assert starts_in_hour(on, np.arange(16) * 200.0).tolist()[-1] == 8
    assert over_cycling(on, np.arange(16) * 200.0).nonzero()[0].tolist() == [13, 14, 15]
    assert not over_cycling(on, np.arange(16) * 300.0).any()


@given(hnp.arrays(bool, st.integers(1, 60)), st.integers(1, 900))
def test_starts_in_an_hour_equal_the_loop(on, step_s):
    times = np.arange(len(on)) * float(step_s)
    started = [t for t in range(1, len(on)) if on[t] and not on[t - 1]]
    expected = [sum(times[now] - 3600 < times[t] <= times[now] for t in started) for now in range(len(on))]
    assert starts_in_hour(on, times).tolist() == expected


def test_cycle_time_of_a_small_well():
    """2 m³ at 60 m³/h: six starts an hour need ten minutes, eight are too few."""
    assert shortest_cycle_min(2.0, 60.0) == 8.0


def test_worn_impeller_is_found_after_three_slow_cycles():
    rate = np.array([30.0] * 10 + [23.0, 30.0, 23.0, 23.0, 23.0])
    assert losing_capacity(Drawdowns(np.arange(15) * 3600.0, rate)).nonzero()[0].tolist() == [14]


def test_drawdown_without_a_level_is_unknown_and_no_loss():
    level = [2.0, 1.5, NAN, 1.0, 2.0, 1.0]
    cycles = drawdowns(level, [1, 1, 0, 1, 1, 1], np.arange(6) * 60.0)
    assert cycles.rate_m_h == pytest.approx([30.0, 0.0])
    assert not losing_capacity(Drawdowns(np.arange(9) * 3600.0, np.full(9, NAN))).any()


def test_twin_pumps_share_the_work():
    assert runtime_imbalance(40, 40) == 0
    assert runtime_imbalance(50, 38) == pytest.approx(12 / 44)
    assert math.isnan(runtime_imbalance(0, 0))


def test_run_time_starts_anew_at_each_start():
    assert longest_run_s([1, 1, 0, 1], [0, 60, 120, 180]).tolist() == [0, 60, 0, 0]


def test_time_to_overflow_follows_the_slope():
    level = 1.0 + MINUTE / 3600
    left = time_to_overflow_s(level, MINUTE, 2.0)
    assert left[10] == pytest.approx(3600 - 600)
    assert np.isinf(time_to_overflow_s(level[::-1], MINUTE, 3.0)[10])
    assert time_to_overflow_s(np.full(60, 2.5), MINUTE, 2.0)[10] == 0
    assert np.isnan(time_to_overflow_s(np.full(60, NAN), MINUTE, 2.0)).all()


def test_flat_level_under_a_running_pump_is_the_sensor():
    on = (MINUTE >= 600) & (MINUTE < 1200)
    flat = level_sensor_at_fault(np.full(60, 2.0), on, MINUTE, resolution_m=0.01)
    assert flat.nonzero()[0].tolist() == list(range(12, 20))
    assert not level_sensor_at_fault(2.0 - MINUTE / 3600, on, MINUTE, resolution_m=0.01).any()


def test_rain_in_the_sewer_shows_against_dry_days():
    assert infiltrating([100, 100, 151, NAN], [1, 1, 0, 0]).tolist() == [False, False, True, False]


def test_ammonia_of_class_1a_is_judged_by_the_days_temperature():
    days = class_days(CLASS_1A, "ammonia_mg_l", [6, 6, 6, 9, NAN], [8, 13, NAN, 8, 8])
    assert days.high.tolist() == [8, 5, 5, 8, 8]
    assert days.broken.tolist() == [False, True, True, True, False]
    assert days.share_kept == pytest.approx((1 / 5, 2 / 5))


def test_single_measurement_band_is_no_daily_limit():
    days = class_days(CLASS_1A, "cod_mg_l", [50.0, 50.1], [20, 20])
    assert (days.limit.limit_kind, days.broken.tolist()) == ("daily", [False, True])
    assert days.limit.marked(date(2026, 3, 1))


def test_phosphorus_limit_knows_when_the_works_was_built():
    assert class_days(CLASS_1A, "total_phosphorus_mg_l", [0.7], [20]).broken.tolist() == [True]
    assert class_days(CLASS_1A, "total_phosphorus_mg_l", [0.7], [20], built_before_2006=True).broken.tolist() == [False]


def test_ph_has_two_sides_and_an_unlimited_quantity_none():
    assert class_days(CLASS_1A, "ph", [5.9, 7.0, 9.1], [20] * 3).broken.tolist() == [True, False, True]
    assert class_days(CLASS_1A, "copper_mg_l", [1.0], [20]) is None
