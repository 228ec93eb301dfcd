"""Jobs, inspections and the register: what is late is said first, and each move is made once."""

from pathlib import Path

import pytest
from support.alarm_script import Play, county
from support.console_browser import Browser

from analytics.alarms import work
from dashboards.console.errors import NotFound, Unusable
from dashboards.console.people import Role
from dashboards.console.site import Console
from dashboards.console.views import work_acts
from dashboards.console.views.alarms_names import Places, place
from dashboards.console.views.work import job, work_page

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SUPPLY = "st-0/meter#supply_lost"
ZONE = "Asia/Shanghai"


class SignIn:
    """`client("crew")`: a browser of that role."""

    def __call__(self, role: Role) -> Browser: ...


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A station is dark, and the engine has drafted a job for it."""
    play = Play(tmp_path, county(1))
    play.say("st-0", meter__voltage_v=0.0)
    play.minute(4)
    return play


def move(play: Play, state: str, note: str = "", *, after_ms: int = 0) -> None:
    work_acts.move(play.database, 1, state, "wang", note, now_ms=play.now_ms + after_ms)


def test_a_job_says_where_it_may_go_and_how_long_it_took(play: Play) -> None:
    move(play, "issued")
    found = job(play.database, play.register, 1, now_ms=play.now_ms + 3 * HOUR_MS)
    respond = found.clocks[0]
    assert (respond.part, respond.taken_h, respond.limit_h, respond.is_late) == ("respond", 3.0, 2, True)
    assert found.is_late
    assert found.ways == ("accepted", "rejected", "cancelled")
    assert found.needs_note == ("rejected", "cancelled")
    assert (found.title.en, found.priority) == ("Supply lost", 2)


def test_a_form_sent_twice_moves_a_job_once(play: Play) -> None:
    move(play, "issued")
    move(play, "issued")
    assert [step.state for step in job(play.database, play.register, 1, now_ms=play.now_ms).steps] == [
        "draft",
        "issued",
    ]
    assert play.database.broken_audit_rows() == []


def test_a_move_that_is_none_or_lacks_its_note_changes_nothing(play: Play) -> None:
    for state, key in (("closed", "no_way"), ("nonsense", "no_way"), ("cancelled", "no_note")):
        with pytest.raises(Unusable, match=key):
            move(play, state)
    with pytest.raises(NotFound):
        work_acts.move(play.database, 9, "issued", "wang", "", now_ms=play.now_ms)
    assert job(play.database, play.register, 1, now_ms=play.now_ms).state == "draft"


def test_an_alarm_has_one_job_however_often_it_is_asked_for(play: Play) -> None:
    with play.database.reading() as connection:
        occurrence = work.orders(connection)[0].occurrence
    assert work_acts.order_for(play.database, occurrence, "wang", now_ms=play.now_ms) == 1
    with pytest.raises(NotFound):
        work_acts.order_for(play.database, 99, "wang", now_ms=play.now_ms)


def test_what_the_register_asks_for_is_listed_until_it_is_done(play: Play) -> None:
    page = work_page(play.database, play.register, ZONE, now_ms=play.now_ms)
    assert [due.lacks for due in page.dues] == [("owner", "responsible", "phone")] * 2
    assert page.in_order == 0
    with pytest.raises(NotFound):
        work_acts.note_inspected(play.database, play.register, "no such asset", "wang", now_ms=play.now_ms)


def test_an_inspection_that_is_noted_is_due_again_later(console: Console, client: SignIn) -> None:
    before = work_page(console.alarms(), console.register, ZONE, now_ms=console.now_ms())
    asked = [due for due in before.dues if due.is_overdue]
    for due in asked:
        assert client("crew").post("/jobs/inspected", asset=due.place.asset).status_code == 303
    after = work_page(console.alarms(), console.register, ZONE, now_ms=console.now_ms())
    assert [due for due in after.dues if due.is_overdue] == []


def test_pages_and_api_of_the_county(client: SignIn, console: Console) -> None:
    assert client("viewer").get("/jobs", lang="zh").status_code == 200
    assert client("viewer").get("/jobs", all="true", lang="en").status_code == 200
    number = client("viewer").get("/api/v1/jobs").json()["jobs"][0]["number"]
    assert client("viewer").post(f"/jobs/{number}/move", state="issued").status_code == 403
    assert client("crew").post(f"/jobs/{number}/move", state="issued").status_code == 303
    assert client("crew").post(f"/jobs/{number}/move", state="draft").status_code == 400
    assert "issued" in client("viewer").get(f"/jobs/{number}").text
    assert client("viewer").get(f"/api/v1/jobs/{number}").json()["state"] == "issued"
    assert client("viewer").get("/jobs/99999").status_code == 404
    found = console.alarms().audit_rows(limit=1)[0]
    assert (found.act, found.actor) == ("Work", "crew")


def test_the_way_to_a_region_is_looked_up_once(console: Console) -> None:
    places, register = Places(console.register), console.register
    one, other = [name for name, stays in register.assets.items() if stays[-1].kind == "transformer"][:2]
    assert places.of(one) == place(register, one)
    assert places.of(one).regions is places.of(one).regions
    assert places.of(other).regions == place(register, other).regions
