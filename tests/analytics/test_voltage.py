"""Minute states and what follows from them: the worked day, the limits, then what must always hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analytics.voltage import Limits, MinuteCounts, State, count_minutes, count_states, minute_states

D_POINT = Limits(198.0, 235.4, assess_lo=154.0, assess_hi=264.0, dead_below=11.0)

voltages = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=1, max_dims=3, max_side=40),
    elements=st.sampled_from([np.nan, 0.0, 10.9, 11.0, 150.0, 154.0, 197.9, 198.0, 220.0, 235.4, 235.5, 264.0, 264.1])
    | st.floats(0, 500, width=32),
)


def same(a: MinuteCounts, b: MinuteCounts) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True))


def test_e9_one_day_of_a_d_point():
    """1300 OK, 40 over, 30 under, 45 outage, 20 missing, 5 at 150 V; an outage by the ledger, not by the voltage."""
    day = np.repeat([220.0, 240.0, 190.0, np.nan, np.nan, 150.0], [1300, 40, 30, 45, 20, 5])
    outage = np.repeat([False, True, False], [1370, 45, 25])
    counts = count_minutes(day, D_POINT, outage=outage)
    assert (counts.ok, counts.over, counts.under) == (1300, 40, 30)
    assert (counts.offscale, counts.outage, counts.invalid) == (5, 45, 20)
    assert counts.monitored == 1370
    assert counts.pass_pct == pytest.approx(94.890511, abs=5e-7)
    assert counts.over_pct == pytest.approx(2.919708, abs=5e-7)
    assert counts.under_pct == pytest.approx(2.189781, abs=5e-7)
    assert counts.coverage_pct == pytest.approx(98.56631, abs=5e-6)
    assert counts.strict_pass_pct == pytest.approx(94.545455, abs=5e-7)


@pytest.mark.parametrize(
    ("volts", "state"),
    [(235.4, State.OK), (235.5, State.OVER), (198.0, State.OK), (197.9, State.UNDER)],
)
def test_e9_v8_a_reading_at_the_limit_complies(volts, state):
    assert minute_states([volts], D_POINT).tolist() == [state]


def test_a_limit_that_went_through_a_float32_register_still_complies():
    """353.4 widened from float32 is 353.39999: below the limit as a float64, at it for the meter."""
    assert minute_states([float(np.float32(353.4))], Limits(353.4, 406.6)).tolist() == [State.OK]


def test_v1_outage_minutes_leave_numerator_and_denominator():
    without = count_minutes([220.0, 240.0], D_POINT)
    with_outage = count_minutes([220.0, 240.0, 0.0, 240.0], D_POINT, outage=[False, False, False, True])
    assert with_outage.outage == 2
    assert with_outage.pass_pct == without.pass_pct == 50.0
    assert with_outage.coverage_pct == 100.0


def test_v2_missing_minutes_lower_the_coverage_and_nothing_else():
    counts = count_minutes([220.0, np.nan, 240.0, np.nan], D_POINT)
    assert (counts.pass_pct, counts.coverage_pct) == (50.0, 50.0)


def test_v3_a_rate_of_nothing_monitored_is_nan():
    counts = count_minutes([0.0, np.nan, 300.0], D_POINT)
    assert counts.monitored == 0
    assert np.isnan([counts.pass_pct, counts.over_pct, counts.under_pct]).all()


def test_v4_nan_passes_no_comparison():
    assert minute_states([np.nan], Limits(0.0, 1.0)).tolist() == [State.INVALID]
    assert count_minutes([np.nan], Limits(0.0, 1.0)).invalid == 1


def test_an_invalid_dead_minute_is_invalid_and_a_known_outage_wins():
    assert minute_states([0.0, 0.0], D_POINT, invalid=[True, True], outage=[False, True]).tolist() == [5, 4]


def test_limits_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="must rise"):
        Limits(235.4, 198.0)


def test_edges_that_do_not_rise_are_refused():
    with pytest.raises(ValueError, match="rise"):
        count_states(np.zeros(4, np.int8), edges=[2, 2])


@given(voltages, st.data())
def test_counting_at_once_equals_classifying_and_counting(volts, data):
    masks = hnp.arrays(np.bool_, volts.shape)
    outage, invalid = data.draw(st.none() | masks), data.draw(st.none() | masks)
    states = minute_states(volts, D_POINT, outage=outage, invalid=invalid)
    assert same(count_minutes(volts, D_POINT, outage=outage, invalid=invalid), count_states(states))


@given(voltages)
def test_every_minute_has_one_state(volts):
    counts = count_minutes(volts, D_POINT)
    assert np.all(counts.minutes == volts.shape[-1])
    assert not any(np.any(np.asarray(column) < 0) for column in vars(counts).values())


@given(hnp.arrays(np.int8, (3, 30), elements=st.integers(0, 5)), st.integers(1, 29))
def test_counts_of_days_add_up_to_the_month(states, edge):
    assert same(count_states(states, edges=[0, edge]).sum(axis=-1), count_states(states))
    assert same(count_states(states[:, :edge]) + count_states(states[:, edge:]), count_states(states))


@pytest.mark.parametrize("minutes", [1, 7, 1440, 2040, 2041, 44_640])
def test_a_row_of_any_length_is_counted_exactly(minutes):
    volts = np.random.default_rng(minutes).normal(220.0, 20.0, (3, minutes)).astype(np.float32)
    assert same(count_minutes(volts, D_POINT), count_states(minute_states(volts, D_POINT)))
