"""The service as it runs: follows the journal, takes a changed register, and keeps the old one where that is broken."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from support.alarm_centre import REGISTER, SUPPLY, alarm_centre, tell
from support.servers import wait_until
from support.told_server import Reply, ToldServer, told_server

from analytics.alarms import service
from analytics.alarms.database import AlarmDatabase
from edge.clock import Clock, RealClock
from edge.errors import BadInput, ConfigError
from ingest.config import Centre

WITHIN_S = 20.0
SETPOINT = (
    "profile,quantity,level,value,alarm_class,priority,on_delay_s,off_delay_s,on_readings,off_readings,deadband,"
    "verified,source,note\nworks_outlet,turbidity_ntu,H,0.6,O,medium,900,1800,1,1,0.05,yes,county,\n"
)


class LaterClock(RealClock):
    """A minute on."""

    def now_ms(self) -> int:
        return super().now_ms() + 60_000


@contextmanager
def running(centre: Centre, clock: Clock | None = None) -> Iterator[None]:
    """The service in a thread; leaving the block stops it and raises what went wrong."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        serving = pool.submit(service.run, centre, clock or RealClock(), stop)
        try:
            yield
        finally:
            stop.set()
            serving.result(timeout=WITHIN_S)


def stopped() -> threading.Event:
    """A service that may run, ends at once."""
    event = threading.Event()
    event.set()
    return event


def states(centre: Centre) -> dict[str, str]:
    with closing(AlarmDatabase(Path(centre.data_dir) / service.DATABASE_FILE)) as database:
        return {record.id: record.alarm.state.value for record in database.records(only_standing=True)}


def called(gateway: ToldServer) -> list[str]:
    """What somebody was told, the daily word over each channel left out."""
    texts = [str(asked.json["text"]) for asked in gateway.asked]
    return [text for text in texts if not text.startswith("steppe ")]


def test_a_register_is_taken_while_running_and_a_broken_one_keeps_the_old(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Broken: said once, not every second. Mended, with one point more: that point is watched."""
    caplog.set_level(logging.WARNING)
    centre, clock = alarm_centre(tmp_path), RealClock()
    points = tmp_path / "register" / "points.csv"

    def complaints() -> list[str]:
        return [record.getMessage() for record in caplog.records if "going on with the old one" in record.getMessage()]

    with running(centre):
        tell(centre, 0, clock.now_ms(), meter__voltage_v=0.0)
        wait_until(lambda: states(centre).get(SUPPLY) == "B", WITHIN_S, "the loss of supply is an alarm")
        points.write_text("point,asset\nst-0/meter.voltage_v,nowhere\n", encoding="utf-8")
        wait_until(lambda: len(complaints()) > 0, WITHIN_S, "the broken register is reported")
        tell(centre, 1, clock.now_ms(), meter__voltage_v=231.0)
        wait_until(lambda: states(centre).get(SUPPLY) == "D", WITHIN_S, "the old register goes on")
        assert len(complaints()) == 1
        assert "nowhere" in complaints()[0]
        points.write_text(
            REGISTER["points.csv"] + "st-0/pump.voltage_v,station_0,D,gb12325-220,220\n", encoding="utf-8"
        )
        tell(centre, 2, clock.now_ms(), pump__voltage_v=0.0)
        wait_until(lambda: "st-0/pump#supply_lost" in states(centre), WITHIN_S, "the new point is watched")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("points.csv", "point,asset\nst-0/meter.voltage_v,nowhere\n", "nowhere"),
        ("alarms.toml", 'manager = "nobody"\n', "no person 'nobody'"),
        ("setpoints.csv", "profile,quantity\nworks_outlet,ph\n", "setpoints.csv"),
        (
            "alarms.toml",
            '[[windows]]\nname = "w"\nasset = "f9"\nstart = 2026-01-01T00:00:00\nhours = 1\n',
            "no asset 'f9'",
        ),
        (
            "alarms.toml",
            '[[lift_stations]]\nasset = "ls9"\nweir_m = 3.0\nstart_m = 1.5\nstop_m = 0.5\n',
            "no asset 'ls9'",
        ),
        (
            "alarms.toml",
            '[[lift_stations]]\nasset = "station_0"\nweir_m = 1.0\nstart_m = 1.5\nstop_m = 0.5\n',
            "levels rise",
        ),
        (
            "assets.csv",
            REGISTER["assets.csv"].replace("1号线,150122,,", "1号线,150122,station_0,"),
            "assets.csv",
        ),
        ("alarms.toml", '[chains.high]\nsteps = [{ after_min = 0, person = "nobody" }]\n', "no person 'nobody'"),
        ("alarms.toml", 'text = "x"\n', "unknown field"),
        ("setpoints.csv", SETPOINT.replace("0.05,yes", "-1,yes"), "dead-band and delays of zero or more"),
        ("setpoints.csv", SETPOINT.replace(",0.6,", ",,"), "needs a value"),
        ("setpoints.csv", SETPOINT.replace("medium", "urgent"), "'urgent' is unknown"),
    ],
)
def test_files_that_cannot_be_used_are_refused_at_the_start_in_one_line(
    tmp_path: Path, file: str, text: str, message: str
) -> None:
    centre = alarm_centre(tmp_path, REGISTER | {file: text})
    with pytest.raises(BadInput, match=message) as refused:
        service.run(centre, RealClock(), stopped())
    assert "\n" not in str(refused.value)


def test_a_notice_that_fell_due_while_nothing_ran_waits_for_its_cause(tmp_path: Path) -> None:
    """The station's loss was to be told after 30 s; the service was killed; its feeder's loss is in the journal."""
    with told_server(lambda _: Reply()) as gateway:
        people = "settle_s = 30.0\n" + REGISTER["alarms.toml"].replace("http://127.0.0.1:9", gateway.url)
        people += '[chains.critical]\nsteps = [{ after_min = 0, person = "county" }]\n'
        points = REGISTER["points.csv"] + "st-0/head.voltage_v,feeder_1,,,220\n"
        centre = alarm_centre(tmp_path, REGISTER | {"alarms.toml": people, "points.csv": points})
        with running(centre):
            tell(centre, 0, RealClock().now_ms(), meter__voltage_v=0.0)
            wait_until(lambda: states(centre).get(SUPPLY) == "B", WITHIN_S, "the loss of supply is an alarm")
        tell(centre, 1, RealClock().now_ms(), head__voltage_v=0.0)
        with running(centre, LaterClock()):
            wait_until(lambda: states(centre).get(SUPPLY) == "F", WITHIN_S, "its feeder explains it")
        assert called(gateway) == []


def test_a_register_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        service.run(Centre(data_dir=str(tmp_path), register=str(tmp_path / "none")), RealClock(), stopped())


def test_an_alarm_whose_point_leaves_the_register_leaves_the_list_and_comes_back_with_it(tmp_path: Path) -> None:
    centre, clock = alarm_centre(tmp_path), RealClock()
    points = tmp_path / "register" / "points.csv"
    with running(centre):
        tell(centre, 0, clock.now_ms(), meter__voltage_v=0.0)
        wait_until(lambda: states(centre).get(SUPPLY) == "B", WITHIN_S, "the loss of supply is an alarm")
        points.write_text(
            "point,asset,class,limits,nominal\nst-0/outlet.ph,station_0,,works_outlet,\n", encoding="utf-8"
        )
        wait_until(lambda: states(centre).get(SUPPLY) == "-", WITHIN_S, "it is off the list")
        points.write_text(REGISTER["points.csv"], encoding="utf-8")
        wait_until(lambda: states(centre).get(SUPPLY) == "B", WITHIN_S, "its last reading is still dead: raised anew")
    with closing(AlarmDatabase(Path(centre.data_dir) / service.DATABASE_FILE)) as database:
        acts = [row.act for row in reversed(database.audit_rows(alarm=SUPPLY))]
    assert acts == ["Rose", "Disable", "Enable", "Rose"]
