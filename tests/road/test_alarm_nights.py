"""Nights on the whole road, as scripts: what is hidden, who is called in turn, and by which way.

As in `test_alarms`, every process is the product's own, and a slow machine moves instants, not pages.
"""

from datetime import datetime
from pathlib import Path

import pytest
from support.alarm_road import MINUTE_MS, ONE_CREW, PATIENT, Deed, Office, Told, at, play_road, scenario
from support.told_server import Reply

from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import Shelve
from analytics.alarms.planner import Planner
from analytics.alarms.records import Act
from simulators.county import Size
from simulators.county_files import LOCAL
from simulators.faults import Fault

SMALL = Size(feeders=2, transformers=2, line_ends=1, works=1)
FIFTY = Size(feeders=1, transformers=50, line_ends=1, works=0)
SPEED = 90.0
CHLORINE = "works-1/network_end.free_chlorine_mg_l"
PLANNED = "feeder-1/t01#supply_lost"
REFUSED = Reply(200, {"errcode": 310000, "errmsg": "sign not match"})
STEPS = """[
    {{ after_min = 0, person = "crew" }},
    {{ after_min = 5, person = "backup" }},
    {{ after_min = 15, person = "county" }},
]"""
PEOPLE = """
manager = "county"
settle_s = {settle_s}
channels = [
    {{ name = "group", kind = "dingtalk", url = "{robot}", token_file = "robot.token", per_minute = 1000 }},
    {{ name = "sms", kind = "sms_http", url = "{sms}", token_file = "robot.token", per_minute = 1000 }},
]
people = [
    {{ name = "crew", channels = ["group", "sms"], phone = "1", language = "en" }},
    {{ name = "backup", channels = ["group", "sms"], phone = "2", language = "en" }},
    {{ name = "county", channels = ["group", "sms"], phone = "3", language = "en" }},
]
"""
NIGHT = PEOPLE + f"[chains.critical]\nsteps = {STEPS}\n[chains.high]\nsteps = {STEPS}\n"
CREW, BACKUP, MANAGER = "1", "2", "3"
WITHOUT_DELAYS = (
    "profile,quantity,level,value,alarm_class,priority,on_delay_s,off_delay_s,on_readings,off_readings,deadband,"
    "verified,source,note\n"
    "network_end,free_chlorine_mg_l,L,0.05,C,high,0,0,1,1,0.01,no,the county's own,\n"
)
BACK = {"E": "B", "F": "F"}
"""ISA letter on the shelf → off it: what was on show is on show again, what a cause explains stays below it."""
pytestmark = pytest.mark.road


def called(told: Told, point: str) -> list[str]:
    """The phones that rang about a point, in order."""
    return [page.phone for page in told.calls() if page.point == point]


def heard_it_is_over(told: Told, point: str) -> set[str]:
    """Whom the word reached that it is over."""
    return {page.phone for page in told.pages if page.is_over and page.point == point}


def test_a_night_in_which_nobody_answers_and_the_robot_refuses(tmp_path: Path) -> None:
    """From 01:05 to 01:35 poles are replaced at a transformer, which is off from 01:08 to 01:28: nobody is told.

    At 01:06 the link of feeder 2's gateway goes for 45 min: crew, backup and county are called in turn. From 01:10 to
    01:40 a chlorine sensor has poor contact, and its set-point waits for nothing: each is called once. The robot
    refuses all of it with HTTP 200, so that the SMS gateway gets it.
    """
    opens = datetime.fromtimestamp(at(1 + 5 / 60) / 1000, LOCAL).replace(tzinfo=None).isoformat()
    window = f'[[windows]]\nname = "poles"\nasset = "f1-t01"\nstart = {opens}\nhours = 0.5\n'
    faults = [
        Fault("transformer_outage", "f1-t01", at(1 + 8 / 60), at(1 + 28 / 60)),
        Fault("backhaul_loss", "feeder-2", at(1.1), at(1.85)),
        Fault("chattering_sensor", CHLORINE, at(1 + 10 / 60), at(1 + 40 / 60)),
    ]
    office = Office(NIGHT + window, REFUSED, WITHOUT_DELAYS)
    told = play_road(
        tmp_path,
        scenario(SMALL, faults),
        at(1),
        at(2),
        speed=SPEED,
        until=lambda _, told: {CREW, BACKUP, MANAGER} <= heard_it_is_over(told, "feeder-2"),
        office=office,
    )

    assert called(told, "feeder-1/t01") == []
    (shut,) = (page for page in told.pages if "Window poles is over" in page.text)
    assert (shut.phone, PLANNED in shut.text) == (MANAGER, True)

    assert called(told, "feeder-2") == [CREW, BACKUP, MANAGER]
    assert heard_it_is_over(told, "feeder-2") == {CREW, BACKUP, MANAGER}

    assert called(told, CHLORINE) == [CREW, BACKUP, MANAGER]
    (chatter,) = (one for one in told.occurrences if one.alarm == f"{CHLORINE}#low_chattering")
    assert chatter.value is not None
    assert chatter.value >= 6

    assert {page.point for page in told.calls()} == {"feeder-2", CHLORINE}
    assert {page.point for page in told.calls()} <= {page.point for page in told.refused}
    assert all(page.phone for page in told.pages)
    assert told.crashes == []


def test_a_hundred_shelves_that_expire_bring_each_alarm_back_once_and_call_nobody(tmp_path: Path) -> None:
    """At 06:10 the feeder trips; at 06:18 all that stands at its stations is shelved for ten minutes.

    Far out on so long a line the voltage was too low before: that comes back as it was, what the feeder explains
    comes back below it, and nobody but who was called about the feeder hears anything.
    """
    outage = Fault("feeder_trip", "f1", at(6 + 1 / 6), at(8))
    deeds = [Deed(at(6.3), shelve_stations)]
    office = Office(PATIENT + ONE_CREW)
    told = play_road(tmp_path, scenario(FIFTY, [outage]), at(6.05), at(6.55), speed=60.0, deeds=deeds, office=office)
    shelved = {row.alarm: row.after for row in told.audit if row.act == "Shelve"}
    expired = [row for row in told.audit if row.act == "ShelfExpired"]
    assert len(shelved) >= 100
    assert set(shelved.values()) == {"E", "F"}
    assert len(expired) == len(shelved)
    assert {row.alarm: row.after for row in expired} == {alarm: BACK[letter] for alarm, letter in shelved.items()}
    assert [page.point for page in told.calls()] == ["qingshui-substation/feeder1"]
    assert told.crashes == []


def shelve_stations(database: AlarmDatabase, planner: Planner, now_ms: int) -> None:
    """Shelve what stands at the feeder's stations for ten minutes."""
    shelf = Shelve(now_ms, now_ms + 10 * MINUTE_MS)
    for record in database.records(only_standing=True):
        if record.id.startswith("feeder-1/t"):
            planner.act(database, record.id, Act(shelf, now_ms, "li", "the feeder is out"), now_ms=now_ms)
