"""What is asked of `alarms.db` by those who show it, and acts that name the occurrence they were meant for."""

from pathlib import Path

import pytest
from support.alarm_script import START_MS, Play, county

from analytics.alarms import queries
from analytics.alarms.events import Acknowledge, Severity
from analytics.alarms.planner import OccurrenceOver
from analytics.alarms.queries import Filter
from analytics.alarms.records import Act
from analytics.alarms.state import IllegalTransition

FEEDER, STATION = "head/meter#supply_lost", "st-0/meter#supply_lost"


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """The feeder and the station below it lose their supply; the crew is told."""
    play = Play(tmp_path, county(1))
    play.say_all({"head": {"meter.voltage_v": 0.0}, "st-0": {"meter.voltage_v": 0.0}})
    play.minute(2)
    return play


def test_a_feeder_explains_its_station_and_each_has_one_occurrence(play: Play) -> None:
    with play.database.reading() as connection:
        latest = queries.newest(connection, [FEEDER, STATION, "head/no#alarm"])
        assert sorted(latest) == [FEEDER, STATION]
        assert [found.alarm for found in queries.explained(connection, FEEDER)] == [STATION]
        assert queries.explained_counts(connection) == {FEEDER: 1}
        assert queries.occurrence(connection, latest[FEEDER].id) == latest[FEEDER]
        assert queries.occurrence(connection, 99) is None
        assert queries.onsets_since(connection, FEEDER, 0) == [START_MS]


def test_history_is_paged_newest_first_and_filtered_by_severity_place_and_name(play: Play) -> None:
    whole = Filter(0, 2**62)
    with play.database.reading() as connection:
        first, total = queries.history(connection, whole, limit=1)
        rest, _ = queries.history(connection, whole, limit=5, offset=1)
        grave, _ = queries.history(connection, Filter(0, 2**62, (Severity.CRITICAL,)), limit=5)
        of_station, _ = queries.history(connection, Filter(0, 2**62, assets=("station_0",)), limit=5)
        named, _ = queries.history(connection, Filter(0, 2**62, alarm="head/"), limit=5)
        before, none = queries.history(connection, Filter(0, START_MS), limit=5)
    assert total == 2
    assert len(first) == len(rest) == 1
    assert first[0].id > rest[0].id
    assert [one.alarm for one in grave] == [one.alarm for one in named] == [FEEDER]
    assert [one.alarm for one in of_station] == [STATION]
    assert (before, none) == ([], 0)


def test_notices_tell_who_heard_and_who_is_next_until_somebody_acknowledges(play: Play) -> None:
    with play.database.reading() as connection:
        told = [(one.recipient, one.state) for one in queries.notices(connection, FEEDER, 1)]
    assert told == [("crew", "accepted"), ("backup", "queued"), ("county", "queued")]
    play.act(FEEDER, Acknowledge(), "crew")
    with play.database.reading() as connection:
        told = [(one.recipient, one.state) for one in queries.notices(connection, FEEDER, 1)]
        assert queries.dead_notices(connection, 0) == 0
    assert told == [("crew", "accepted"), ("backup", "cancelled"), ("county", "cancelled")]


def test_it_is_known_who_heard_of_each_alarm_and_who_is_next(play: Play) -> None:
    with play.database.reading() as connection:
        told = queries.told(connection, [FEEDER])
    crew, backup = told[FEEDER, 1].heard[0], told[FEEDER, 1].next_name
    assert (crew[0], backup) == ("crew", "backup")
    assert START_MS < crew[1] < told[FEEDER, 1].next_ms


def test_records_are_had_by_their_ids_and_the_instant_of_the_next_occurrence(play: Play) -> None:
    assert list(play.database.records_of([FEEDER, "no#alarm"])) == [FEEDER]
    with play.database.reading() as connection:
        assert queries.next_onset_ms(connection, FEEDER, 0) == START_MS
        assert queries.next_onset_ms(connection, FEEDER, 1) is None


def test_an_act_meant_for_another_occurrence_changes_nothing(play: Play) -> None:
    planner, act = play.engine.planner, Act(Acknowledge(), play.now_ms, "wang")
    with pytest.raises(OccurrenceOver, match="come again"):
        planner.act(play.database, FEEDER, act, now_ms=play.now_ms, occurrence=7)
    assert play.states()[FEEDER] == "B"
    assert issubclass(OccurrenceOver, IllegalTransition)
    planner.act(play.database, FEEDER, act, now_ms=play.now_ms, occurrence=1)
    assert play.states()[FEEDER] == "C"


def test_the_work_order_of_an_occurrence_is_found(play: Play) -> None:
    play.minute(2)
    with play.database.reading() as connection:
        number = queries.work_order_of(connection, FEEDER, 1)
        assert queries.work_order_of(connection, FEEDER, 2) is None
    assert number == 1
