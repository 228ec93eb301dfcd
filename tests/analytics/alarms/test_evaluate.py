"""From readings to conditions: which alarm, how grave, live or late."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms.evaluate import LIVE_MS, Evaluation, Turn
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


def readings(*rows: tuple[str, float, float], quality: int = 0) -> Columns:
    """Each as (point, minute, value)."""
    points = tuple(dict.fromkeys(row[0] for row in rows))
    return Columns(
        points,
        np.array([points.index(row[0]) for row in rows], np.int32),
        np.array([NOW + int(row[1] * MINUTE) for row in rows], np.int64),
        np.array([row[2] for row in rows], float),
        np.full(len(rows), quality, np.uint8),
    )


def raised(evaluation: Evaluation, rows: Columns, delay_ms: int = 0) -> dict[str, Severity | None]:
    """Alarm → severity now, for every alarm that a live reading moved."""
    turns = evaluation.take(rows, int(rows.t_ms.max()) + delay_ms)[0] if len(rows) else []
    watched = evaluation.watch
    moved = {int(watched.alarm_of[turn.rule]) for turn in turns}
    return {watched.alarms[alarm].id: watched.holding(evaluation.live.holds, alarm) for alarm in moved}


def arrive(evaluation: Evaluation, part: list[tuple[str, int, float]]) -> list[Turn]:
    """Each reading as it was read."""
    return [turn for row in part for turn in evaluation.take(readings(row), NOW + row[1] * MINUTE)[0]]


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
    live, late = evaluation.take(rows, int(rows.t_ms.max()) + LIVE_MS + 1)
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
    once = [t for part in (series,) if part for t in arrive(whole, part)]
    parts = [part for part in (series[:cut], series[cut:]) if part]
    twice = [turn for part in parts for turn in arrive(sliced, part)]
    assert sorted(map(repr, once)) == sorted(map(repr, twice))


def test_a_snapshot_carries_on_where_it_was_taken(watched: Watch) -> None:
    first, second = Evaluation(watched), Evaluation(watched)
    rows = readings(*[(TURBIDITY, minute, 1.5) for minute in range(10)])
    first.take(rows, int(rows.t_ms.max()))
    assert second.restore(first.snapshot())
    rest = readings(*[(TURBIDITY, minute, 1.5) for minute in range(10, 20)])
    assert repr(first.take(rest, int(rest.t_ms.max()))) == repr(second.take(rest, int(rest.t_ms.max())))


def test_a_changed_register_keeps_the_memory_of_rules_that_stay(watched: Watch) -> None:
    """The point of the supply leaves; turbidity has been beyond its set-point for 10 of its 15 minutes."""
    evaluation = Evaluation(watched)
    rows = readings(*[(TURBIDITY, minute, 1.5) for minute in range(10)])
    evaluation.take(rows, int(rows.t_ms.max()))
    register = Register({}, county().assets, {TURBIDITY: county().points[TURBIDITY]}, ())
    smaller = Evaluation(watch(register, load_setpoints()))
    assert smaller.restore(evaluation.snapshot())
    assert raised(smaller, readings(*[(TURBIDITY, minute, 1.5) for minute in range(10, 17)])) == {
        f"{TURBIDITY}#high": Severity.HIGH
    }


def test_a_changed_set_point_begins_afresh(watched: Watch) -> None:
    evaluation = Evaluation(watched)
    rows = readings(*[(TURBIDITY, minute, 1.5) for minute in range(17)])
    evaluation.take(rows, int(rows.t_ms.max()))
    others = [replace(one, value=one.value + 0.1) for one in load_setpoints()]
    changed = Evaluation(watch(county(), others))
    assert changed.restore(evaluation.snapshot())
    assert not changed.live.holds[changed.watch.rules_of[TURBIDITY]].any()


def test_a_site_whose_clock_is_set_back_is_not_deaf_until_that_clock_has_caught_up(watched: Watch) -> None:
    """Eight minutes ahead, then right: the next dead reading counts."""
    evaluation = Evaluation(watched)
    ahead = readings(*[(phase, 8, 231.0) for phase in PHASES])
    evaluation.take(ahead, NOW)
    right = readings(*[(phase, 1, 0.0) for phase in PHASES])
    assert raised(evaluation, right) == {"qingshui/meter#supply_lost": Severity.CRITICAL}


def test_a_condition_that_comes_and_goes_is_held_on_until_it_is_calm(watched: Watch) -> None:
    """Dead and back every 10 s: the third loss within a minute stays on for a minute more, then for 90 s, and so on."""
    evaluation = Evaluation(watched)
    turns = []
    for second in range(0, 600, 10):
        rows = readings(*[(phase, second / 60, 0.0 if second % 20 == 0 else 231.0) for phase in PHASES])
        turns += evaluation.take(rows, int(rows.t_ms.max()))[0]
    assert len(turns) == 3 * 5
    calm = readings(*[(phase, minute, 231.0) for minute in range(10, 80) for phase in PHASES])
    turns = evaluation.take(calm, int(calm.t_ms.max()))[0]
    assert [turn.rose for turn in turns] == [False] * 3
    assert not evaluation.live.stretched_ms.any()
