"""Acts on alarms from the console: once however often, never on another occurrence, always in the trail."""

from pathlib import Path

import pytest
from support.alarm_script import MINUTE_MS, Play, county

from analytics.alarms import queries
from analytics.alarms.database import AlarmDatabase
from dashboards.console.errors import NotFound, Unusable
from dashboards.console.views.alarm_acts import Answer, Wish, act
from dashboards.console.views.alarm_verbs import Verb

SUPPLY = "st-0/meter#supply_lost"
CHLORINE = "st-0/outlet.free_chlorine_mg_l#disinfection"


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """The meter of the only station reads no voltage for two minutes."""
    play = Play(tmp_path, county(1))
    play.say("st-0", meter__voltage_v=0.0)
    play.minute(2)
    return play


def wish(
    play: Play,
    verb: Verb,
    by: str = "wang",
    *,
    alarm: str = SUPPLY,
    number: int | None = None,
    database: AlarmDatabase | None = None,
    **more: object,
) -> Answer:
    """Somebody asks for something of an alarm's newest occurrence, or of the one they name."""
    with play.database.reading() as connection:
        newest = queries.newest(connection, [alarm])[alarm]
    asked = Wish(verb, by, **more)  # type: ignore[arg-type]
    where = database or play.database
    return act(where, play.engine.planner, number or newest.id, asked, now_ms=play.now_ms)


def trail(play: Play) -> list[tuple[str, str]]:
    """(act, actor) of people, oldest first."""
    rows = reversed(play.database.audit_rows(alarm=SUPPLY))
    return [(row.act, row.actor) for row in rows if row.actor != "engine"]


def test_the_first_tap_takes_it_and_the_second_says_that_you_have_it(play: Play) -> None:
    first, second = wish(play, "acknowledge"), wish(play, "acknowledge")
    assert (first.outcome, first.key, first.state) == ("done", "taken", "C")
    assert (second.outcome, second.at_ms) == ("had", first.at_ms)
    assert trail(play) == [("Acknowledge", "wang")]
    assert play.database.broken_audit_rows() == []


def test_of_two_people_who_take_it_the_second_hears_who_was_first(play: Play) -> None:
    """The console's connection is another one than the engine's, as it is in another process."""
    other = AlarmDatabase(play.folder / "alarms.db")
    wish(play, "acknowledge", "wang", database=other)
    late = wish(play, "acknowledge", "li")
    assert (late.outcome, late.by, late.stands) == ("other", "wang", False)
    assert trail(play) == [("Acknowledge", "wang")]
    other.close()


def test_taking_it_calls_back_the_notices_that_wait(play: Play) -> None:
    wish(play, "acknowledge")
    with play.database.reading() as connection:
        states = {notice.recipient: notice.state for notice in queries.notices(connection, SUPPLY, 1)}
    assert states == {"crew": "accepted", "county": "cancelled"}


def test_an_alarm_that_cleared_meanwhile_is_closed_by_the_acknowledgement(play: Play) -> None:
    play.say("st-0", meter__voltage_v=230.0)
    play.minute(1)
    answer = wish(play, "acknowledge")
    assert (answer.outcome, answer.key, answer.state) == ("done", "closed", "A")
    assert wish(play, "acknowledge").outcome == "had"
    assert wish(play, "acknowledge", "li").by == "wang"


def test_an_occurrence_that_came_again_is_not_taken_for_the_one_before(play: Play) -> None:
    with play.database.reading() as connection:
        old = queries.newest(connection, [SUPPLY])[SUPPLY].id
    play.say("st-0", meter__voltage_v=230.0)
    play.minute(10)
    play.say("st-0", meter__voltage_v=0.0)
    play.minute(1)
    answer = wish(play, "acknowledge", number=old)
    assert (answer.outcome, answer.newer > old) == ("again", True)
    assert play.states()[SUPPLY] == "B"
    assert trail(play) == []


def test_what_never_was_is_not_found(play: Play) -> None:
    with pytest.raises(NotFound, match="#77"):
        wish(play, "acknowledge", number=77)


def test_a_shelf_ends_after_now_and_within_its_longest(play: Play) -> None:
    past = wish(play, "shelve", reason="probe", until_ms=play.now_ms - 1)
    far = wish(play, "shelve", reason="probe", until_ms=play.now_ms + 25 * 60 * MINUTE_MS)
    assert [(past.outcome, past.key), (far.key, far.hours)] == [("refused", "past"), ("too_long", 24)]
    assert trail(play) == [("refused Shelve", "wang")] * 2
    done = wish(play, "shelve", reason="probe", until_ms=play.now_ms + 60 * MINUTE_MS)
    assert (done.outcome, done.state) == ("done", "E")


def test_who_hides_or_says_something_says_why_or_what(play: Play) -> None:
    for verb, more in (("shelve", {"until_ms": play.now_ms + 1}), ("comment", {}), ("out_of_service", {})):
        with pytest.raises(Unusable, match=r"alarm\.said\.no_"):
            wish(play, verb, **more)  # type: ignore[arg-type]
    with pytest.raises(Unusable, match="no_end"):
        wish(play, "shelve", reason="probe")
    with pytest.raises(Unusable, match="long"):
        wish(play, "comment", reason="x" * 501)
    assert trail(play) == []


def test_a_comment_is_a_row_of_the_trail_and_changes_nothing(play: Play) -> None:
    assert wish(play, "comment", reason=" crew leaves 14:35 ").outcome == "done"
    row = play.database.audit_rows(alarm=SUPPLY, limit=1)[0]
    assert (row.act, row.actor, row.reason, row.before, row.after) == ("Comment", "wang", "crew leaves 14:35", "B", "B")
    assert play.database.broken_audit_rows() == []


def test_out_of_service_and_back(play: Play) -> None:
    assert wish(play, "out_of_service", work_order="WO-7").state == "G"
    assert wish(play, "return_to_service").state == "B"
    assert wish(play, "return_to_service").key == "in_service"


@pytest.mark.parametrize(
    ("verb", "key"), [("reset", "not_latched"), ("unshelve", "not_shelved"), ("return_to_service", "in_service")]
)
def test_what_makes_no_sense_in_this_state_is_refused_with_its_reason(play: Play, verb: Verb, key: str) -> None:
    answer = wish(play, verb)
    assert (answer.outcome, answer.key) == ("refused", key)
    assert play.states()[SUPPLY] == "B"


def test_an_alarm_that_is_never_hidden_is_never_shelved(play: Play) -> None:
    play.say("st-0", outlet__free_chlorine_mg_l=0.05)
    play.minute(6)
    play.say("st-0", outlet__free_chlorine_mg_l=0.05)
    play.minute(1)
    answer = wish(play, "shelve", alarm=CHLORINE, reason="probe", until_ms=play.now_ms + MINUTE_MS)
    assert (answer.outcome, answer.key) == ("refused", "never_shelved")


def test_handing_back_calls_who_is_on_duty_again(play: Play) -> None:
    wish(play, "acknowledge")
    assert wish(play, "hand_back").state == "B"
    play.minute(2)
    assert play.pages()[-1] == (SUPPLY, "fired", "crew")


def test_an_engine_that_starts_anew_knows_who_has_it(play: Play) -> None:
    wish(play, "acknowledge")
    play.kill()
    play.minute(1)
    assert play.states()[SUPPLY] == "C"
    assert wish(play, "acknowledge").outcome == "had"
