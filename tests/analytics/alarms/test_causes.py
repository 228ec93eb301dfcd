"""Causes and consequences on the asset graph."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms.causes import Active, asset_graph, explanations, quorum, root_causes

SUPPLY, PUMP, SILENCE = 0, 1, 2
MINUTE = 60_000
LAGS = np.array([[5 * MINUTE, 10 * MINUTE, 60 * MINUTE], [-1, -1, -1], [-1, -1, 5 * MINUTE]])


def active(*alarms: tuple[int, int, int]) -> Active:
    """Each as (asset, class, onset in seconds)."""
    asset, kind, onset_s = np.array(alarms, np.int64).reshape(-1, 3).T
    return Active(asset, kind, onset_s * 1000)


def test_a_feeder_lost_over_fifty_stations_is_one_cause() -> None:
    """Feeder 0, stations 1 to 50 below it: their pumps stop and fall silent after it."""
    graph = asset_graph(51, child=range(1, 51), parent=[0] * 50)
    alarms = active((0, SUPPLY, 0), *[(s, PUMP, 20) for s in range(1, 51)], *[(s, SILENCE, 900) for s in range(1, 51)])
    assert set(root_causes(graph, alarms, explanations(graph, alarms, LAGS)).tolist()) == {0}


def test_a_consequence_may_be_seen_before_its_cause_within_the_clock_skew() -> None:
    graph = asset_graph(2, child=[1], parent=[0])
    alarms = active((0, SUPPLY, 2), (1, PUMP, 1))
    assert root_causes(graph, alarms, explanations(graph, alarms, LAGS)).tolist() == [0, 0]


def test_what_began_long_before_the_cause_is_not_its_consequence() -> None:
    graph = asset_graph(2, child=[1], parent=[0])
    alarms = active((0, SUPPLY, 600), (1, PUMP, 0))
    assert root_causes(graph, alarms, explanations(graph, alarms, LAGS)).tolist() == [0, 1]


def test_a_cause_beside_it_explains_nothing() -> None:
    graph = asset_graph(3, child=[1, 2], parent=[0, 0])
    alarms = active((1, SUPPLY, 0), (2, PUMP, 5))
    assert explanations(graph, alarms, LAGS).nnz == 0


def test_the_root_is_the_highest_cause_of_a_chain() -> None:
    graph = asset_graph(4, child=[1, 2, 3], parent=[0, 1, 2])
    alarms = active((3, SILENCE, 40), (2, SUPPLY, 1), (1, SUPPLY, 0), (0, SUPPLY, 1))
    assert root_causes(graph, alarms, explanations(graph, alarms, LAGS)).tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize(("child", "parent"), [([0], [0]), ([0, 1], [1, 0]), ([0, 1, 2], [1, 2, 0])])
def test_a_cycle_is_refused_by_name(child: list[int], parent: list[int]) -> None:
    with pytest.raises(ValueError, match="cycle"):
        asset_graph(3, child, parent)


def test_two_parents_both_explain() -> None:
    """A village hangs on two water works."""
    graph = asset_graph(3, child=[2, 2], parent=[0, 1])
    alarms = active((1, SUPPLY, 0), (2, PUMP, 10))
    assert root_causes(graph, alarms, explanations(graph, alarms, LAGS)).tolist() == [0, 0]


@pytest.mark.parametrize(("silent", "total", "found"), [(2, 2, False), (3, 4, True), (3, 5, False), (7, 10, True)])
def test_seven_in_ten_and_at_least_three_make_a_quorum(silent: int, total: int, found: bool) -> None:
    flags = [True] * silent + [False] * (total - silent)
    assert (quorum([0] * total, flags).tolist() == [0]) == found


trees = st.lists(st.integers(0, 30), min_size=1, max_size=30)


@given(trees, st.data())
def test_a_root_is_unexplained_by_anything_earlier_and_lies_above(seeds: list[int], data: st.DataObject) -> None:
    parents = [seed % (number + 1) for number, seed in enumerate(seeds)]
    graph = asset_graph(len(parents) + 1, child=range(1, len(parents) + 1), parent=parents)
    assets = data.draw(st.lists(st.integers(0, len(parents)), min_size=1, max_size=20))
    alarms = active(*[(asset, SUPPLY, data.draw(st.integers(0, 600))) for asset in assets])
    roots = root_causes(graph, alarms, explanations(graph, alarms, LAGS))
    assert (roots[roots] == roots).all()
    assert all(graph.above[alarms.asset[i], alarms.asset[root]] for i, root in enumerate(roots))
