"""The link in a notice: looking takes nothing, one touch takes it once, and every other case says how things stand."""

from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from support.alarm_script import SETTINGS, Play, county
from support.console_browser import Browser

from analytics.alarms.events import Acknowledge
from analytics.alarms.links import VALID_MS, Link, LinkRefused, sign
from analytics.alarms.planner import Planner
from dashboards.console.app import build_app
from dashboards.console.site import Console
from dashboards.console.views import take

SUPPLY, KEY = "st-0/meter#supply_lost", b"a secret of the tests"


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A station is dark."""
    play = Play(tmp_path, county(1), settings=SETTINGS)
    play.say("st-0", meter__voltage_v=0.0)
    play.minute(2)
    return play


def planner(play: Play) -> Planner:
    return replace(play.engine.planner, link_key=KEY)


def word(play: Play, person: str = "crew", occurrence: int = 1) -> str:
    return sign(Link(SUPPLY, occurrence, person, play.now_ms + VALID_MS), KEY)


def test_looking_takes_nothing_however_often(play: Play) -> None:
    """Robots of chat groups load a link to preview it."""
    for _ in range(3):
        offer = take.offer(play.database, planner(play), word(play), now_ms=play.now_ms)
    assert (offer.person, offer.title.en, offer.answer) == ("crew", "Supply lost", None)
    assert play.states()[SUPPLY] == "B"


def test_one_touch_takes_it_and_the_next_says_who_has_it(play: Play) -> None:
    link = word(play)
    first = take.take(play.database, planner(play), link, now_ms=play.now_ms)
    again = take.take(play.database, planner(play), link, now_ms=play.now_ms)
    assert first.answer is not None
    assert again.answer is not None
    assert (first.answer.outcome, again.answer.outcome) == ("done", "had")
    acts = [(row.act, row.actor, row.reason) for row in play.database.audit_rows(alarm=SUPPLY, limit=1)]
    assert acts == [("Acknowledge", "crew", "by link")]


def test_who_comes_second_hears_who_was_first(play: Play) -> None:
    play.act(SUPPLY, Acknowledge(), "wang")
    late = take.take(play.database, planner(play), word(play), now_ms=play.now_ms)
    assert late.answer is not None
    assert (late.answer.outcome, late.answer.by) == ("other", "wang")


def test_a_link_of_an_earlier_time_takes_nothing(play: Play) -> None:
    old = word(play)
    play.say("st-0", meter__voltage_v=230.0)
    play.minute(10)
    play.say("st-0", meter__voltage_v=0.0)
    play.minute(1)
    answer = take.take(play.database, planner(play), old, now_ms=play.now_ms).answer
    assert answer is not None
    assert answer.outcome == "again"
    assert play.states()[SUPPLY] == "B"


def test_forged_and_old_links_are_refused(play: Play) -> None:
    forged = sign(Link(SUPPLY, 1, "crew", play.now_ms + VALID_MS), b"another secret")
    for wrong in (forged, "nonsense", "", "a.b", word(play)[:-3]):
        with pytest.raises(LinkRefused):
            take.take(play.database, planner(play), wrong, now_ms=play.now_ms)
    with pytest.raises(LinkRefused):
        take.offer(play.database, planner(play), word(play), now_ms=play.now_ms + VALID_MS)
    assert play.states()[SUPPLY] == "B"


def test_a_link_of_the_county_works_without_signing_in(console: Console, stranger: Browser) -> None:
    standing = next(one for one in console.alarms().records(only_standing=True) if one.alarm.state == "B")
    link = Link(standing.id, standing.alarm.occurrence, "bao", console.now_ms() + VALID_MS)
    path = f"/take/{sign(link, console.planner().link_key)}"
    assert "Acknowledge as bao" in stranger.get(path, lang="en").text
    assert stranger.http.post(path).status_code == 403
    assert "bao has it." in stranger.post(path).text
    assert console.alarms().records_of([standing.id])[standing.id].alarm.acked
    assert stranger.post("/take/forged.word").status_code == 403
    with TestClient(build_app(console)) as http:
        assert Browser(http).get(path, lang="zh").status_code == 200
