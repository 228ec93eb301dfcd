"""One alarm's page: who knows, cause and consequences, what may be done; and acts from a browser and the API."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from support.alarm_script import MINUTE_MS, Play, county
from support.console_browser import Browser

from analytics.alarms import queries
from analytics.alarms.classes import BY_NAME
from analytics.alarms.events import Acknowledge
from analytics.limit_files import load_setpoints
from dashboards.console.app import build_app
from dashboards.console.errors import NotFound
from dashboards.console.people import Role
from dashboards.console.per_thread import PerThread
from dashboards.console.site import Console
from dashboards.console.views import alarms
from dashboards.console.views.alarm import AlarmPage, alarm, number_of
from ingest.register import Plan
from ingest.store import Store, StoreDown

FEEDER, STATION = "head/meter#supply_lost", "st-0/meter#supply_lost"
SETPOINTS = load_setpoints()


class SignIn:
    """`client("crew")`: a browser of that role."""

    def __call__(self, role: Role) -> Browser: ...


def dark(tmp_path: Path, plans: tuple[Plan, ...] = ()) -> Play:
    """The feeder and the two stations below it are dark for three minutes."""
    play = Play(tmp_path, county(2, plans))
    play.say_all({site: {"meter.voltage_v": 0.0} for site in ("head", "st-0", "st-1")})
    play.minute(3)
    return play


def shown(play: Play, name: str = FEEDER) -> AlarmPage:
    number = number_of(play.database, name)
    return alarm(play.database, play.engine.planner, SETPOINTS, number, now_ms=play.now_ms)


def test_a_cause_names_its_consequences_by_class_and_they_name_it(tmp_path: Path) -> None:
    play = dark(tmp_path)
    [group] = shown(play).folded
    assert (group.title.en, [row.alarm for row in group.rows]) == ("Supply lost", [STATION, "st-1/meter#supply_lost"])
    station = shown(play, STATION)
    assert station.cause is not None
    assert station.cause.alarm == FEEDER
    assert shown(play).cause is None


def test_what_nothing_may_hide_is_listed_at_the_cause(tmp_path: Path) -> None:
    play = dark(tmp_path)
    for _ in range(7):
        play.say("st-0", outlet__free_chlorine_mg_l=0.05)
        play.minute(1)
    assert [row.kind for row in shown(play).never_folded] == ["disinfection"]


def test_the_time_line_tells_the_story_of_this_time_only(tmp_path: Path) -> None:
    play = dark(tmp_path)
    first = number_of(play.database, FEEDER)
    play.act(FEEDER, Acknowledge(), "wang")
    play.say("head", meter__voltage_v=230.0)
    play.minute(10)
    play.say("head", meter__voltage_v=0.0)
    play.minute(1)
    old = alarm(play.database, play.engine.planner, SETPOINTS, first, now_ms=play.now_ms)
    assert [moment.act for moment in old.timeline] == ["Onset", "Rose", "Acknowledge", "Fell"]
    assert old.newer == number_of(play.database, FEEDER)
    assert old.verbs == ()
    assert [moment.act for moment in shown(play).timeline] == ["Onset", "Rose"]
    assert shown(play).onsets_month == 2


def test_only_what_makes_sense_now_may_be_done(tmp_path: Path) -> None:
    play = dark(tmp_path)
    assert shown(play).verbs == ("acknowledge", "comment", "shelve", "out_of_service")
    play.act(FEEDER, Acknowledge(), "wang")
    assert shown(play).verbs == ("hand_back", "comment", "shelve", "out_of_service")


def test_planned_outages_above_it_are_named(tmp_path: Path) -> None:
    start_ms = Play.now_ms + 60 * MINUTE_MS
    plan = Plan("feeder_1", start_ms, start_ms + 60 * MINUTE_MS, "planned", "N-7", "poles")
    play = dark(tmp_path, (plan,))
    assert [found.notice_id for found in shown(play, STATION).plans] == ["N-7"]


def test_who_takes_it_is_told_how_long_that_counts(tmp_path: Path) -> None:
    page = shown(dark(tmp_path))
    assert (page.ack_expires_min, page.max_shelve_h) == (60, 24)
    assert [step.zh for step in page.procedure] == ["检查上级开关", "出发前联系调度"]
    assert page.work_order == 1


def test_no_such_alarm(tmp_path: Path) -> None:
    play = dark(tmp_path)
    with pytest.raises(NotFound, match="#99"):
        alarm(play.database, play.engine.planner, SETPOINTS, 99, now_ms=play.now_ms)
    with pytest.raises(NotFound, match="no#such"):
        number_of(play.database, "no#such")


@pytest.fixture
def number(console: Console) -> int:
    """An alarm whose condition is there; one that waits for somebody, as long as there is one."""
    rows = alarms.standing(console.alarms(), console.register, SETPOINTS).rows
    return next(row.id for row in rows if row.holds)


def test_every_alarm_of_the_county_has_its_page_in_both_languages(client: SignIn, console: Console) -> None:
    found = alarms.past(console.alarms(), console.register, SETPOINTS, (0, 2**62)).rows
    assert len(found) > 10
    for language in ("zh", "en"):
        assert {client("viewer").get(f"/alarms/{row.id}", lang=language).status_code for row in found} == {200}


def test_a_viewer_sees_no_button_and_may_not_act(client: SignIn, number: int) -> None:
    assert "/acknowledge" not in client("viewer").get(f"/alarms/{number}").text
    assert client("viewer").post(f"/alarms/{number}/acknowledge").status_code == 403


def test_crew_may_not_shelve(client: SignIn, number: int) -> None:
    answer = client("crew").post(f"/alarms/{number}/shelve", reason="probe", until="2026-05-19T15:00")
    assert answer.status_code == 403
    assert 'id="shelve"' not in client("crew").get(f"/alarms/{number}").text


def test_nothing_is_done_without_the_forms_secret(client: SignIn, console: Console, number: int) -> None:
    assert client("crew").http.post(f"/alarms/{number}/acknowledge").status_code == 403
    with console.alarms().reading() as connection:
        one = queries.occurrence(connection, number)
    assert one is not None
    assert one.acked_by is None


def test_a_shelf_that_ends_in_the_past_is_answered_on_the_page(client: SignIn, number: int) -> None:
    answer = client("operator").post(f"/alarms/{number}/shelve", reason="probe", until="2020-01-01T00:00")
    assert answer.status_code == 409
    assert "the time given is past" in answer.text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": "probe", "until": "tomorrow"}, "as a date and a time"),
        ({"reason": "probe"}, "as a date and a time"),
        ({"until": "2026-05-19T15:00"}, "Say why"),
        ({"reason": "x" * 501, "until": "2026-05-19T15:00"}, "at most 500"),
    ],
)
def test_a_form_that_says_too_little_gets_one_sentence(
    client: SignIn, number: int, fields: dict[str, str], sentence: str
) -> None:
    answer = client("operator").post(f"/alarms/{number}/shelve", **fields)
    assert answer.status_code == 400
    assert sentence in answer.text


@pytest.mark.parametrize("path", ["/alarms/99999", "/alarms/9999999999999999999999", "/alarms/1/explode"])
def test_what_is_not_there_is_404(client: SignIn, path: str) -> None:
    browser = client("crew")
    answer = browser.post(path) if path.endswith("explode") else browser.get(path)
    assert answer.status_code == 404


def test_taking_it_twice_takes_it_once_and_htmx_gets_the_answer_alone(
    client: SignIn, console: Console, number: int
) -> None:
    browser = client("crew")
    secret = {"csrf": browser.csrf()}
    first = browser.http.post(f"/alarms/{number}/acknowledge", data=secret, headers={"hx-request": "true"})
    assert "You have it" in first.text
    assert "Confirmed by the server" in first.text
    assert "<html" not in first.text
    assert browser.post(f"/alarms/{number}/acknowledge").status_code == 303
    late = client("operator").post(f"/alarms/{number}/acknowledge")
    assert late.status_code == 409
    assert "crew took it at" in late.text
    rows = [row for row in console.alarms().audit_rows() if row.act == "Acknowledge" and row.actor == "crew"]
    assert len(rows) == 1
    assert console.alarms().broken_audit_rows() == []


def test_the_api_gives_what_the_page_shows_and_acts_by_token(client: SignIn, console: Console, number: int) -> None:
    word = console.database.tokens.new("phone", ["read", "alarms:act"], days=1, now_ms=console.wall.now_ms())
    http, bearer = client("viewer").http, {"authorization": f"Bearer {word}"}
    page = http.get(f"/api/v1/alarms/{number}", headers=bearer).json()
    assert page["row"]["id"] == number
    assert http.get(f"/api/v1/alarms/{number}/readings", headers=bearer).json()["facts"]["customers"] >= 0
    assert number in [row["id"] for row in http.get("/api/v1/alarms", headers=bearer).json()["rows"]]
    assert http.get("/api/v1/alarms/history", headers=bearer).json()["total"] > 10
    acts = f"/api/v1/alarms/{number}/acts"
    answer = http.post(acts, headers=bearer, json={"verb": "comment", "reason": "seen"}).json()
    assert (answer["outcome"], answer["by"]) == ("done", "token phone")
    until_ms = console.now_ms() + MINUTE_MS
    shelve = http.post(acts, headers=bearer, json={"verb": "shelve", "reason": "probe", "until_ms": until_ms})
    assert shelve.status_code == 403
    assert http.post(acts, headers=bearer, json={"verb": "explode"}).status_code == 400


def test_a_shelf_from_the_form_counts_in_local_time(client: SignIn, console: Console) -> None:
    rows = alarms.standing(console.alarms(), console.register, SETPOINTS).rows
    number = next(row.id for row in rows if BY_NAME[row.kind].kind.shelvable)
    end = datetime.fromtimestamp(console.now_ms() / 1000 + 3600, console.zone)
    local = end.strftime("%Y-%m-%d %H:%M")
    answer = client("operator").post(f"/alarms/{number}/shelve", reason="probe", until=local)
    assert answer.status_code == 303
    shelf = alarms.standing(console.alarms(), console.register, SETPOINTS, "shelved").rows
    expected_ms = int(end.replace(second=0, microsecond=0).timestamp() * 1000)
    assert expected_ms in [row.shelved_until_ms for row in shelf]


def test_a_store_that_is_gone_takes_the_readings_and_leaves_the_rest(console: Console, number: int) -> None:
    with TestClient(build_app(replace(console, stores=PerThread(out_of_reach))), follow_redirects=False) as http:
        browser = Browser(http)
        browser.enter(console, "viewer")
        page = browser.get(f"/alarms/{number}")
        assert page.status_code == 200
        assert "Readings cannot be had now" in page.text
        assert "Who has been told" in page.text


def out_of_reach() -> Store:
    """A store that cannot be opened."""
    raise StoreDown("the store is out of reach")
