"""The feed: what stands in the centre's files is in the store once, says the same, and is told again without harm."""

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from support.alarm_centre import alarm_centre
from support.fed_county import FedCounty
from support.servers import wait_until

from analytics.alarms.classes import BY_NAME
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import Acknowledge, Event, Fell, Rose, Severity
from analytics.alarms.records import Act
from analytics.kpi.report import numbers_by
from dashboards.grafana.feed import Feed
from dashboards.grafana.kpi_rows import VERDICT_NUMBER
from dashboards.grafana.registry import MEASUREMENTS, NotRegistered, checked
from dashboards.grafana.targets import SUPPLY_TARGET_PCT
from edge.errors import BadInput
from ingest.board import BoardRow, open_board
from ingest.config import Centre, StoreSettings
from ingest.register_files import load_register
from ingest.sites import Sites
from ingest.store import Partial, RowsRefused, StoreDown
from ingest.store_sqlite import SqliteStore
from ingest.stores import open_store

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
NOON_MS = 1_780_000_000_000


def rows_of(fed: FedCounty, query: str) -> list[dict[str, object]]:
    found = json.loads(fed.influx.query(query))["results"][0].get("series", [])
    return [dict(zip(one["columns"], row, strict=True)) | one.get("tags", {}) for one in found for row in one["values"]]


@pytest.mark.server
def test_numbers_in_the_store_are_those_of_the_command_line(fed: FedCounty) -> None:
    centre = fed.county.centre
    register = load_register(Path(centre.register), centre.timezone)
    told = {
        str(row["region"]): row
        for row in rows_of(fed, "SELECT * FROM kpi_supply WHERE \"span\" = 'quarter' ORDER BY time")
    }
    numbers = numbers_by(fed.store, register, "2026-04-01", "2026-05-20", "region")
    for code, row in told.items():
        bounds = numbers[code].supply.rs_lv
        assert (row["low_pct"], row["point_pct"], row["high_pct"]) == (
            bounds.low_pct,
            bounds.point_pct,
            bounds.high_pct,
        )
        assert row["verdict"] == VERDICT_NUMBER[bounds.verdict(SUPPLY_TARGET_PCT)]
        assert row["coverage_pct"] == 100 * bounds.coverage
        assert (row["name"], row["name_zh"]) == (register.regions[code].name, register.regions[code].name_zh)
    assert "1501" in told
    for row in rows_of(fed, "SELECT * FROM kpi_voltage WHERE \"span\" = 'quarter'"):
        assert row["pass_pct"] == numbers[str(row["region"])].voltage.pass_pct


@pytest.mark.server
def test_counts_of_alarms_are_those_of_the_alarm_database(fed: FedCounty) -> None:
    now = {str(row["severity"]): row for row in rows_of(fed, "SELECT * FROM alarm_now")}
    with closing(AlarmDatabase(Path(fed.county.centre.data_dir) / "alarms.db")) as alarms:
        standing = alarms.records(only_standing=True)
        occurrences = alarms.occurrences()
    assert set(now) == {"low", "medium", "high", "critical"}
    told = sum(int(str(row[name])) for row in now.values() for name in ("open", "shelved", "suppressed"))
    assert told == len(standing)
    assert sum(int(str(row["shelved"])) for row in now.values()) == 1
    days = rows_of(fed, 'SELECT sum("annunciated") AS "n" FROM alarm_day')
    assert days[0]["n"] == sum(one.cause is None for one in occurrences)
    weeks = rows_of(fed, "SELECT * FROM alarm_week")
    assert sum(int(str(row[f"h{hour:02d}"])) for row in weeks for hour in range(24)) == len(occurrences)


@pytest.mark.server
def test_hours_of_sites_are_those_of_ingest_from_their_first_sign_of_life_on(fed: FedCounty) -> None:
    told = rows_of(fed, "SELECT * FROM site_hour")
    assert min(str(row["time"]) for row in told) == "2026-05-17T15:00:00Z", "an hour before the first status"
    start_ms, end_ms = fed.county.scenario.midnight_ms - HOUR_MS, fed.now_ms - HOUR_MS
    with closing(Sites(Path(fed.county.centre.data_dir) / "journal.db")) as sites:
        known = [(site, h.expected, h.received) for site in sites.names() for h in sites.hours(site, start_ms, end_ms)]
    assert sorted((row["site"], row["expected"], row["received"]) for row in told) == sorted(known)
    assert sum(received for _, _, received in known) > 0


@pytest.mark.server
def test_one_site_is_offline_and_every_site_stands_on_the_map(fed: FedCounty) -> None:
    states = rows_of(fed, "SELECT * FROM site_state")
    assert sorted(int(str(row["link"])) for row in states) == [0, *[1] * (len(states) - 1)]
    assert all(row["lat"] is not None and row["lon"] is not None for row in states)
    assert {row["utility"] for row in states} == {"power", "water", "sewage"}
    for row in states:
        parts = [int(str(row[name])) for name in ("points_good", "points_uncertain", "points_bad", "points_old")]
        assert sum(parts) == row["points"]


@pytest.mark.server
def test_a_feed_that_starts_again_changes_nothing(fed: FedCounty) -> None:
    """Killed after any round: the next start tells the last weeks again, and every row is as it was."""
    fed_measurements = [one for one in MEASUREMENTS if one.startswith(("kpi_", "alarm_", "site_", "point_"))]
    before = {name: rows_of(fed, f"SELECT * FROM {name}") for name in fed_measurements}
    with closing(fed.board()) as board:
        assert fed.feed(board).round(fed.now_ms) > 0
    assert {name: rows_of(fed, f"SELECT * FROM {name}") for name in fed_measurements} == before


@pytest.mark.server
def test_a_round_sends_only_what_is_new(fed: FedCounty) -> None:
    """A minute later: the states of now, and nothing of what stands as it stood. Written beside the other tests."""
    with closing(fed.board()) as board:
        feed = fed.feed(board)
        first = feed.round(fed.now_ms - 2 * MINUTE_MS)
        second = feed.round(fed.now_ms - MINUTE_MS)
    assert second < first / 10
    fed.influx.query(f"DELETE FROM /^(alarm_now|site_state|point_state)$/ WHERE time < {fed.now_ms}ms")
    fed.influx.query(f"DELETE FROM /^kpi_/ WHERE \"span\" <> 'day' AND time < {fed.now_ms}ms")


@pytest.mark.server
def test_a_row_whose_type_differs_is_refused_and_told(fed: FedCounty) -> None:
    with closing(fed.board()) as board:
        board.write([BoardRow("board_test", {}, {"n": 1}, fed.now_ms)])
        with pytest.raises(RowsRefused, match="field type conflict"):
            board.write([BoardRow("board_test", {}, {"n": 1.5}, fed.now_ms)])
        assert board.write([BoardRow("board_test", {}, {"n": 2}, fed.now_ms)]) == 1
    fed.influx.query("DROP MEASUREMENT board_test")


@pytest.mark.server
@pytest.mark.parametrize("name", ['a "quoted", name', "线路=1, 东", "back\\slash\\", "two\nlines", " spaces "])
def test_names_that_people_give_come_back(fed: FedCounty, name: str) -> None:
    row = BoardRow("board_names", {"name": name}, {"text": name, "n": 1}, fed.now_ms)
    with closing(fed.board()) as board:
        board.write([row])
    [told] = rows_of(fed, "SELECT * FROM board_names")
    plain = " ".join(name.split())
    assert (told["text"], told["name"]) == (plain, plain.replace("\\", "/"))
    fed.influx.query("DROP MEASUREMENT board_names")


def test_a_store_that_is_down_is_told_and_the_same_rows_go_out_later(tmp_path: Path) -> None:
    with closing(open_board(StoreSettings(url="influxdb+http://127.0.0.1:9/steppe"), tmp_path)) as board:
        for _ in range(2):
            with pytest.raises(StoreDown, match="no answer"):
                board.write([BoardRow("site_state", {"site": "a"}, {"online": 1}, 0)])


def test_a_store_that_grafana_cannot_ask_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Grafana cannot ask this store"):
        open_board(Centre().store, tmp_path)


@pytest.mark.parametrize(
    "row",
    [
        BoardRow("nothing", {}, {"n": 1}, 0),
        BoardRow("site_state", {"colour": "grey"}, {"online": 1}, 0),
        BoardRow("site_state", {"site": "a"}, {"mood": 1}, 0),
        BoardRow("site_state", {"site": "a"}, {"online": 1.0}, 0),
        BoardRow("site_state", {"site": "a"}, {"good_pct": 100}, 0),
    ],
)
def test_a_row_that_the_registry_does_not_know_is_refused(row: BoardRow) -> None:
    with pytest.raises(NotRegistered, match=row.measurement):
        checked(row)


@pytest.mark.server
def test_everything_that_is_fed_is_registered_and_everything_registered_is_fed(fed: FedCounty) -> None:
    held = {str(row["name"]) for row in rows_of(fed, "SHOW MEASUREMENTS")}
    assert set(MEASUREMENTS) <= held
    for name, one in MEASUREMENTS.items():
        fields = {str(row["fieldKey"]) for row in rows_of(fed, f'SHOW FIELD KEYS FROM "{name}"')}
        assert fields == set(one.fields), name


@pytest.mark.server
def test_a_centre_that_has_just_begun_feeds_what_there_is(fed: FedCounty, tmp_path: Path) -> None:
    """No journal and no alarms yet: the numbers alone, and no file is made."""
    centre = fed.county.centre
    empty = Centre(data_dir=str(tmp_path), register=centre.register, store=centre.store)
    with closing(fed.board()) as board:
        Feed(empty, fed.store, board).round(fed.now_ms)
    assert list(tmp_path.iterdir()) == []


class HeardBoard:
    """A board that keeps what it is told, and may be down."""

    def __init__(self) -> None:
        self.rows: list[BoardRow] = []
        self.is_down = False

    def write(self, rows: list[BoardRow]) -> int:
        if self.is_down:
            raise StoreDown("down")
        self.rows = rows
        return len(rows)

    def open_occurrences(self) -> dict[object, object]:
        return {one.fields["id"]: one.fields["open"] for one in self.rows if one.measurement == "alarm_occurrence"}


def test_an_alarm_that_ends_weeks_later_is_told_even_where_the_store_was_down_meanwhile(tmp_path: Path) -> None:
    """A pump fails; 10 days later it runs again and is acknowledged, just when the store is down."""
    centre = alarm_centre(tmp_path)
    start_ms, later_ms = 1_764_000_000_000, 1_764_000_000_000 + 10 * 24 * HOUR_MS
    board, kind = HeardBoard(), BY_NAME["pump"].kind
    with (
        closing(AlarmDatabase(Path(centre.data_dir) / "alarms.db")) as alarms,
        closing(open_store(centre.store, Path(centre.data_dir))) as store,
    ):
        feed = Feed(centre, store, board)  # type: ignore[arg-type]

        def happens(event: Event, at_ms: int) -> None:
            with alarms.transaction() as change:
                record = change.find("st-0/pump#failed", asset="station_0", kind="pump")
                change.apply(record, Act(event, at_ms), kind, now_ms=at_ms)

        happens(Rose(start_ms, Severity.HIGH), start_ms)
        for at_ms in (start_ms + MINUTE_MS, later_ms):
            feed.round(at_ms)
            assert board.open_occurrences() == {1: 1}
        happens(Fell(later_ms), later_ms)
        happens(Acknowledge(), later_ms)
        board.is_down = True
        with pytest.raises(StoreDown):
            feed.round(later_ms)
        board.is_down = False
        feed.round(later_ms + MINUTE_MS)
        assert board.open_occurrences() == {1: 0}
        feed.round(later_ms + 2 * MINUTE_MS)
        assert board.open_occurrences() == {}


STEPPE = [sys.executable, "-P", "-m", "steppe", "dashboards", "feed"]


@pytest.mark.server
def test_the_process_feeds_and_ends_when_it_is_told(fed: FedCounty, tmp_path: Path) -> None:
    """Its rows stand at the present; they go again, for the county lives in its own time."""
    query = 'SELECT count("online") AS "n" FROM site_state WHERE time > \'2026-06-01T00:00:00Z\''
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*STEPPE, str(fed.county.centre_file)], stderr=log)
    try:
        wait_until(lambda: bool(rows_of(fed, query)) or process.poll() is not None, 60, "rows of the feed")
    finally:
        process.terminate()
    assert process.wait(20) == 0
    assert "rows for Grafana" in (tmp_path / "log").read_text(encoding="utf-8")
    for name in MEASUREMENTS:
        fed.influx.query(f"DELETE FROM \"{name}\" WHERE time > '2026-06-01T00:00:00Z'")


def test_a_centre_without_influxdb_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "centre.toml").write_text("", encoding="utf-8")
    ended = subprocess.run([*STEPPE, str(tmp_path / "centre.toml")], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "Grafana cannot ask this store" in ended.stderr


class NumbersStore(SqliteStore):
    """Counts how often it is asked for numbers."""

    asked = 0

    def read_kpi(self, kpi: str, from_day: str, to_day: str, subjects: Sequence[str] | None = None) -> list[Partial]:
        self.asked += 1
        return super().read_kpi(kpi, from_day, to_day, subjects)


def test_a_clock_that_was_set_back_does_not_stop_the_numbers(tmp_path: Path) -> None:
    """By eight hours, as on a machine that kept local time: the numbers on the wall would stand still so long."""
    centre = alarm_centre(tmp_path)
    with closing(NumbersStore(tmp_path / "numbers.db")) as store:
        feed = Feed(centre, store, HeardBoard())  # type: ignore[arg-type]
        feed.round(NOON_MS)
        at_the_start = store.asked
        feed.round(NOON_MS + MINUTE_MS)
        assert store.asked == at_the_start, "they are told each quarter of an hour"
        feed.round(NOON_MS - 8 * HOUR_MS)
        assert store.asked == 2 * at_the_start > 0
