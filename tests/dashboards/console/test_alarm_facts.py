"""How bad an alarm is, worked by hand on a feeder with two stations."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from support.alarm_script import MINUTE_MS, START_MS, Play, county

from analytics.alarms import queries
from analytics.limit_files import load_setpoints
from dashboards.console.views.alarm_facts import HowBad, how_bad
from dashboards.console.views.alarms_rows import Context, rows
from edge.wire import Quality
from ingest.store import Columns
from ingest.store_sqlite import SqliteStore

SETPOINTS = load_setpoints()
FEEDER, STATION, SILENT = "head/meter#supply_lost", "st-0/meter#supply_lost", "st-0/meter#silent"


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """The feeder and both of its stations are dark for 30 minutes."""
    play = Play(tmp_path, county(2))
    play.say_all({site: {"meter.voltage_v": 0.0} for site in ("head", "st-0", "st-1")})
    play.minute(30)
    return play


def facts(play: Play, alarm: str, readings: dict[str, tuple[int, float, Quality]]) -> HowBad:
    """The facts of an alarm, given each point's newest reading."""
    with play.database.reading() as connection:
        newest = queries.newest(connection, [alarm])
    [row] = rows(Context(play.register, SETPOINTS, {}), list(play.database.records_of([alarm]).values()), newest)
    with closing(SqliteStore(play.folder / "store.db")) as store:
        names = tuple(readings)
        columns = list(zip(*readings.values(), strict=True))
        store.append(
            Columns(
                names,
                np.arange(len(names), dtype=np.int32),
                np.array(columns[0], np.int64),
                np.array(columns[1], float),
                np.array(columns[2], np.uint8),
            )
        )
        return how_bad(store, play.register, SETPOINTS, row, now_ms=play.now_ms)


def test_customers_without_supply_and_what_was_lost(play: Play) -> None:
    """1 customer at the feeder and 1 at each station, for half an hour: 1.5 customer-hours."""
    found = facts(play, FEEDER, {"head/meter.voltage_v": (play.now_ms, 0.0, Quality.GOOD)})
    assert (found.customers, found.lost_customer_h) == (3, 1.5)
    assert found.measured is not None
    assert (found.measured.value, found.measured.unit, found.measured.is_old) == (0.0, "V", False)
    assert found.upstream is None


def test_the_meter_above_tells_where_to_look(play: Play) -> None:
    readings = {
        "st-0/meter.voltage_v": (START_MS, 0.0, Quality.GOOD),
        "head/meter.voltage_v": (play.now_ms, 221.0, Quality.GOOD),
    }
    found = facts(play, STATION, readings)
    assert found.upstream is not None
    assert (found.upstream.name.en, found.upstream.measured.value) == ("feeder_1", 221.0)
    assert found.measured is not None
    assert found.measured.is_old
    assert (found.measured.limits.low, found.measured.limits.high) == (198.0, pytest.approx(235.4))


def test_a_reading_without_a_value_is_never_a_number(play: Play) -> None:
    found = facts(play, STATION, {"st-0/meter.voltage_v": (play.now_ms, float("nan"), Quality.BAD_NO_ANSWER)})
    assert found.measured is not None
    assert (found.measured.value, found.measured.is_bad) == (None, True)


def test_a_silent_device_says_when_it_was_heard_last(play: Play) -> None:
    for _ in range(3):
        play.say("st-0", meter__voltage_v=None)
        play.minute(1)
    found = facts(play, SILENT, {"st-0/meter.voltage_v": (START_MS + 5 * MINUTE_MS, 0.0, Quality.GOOD)})
    assert (found.measured, found.heard_ms, found.lost_customer_h) == (None, START_MS + 5 * MINUTE_MS, None)
