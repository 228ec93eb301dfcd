"""From readings to conditions: which alarm, how grave, live or late."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms.evaluate import LIVE_MS, Evaluation
from analytics.alarms.events import Severity
from analytics.alarms.watch import Watch, watch
from analytics.limit_files import load_setpoints
from edge.wire import Quality
from ingest.register import Asset, PointEntry, Register
from ingest.store import Columns

MINUTE = 60_000
NOW = 1_764_000_000_000
TURBIDITY = "qingshui/outlet.turbidity_ntu"
PHASES = [f"qingshui/meter.l{phase}.voltage_v" for phase in (1, 2, 3)]


def asset(name: str, kind: str) -> Asset:
    return Asset(name, kind, name, name, "150122", None, 0, None, None, None, None)


def county() -> Register:
    points = [PointEntry(TURBIDITY, "qingshui", "", "works_outlet", None)]
    points += [PointEntry(name, "feeder_1", "D", "gb12325-220", 220.0) for name in PHASES]
    assets = {"qingshui": (asset("qingshui", "water_works"),), "feeder_1": (asset("feeder_1", "feeder"),)}
    return Register({}, assets, {entry.point: entry for entry in points}, ())


@pytest.fixture(scope="module")
def watched() -> Watch:
    return watch(county(), load_setpoints())


def readings(*rows: tuple[str, int, float], quality: int = 0) -> Columns:
    """Each as (point, minute, value)."""
    points = tuple(dict.fromkeys(row[0] for row in rows))
    return Columns(
        points,
        np.array([points.index(row[0]) for row in rows], np.int32),
        np.array([NOW + row[1] * MINUTE for row in rows], np.int64),
        np.array([row[2] for row in rows], float),
        np.full(len(rows), quality, np.uint8),
    )


def raised(evaluation: Evaluation, rows: Columns, delay_ms: int = 0) -> dict[str, Severity | None]:
    """Alarm → severity now, for every alarm that a live reading moved."""
    turns, _ = evaluation.take(rows, rows.t_ms + delay_ms)
    watched = evaluation.watch
    moved = {int(watched.alarm_of[turn.rule]) for turn in turns}
    return {watched.alarms[alarm].id: watched.holding(evaluation.live.holds, alarm) for alarm in moved}


def test_two_set_points_of_one_direction_are_one_alarm_that_grows_graver(watched: Watch) -> None:
    evaluation = Evaluation(watched)
    first = raised(evaluation, readings(*[(TURBIDITY, minute, 1.5) for minute in range(17)]))
    assert first == {f"{TURBIDITY}#high": Severity.HIGH}
    then = raised(evaluation, readings(*[(TURBIDITY, minute, 3.5) for minute in range(17, 40)]))
    assert then == {f"{TURBIDITY}#high": Severity.CRITICAL}


def test_supply_is_lost_where_all_phases_are_dead_and_a_feeder_is_graver(watched: Watch) -> None:
    evaluation = Evaluation(watched)
    assert raised(evaluation, readings((PHASES[0], 0, 0.0), (PHASES[1], 0, 0.0))) == {
        "qingshui/meter#supply_lost": None
    }
    assert raised(evaluation, readings((PHASES[2], 0, 3.0))) == {"qingshui/meter#supply_lost": Severity.CRITICAL}


def test_a_device_that_does_not_answer_twice_is_silent_and_its_values_are_held(watched: Watch) -> None:
    evaluation = Evaluation(watched)
    dead = int(Quality.BAD_NO_ANSWER)
    assert raised(evaluation, readings((TURBIDITY, 0, math.nan), quality=dead)) == {}
    assert raised(evaluation, readings((TURBIDITY, 1, math.nan), quality=dead)) == {
        "qingshui/outlet#silent": Severity.MEDIUM
    }
    assert not evaluation.live.holds[watched.rules_of[TURBIDITY]][:-1].any()


def test_late_readings_write_history_and_raise_nothing(watched: Watch) -> None:
    evaluation = Evaluation(watched)
    rows = readings(*[(TURBIDITY, minute, 2.0) for minute in range(30)])
    live, late = evaluation.take(rows, rows.t_ms + LIVE_MS + 1)
    assert live == []
    assert [turn.rose for turn in late] == [True, True]
    assert not evaluation.live.holds.any()


def test_an_unwatched_point_is_passed_over(watched: Watch) -> None:
    assert raised(Evaluation(watched), readings(("other/x.ph", 0, 99.0))) == {}


@given(st.lists(st.tuples(st.sampled_from([TURBIDITY, *PHASES]), st.floats(0, 300)), max_size=60), st.data())
def test_any_slicing_of_the_same_readings_gives_the_same_changes(
    rows: list[tuple[str, float]], data: st.DataObject
) -> None:
    watched = watch(county(), load_setpoints())
    series = [(point, minute, value) for minute, (point, value) in enumerate(rows)]
    cut = data.draw(st.integers(0, len(series)))
    whole, sliced = Evaluation(watched), Evaluation(watched)
    once = [t for part in (series,) if part for t in whole.take(readings(*part), readings(*part).t_ms)[0]]
    parts = [part for part in (series[:cut], series[cut:]) if part]
    twice = [turn for part in parts for turn in sliced.take(readings(*part), readings(*part).t_ms)[0]]
    assert sorted(map(repr, once)) == sorted(map(repr, twice))


def test_a_snapshot_carries_on_where_it_was_taken(watched: Watch) -> None:
    first, second = Evaluation(watched), Evaluation(watched)
    rows = readings(*[(TURBIDITY, minute, 1.5) for minute in range(10)])
    first.take(rows, rows.t_ms)
    assert second.restore(first.snapshot())
    rest = readings(*[(TURBIDITY, minute, 1.5) for minute in range(10, 20)])
    assert repr(first.take(rest, rest.t_ms)) == repr(second.take(rest, rest.t_ms))


def test_a_snapshot_of_other_rules_is_not_taken(watched: Watch) -> None:
    empty = Evaluation(watch(Register({}, {}, {}, ()), load_setpoints()))
    assert not Evaluation(watched).restore(empty.snapshot())
