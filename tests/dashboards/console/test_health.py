"""Data health: silence, losses and refused messages are seen at a glance, and a store that is gone is said."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient
from support.console_browser import Browser

from dashboards.console.app import build_app
from dashboards.console.people import Role
from dashboards.console.per_thread import PerThread
from dashboards.console.site import Console
from dashboards.console.views.health import Health, health, lines
from edge.wire import Batch, PointInfo, PointList, Quality, Status, encode, topic
from ingest.check import check
from ingest.deadletter import DeadLetters, Refused
from ingest.journal import Journal
from ingest.register import Register
from ingest.sites import Sites
from ingest.store import Columns, Store, StoreDown
from ingest.store_sqlite import SqliteStore

HOUR_MS, MINUTE_MS = 3_600_000, 60_000
NOW_MS = 1_764_000_000_000 // HOUR_MS * HOUR_MS
STREAM = "0" * 32
NOBODY = Register({}, {}, {}, ())


class SignIn:
    """`client("crew")`: a browser of that role."""

    def __call__(self, role: Role) -> Browser: ...


def look(folder: Path, *, now_ms: int = NOW_MS) -> Health:
    with (
        closing(Sites(folder / "journal.db")) as sites,
        closing(DeadLetters(folder / "deadletters.db")) as letters,
    ):
        return health(sites, letters, NOBODY, folder / "journal.db", 8.0, now_ms=now_ms)


def tell(folder: Path, site: str = "st-0", *, readings: int = 60, bad: int = 6, missing: int = 0) -> None:
    """In the last hour a site that promised a reading a minute sent so many, some without a value."""
    start_ms = NOW_MS - HOUR_MS
    names, rows = ["meter.voltage_v"], list(range(readings))
    values = [None if row < bad else 230.0 for row in rows]
    quality = [Quality.BAD_NO_ANSWER if row < bad else Quality.GOOD for row in rows]
    times = [row * MINUTE_MS for row in rows]
    batch = Batch(1, site, STREAM, 0, "boot", start_ms, names, [0] * len(rows), times, values, quality)
    points = PointList(1, site, "boot", start_ms, [PointInfo("meter.voltage_v", 60.0)])
    status = Status(
        1, site, True, "boot", NOW_MS, "0.1", STREAM, 1 + missing, spool_batches=missing, clock="synced", up_ms=HOUR_MS
    )
    said = [("points", points), ("batch", batch), ("status", status)]
    with closing(Journal(folder / "journal.db")) as journal:
        journal.commit(
            [check(topic(site, leaf), encode(one), received_ms=NOW_MS) for leaf, one in said]  # type: ignore[arg-type]
        )


def test_an_hour_by_hand(tmp_path: Path) -> None:
    """60 readings promised in the hour that was promised for, 6 of them without a value: 90 % of that hour."""
    tell(tmp_path)
    [site] = look(tmp_path).sites
    assert site.hours[-1] == pytest.approx(0.9)
    assert (site.voice, site.received, site.bad, site.clock) == ("heard", 60, 6, "synced")
    assert (site.missing_batches, site.dropped_readings, site.set_aside) == (0, 0, "")


@pytest.mark.parametrize(("minutes", "voice"), [(0, "heard"), (11, "late"), (31, "gone")])
def test_silence_grows_from_late_to_gone(tmp_path: Path, minutes: int, voice: str) -> None:
    tell(tmp_path)
    found = look(tmp_path, now_ms=NOW_MS + minutes * MINUTE_MS)
    assert found.sites[0].voice == voice
    assert found.silent == (voice != "heard")


def test_what_a_site_sealed_and_nobody_has_is_counted(tmp_path: Path) -> None:
    tell(tmp_path, missing=3)
    [site] = look(tmp_path).sites
    assert (site.missing_batches, site.spool_batches) == (3, 3)


def test_the_worst_site_stands_first(tmp_path: Path) -> None:
    tell(tmp_path, "st-0", bad=0)
    tell(tmp_path, "st-1", bad=30)
    assert [site.site for site in look(tmp_path).sites] == ["st-1", "st-0"]


def test_a_site_in_order_is_left_out_until_all_are_asked_for(tmp_path: Path) -> None:
    tell(tmp_path, "st-0", bad=0)
    tell(tmp_path, "st-1", bad=30)
    assert {site.site: site.in_order for site in look(tmp_path).sites} == {"st-0": False, "st-1": False}
    whole = replace(look(tmp_path).sites[1], expected=60.0)
    assert whole.in_order
    assert not replace(whole, clock="unsynced").in_order
    assert not replace(whole, voice="late").in_order


def test_neighbouring_hours_that_are_alike_are_one_stretch(tmp_path: Path) -> None:
    tell(tmp_path)
    site = replace(look(tmp_path).sites[0], hours=(None, 0.0, 0.5, 0.998, 1.0))
    assert [(run.first, run.count, run.share) for run in site.runs] == [(0, 2, None), (2, 1, 0.5), (3, 2, 1.0)]


def test_refused_messages_are_listed_with_their_reason(tmp_path: Path) -> None:
    tell(tmp_path)
    with closing(DeadLetters(tmp_path / "deadletters.db")) as letters:
        letters.add([Refused("steppe/v1/st-9/batch", b"{", "not a batch of version 1", NOW_MS)])
    found = look(tmp_path)
    assert (found.letter_count, found.letters[0].reason, found.letters_gone) == (1, "not a batch of version 1", 0)
    assert 0 < found.journal_bytes < found.journal_max_bytes == 8_000_000


def test_a_line_that_loses_answers_is_seen(tmp_path: Path) -> None:
    names = ["gateway.dev_ttyusb0.requests_count", "gateway.dev_ttyusb0.timeouts_count"]
    points = PointList(1, "st-0", "boot", NOW_MS, [PointInfo(name, 60.0) for name in names])
    with closing(Journal(tmp_path / "journal.db")) as journal:
        journal.commit([check(topic("st-0", "points"), encode(points), received_ms=NOW_MS)])
    full = tuple(f"st-0/{name}" for name in names)
    with closing(SqliteStore(tmp_path / "store.db")) as store, closing(Sites(tmp_path / "journal.db")) as sites:
        rows = Columns(
            full,
            np.array([0, 1], np.int32),
            np.full(2, NOW_MS, np.int64),
            np.array([200.0, 30.0]),
            np.zeros(2, np.uint8),
        )
        store.append(rows)
        [line] = lines(store, sites)
    assert (line.line, line.lost_share) == ("st-0/dev_ttyusb0", 0.15)


def test_page_and_api_of_the_county(client: SignIn) -> None:
    assert "Last 24 h" in client("viewer").get("/health", lang="en").text
    assert client("viewer").get("/health", lang="zh").status_code == 200
    said = client("viewer").get("/api/v1/health").json()
    assert {site["voice"] for site in said["delivery"]["sites"]} <= {"heard", "late", "gone", "never"}
    assert said["store"].startswith("SQLite")


def test_the_line_about_the_store_is_in_the_readers_language(client: SignIn, console: Console) -> None:
    points = console.store().health().points
    assert f"MB，{points} 个测点" in client("viewer").get("/health", lang="zh").text
    assert f"MB, {points} points" in client("viewer").get("/health", lang="en").text


def test_a_store_that_is_gone_is_said_and_the_rest_is_shown(console: Console) -> None:
    with TestClient(build_app(replace(console, stores=PerThread(out_of_reach))), follow_redirects=False) as http:
        browser = Browser(http)
        browser.enter(console, "viewer")
        page = browser.get("/health")
        assert page.status_code == 200
        assert "The store is out of reach" in page.text


def out_of_reach() -> Store:
    """A store that cannot be opened."""
    raise StoreDown("the store is out of reach")
