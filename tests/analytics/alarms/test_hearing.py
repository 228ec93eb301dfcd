"""Who speaks, and by which clock: a deaf centre is one alarm, a lying clock is one alarm, and both end."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.alarm_script import MINUTE_MS, START_MS, STREAM, Play, county

from analytics.alarms.hearing import CENTRE_ALARM, LEAST_SITES, silences
from analytics.alarms.settings import AlarmSettings
from edge.wire import Status, encode, topic
from ingest.check import check

SITES, CLOCK = 5, "st-0#clock"
FEEDER, DISINFECTION = "head/meter#supply_lost", "st-0/outlet.free_chlorine_mg_l#disinfection"


def speak(play: Play, sites: int = SITES, minutes: int = 1) -> None:
    """Every site says that all is well, minute after minute."""
    for _ in range(minutes):
        play.say("head", meter__voltage_v=231.0)
        for number in range(sites):
            play.say(f"st-{number}", meter__voltage_v=229.0)
        play.minute()


def status(play: Play, ahead_ms: int, *, online: bool = True) -> None:
    """A heartbeat of the first station, by its own clock."""
    said = Status(1, "st-0", online, "boot", play.now_ms + ahead_ms, "1", STREAM)
    play.journal.commit([check(topic("st-0", "status"), encode(said), received_ms=play.now_ms)])


def causes(play: Play) -> dict[str, str | None]:
    """Open occurrences and what explains them."""
    return {one.alarm: one.cause for one in play.database.occurrences(only_open=True)}


@pytest.mark.parametrize("killed", [False, True])
def test_an_outage_of_the_centre_is_one_page_and_every_site_hangs_below_it(tmp_path: Path, killed: bool) -> None:
    """The broker dies: all sites fall silent within a minute, are silent for half an hour, and speak again."""
    play = Play(tmp_path, county(SITES))
    speak(play, minutes=3)
    play.minute(10)
    if killed:
        play.kill()
    play.minute(20)
    assert {page[0] for page in play.pages()} == {CENTRE_ALARM}
    silent = {alarm: cause for alarm, cause in causes(play).items() if alarm.endswith("#silent")}
    assert silent == {CENTRE_ALARM: None} | {f"st-{n}#silent": CENTRE_ALARM for n in range(SITES)} | {
        "head#silent": CENTRE_ALARM
    }
    speak(play, minutes=5)
    assert play.states() == {CENTRE_ALARM: "D"}
    assert {page[0] for page in play.pages()} == {CENTRE_ALARM}


def test_a_site_still_silent_after_the_outage_is_told_then(tmp_path: Path) -> None:
    play = Play(tmp_path, county(SITES))
    speak(play, minutes=3)
    play.minute(30)
    speak(play, SITES - 1, minutes=5)
    assert play.states()["st-4#silent"] == "B"
    assert [page[0] for page in play.pages() if page[1] == "fired"] == [CENTRE_ALARM, "st-4#silent"]


def test_a_site_that_was_silent_before_keeps_an_alarm_of_its_own(tmp_path: Path) -> None:
    play = Play(tmp_path, county(SITES))
    speak(play)
    speak(play, SITES - 1, minutes=20)
    assert play.states() == {"st-4#silent": "B"}
    play.minute(20)
    assert causes(play)["st-4#silent"] is None
    assert causes(play)["st-0#silent"] == CENTRE_ALARM


def test_while_one_site_speaks_the_centre_hears(tmp_path: Path) -> None:
    play = Play(tmp_path, county(SITES))
    speak(play)
    for _ in range(20):
        play.say("head", meter__voltage_v=231.0)
        play.minute()
    assert CENTRE_ALARM not in play.states()
    assert {f"st-{n}#silent" for n in range(SITES)} <= play.states().keys()


@given(
    ages_min=st.lists(st.integers(0, 120), max_size=8),
    stands=st.booleans(),
    listened_min=st.integers(0, 60),
)
def test_the_centre_is_called_deaf_only_where_nobody_speaks(
    ages_min: list[int], stands: bool, listened_min: int
) -> None:
    now_ms = START_MS
    heard = {f"st-{n}": now_ms - age * MINUTE_MS for n, age in enumerate(ages_min)}
    standing = {CENTRE_ALARM: now_ms - 600_000} if stands else {}
    since_ms = now_ms - listened_min * MINUTE_MS
    found = silences(county(8), AlarmSettings(), heard, standing, now_ms=now_ms, since_ms=since_ms)
    centre = [one for one in found if one.id == CENTRE_ALARM]
    deaf = bool(ages_min) and min(ages_min) > 5
    assert bool(centre) <= deaf
    assert not centre or stands or (len(ages_min) >= LEAST_SITES and listened_min > 5)
    assert not (deaf and stands) or centre


def test_readings_by_a_clock_that_lies_behind_are_history_and_the_clock_is_an_alarm(tmp_path: Path) -> None:
    play = Play(tmp_path, county(1))
    for _ in range(10):
        status(play, -40 * MINUTE_MS)
        play.say("st-0", play.now_ms - 40 * MINUTE_MS, outlet__free_chlorine_mg_l=0.1)
        play.minute()
    assert {page[0] for page in play.pages()} == {CLOCK}
    assert [span.alarm for span in play.database.late_spans()] == [DISINFECTION]


@pytest.mark.parametrize("off_min", [-40, 40])
def test_a_clock_that_is_wrong_is_told_by_how_much_until_it_is_right(tmp_path: Path, off_min: int) -> None:
    """Ahead, ingest sets the site's batches aside; its heartbeats come through."""
    play = Play(tmp_path, county(1))
    for _ in range(3):
        status(play, off_min * MINUTE_MS)
        play.minute()
    (found,) = (one for one in play.database.occurrences() if one.alarm == CLOCK)
    assert (found.value, found.severity) == (off_min, 3)
    assert (CLOCK, "fired", "crew") in play.pages()
    status(play, 0)
    play.minute()
    assert play.states()[CLOCK] == "D"


def test_a_clock_a_few_minutes_ahead_hides_no_alarm(tmp_path: Path) -> None:
    """Its readings count as read when they came."""
    play = Play(tmp_path, county(1))
    for _ in range(10):
        play.say("st-0", play.now_ms + 4 * MINUTE_MS, outlet__free_chlorine_mg_l=0.1)
        play.minute()
    assert play.states()[DISINFECTION] == "B"


@pytest.mark.parametrize("off_min", [-14, 0, 4])
def test_a_clock_off_by_minutes_is_no_alarm(tmp_path: Path, off_min: int) -> None:
    play = Play(tmp_path, county(1))
    for _ in range(3):
        status(play, off_min * MINUTE_MS)
        play.minute()
    assert play.states() == {}


def test_statuses_that_waited_on_their_way_are_no_wrong_clock(tmp_path: Path) -> None:
    """A frozen link lets go of an hour's heartbeats at once; a death notice was written when the site was born."""
    play = Play(tmp_path, county(1))
    for minute in range(60):
        status(play, (minute - 60) * MINUTE_MS)
    status(play, -5 * 60 * MINUTE_MS, online=False)
    play.minute(2)
    assert play.states() == {}
    status(play, 0)
    play.minute(2)
    assert play.states() == {}


def test_a_wrong_clock_survives_the_engine_s_end(tmp_path: Path) -> None:
    play = Play(tmp_path, county(1))
    for _ in range(2):
        status(play, -60 * MINUTE_MS)
        play.minute()
        play.kill()
    assert play.states() == {CLOCK: "B"}
