"""Nights at the county, as scripts: who is woken, by what, and who sleeps on."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from support.alarm_script import MINUTE_MS, SETTINGS, START_MS, Play, county
from support.told_server import Reply, told_server

from analytics.alarms.channels.robots import DingTalk
from analytics.alarms.channels.sms import SmsGateway
from analytics.alarms.events import Acknowledge, Shelve
from analytics.alarms.rota import Override, Person, Rota
from analytics.alarms.sender import Sender
from analytics.alarms.settings import ChannelSettings
from analytics.alarms.windows import Window
from ingest.register import Plan

FEEDER = "head/meter#supply_lost"
DISINFECTION = "st-0/outlet.free_chlorine_mg_l#disinfection"


def quiet(play: Play, stations: int, minutes: int = 1) -> None:
    """All is well for some minutes."""
    for _ in range(minutes):
        play.say("head", meter__voltage_v=231.0, gateway__mains_on=1.0)
        for number in range(stations):
            play.say(f"st-{number}", meter__voltage_v=229.0, outlet__free_chlorine_mg_l=0.6, gateway__mains_on=1.0)
        play.minute()


@pytest.mark.parametrize("killed_at", [None, "before the cause", "after the cause"])
def test_a_feeder_lost_over_fifty_stations_is_one_page(tmp_path: Path, killed_at: str | None) -> None:
    """The stations speak first; the feeder's own meter confirms within the settling time; the engine may be killed."""
    play = Play(tmp_path, county(50))
    quiet(play, 50)
    for number in range(50):
        play.say(f"st-{number}", meter__voltage_v=0.0, gateway__mains_on=0.0)
    play.minute(0.1)
    if killed_at == "before the cause":
        play.kill()
    play.say("head", meter__voltage_v=0.0, gateway__mains_on=0.0)
    play.minute(1)
    if killed_at == "after the cause":
        play.kill()
    play.minute(3)
    assert {page[0] for page in play.pages()} == {FEEDER}
    assert [page[1:] for page in play.pages()] == [("fired", "crew")]
    hidden = [letter for alarm, letter in play.states().items() if alarm.startswith("st-")]
    assert len(hidden) == 100
    assert set(hidden) == {"F"}
    causes = {occurrence.cause for occurrence in play.database.occurrences() if occurrence.alarm.startswith("st-")}
    assert causes == {FEEDER}

    quiet(play, 50, minutes=5)
    assert [letter for alarm, letter in play.states().items() if alarm.startswith("st-")] == []
    assert play.states()[FEEDER] == "D"
    assert {page[0] for page in play.pages()} <= {FEEDER}


def test_a_station_still_dead_after_its_feeder_is_back_is_told_then(tmp_path: Path) -> None:
    play = Play(tmp_path, county(3))
    quiet(play, 3)
    play.say("head", meter__voltage_v=0.0, gateway__mains_on=0.0)
    for number in range(3):
        play.say(f"st-{number}", meter__voltage_v=0.0)
    play.minute()
    for _ in range(5):
        play.say("head", meter__voltage_v=231.0, gateway__mains_on=1.0)
        play.say("st-0", meter__voltage_v=229.0)
        play.say("st-1", meter__voltage_v=229.0)
        play.say("st-2", meter__voltage_v=0.0)
        play.minute()
    assert play.states()["st-2/meter#supply_lost"] == "B"
    assert ("st-2/meter#supply_lost", "fired", "crew") in play.pages()


def test_disinfection_is_told_though_the_feeder_explains_it(tmp_path: Path) -> None:
    play = Play(tmp_path, county(1))
    quiet(play, 1)
    play.say("head", meter__voltage_v=0.0, gateway__mains_on=0.0)
    for _ in range(7):
        play.say("st-0", meter__voltage_v=0.0, outlet__free_chlorine_mg_l=0.1)
        play.minute()
    assert play.states()[DISINFECTION] == "B"
    assert (DISINFECTION, "fired", "crew") in play.pages()


def test_at_night_the_third_step_is_reached_unless_somebody_takes_it(tmp_path: Path) -> None:
    play = Play(tmp_path, county(1))
    quiet(play, 1)
    play.say("head", meter__voltage_v=0.0)
    play.minute(29)
    assert [page[1:] for page in play.pages()] == [("fired", "crew"), ("escalated", "backup")]
    play.minute(10)
    assert [page[2] for page in play.pages()] == ["crew", "backup", "county"]


def test_an_acknowledgement_calls_back_the_steps_that_wait_and_runs_out(tmp_path: Path) -> None:
    play = Play(tmp_path, county(1))
    quiet(play, 1)
    play.say("head", meter__voltage_v=0.0)
    play.minute(2)
    play.act(FEEDER, Acknowledge(), "wang")
    play.minute(50)
    assert [page[2] for page in play.pages()] == ["crew"]
    play.minute(20)
    play.minute()
    assert play.states()[FEEDER] == "B"


def test_a_sites_silence_clears_nothing_and_is_an_alarm_of_its_own(tmp_path: Path) -> None:
    play = Play(tmp_path, county(1))
    quiet(play, 1)
    for _ in range(7):
        play.say("st-0", outlet__free_chlorine_mg_l=0.1)
        play.minute()
    play.minute(20)
    play.minute()
    assert play.states()[DISINFECTION] == "B"
    assert play.states()["st-0#silent"] == "B"
    quiet(play, 1)
    assert play.states()["st-0#silent"] == "D"


def test_eight_hours_of_backlog_page_nobody_and_are_history(tmp_path: Path) -> None:
    play = Play(tmp_path, county(1))
    quiet(play, 1)
    began_ms = play.now_ms
    play.now_ms += 8 * 60 * MINUTE_MS
    for minute in range(8 * 60 - 20):
        low = 100 <= minute < 200
        chlorine = 0.1 if low else 0.6
        play.say(
            "st-0",
            began_ms + minute * MINUTE_MS,
            meter__voltage_v=0.0 if low else 229.0,
            outlet__free_chlorine_mg_l=chlorine,
        )
    play.minute()
    assert [page for page in play.pages() if not page[0].endswith("#silent")] == []
    lasted_min = {
        span.alarm: (span.returned_ms - span.onset_ms) / MINUTE_MS
        for span in play.database.late_spans()
        if span.returned_ms is not None
    }
    assert lasted_min[DISINFECTION] == 115
    assert lasted_min["st-0/meter#supply_lost"] == 100


def test_a_planned_interruption_wakes_nobody_and_what_outlasts_it_does(tmp_path: Path) -> None:
    plan = Plan("feeder_1", START_MS, START_MS + 30 * MINUTE_MS, "planned", "N-7", "检修")
    play = Play(tmp_path, county(2, (plan,)))
    quiet(play, 2)
    for minute in range(40):
        play.say("head", meter__voltage_v=0.0, gateway__mains_on=0.0)
        for number in range(2):
            play.say(f"st-{number}", meter__voltage_v=0.0)
        play.minute()
        if minute < 28:
            assert play.pages() == []
    assert {page[0] for page in play.pages()} == {FEEDER}


def test_a_hundred_shelves_expiring_bring_back_each_alarm_once(tmp_path: Path) -> None:
    play = Play(tmp_path, county(100))
    quiet(play, 100)
    for number in range(100):
        play.say(f"st-{number}", meter__voltage_v=0.0)
    play.minute()
    for number in range(100):
        play.act(f"st-{number}/meter#supply_lost", Shelve(play.now_ms, play.now_ms + 10 * MINUTE_MS), "li")
    play.minute(11)
    play.minute()
    shown = [letter for alarm, letter in play.states().items() if alarm.endswith("#supply_lost")]
    assert shown == ["B"] * 100


def test_replaying_the_journal_gives_the_same_history(tmp_path: Path) -> None:
    def history(folder: Path, kill_every: int) -> list[tuple[object, ...]]:
        folder.mkdir()
        play = Play(folder, county(2))
        for minute in range(60):
            play.say("head", meter__voltage_v=0.0 if 10 <= minute < 20 else 231.0)
            play.say("st-0", outlet__free_chlorine_mg_l=0.1 if 30 <= minute < 45 else 0.6)
            play.minute()
            if kill_every and minute % kill_every == 0:
                play.kill()
        return [(o.alarm, o.number, o.onset_ms, o.severity, o.returned_ms) for o in play.database.occurrences()]

    once = history(tmp_path / "whole", 0)
    assert len(once) == 2
    assert history(tmp_path / "killed", 3) == once


def test_most_devices_of_a_site_gone_in_one_poll_is_one_page_about_their_bus(tmp_path: Path) -> None:
    """The gateway speaks; its meter, its outlet and its well do not."""
    play = Play(tmp_path, county(2))
    quiet(play, 2)
    for _ in range(4):
        play.say(
            "st-0", meter__voltage_v=None, outlet__free_chlorine_mg_l=None, well__level_m=None, gateway__mains_on=1.0
        )
        play.minute()
    assert {page[0] for page in play.pages()} == {"st-0#devices_silent"}
    assert play.states()["st-0/meter#silent"] == "F"
    play.say("st-0", meter__voltage_v=229.0, outlet__free_chlorine_mg_l=0.6, well__level_m=1.0, gateway__mains_on=1.0)
    for _ in range(4):
        quiet(play, 2)
    assert [letter for alarm, letter in play.states().items() if alarm != "st-0#devices_silent"] == []


def test_a_standing_alarm_whose_instrument_falls_silent_stands_in_doubt(tmp_path: Path) -> None:
    play = Play(tmp_path, county(1))
    quiet(play, 1)
    for _ in range(7):
        play.say("st-0", outlet__free_chlorine_mg_l=0.1)
        play.minute()
    for _ in range(3):
        play.say("st-0", outlet__free_chlorine_mg_l=None)
        play.minute()
    alarms = {record.id: record.alarm for record in play.database.records()}
    assert (alarms[DISINFECTION].condition, alarms[DISINFECTION].doubtful) == (True, True)
    play.say("st-0", outlet__free_chlorine_mg_l=0.1)
    play.minute(2)
    assert not {record.id: record.alarm for record in play.database.records()}[DISINFECTION].doubtful


def test_a_chattering_sensor_is_one_page_and_one_item_on_the_list(tmp_path: Path) -> None:
    """A voltage transformer's fuse makes poor contact: dead and back every 10 s, for half an hour."""
    play = Play(tmp_path, county(1))
    quiet(play, 1)
    for step in range(180):
        play.say("head", meter__voltage_v=0.0 if step % 2 else 231.0)
        play.minute(1 / 6)
    assert [page[0] for page in play.pages() if page[1] == "fired"].count(FEEDER) == 1
    assert play.states()[f"{FEEDER}_chattering"] == "B"
    (chatter,) = (one for one in play.database.occurrences() if one.alarm == f"{FEEDER}_chattering")
    assert chatter.value is not None
    assert chatter.value >= 3
    assert chatter.severity == 1


def test_what_is_hidden_for_more_than_a_day_is_an_alarm_itself(tmp_path: Path) -> None:
    play = Play(tmp_path, county(1))
    quiet(play, 1)
    for _ in range(25 * 6):
        play.say("head", meter__voltage_v=0.0)
        play.say("st-0", meter__voltage_v=0.0)
        play.minute(10)
    assert play.states()["st-0/meter#supply_lost"] == "F"
    assert play.states()["steppe/alarms#hidden_long"] == "B"


def test_an_engine_that_was_stopped_for_a_night_takes_its_own_silence_for_nobody_s(tmp_path: Path) -> None:
    play = Play(tmp_path, county(5))
    quiet(play, 5, minutes=3)
    play.now_ms += 9 * 60 * MINUTE_MS
    play.kill()
    play.minute(4)
    assert play.states() == {}
    quiet(play, 4, minutes=20)
    assert play.states() == {"st-4#silent": "B"}


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_set_clock_loses_no_page_and_silences_no_site(tmp_path: Path, hours: int) -> None:
    """The centre's clock is set while an escalation waits: the next steps come after their minutes, not hours later."""
    play = Play(tmp_path, county(1))
    quiet(play, 1, minutes=3)
    play.say("head", meter__voltage_v=0.0)
    play.minute(2)
    play.now_ms += hours * 60 * MINUTE_MS
    play.minute(40)
    assert [page[2] for page in play.pages() if page[0] == FEEDER] == ["crew", "backup", "county"]
    assert not any(alarm.endswith("#silent") for alarm in play.states()) or hours > 0


def test_a_maintenance_window_is_quiet_and_its_end_says_what_it_kept_back(tmp_path: Path) -> None:
    start = datetime.fromtimestamp(START_MS / 1000, ZoneInfo("Asia/Shanghai")).replace(tzinfo=None)
    window = Window("poles", "feeder_1", start, 0.5)
    play = Play(tmp_path, county(2), msgspec.structs.replace(SETTINGS, windows=[window]))
    quiet(play, 2)
    for minute in range(40):
        play.say("head", meter__voltage_v=0.0 if minute < 20 else 231.0)
        play.say("st-0", meter__voltage_v=0.0, outlet__free_chlorine_mg_l=0.1)
        play.say("st-1", meter__voltage_v=229.0)
        play.minute()
        if minute < 28:
            assert {page[0] for page in play.pages()} <= {DISINFECTION}
    told = [page[0] for page in play.pages()]
    assert told.count("window:poles") == 1
    assert "st-0/meter#supply_lost" in told
    assert FEEDER not in told


def test_a_window_takes_out_of_service_and_returns_what_it_took(tmp_path: Path) -> None:
    start = datetime.fromtimestamp(START_MS / 1000, ZoneInfo("Asia/Shanghai")).replace(tzinfo=None)
    window = Window("swap", "station_0", start, 0.25, effect="out_of_service", work_order="WO-7")
    play = Play(tmp_path, county(1), msgspec.structs.replace(SETTINGS, windows=[window]))
    quiet(play, 1)
    play.say("st-0", meter__voltage_v=0.0)
    play.minute()
    assert play.states()["st-0/meter#supply_lost"] == "G"
    play.minute(15)
    assert play.states()["st-0/meter#supply_lost"] == "B"


def test_a_robot_that_answers_200_with_an_error_code_hands_the_page_to_the_next_channel(tmp_path: Path) -> None:
    """The real sender, the real robot's client, a loopback server that refuses under HTTP 200."""
    play = Play(tmp_path, county(1), msgspec.structs.replace(SETTINGS, settle_s=0.0))
    with (
        told_server(lambda _: Reply(200, {"errcode": 310000, "errmsg": "sign not match"})) as robot,
        told_server(lambda _: Reply(200, {"id": "7"})) as gateway,
    ):
        channels = {
            "group": DingTalk("group", token="t", secret="s", base_url=robot.url),
            "sms": SmsGateway("sms", gateway.url, "t"),
        }
        people = [Person(name=name, channels=["group", "sms"], phone="138") for name in ("crew", "backup", "county")]
        ways = [*SETTINGS.channels, ChannelSettings(name="group", kind="dingtalk", token_file="t")]
        play.settings = msgspec.structs.replace(play.settings, people=people, channels=ways)
        play.kill()
        play.say("head", meter__voltage_v=0.0)
        while play.engine.step(now_ms=play.now_ms):
            pass
        sender = Sender(play.database, channels, play.engine.planner)
        while sender.send_due(now_ms=play.now_ms + 1000) or len(gateway.asked) == 0:
            pass
    assert len(robot.asked) == 1
    assert "停电" in str(gateway.asked[0].json["text"])


def test_a_duty_that_nobody_has_tomorrow_is_an_alarm_today(tmp_path: Path) -> None:
    now = datetime.fromtimestamp(START_MS / 1000, ZoneInfo("Asia/Shanghai")).replace(tzinfo=None)
    away = Override(now + timedelta(hours=10), now + timedelta(hours=12))
    rota = Rota("crew", now - timedelta(days=1), ["crew"], [away])
    play = Play(tmp_path, county(1), msgspec.structs.replace(SETTINGS, rotas=[rota]))
    quiet(play, 1)
    assert play.states() == {"steppe/crew#nobody_on_duty": "B"}
    play.minute(13 * 60)
    play.minute()
    assert play.states()["steppe/crew#nobody_on_duty"] == "D"
