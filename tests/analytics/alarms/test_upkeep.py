"""MTBF, MTTR, MTTA and trend, worked by hand and against plain loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.alarms.upkeep import Failures, crow_amsaa, mean_time_to_acknowledge_min, merged, upkeep

HOUR = 3_600_000
MINUTE = 60_000


def failures(*hours: tuple[float, float]) -> Failures:
    return merged([0] * len(hours), [int(a * HOUR) for a, _ in hours], [int(b * HOUR) for _, b in hours])


def test_three_failures_of_a_year_by_hand() -> None:
    """8760 h, of which 2 + 3 + 1 h failed and 54 h were unknown: 8700 h of operation, 2900 h between failures."""
    found = upkeep(failures((100, 102), (4000, 4003), (8000, 8001)), observed_h=8760, unknown_h=54)
    assert (found.failures, found.mtbf_h, found.mttr_h) == (3, 2900.0, 2.0)
    assert found.availability == pytest.approx(2900 / 2902)
    assert found.mtbf_low_h == pytest.approx(2 * 8700 / stats.chi2.ppf(0.975, 8))
    assert found.mtbf_high_h == pytest.approx(2 * 8700 / stats.chi2.ppf(0.025, 6))


def test_without_a_failure_only_the_lower_bound_is_said() -> None:
    """2·T / χ²(0.95, 2) = T / 3.0"""
    found = upkeep(failures(), observed_h=3000)
    assert found.mtbf_low_h == pytest.approx(3000 / 2.9957, rel=1e-4)
    assert math.isnan(found.mtbf_h)
    assert math.isinf(found.mtbf_high_h)


def test_more_down_time_than_time_is_refused() -> None:
    with pytest.raises(ValueError, match="more than the 10 h observed"):
        upkeep(failures((0, 20)), observed_h=10)


def test_failures_of_two_assets_are_never_merged() -> None:
    found = merged([2, 1, 1], [0, 0, 40 * MINUTE], [10 * MINUTE, 20 * MINUTE, 50 * MINUTE])
    assert found.asset.tolist() == [1, 2]
    assert (found.restored_ms // MINUTE).tolist() == [50, 10]


def test_a_failure_within_a_longer_one_ends_with_it() -> None:
    assert (failures((0, 10), (1, 2), (10.4, 11)).restored_ms // HOUR).tolist() == [11]


def test_uneven_columns_and_failures_that_end_early_are_refused() -> None:
    with pytest.raises(ValueError, match="length"):
        merged([0], [0, 1], [1, 2])
    with pytest.raises(ValueError, match="before it begins"):
        merged([0], [5], [4])


def test_acknowledgements_that_never_came_are_left_out() -> None:
    assert mean_time_to_acknowledge_min([0, MINUTE], [4 * MINUTE, math.nan]) == 4.0
    assert math.isnan(mean_time_to_acknowledge_min([0], [math.nan]))


def test_a_trend_above_one_is_deterioration_and_even_spacing_is_about_one() -> None:
    assert crow_amsaa([7000, 8000, 8500], 8760) > 1
    assert crow_amsaa(np.arange(1, 101) * 87.6, 8760) == pytest.approx(1, abs=0.06)
    assert math.isnan(crow_amsaa([100], 8760))
    with pytest.raises(ValueError, match="outside the period"):
        crow_amsaa([9000, 10], 8760)


intervals = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 500), st.integers(0, 90)), max_size=25)


@given(intervals, st.integers(0, 60))
def test_merging_equals_a_plain_loop(rows: list[tuple[int, int, int]], merge: int) -> None:
    found = merged([r[0] for r in rows], [r[1] for r in rows], [r[1] + r[2] for r in rows], merge_ms=merge)
    expected: list[list[int]] = []
    for asset, onset, length in sorted(rows):
        if expected and expected[-1][0] == asset and onset < expected[-1][2] + merge:
            expected[-1][2] = max(expected[-1][2], onset + length)
        else:
            expected.append([asset, onset, onset + length])
    assert np.column_stack([found.asset, found.onset_ms, found.restored_ms]).tolist() == expected
