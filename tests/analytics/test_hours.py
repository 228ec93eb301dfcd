"""Hours of an instrument: a mean that three quarters carry, and a share whose doubt is said."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.hours import HoursKept, hour_means, hours_kept

quarter = st.one_of(st.just(float("nan")), st.floats(0, 10))


def test_hand_worked_hours():
    """Means 2 and none; 1.5 breaks a limit of 1, 0.5 keeps it, an unknown hour does neither."""
    nan = float("nan")
    assert hour_means([1, 2, 3, nan, 1, 1, nan, nan]).tolist()[:1] == [2.0]
    assert math.isnan(hour_means([1, 1, nan, nan])[0])
    kept = hours_kept([0.5, 1.5, nan, 0.5], np.array([0.5, 1.5, nan, 0.5]) > 1)
    assert (kept.kept, kept.valid, kept.expected, kept.kept_pct) == (2, 3, 4, pytest.approx(200 / 3))
    assert kept.bounds_pct == (50.0, 75.0)


def test_parts_of_an_hour_are_refused():
    with pytest.raises(ValueError, match="whole hours"):
        hour_means([1.0, 2.0])


def test_nothing_expected_is_not_a_number():
    none = HoursKept(0, 0, 0)
    assert all(math.isnan(value) for value in (none.kept_pct, none.coverage_pct, *none.bounds_pct))


@given(st.lists(quarter, min_size=4, max_size=80).map(lambda rows: rows[: len(rows) // 4 * 4]))
def test_what_is_unknown_lies_between_the_bounds(quarters):
    means = hour_means(quarters)
    low, high = hours_kept(means, means > 5).bounds_pct
    guesses = (np.where(np.isnan(means), guess, means) for guess in (0.0, 10.0))
    for filled in guesses:
        assert low - 1e-9 <= hours_kept(filled, filled > 5).kept_pct <= high + 1e-9
