"""Line loss, load, power factor, unbalance and distortion: worked examples, then the borders of what is defined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.energy import (
    HEAVY,
    OVERLOAD,
    energy_not_served,
    line_loss,
    load_rate,
    low_voltage_list,
    power_factor,
    sustained_hours,
)
from analytics.power_quality import (
    current_unbalance,
    judge_thd,
    judge_unbalance,
    unbalance_from_line_voltages,
    unbalance_from_mean,
    unbalance_from_phasors,
)
from analytics.supply_hours import duration_bands, evening_hours

ALPHA = np.exp(2j * np.pi / 3)
HOUR = 3_600_000


def test_e16_line_loss_load_rate_power_factor_and_current_unbalance():
    assert line_loss([120_000], [111_600]).loss_pct.tolist() == [7.0]
    assert load_rate(80, 60, 125) == pytest.approx(0.8)
    assert power_factor([80], [60]).tolist() == [0.8]
    assert current_unbalance([150, 120, 105]) == pytest.approx(30.0)


def test_a_loss_below_0_or_of_nothing_is_an_error_in_the_data_and_not_a_saving():
    losses = line_loss([100.0, 0.0, 0.0, 100.0], [101.0, 5.0, 0.0, 120.0], [0.0, 0.0, 0.0, 50.0])
    assert losses.suspect.tolist() == [True, True, False, False]
    assert np.isnan(losses.loss_pct).tolist() == [False, True, True, False]
    assert losses.loss_pct[3] == 20.0


def test_a_heavy_load_counts_from_two_hours_on():
    quarter_hours = [0.85] * 8 + [0.1] + [0.85] * 7 + [np.nan] + [1.0] * 8
    assert sustained_hours(quarter_hours, HEAVY, step_h=0.25) == 4.0
    assert sustained_hours(quarter_hours, OVERLOAD, step_h=0.25) == 2.0
    assert sustained_hours([], HEAVY, step_h=0.25) == 0.0


def test_a_load_rate_of_unknown_rating_and_a_factor_without_energy_are_undefined():
    assert np.isnan(load_rate(1, 1, 0))
    assert np.isnan(power_factor(0, 0))


def test_customers_are_listed_by_hours_of_low_voltage():
    assert low_voltage_list([0, 61, 60, 900]).tolist() == [3, 1]


def test_aens_is_energy_per_customer_and_undefined_without_customers():
    """Transformers of 80 kW and 20 kW mean load, out 2 h and 3 h."""
    assert energy_not_served([80 * 2, 20 * 3], 1000) == pytest.approx(0.22)
    assert np.isnan(energy_not_served([160], 0))


def test_bands_of_durations():
    assert duration_bands([0.2, 0.25, 1.0, 3.0, 5.0], [1, 2, 3, 4, 5]).tolist() == [1.0, 2.0, 7.0, 5.0]


def test_evening_hours_lose_what_was_out_between_17_and_23():
    midnights = np.array([0, 24 * HOUR])
    begin, end = np.array([10, 22]) * HOUR, np.array([18, 42]) * HOUR
    assert evening_hours(begin, end, midnights).tolist() == [4.0, 5.0]


def test_unbalance_of_symmetric_and_of_dead_phases():
    u2, u0 = unbalance_from_phasors(230.0, 230.0 * ALPHA**2, 230.0 * ALPHA)
    assert (u2, u0) == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-9))
    assert np.isnan(unbalance_from_phasors(0, 0, 0)[0])
    assert np.isnan(unbalance_from_line_voltages(0, 0, 0))
    assert np.isnan(unbalance_from_mean([0, 0, 0]))


@given(st.floats(0.01, 0.3), st.floats(0, 2 * np.pi))
def test_line_voltages_give_the_unbalance_of_the_phasors(u2, angle):
    """Also with any zero sequence, which line voltages do not show."""
    sequence = np.array([[1, 1, 1], [1, ALPHA**2, ALPHA], [1, ALPHA, ALPHA**2]])
    a, b, c = sequence @ np.array([20.0, 230.0, 230.0 * u2 * np.exp(1j * angle)])
    lines = [abs(a - b), abs(b - c), abs(c - a)]
    assert unbalance_from_phasors(a, b, c)[0] == pytest.approx(100 * u2)
    assert unbalance_from_line_voltages(*lines) == pytest.approx(100 * u2, rel=1e-5)


def test_unbalance_may_pass_2_percent_in_one_of_twenty_values_and_4_in_none():
    assert judge_unbalance([2.0] * 95 + [4.0] * 5).complies is True
    assert judge_unbalance([2.0] * 94 + [4.0] * 6).complies is False
    assert judge_unbalance([1.0] * 99 + [4.1]).complies is False
    assert judge_unbalance([np.nan]).complies is None


@pytest.mark.parametrize(("kv", "limit"), [(0.38, 5.0), (6, 4.0), (10, 4.0), (35, 3.0), (66, 3.0), (110, 2.0)])
def test_distortion_is_limited_by_level(kv, limit):
    assert judge_thd([limit], kv).complies is True
    assert judge_thd([limit + 0.01], kv).complies is False


def test_distortion_above_110_kv_has_no_limit_here():
    with pytest.raises(ValueError, match="no limit"):
        judge_thd([1.0], 220)
