"""An export as a browser and a program ask for it."""

import csv
import io

import pyarrow.parquet as pq
import pytest
from support.console_browser import Browser

from dashboards.console.site import Console
from dashboards.console.views.export_jobs import MOST, ExportJobs, Progress

POINTS = "works-1/works.free_chlorine_mg_l feeder-1/t01.l1.voltage_v"


@pytest.fixture
def viewer(client) -> Browser:  # type: ignore[no-untyped-def]
    browser: Browser = client("viewer")
    return browser


def days(console: Console) -> dict[str, str]:
    return {"first": "2026-05-18", "last": "2026-05-19"}


def test_csv_and_parquet_hold_what_the_store_holds(viewer: Browser, console: Console) -> None:
    text = viewer.get("/export/readings.csv", points=POINTS, **days(console)).content.decode("utf-8-sig")
    table = pq.read_table(io.BytesIO(viewer.get("/export/readings.parquet", points=POINTS, **days(console)).content))
    stored = console.store().read(POINTS.split(), 0, 2**41)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == table.num_rows == len(stored)
    assert [row["value"] == "" for row in rows] == [value is None for value in table["value"].to_pylist()]


def test_the_page_learns_how_far_its_export_has_come(viewer: Browser, console: Console) -> None:
    assert "Beginning" in viewer.get("/export/progress/word-1").text
    viewer.get("/export/readings.csv", points=POINTS, job="word-1", **days(console))
    assert "Done" in viewer.get("/export/progress/word-1").text
    assert "hx-get" not in viewer.get("/export/progress/word-1").text


def test_the_file_is_named_after_its_days(viewer: Browser, console: Console) -> None:
    answer = viewer.get("/export/readings.csv", points=POINTS, **days(console))
    assert answer.headers["content-disposition"] == 'attachment; filename="readings-2026-05-18-2026-05-19.csv"'


@pytest.mark.parametrize(
    "query",
    [
        {"points": ""},
        {"points": "../../etc/passwd"},
        {"points": POINTS, "first": "2026-05-19", "last": "2026-05-18"},
        {"points": POINTS, "first": "2020-01-01", "last": "2026-05-18"},
        {"points": POINTS, "first": "x"},
        {"points": POINTS, "job": "../x"},
    ],
)
def test_an_absurd_export_is_refused_before_it_begins(viewer: Browser, query: dict[str, str]) -> None:
    asked = {"first": "2026-05-18", "last": "2026-05-19"} | query
    assert viewer.get("/export/readings.csv", **asked).status_code == 400


def test_another_form_than_the_two_is_refused(viewer: Browser, console: Console) -> None:
    assert viewer.get("/export/readings.exe", points=POINTS, **days(console)).status_code in (400, 404)


def test_a_program_gets_the_same_file(viewer: Browser, console: Console) -> None:
    point, now_ms = POINTS.split()[0], console.now_ms()
    asked = f"/api/v1/export/readings.csv?point={point}&from_ms={now_ms - 3_600_000}&to_ms={now_ms}"
    assert viewer.get(asked).text.count(point) == len(console.store().read([point], now_ms - 3_600_000, now_ms))


def test_old_exports_are_forgotten() -> None:
    jobs = ExportJobs()
    for number in range(MOST + 1):
        jobs.begin(str(number))(1.0, 5)
    assert jobs.get("0") is None
    assert jobs.get(str(MOST)) == Progress(1.0, 5, is_done=True)
    jobs.fail("1", "the store is down")
    assert jobs.get("1") == Progress(1.0, 5, trouble="the store is down")
