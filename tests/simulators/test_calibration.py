"""A small version of the calibration bench: five county-months, and what the simulator promises."""

import numpy as np
import pytest

from simulators.calibration import simulate_month
from simulators.calibration_score import score_months

MONTHS = range(1000, 1005)


@pytest.fixture(scope="module")
def scores():
    return score_months(MONTHS, missing=0.05, workers=1)


def test_the_bounds_of_every_month_contain_the_true_rs1(scores) -> None:
    assert all(score.contained for score in scores)


def test_the_bounds_are_narrow_where_a_twentieth_of_the_readings_is_missing(scores) -> None:
    assert all(0.03 < score.missing < 0.08 for score in scores)
    assert max(score.width_pct for score in scores) < 0.02


def test_simple_methods_err_far_more_than_the_width_of_the_bounds(scores) -> None:
    """Silence = outage loses what the modems lost; silence = supply does not see terminals that died with the line."""
    naive = min(abs(score.naive_pct - score.true_pct) for score in scores)
    assert naive > 10 * max(score.width_pct for score in scores)
    assert all(score.optimistic_pct > score.high_pct for score in scores)


def test_nearly_no_interruption_is_missed_or_made_up(scores) -> None:
    assert sum(score.missed for score in scores) <= 0.02 * sum(score.interruptions for score in scores)
    assert sum(score.false for score in scores) <= 0.02 * sum(score.found for score in scores)


def test_a_seed_gives_the_same_month() -> None:
    one, again = simulate_month(7), simulate_month(7)
    assert one.true_rs_pct() == again.true_rs_pct()
    assert np.array_equal(one.readings.t_ms, again.readings.t_ms)
