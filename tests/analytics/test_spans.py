"""Sets of spans against sets of integers, and days of runs against runs in one piece."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tiny_county import MINUTE_MS, Meter, make_tiny_county

from analytics.durations import PoweredTime, Statements, Timeline, bound_outage
from analytics.run_days import join_runs
from analytics.runs import Readings, Runs, find_runs, simple_devices
from analytics.spans import Spans, covering, cut, intersect, spans, subtract, total_ms, union
from analytics.topology import FEEDER, TRANSFORMER, Facts, climb, simple_topology

rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 15)), max_size=12)


def made(drawn: list[tuple[int, int, int]]) -> Spans:
    return spans([k for k, _, _ in drawn], [s for _, s, _ in drawn], [s + d for _, s, d in drawn])


def instants(some: Spans) -> set[tuple[int, int]]:
    return {(int(k), t) for k, s, e in zip(*some, strict=True) for t in range(int(s), int(e))}


@given(rows, rows)
def test_spans_behave_as_sets_of_instants(one: list[tuple[int, int, int]], other: list[tuple[int, int, int]]) -> None:
    a, b = made(one), made(other)
    assert instants(union(a)) == instants(a)
    assert instants(intersect(a, b)) == instants(a) & instants(b)
    assert instants(subtract(a, b)) == instants(a) - instants(b)
    assert int(total_ms(union(a), 4).sum()) == len(instants(a))


@given(rows)
def test_union_is_disjoint_sorted_and_idempotent(drawn: list[tuple[int, int, int]]) -> None:
    once = union(made(drawn))
    assert all(np.array_equal(x, y) for x, y in zip(once, union(once), strict=True))
    assert np.all((once.key[1:] > once.key[:-1]) | (once.start_ms[1:] > once.end_ms[:-1]))


@given(rows, st.integers(0, 3), st.integers(0, 60))
def test_covering_finds_the_span_that_holds_an_instant(drawn: list[tuple[int, int, int]], key: int, t_ms: int) -> None:
    held = covering(union(made(drawn)), np.array([key]), np.array([t_ms]))[0] >= 0
    assert held == ((key, t_ms) in instants(made(drawn)))


def test_a_cut_of_nothing_is_nothing() -> None:
    assert len(cut(spans([], [], []), spans([], [], [])).key) == 0


def test_a_circle_of_parents_is_refused() -> None:
    circle = simple_topology([1, 0], [0, 0], [FEEDER, TRANSFORMER])
    with pytest.raises(ValueError, match="supplies itself"):
        climb(Facts(spans([0], [0], [10]), np.array([0])), circle)


@settings(max_examples=100, deadline=None)
@given(st.data(), st.lists(st.tuples(st.integers(0, 500), st.integers(1, 120)), max_size=4))
def test_days_joined_are_the_runs_of_the_whole(data: st.DataObject, drawn: list[tuple[int, int]]) -> None:
    """Cut the readings anywhere, find the runs of each part, join them: the same as finding them at once."""
    meter = data.draw(st.builds(Meter, st.booleans(), st.booleans(), st.booleans(), st.booleans()))
    county = make_tiny_county([meter] * 6, [(1, first, first + length) for first, length in drawn], minutes=90)
    heard = np.ones((6, 91), np.bool_)
    for minute in data.draw(st.sets(st.integers(0, 90), max_size=20)):
        heard[:, minute] = False
    readings, devices = county.readings(heard), county.devices
    at = data.draw(st.integers(0, 90)) * MINUTE_MS
    parts = [find_runs(rows_of(readings, mask), devices) for mask in (readings.t_ms < at, readings.t_ms >= at)]
    assert_same(join_runs(parts, devices), find_runs(readings, devices))


def rows_of(readings: Readings, mask: np.ndarray) -> Readings:
    return Readings(**{name: column[mask] for name, column in vars(readings).items()})


def assert_same(one: Runs, other: Runs) -> None:
    for field in fields(Runs):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


def test_a_device_that_never_spoke_has_no_runs() -> None:
    assert len(join_runs([], simple_devices([0]))) == 0


def test_statements_that_contradict_each_other_are_set_aside_and_said_so() -> None:
    line = Timeline(np.array([0, 100]), np.array([0, 0]), np.array([0, 100]))
    said = Statements(np.array([0, 0]), np.array([100, 100]), np.array([80, 0]), np.array([100, 20]))
    bounds = bound_outage(line, said, PoweredTime(*[np.zeros(0, np.int64)] * 4))
    assert bounds == (0, 100, False)


def test_overlapping_statements_bound_together_what_neither_bounds_alone() -> None:
    """At most 5 in the first 60 and at most 5 in the last 60 of 100: at most 10 in all."""
    line = Timeline(np.array([0, 100]), np.array([0, 0]), np.array([0, 100]))
    said = Statements(np.array([0, 40]), np.array([60, 100]), np.array([0, 0]), np.array([5, 5]))
    assert bound_outage(line, said, PoweredTime(*[np.zeros(0, np.int64)] * 4)) == (0, 10, True)
