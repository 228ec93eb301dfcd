"""Alarms on the whole road, as scripts: simulated meters, gateways, broker, ingest, engine, and the robot that is told.

A minute of the county passes in about a second or less, so a slow machine moves instants; the pages stay what they are.
"""

from pathlib import Path

import pytest
from support.alarm_road import MINUTE_MS, ONE_CREW, PATIENT, Office, Told, at, first_instant, play_road, scenario

from simulators.county import Size
from simulators.faults import Fault
from simulators.plot import Act

SMALL = Size(feeders=2, transformers=2, line_ends=1, works=1)
FIFTY = Size(feeders=1, transformers=50, line_ends=1, works=0)
FEEDER = "qingshui-substation/feeder1#supply_lost"
DISINFECTION = "works-1/works.free_chlorine_mg_l#disinfection"
MAINS = "works-1/gateway.mains_on#lost"
CENTRE = "steppe/centre#silent"
SITES = ("qingshui-substation", "feeder-1", "feeder-2", "works-1", "lift-1")
SPEED = 60.0
pytestmark = pytest.mark.road


def within(told: Told, first_ms: int, last_ms: int) -> list[str]:
    """Subjects of the pages that called somebody between two instants."""
    return [page.point for page in told.calls() if first_ms <= page.at_ms < last_ms]


@pytest.mark.parametrize("killed", [False, True])
def test_a_feeder_trips_under_fifty_stations_and_one_page_says_so(tmp_path: Path, killed: bool) -> None:
    """At 06:10 the feeder trips; in between the engine is killed; at 06:30 it is closed; at 06:45 all is as before."""
    trip, back = at(6 + 1 / 6), at(6.5)
    story = scenario(FIFTY, [Fault("feeder_trip", "f1", trip, back)])
    acts = [Act(trip + MINUTE_MS, "kill", "alarms", ""), Act(trip + 2 * MINUTE_MS, "start", "alarms", "")]
    office, acts = Office(PATIENT + ONE_CREW), acts if killed else []
    told = play_road(tmp_path, story, at(6), at(6.8), speed=SPEED, acts=acts, office=office)
    assert [page.point for page in told.calls()] == ["qingshui-substation/feeder1"]
    assert "Supply lost" in told.calls()[0].text
    causes = told.causes()
    assert causes.pop(FEEDER) is None
    dead = {alarm: cause for alarm, cause in causes.items() if alarm.endswith(("#supply_lost", "#silent"))}
    assert {f"feeder-1/t{number:02d}" for number in range(1, 51)} <= {alarm.split("#")[0] for alarm in dead}
    assert None not in dead.values()
    assert {cause for alarm, cause in dead.items() if alarm.endswith("#supply_lost")} == {FEEDER}
    assert [page.point for page in told.pages if page.is_over] == ["qingshui-substation/feeder1"]
    assert told.crashes == []


def test_chlorine_that_runs_out_is_told_although_the_works_has_no_supply(tmp_path: Path) -> None:
    """The doser has failed at midnight; just as the residual passes 0.2 mg/L, the works' feeder is lost too."""
    doser = Fault("dosing_failure", "ww1", at(0), at(20))
    world = scenario(SMALL, [doser]).world()
    low = first_instant(lambda t_ms: world.values("works-1", "works", t_ms)["free_chlorine_mg_l"] < 0.18, at(4), at(10))
    outage = Fault("feeder_trip", "f1", low + MINUTE_MS, low + 40 * MINUTE_MS)
    story = scenario(SMALL, [doser, outage])
    begin, end = low - 10 * MINUTE_MS, low + 25 * MINUTE_MS
    told = play_road(tmp_path, story, begin, end, speed=SPEED, office=Office(PATIENT + ONE_CREW))
    causes = told.causes()
    assert causes[FEEDER] is None
    assert causes[MAINS] == FEEDER
    assert causes[DISINFECTION] is None
    assert DISINFECTION in told.called_about()
    # Beside it only the feeder, the residual below 0.3 mg/L, which began before the feeder was lost, and the pressure
    # at the end of the network, which is never hidden either.
    also = {"works-1/works.free_chlorine_mg_l#low", "works-1/network_end.pressure_mpa#intrusion"}
    assert told.called_about() <= {FEEDER, DISINFECTION} | also


def test_eight_hours_behind_a_lost_link_are_history_and_call_nobody(tmp_path: Path) -> None:
    """From 10:00 to 18:00 nothing comes from the works; from 12:00 to 12:50 its mains were away: nobody hears."""
    link = Fault("backhaul_loss", "works-1", at(10), at(18))
    mains = Fault("gateway_power", "works-1", at(12), at(12 + 5 / 6))
    told = play_road(
        tmp_path,
        scenario(SMALL, [link, mains]),
        at(9.7),
        at(18.7),
        speed=6 * SPEED,
        until=lambda database, _: any(span.alarm == MAINS and span.returned_ms for span in database.late_spans()),
        office=Office(PATIENT + ONE_CREW),
    )
    assert {page.point for page in told.calls()} == {"works-1"}
    assert within(told, at(18), at(24)) == []
    (span,) = (span for span in told.late if span.alarm == MAINS)
    assert span.returned_ms is not None
    assert (span.returned_ms - span.onset_ms) / MINUTE_MS == pytest.approx(50, abs=10)
    assert MAINS not in told.causes()


def test_a_broker_that_is_gone_is_one_page_about_the_centre(tmp_path: Path) -> None:
    """Gone from 08:10 to 08:35: every site falls silent, all below one cause, and what they kept calls nobody."""
    acts = [Act(at(8 + 1 / 6), "kill", "broker", ""), Act(at(8 + 7 / 12), "start", "broker", "")]
    told = play_road(tmp_path, scenario(SMALL, []), at(8), at(8.9), speed=SPEED, acts=acts)
    assert within(told, at(8), at(8 + 7 / 12)) == ["steppe/centre"]
    # Gateways come back when their links have backed off; one that takes longest may be told of as silent by then.
    assert all(page.point in ("steppe/centre", *SITES) for page in told.calls())
    causes = told.causes()
    assert causes.pop(CENTRE) is None
    assert {cause for alarm, cause in causes.items() if alarm.endswith("#silent")} == {CENTRE}
