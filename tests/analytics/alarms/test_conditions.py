"""Set-points, dead-band and delays, reading by reading."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms.conditions import Memory, Rules, advance, as_rules

MINUTE = 60_000


def rule(**own: object) -> Rules:
    """Turbidity above 1.0 NTU, back at 0.9, for 2 minutes; back for 1 minute."""
    plain = {
        "point": [0],
        "is_high": [True],
        "setpoint": [1.0],
        "deadband": [0.1],
        "on_delay_ms": [2 * MINUTE],
        "off_delay_ms": [MINUTE],
        "on_readings": [1],
        "off_readings": [1],
    }
    return as_rules(**(plain | own))  # type: ignore[arg-type]


def history(rules: Rules, values: list[float], start: int = 0) -> list[tuple[int, bool]]:
    """Minute and direction of every change as the values come in, one a minute."""
    memory, found = Memory.blank(len(rules)), []
    for minute, value in enumerate(values, start):
        changes = advance(rules, memory, [0], [minute * MINUTE], [value])
        found += [(int(at) // MINUTE, bool(rose)) for at, rose in zip(changes.at_ms, changes.rose, strict=True)]
    return found


def test_a_condition_holds_once_it_has_lasted_its_on_delay_and_goes_after_its_off_delay() -> None:
    assert history(rule(), [0.5, 1.2, 1.2, 1.2, 0.5, 0.5]) == [(3, True), (5, False)]


def test_a_value_within_the_dead_band_neither_raises_nor_clears() -> None:
    assert history(rule(), [0.95, 0.95, 1.2, 1.2, 0.95, 0.95, 0.95]) == [(4, True)]


def test_exactly_at_the_set_point_is_inside() -> None:
    assert history(rule(on_delay_ms=[0]), [1.0, 1.0]) == []


def test_a_low_set_point_mirrors_a_high_one() -> None:
    low = rule(is_high=[False], setpoint=[0.3], deadband=[0.02], on_delay_ms=[0], off_delay_ms=[0])
    assert history(low, [0.4, 0.29, 0.31, 0.32, 0.33]) == [(1, True), (3, False)]


def test_missing_values_hold_the_condition_and_break_no_run() -> None:
    nan = math.nan
    assert history(rule(), [1.2, nan, 1.2, nan, nan, nan]) == [(2, True)]


def test_two_readings_in_a_row_are_asked_for_where_the_rule_says_so() -> None:
    twice = rule(on_delay_ms=[0], on_readings=[2])
    assert history(twice, [1.2, 0.5, 1.2, 1.2]) == [(3, True)]


def test_an_older_reading_changes_nothing() -> None:
    rules, memory = rule(on_delay_ms=[0]), Memory.blank(1)
    advance(rules, memory, [0], [10 * MINUTE], [0.5])
    assert len(advance(rules, memory, [0], [5 * MINUTE], [9.9]).rule) == 0


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="length"):
        rule(setpoint=[1.0, 2.0])


values = st.lists(st.one_of(st.just(math.nan), st.floats(0, 2)), max_size=40)


@given(values, st.booleans(), st.integers(0, 4), st.integers(0, 4), st.integers(1, 3), st.floats(0, 0.5))
def test_arrays_agree_with_a_naive_loop(
    series: list[float], is_high: bool, on_min: int, off_min: int, readings: int, deadband: float
) -> None:
    rules = rule(
        is_high=[is_high],
        deadband=[deadband],
        on_delay_ms=[on_min * MINUTE],
        off_delay_ms=[off_min * MINUTE],
        on_readings=[readings],
    )
    assert history(rules, series) == naive(series, is_high, on_min, off_min, readings, deadband)


def naive(
    series: list[float], is_high: bool, on_min: int, off_min: int, readings: int, deadband: float
) -> list[tuple[int, bool]]:
    found: list[tuple[int, bool]] = []
    beyond = holds = False
    run: list[int] = []
    for minute, value in enumerate(series):
        if math.isnan(value):
            continue
        past = value - 1.0 if is_high else 1.0 - value
        now = past > (-deadband if beyond else 0.0)
        run = [*run, minute] if now == beyond and run else [minute]
        beyond = now
        delay, count = (on_min, readings) if beyond else (off_min, 1)
        if beyond != holds and minute - run[0] >= delay and len(run) >= count:
            holds = beyond
            found.append((minute, holds))
    return found


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 2)), max_size=60))
def test_points_do_not_see_each_other(readings: list[tuple[int, float]]) -> None:
    """Five points in one call each time, or each alone: the same changes."""
    columns = {
        "is_high": [True] * 5,
        "setpoint": [1.0] * 5,
        "deadband": [0.1] * 5,
        "on_delay_ms": [MINUTE] * 5,
        "off_delay_ms": [0] * 5,
        "on_readings": [1] * 5,
        "off_readings": [1] * 5,
    }
    rules, memory = as_rules(point=range(5), **columns), Memory.blank(5)
    together = []
    for minute, (point, value) in enumerate(readings):
        changes = advance(rules, memory, [point], [minute * MINUTE], [value])
        together += list(zip(changes.rule.tolist(), changes.at_ms.tolist(), changes.rose.tolist(), strict=True))
    alone = []
    for point in range(5):
        mine = Memory.blank(5)
        for minute, (whose, value) in enumerate(readings):
            if whose == point:
                changes = advance(rules, mine, [point], [minute * MINUTE], [value])
                alone += [(point, int(t), bool(r)) for t, r in zip(changes.at_ms, changes.rose, strict=True)]
    assert sorted(together) == sorted(alone)
    assert np.count_nonzero(memory.holds) <= 5
