"""The operator's wall: the county's own map, the last day, the year so far, and what can be believed."""

from collections.abc import Callable
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.console_browser import Browser

from analytics.alarms.events import Severity
from analytics.alarms.records import AlarmRecord, Occurrence
from analytics.alarms.state import Alarm
from dashboards.console.geography import WIDTH, Sheet, Sheets, hull, make_sheet
from dashboards.console.people import Role
from dashboards.console.render import TEMPLATES, compile_templates
from dashboards.console.site import Console
from dashboards.console.views.overview import months_so_far, read_overview, supply_year, voltage_year, warm
from dashboards.console.views.overview_day import last_day
from dashboards.console.views.overview_map import LATIN_PX, LINE_PX, CountyMap, Name, conditions, draw_map
from ingest.register import Asset, Plan, Region, Register

SignIn = Callable[[Role], Browser]
HOUR_MS = 3_600_000
NOW_MS = 1_000 * 24 * HOUR_MS
UTC = ZoneInfo("UTC")


def asset(id_: str, kind: str, parent: str | None, lat: float | None, lon: float | None) -> Asset:
    return Asset(id_, kind, f"Place {id_}", f"地点{id_}", "g", parent, 10, None, None, None, None, lat, lon)


def register_of(*assets: Asset, plans: tuple[Plan, ...] = ()) -> Register:
    regions = {"s": Region("s", "Sumu", "苏木", "sumu", None), "g": Region("g", "Gacha", "嘎查", "gacha", "s")}
    return Register(regions, {one.id: (one,) for one in assets}, {}, plans)


LINE = register_of(
    asset("ss", "substation", None, 43.0, 122.0),
    asset("f", "feeder", "ss", None, None),
    asset("t1", "transformer", "f", 43.0, 122.1),
    asset("t2", "transformer", "f", 43.0, 122.2),
    asset("gw", "gateway", "t2", None, None),
)
"""A substation, and two transformers east of it in one line."""


def record(asset_id: str, kind: str, **flags: object) -> AlarmRecord:
    alarm = Alarm(condition=True, severity=Severity.HIGH, **flags)  # type: ignore[arg-type]
    return AlarmRecord(f"{asset_id}#{kind}", asset_id, kind, alarm)


def sheet_of(register: Register) -> Sheet:
    sheet = make_sheet(register)
    assert sheet is not None
    return sheet


def test_a_line_runs_from_one_transformer_to_the_next_and_not_as_a_star() -> None:
    """t2 is nearer to t1 than to the substation."""
    sheet = sheet_of(LINE)
    x = {name: spot[0] for name, spot in sheet.spots.items()}
    assert x["ss"] < x["t1"] < x["t2"]
    assert [(wire.from_, wire.asset) for wire in sheet.wires] == [(sheet.spots["ss"], "t1"), (sheet.spots["t1"], "t2")]


def test_a_degree_of_longitude_is_shorter_than_one_of_latitude() -> None:
    """At 60° it is half as long."""
    square = register_of(
        asset("a", "substation", None, 60.0, 20.0), asset("b", "substation", None, 60.2, 20.0),
        asset("c", "substation", None, 60.0, 20.2),
    )  # fmt: skip
    spots = sheet_of(square).spots
    north, east = spots["a"][1] - spots["b"][1], spots["c"][0] - spots["a"][0]
    assert east / north == pytest.approx(0.5, abs=0.01)


def test_one_place_alone_can_be_drawn_and_none_at_all_is_no_map() -> None:
    assert sheet_of(register_of(asset("a", "substation", None, 43.0, 122.0))).outline
    assert make_sheet(register_of(asset("a", "substation", None, None, None))) is None
    assert Sheets().of(register_of()) is None


def test_a_sheet_is_made_once_per_register() -> None:
    sheets = Sheets()
    assert sheets.of(LINE) is sheets.of(LINE)


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=3, max_size=30))
def test_a_hull_turns_one_way_around_all_points(points: list[tuple[float, float]]) -> None:
    corners = hull(points)
    assert set(corners) <= set(points)
    if len(corners) > 2:
        for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
            assert all((bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0 for x, y in points)


def test_what_stands_nowhere_by_itself_shows_at_what_it_belongs_to() -> None:
    """The gateway's alarm shows at its transformer, the feeder's at the first transformer of the line."""
    drawn = draw_map(sheet_of(LINE), LINE, conditions([record("gw", "supply_lost"), record("f", "voltage")]), "en")
    found = {spot.asset: (spot.state, spot.priority) for spot in drawn.spots}
    assert found["t2"] == ("no_supply", 2)
    assert found["t1"] == ("ok", 2)
    assert found["ss"] == ("ok", None)


def test_a_folded_alarm_marks_the_state_and_no_number() -> None:
    known = conditions([record("t1", "device_silent", suppressed_by=frozenset({"f#supply_lost"}))])
    assert (known["t1"].state, known["t1"].priority) == ("no_data", None)


def boxes(drawn: CountyMap) -> list[tuple[float, float, float, float]]:
    def box(name: Name) -> tuple[float, float, float, float]:
        length = LATIN_PX * len(name.text)
        left = name.x - {"start": 0.0, "middle": length / 2, "end": length}[name.anchor]
        return left, name.y - 4 - LINE_PX / 2, left + length, name.y - 4 + LINE_PX / 2

    return [box(name) for name in (*drawn.names, *drawn.regions)]


@given(st.lists(st.tuples(st.floats(43.0, 43.5), st.floats(122.0, 122.5)), min_size=1, max_size=25))
def test_no_name_covers_another_or_leaves_the_sheet(places: list[tuple[float, float]]) -> None:
    """Wherever alarms stand, however close: names that find no room are left out."""
    register = register_of(*(asset(f"t{n}", "transformer", None, *place) for n, place in enumerate(places)))
    drawn = draw_map(sheet_of(register), register, conditions([record(a, "voltage") for a in register.assets]), "en")
    found = boxes(drawn)
    for one, other in combinations(found, 2):
        assert (
            one[2] <= other[0] + 0.2 or other[2] <= one[0] + 0.2 or one[3] <= other[1] + 0.2 or other[3] <= one[1] + 0.2
        )
    assert all(left >= -0.1 and right <= WIDTH + 0.1 for left, _, right, _ in found)


def occurrence(number: int, alarm: str, onset_h: float, returned_h: float | None) -> Occurrence:
    onset_ms = NOW_MS - round(onset_h * HOUR_MS)
    returned_ms = None if returned_h is None else NOW_MS - round(returned_h * HOUR_MS)
    return Occurrence(
        number, alarm, number, onset_ms, Severity.HIGH, None, None, None, None, None, returned_ms, returned_ms, 0
    )


def test_the_last_day_says_what_held_from_when_to_when() -> None:
    """No supply for the last 6 h, voltage high 18 to 12 h ago, a plan 24 to 21 h ago: each where it was."""
    plan = Plan("ss", NOW_MS - 24 * HOUR_MS, NOW_MS - 21 * HOUR_MS, "planned", "N1", "")
    register = register_of(*(stays[0] for stays in LINE.assets.values()), plans=(plan,))
    kinds = {one.id: one for one in (record("t1", "supply_lost"), AlarmRecord("t2#high", "t2", "voltage", Alarm()))}
    found = last_day(
        [occurrence(1, "t2#high", 18, 12), occurrence(2, "t1#supply_lost", 6, None)], kinds, register, NOW_MS, UTC
    )
    rows = [(row.place.asset, [(bar.kind, bar.left_pct, bar.width_pct) for bar in row.bars]) for row in found.rows]
    assert rows == [("t1", [("so", 75.0, 25.0)]), ("t2", [("hi", 25.0, 25.0)]), ("ss", [("pl", 0.0, 12.5)])]
    assert found.quiet == 1
    assert [tick.text for tick in found.ticks][-1] == "00:00"


@pytest.mark.parametrize("minutes", range(0, 4 * 60, 10))
def test_the_last_two_labels_of_the_day_leave_each_other_room_on_a_phone(minutes: int) -> None:
    """A label is a tenth of a strip of 330 px: the last ends at its end, the one before stands around its hour."""
    ticks = last_day([], {}, LINE, NOW_MS + minutes * 60_000, UTC).ticks
    assert ticks[-1].left_pct == 100.0
    assert ticks[-2].left_pct <= 85.0
    assert len(ticks) >= 6


def test_the_year_so_far_is_the_months_that_have_data(console: Console) -> None:
    tile = supply_year(console, "1501")
    assert (tile.year, len(tile.months)) == ("2026", 5)
    assert tile.months[:4] == (None,) * 4
    assert tile.months[4] == tile.bounds.point_pct
    assert tile.left is not None
    assert tile.left.low <= tile.left.point <= tile.left.high <= tile.allowed == pytest.approx(14.892)
    assert voltage_year(console, "1501").bounds.target_pct == 99.68


def test_the_allowance_of_voltage_goes_by_the_months_that_have_a_number(console: Console) -> None:
    """Nobody watched before May: what was missed since its first day is subtracted, and no month before it."""
    tile, may = voltage_year(console, "1501"), months_so_far(console)[-1]
    assert tile.months[:4] == (None,) * 4
    assert tile.left is not None
    assert tile.bounds.low_pct is not None
    passed_min = (console.now_ms() - may.start_ms) / 60_000
    assert tile.left.low == pytest.approx(tile.allowed - (1 - tile.bounds.low_pct / 100) * passed_min)
    assert 0 < tile.left.low <= tile.left.point <= tile.left.high <= tile.allowed


def test_before_somebody_asks_the_year_of_the_first_page_is_worked_out(console: Console) -> None:
    console.sums.rates.clear()
    warm(console)
    known = set(console.sums.rates)
    assert ("1501", "2026-05-01", months_so_far(console)[-1].to_day) in known
    read_overview(console, "en")
    assert set(console.sums.rates) == known


def test_every_template_compiles() -> None:
    assert compile_templates() == len(list(TEMPLATES.rglob("*.html")))


def test_the_overview_has_everything_on_one_page(console: Console) -> None:
    found = read_overview(console, "en")
    assert found.map is not None
    assert found.region is not None
    assert found.region.level == "banner"
    assert found.alarms.rows
    assert found.day.rows
    assert found.belief.sites == 5
    assert [row.presence for row in found.belief.latest] == ["online"] * 3


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_shown_in_both_languages(client: SignIn, language: str) -> None:
    answer = client("crew").get(f"/?lang={language}")
    assert answer.status_code == 200
    assert ("Can this be believed?" if language == "en" else "数据可信吗？") in answer.text
    assert "overview." not in answer.text
    assert client("crew").get(f"/overview/now?lang={language}").status_code == 200


def test_no_page_holds_an_inline_style_or_script(client: SignIn) -> None:
    for path in ("/", "/kpi", "/regions/1501"):
        text = client("operator").get(path).text
        assert "style=" not in text
        assert "<script>" not in text
        assert "onclick" not in text


def test_the_api_gives_the_year_and_the_regions(console: Console, client: SignIn) -> None:
    viewer = client("viewer")
    assert (
        viewer.get("/api/v1/overview/supply").json()["bounds"]["point_pct"]
        == supply_year(console, "1501").bounds.point_pct
    )
    assert viewer.get("/api/v1/overview/voltage").json()["year"] == "2026"
    assert [row["region"]["level"] for row in viewer.get("/api/v1/overview/regions").json()] == ["sumu"]
