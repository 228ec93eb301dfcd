"""Figures about the alarms themselves, by hand and against a plain loop."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms.performance import DAY_MS, HOUR_MS, SLOT_MS, Performance, floods, performance

MINUTE = 60_000


def day(onsets: list[int], *, alarm: list[int] | None = None, severity: list[int] | None = None) -> Performance:
    """Occurrences of one minute each, nobody acknowledges."""
    count = len(onsets)
    return performance(
        onsets,
        [onset + MINUTE for onset in onsets],
        [math.nan] * count,
        alarm or list(range(count)),
        severity or [2] * count,
        start_ms=0,
        end_ms=DAY_MS,
    )


def test_a_day_of_144_alarms_is_one_in_ten_minutes() -> None:
    figures = day([slot * SLOT_MS for slot in range(144)])
    assert (figures.per_day, figures.per_hour, figures.per_10_min, figures.max_per_10_min) == (144, 6, 1, 1)
    assert figures.flood_share == 0


def test_a_flood_lasts_from_ten_alarms_to_fewer_than_five() -> None:
    """12, 7, 5 and 4 in four slots: three of 144 in flood, one over ten."""
    onsets = [slot * SLOT_MS + place for slot, count in enumerate([12, 7, 5, 4]) for place in range(count)]
    figures = day(onsets)
    assert figures.flood_share == 3 / 144
    assert figures.slots_over_10_share == 1 / 144


def test_three_onsets_within_a_minute_are_chatter_and_two_are_not() -> None:
    assert day([0, 20_000, 60_000, HOUR_MS, HOUR_MS + 1], alarm=[1, 1, 1, 2, 2]).chattering == 1


def test_the_top_ten_take_their_share() -> None:
    assert day(list(range(20)), alarm=[0] * 9 + list(range(1, 12))).top_10_share == 18 / 20


def test_an_alarm_that_stands_longer_than_a_day_is_stale_and_stands() -> None:
    figures = performance(
        [0, HOUR_MS], [math.nan, 2 * HOUR_MS], [math.nan, 2 * HOUR_MS], [1, 2], [3, 4], start_ms=0, end_ms=2 * DAY_MS
    )
    assert (figures.stale, figures.standing) == (1, 1)
    assert figures.priority_share == (0, 0, 0.5, 0.5)
    assert figures.ack_median_s == 3600


def test_a_quiet_day_has_no_shares() -> None:
    figures = day([])
    assert figures.annunciated == 0
    assert math.isnan(figures.top_10_share)
    assert math.isnan(figures.ack_p90_s)


def test_an_empty_period_and_uneven_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="period"):
        performance([], [], [], [], [], start_ms=5, end_ms=5)
    with pytest.raises(ValueError, match="length"):
        performance([1], [], [], [], [], start_ms=0, end_ms=5)


@given(st.lists(st.integers(0, 20), max_size=60))
def test_floods_equal_a_plain_loop(counts: list[int]) -> None:
    expected, flooded = [], False
    for count in counts:
        flooded = count >= 10 or (flooded and count >= 5)
        expected.append(flooded)
    assert floods(counts).tolist() == expected
