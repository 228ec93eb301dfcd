"""The alarm list: worst first, every tab, filters, and an order that holds under a thumb."""

from pathlib import Path

import pytest
from support.alarm_script import MINUTE_MS, Play, county
from support.console_browser import Browser

from analytics.alarms import queries
from analytics.alarms.events import Acknowledge, Rose, Severity, Shelve
from analytics.alarms.records import Act, AlarmRecord
from analytics.alarms.state import Alarm, Kind
from analytics.limit_files import load_setpoints
from analytics.limits import Setpoint
from dashboards.console.people import Role
from dashboards.console.site import Console
from dashboards.console.views import alarms
from dashboards.console.views.alarms import AlarmList, Wanted
from dashboards.console.views.alarms_names import steps, title, unit_of
from dashboards.console.views.alarms_rows import AlarmRow

FEEDER, STATION = "head/meter#supply_lost", "st-0/meter#supply_lost"
CHLORINE = "st-1/outlet.free_chlorine_mg_l#disinfection"
EVERYTHING = Wanted()
SETPOINTS: tuple[Setpoint, ...] = load_setpoints()


class SignIn:
    """`client("crew")`: a browser of that role."""

    def __call__(self, role: Role) -> Browser: ...


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """The feeder and the station below it are dark; another station's chlorine is very low."""
    play = Play(tmp_path, county(2))
    play.say_all({"head": {"meter.voltage_v": 0.0}, "st-0": {"meter.voltage_v": 0.0}})
    for _ in range(7):
        play.say("st-1", outlet__free_chlorine_mg_l=0.05)
        play.minute(1)
    return play


def listed(
    play: Play, tab: alarms.Tab = "active", wanted: Wanted = EVERYTHING, keep: tuple[int, ...] = ()
) -> AlarmList:
    return alarms.standing(play.database, play.register, SETPOINTS, tab, wanted, keep)


def number(play: Play, alarm: str) -> int:
    with play.database.reading() as connection:
        return queries.newest(connection, [alarm])[alarm].id


def names(rows: tuple[AlarmRow, ...]) -> list[str]:
    return [row.alarm for row in rows]


def test_the_cause_stands_in_the_list_with_what_is_folded_under_it(play: Play) -> None:
    found = listed(play)
    assert names(found.rows) == [FEEDER, CHLORINE]
    assert found.counts == {"active": 2, "suppressed": 1}
    assert [(row.alarm, count) for row, count in found.folded_under] == [(FEEDER, 1)]
    [folded] = listed(play, "suppressed").rows
    assert (folded.alarm, folded.hidden_by) == (STATION, (FEEDER,))
    assert folded.names[FEEDER].zh.startswith("停电，")


def test_a_row_says_what_where_how_bad_and_who_knows(play: Play) -> None:
    chlorine = listed(play).rows[1]
    assert (chlorine.title.en, chlorine.title.zh) == ("Disinfection failing", "消毒失效")
    assert (chlorine.place.name.zh, [step.name.en for step in chlorine.place.regions]) == ("station_1站", ["Togtoh"])
    assert (chlorine.value, chlorine.unit, chlorine.limits.low, chlorine.limits.high) == (0.05, "mg/L", 0.3, 1.5)
    assert chlorine.priority == 1
    assert chlorine.told.heard[0][0] == "crew"
    assert chlorine.told.next_name == "backup"


def test_what_is_taken_goes_below_and_what_has_cleared_too(play: Play) -> None:
    play.act(FEEDER, Acknowledge(), "wang")
    assert [(row.alarm, row.acked_by) for row in listed(play).rows] == [(CHLORINE, ""), (FEEDER, "wang")]


def test_shelved_alarms_have_their_tab_and_their_end(play: Play) -> None:
    play.act(FEEDER, Shelve(play.now_ms, play.now_ms + 60 * MINUTE_MS), "wang")
    found = listed(play, "shelved")
    assert names(found.rows) == [FEEDER]
    assert found.next_shelf_ends_ms == found.rows[0].shelved_until_ms == play.now_ms + 60 * MINUTE_MS


def test_a_shelved_alarm_says_who_shelved_it_last_and_why(play: Play) -> None:
    for minutes, why in ((30, "probe is being cleaned"), (60, "<b>probe is broken</b>")):
        act = Act(Shelve(play.now_ms, play.now_ms + minutes * MINUTE_MS), play.now_ms, "wang", why)
        play.engine.planner.act(play.database, FEEDER, act, now_ms=play.now_ms)
    assert [(row.shelved_by, row.shelved_why) for row in listed(play, "shelved").rows] == [
        ("wang", "<b>probe is broken</b>")
    ]
    assert {row.shelved_why for row in listed(play).rows} == {""}


def test_rows_that_are_looked_at_keep_their_order_whatever_becomes_of_them(play: Play) -> None:
    """A second tap hits the same alarm: the one taken stays where it was, and a new one waits to be shown."""
    kept = (number(play, CHLORINE),)
    play.act(CHLORINE, Acknowledge(), "wang")
    found = listed(play, keep=kept)
    assert names(found.rows) == [CHLORINE]
    assert names(found.fresh) == [FEEDER]
    both = (number(play, CHLORINE), number(play, FEEDER))
    assert names(listed(play, keep=both).rows) == [CHLORINE, FEEDER]


def test_what_somebody_has_stays_below_and_never_moves_up_between_the_kept(play: Play) -> None:
    play.act(FEEDER, Acknowledge(), "wang")
    found = listed(play, keep=(number(play, CHLORINE),))
    assert names(found.rows) == [CHLORINE, FEEDER]
    assert found.fresh == ()


def test_a_kept_row_stays_when_its_alarm_has_come_again(play: Play) -> None:
    old = number(play, FEEDER)
    play.act(FEEDER, Acknowledge(), "wang")
    play.say("head", meter__voltage_v=230.0)
    play.minute(10)
    play.say("head", meter__voltage_v=0.0)
    play.minute(1)
    found = listed(play, keep=(old,))
    assert [row.id for row in found.rows] == [old]
    assert found.rows[0].state == "A"
    assert number(play, FEEDER) in [row.id for row in found.fresh]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(text="消毒"), [CHLORINE]),
        (Wanted(text="FEEDER_1"), [FEEDER]),
        (Wanted(priorities=(2,)), []),
        (Wanted(region="150122"), [FEEDER, CHLORINE]),
        (Wanted(region="9"), []),
    ],
)
def test_filters_leave_out_the_rest(play: Play, wanted: Wanted, expected: list[str]) -> None:
    assert names(listed(play, wanted=wanted).rows) == expected


def test_history_lists_every_occurrence_with_its_cause(play: Play) -> None:
    found = alarms.past(play.database, play.register, SETPOINTS, (0, 2**62), Wanted(region="150122"))
    assert found.total == 3
    assert {row.alarm: row.cause for row in found.rows} == {FEEDER: "", STATION: FEEDER, CHLORINE: ""}
    assert alarms.past(play.database, play.register, SETPOINTS, (0, 1)).rows == ()


def test_alarms_are_called_by_quantity_and_side_and_units_are_written_as_people_do() -> None:
    assert title("s/outlet.turbidity_ntu#high", "quality").zh == "浊度偏高"
    assert title("s/m.voltage_v#low", "voltage").en == "Voltage low"
    assert title("s/meter#silent", "device_silent").en == "Device does not answer"
    assert [unit_of(f"s/p.{name}") for name in ("level_m", "flow_m3_h", "ph", "water_temp_c")] == [
        "m",
        "m³/h",
        "",
        "°C",
    ]


def test_an_alarm_of_a_class_that_is_not_known_is_called_by_the_name_of_its_class() -> None:
    found = title("s/m.voltage_v#high", "arc_flash")
    assert (found.en, found.zh, steps("arc_flash")) == ("arc_flash", "arc_flash", ())


def test_pages_show_an_alarm_of_a_class_that_is_not_known(client: SignIn, console: Console) -> None:
    """A file that a later version wrote: it can be seen, taken and shelved like any other."""
    with console.alarms().transaction() as change:
        change.apply(
            AlarmRecord("s/m.voltage_v#arc", "s", "arc_flash", Alarm()),
            Act(Rose(console.now_ms(), Severity.HIGH), console.now_ms()),
            Kind(),
            now_ms=console.now_ms(),
        )
    with console.alarms().reading() as connection:
        number = queries.newest(connection, ["s/m.voltage_v#arc"])["s/m.voltage_v#arc"].id
    assert "arc_flash" in client("crew").get("/alarms").text
    assert client("crew").get("/", lang="en").status_code == 200
    assert "arc_flash" in client("crew").get(f"/alarms/{number}").text
    assert client("crew").post(f"/alarms/{number}/acknowledge").status_code == 303


def test_an_action_is_told_in_steps() -> None:
    assert [step.en for step in steps("supply_lost")] == [
        "Check the switch upstream",
        "Call the dispatcher before going out",
    ]


@pytest.mark.parametrize("tab", ["active", "shelved", "suppressed", "out_of_service", "history"])
def test_every_tab_is_a_page_in_both_languages(client: SignIn, tab: str) -> None:
    browser = client("viewer")
    assert browser.get("/alarms", tab=tab, lang="zh").status_code == 200
    assert browser.get("/alarms", tab=tab, lang="en").status_code == 200


def test_the_list_shows_real_alarms_and_a_viewer_no_button(client: SignIn) -> None:
    crew, viewer = client("crew").get("/alarms").text, client("viewer").get("/alarms").text
    assert 'hx-post="/alarms/' in crew
    assert "Free chlorine low" in viewer
    assert "hx-post" not in viewer


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"tab": "nonsense"}, 404),
        ({"priority": "9"}, 400),
        ({"region": "no such region"}, 404),
        ({"tab": "history", "from": "2026-13-45"}, 400),
        ({"tab": "history", "from": "2026-05-02", "to": "2026-05-01"}, 400),
        ({"tab": "history", "from": "1992-01-01", "to": "2026-05-01"}, 400),
        ({"first": "-1"}, 400),
        ({"text": "x" * 5000}, 400),
    ],
)
def test_what_cannot_be_asked_gets_one_clear_sentence(client: SignIn, query: dict[str, str], status: int) -> None:
    assert client("viewer").get("/alarms", **query).status_code == status


def test_rows_alone_keep_the_order_that_the_reader_sees(client: SignIn, console: Console) -> None:
    shown = alarms.standing(console.alarms(), console.register, SETPOINTS)
    waiting = [row.id for row in shown.rows if row.untaken]
    text = client("crew").get("/alarms/rows", keep=",".join(map(str, reversed(waiting)))).text
    assert [text.index(f'id="a{one}"') for one in reversed(waiting)] == sorted(
        text.index(f'id="a{one}"') for one in waiting
    )
    assert client("crew").get("/alarms/rows", keep="1;drop").status_code == 400


def test_an_alarm_is_found_by_its_id(client: SignIn, console: Console) -> None:
    row = alarms.standing(console.alarms(), console.register, SETPOINTS).rows[0]
    answer = client("viewer").get("/alarms/of", alarm=row.alarm)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/alarms/{row.id}")
    assert client("viewer").get("/alarms/of", alarm="no#such").status_code == 404


def test_the_shelved_tab_shows_the_reason(client: SignIn, console: Console) -> None:
    [row, *_] = alarms.standing(console.alarms(), console.register, SETPOINTS).rows
    act = Act(Shelve(console.now_ms(), console.now_ms() + 30 * MINUTE_MS), console.now_ms(), "wang", "probe <b>wet</b>")
    console.planner().act(console.alarms(), row.alarm, act, now_ms=console.now_ms())
    assert "wang: probe &lt;b&gt;wet&lt;/b&gt;" in client("viewer").get("/alarms", tab="shelved", lang="en").text
