"""Disinfection, compliance of a day, reliability of supply, night flow and decay, by hand and by property."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analytics.disinfection import contact_ct, inactivation_ratio, required_ct
from analytics.network import burst_suspected, decay_per_day, night_flow, standardised, water_age_h
from analytics.water import (
    day_means,
    hourly_supply,
    projected_day_mean,
    reliability_grade,
    supply_reliability,
)

DAY_S = 86_400
NAN = math.nan


@pytest.mark.parametrize(
    ("temp", "chlorine", "ph", "table"), [(5, 1.0, 7.0, 149), (10, 1.0, 7.5, 134), (20, 0.6, 8.0, 77)]
)
def test_required_ct_is_just_above_the_table(temp, chlorine, ph, table):
    """The regression stands 3 to 8 % on the safe side of the EPA's table."""
    assert 1.02 <= float(required_ct(chlorine, temp, ph)) / table <= 1.085


@given(st.floats(-30, 60), st.floats(-1, 10), st.floats(-2, 14))
def test_required_ct_is_never_free(temp, chlorine, ph):
    """Acid, frozen or unmeasured water earns no infinite credit."""
    assert 20 < float(required_ct(chlorine, temp, ph)) < 600


def test_ice_cold_water_counts_as_half_a_degree():
    assert required_ct(1.0, -5.0, 7.0) == required_ct(1.0, 0.5, 7.0)


def test_standing_water_gives_no_contact_time():
    assert np.isnan(contact_ct([0.5, 0.5], 100, [0.0, -1.0])).all()
    with pytest.raises(ValueError, match="baffling 0"):
        contact_ct([0.5], 100, [10], baffling=0)


def test_inactivation_ratio_is_given_over_required():
    """0.5 mg/L for 500/60 h · 0.7 = 350 min is 175 mg·min/L."""
    ratio = inactivation_ratio([0.5], [10], [7.5], volume_m3=500, flow_m3_h=[60], baffling=0.7)
    assert ratio == pytest.approx(175 / required_ct([0.5], [10], [7.5]))


def test_day_mean_weighs_by_flow_and_names_the_plain_mean_too():
    means = day_means([40, 80, 60, 60], [3, 1, 1, 1], [0, 43_200, 86_400, 129_600], utc_offset_s=0, expected_per_day=2)
    assert means.flow_weighted.tolist() == [50, 60]
    assert means.plain.tolist() == [60, 60]


def test_local_day_starts_at_local_midnight():
    """16:00 UTC is the next day in Beijing."""
    means = day_means([1, 2], [1, 1], [15.9 * 3600, 16 * 3600], utc_offset_s=8 * 3600, expected_per_day=1)
    assert means.day.tolist() == [0, 1]


def test_day_with_too_few_valid_values_has_no_mean():
    means = day_means([40, NAN, 40, 40], [1, 1, NAN, 1], np.arange(4) * 21_600, utc_offset_s=0, expected_per_day=4)
    assert np.isnan(means.flow_weighted[0])
    assert means.valid_share[0] == 0.5


@given(hnp.arrays(float, 24, elements=st.floats(0, 100)), hnp.arrays(float, 24, elements=st.floats(0.1, 50)))
def test_day_mean_lies_between_its_values_and_the_projection_ends_in_it(values, flow):
    mean = day_means(values, flow, np.arange(24) * 3600, utc_offset_s=0, expected_per_day=24).flow_weighted[0]
    assert values.min() - 1e-9 <= mean <= values.max() + 1e-9
    remaining = flow.sum() - np.cumsum(flow)
    assert projected_day_mean(values, flow, remaining.clip(0))[-1] == pytest.approx(mean, abs=1e-9)


def test_projection_warns_at_noon_of_a_day_that_will_break_the_limit():
    cod = [40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 90, 90]
    projected = projected_day_mean(cod, [100] * 12, np.arange(2300, 1100, -100))
    assert (projected[:10] <= 50).all()
    assert (projected[10:] > 60).all()


def test_projection_skips_what_is_missing():
    assert projected_day_mean([NAN, 40, NAN], [100, 100, 100], [300, 200, 100]) == pytest.approx(
        [NAN, 40, 40], nan_ok=True
    )


def test_silent_hour_is_unknown_not_supplied():
    pressure = np.full((3, 2, 4), 0.2)
    pressure[1, 0] = NAN
    pressure[2, 1, :2] = 0.05
    assert hourly_supply(pressure, 0.1).tolist() == [[1, 1], [-1, 1], [1, 0]]


states = hnp.arrays(
    np.int64, st.tuples(st.integers(1, 5).map(lambda d: d * 24), st.integers(1, 4)), elements=st.integers(-1, 1)
)


@given(states)
def test_reliability_bounds_hold_whatever_the_unknown_hours_were(state):
    users = np.arange(1, state.shape[1] + 1)
    bounds = supply_reliability(state, users)
    worst, best = (supply_reliability(np.where(state == -1, fill, state), users) for fill in (0, 1))
    assert bounds.by_user_hours == pytest.approx((worst.by_user_hours[0], best.by_user_hours[1]))
    assert bounds.by_days == pytest.approx((worst.by_days[0], best.by_days[1]))


@given(states, st.randoms(use_true_random=False))
def test_splitting_a_zone_moves_no_reliability(state, random):
    """Two half zones with the same hours count as the whole."""
    users = np.array([random.randint(1, 50) * 2 for _ in range(state.shape[1])])
    whole, halves = (
        supply_reliability(state, users),
        supply_reliability(np.hstack([state, state]), np.hstack([users / 2] * 2)),
    )
    assert halves.by_user_hours == pytest.approx(whole.by_user_hours)
    assert halves.days_short == whole.days_short


def test_zone_without_users_is_not_short():
    assert supply_reliability([[0, 1]] * 24, [0, 10]).days_short == 0


def test_reliability_of_half_a_day_is_refused_and_of_nothing_is_unknown():
    with pytest.raises(ValueError, match="whole days"):
        supply_reliability([[1]] * 12, [10])
    nothing = supply_reliability(np.zeros((0, 1), dtype=int), [10])
    assert nothing.by_user_hours == nothing.by_days == (0.0, 1.0)


def test_survey_grade_counts_days_not_percent():
    """18 of 365 days are 95.07 % and yet not met."""
    assert reliability_grade(18) == "basically met"


def test_leak_is_found_and_does_not_become_the_new_normal():
    flow = np.full((30, 96), 12.0)
    flow[:, 8:16] = 5.0
    flow[20:, 8:16] = 6.5
    found = night_flow(flow)
    assert found.leak.nonzero()[0].tolist() == list(range(20, 30))
    assert found.level_m3_h[19] == 5.0


def test_night_without_a_full_hour_is_unknown_and_no_leak():
    flow = np.full((12, 24), 5.0)
    flow[11, 2:4] = NAN
    found = night_flow(flow)
    assert np.isnan(found.night_m3_h[11])
    assert not found.leak.any()


def test_burst_needs_more_flow_and_less_pressure():
    rise, flat = np.full(20, 5.0), np.zeros(20)
    assert burst_suspected(rise, -rise)[-1]
    assert not burst_suspected(rise, flat).any()
    assert not burst_suspected(rise, rise).any()


def test_residual_is_in_robust_deviations_of_its_own_hour():
    flow = np.array([10.0, 11, 12, 13, 50, 100, NAN])
    hour = np.array([0, 0, 0, 0, 0, 1, 1])
    z = standardised(flow, hour)
    assert z[2] == 0
    assert z[4] == pytest.approx(38 / 1.4826)
    assert np.isnan(z[5:]).all()


def test_chlorine_halves_in_a_day():
    assert decay_per_day([0.4, 0.4, NAN], [0.2, 0.0, 0.1], [24, 24, 24]) == pytest.approx(
        [math.log(2), NAN, NAN], nan_ok=True
    )


@given(hnp.arrays(float, 48, elements=st.floats(1, 100)), st.floats(1, 200))
def test_water_is_as_old_as_the_volume_that_has_passed_since(flow, volume):
    times = np.arange(48) * 3600.0
    age = water_age_h(flow, times, volume)
    passed = np.concatenate(([0], np.cumsum(flow[:-1])))
    for now in np.flatnonzero(~np.isnan(age)):
        entered = now - age[now]
        assert passed[now] - np.interp(entered, np.arange(48), passed) == pytest.approx(volume)
