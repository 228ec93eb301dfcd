"""The list of sites, and one site with its points."""

import pytest
from support.console_browser import Browser

from dashboards.console.site import Console
from dashboards.console.texts import percent
from dashboards.console.views.points import sources_of
from dashboards.console.views.points_newest import freshness, newest_of
from dashboards.console.views.sites import list_sites, read_site
from dashboards.console.views.sites_sparks import HEIGHT, read_sparks
from ingest.store import Latest


@pytest.fixture
def viewer(client) -> Browser:  # type: ignore[no-untyped-def]
    browser: Browser = client("viewer")
    return browser


def test_every_site_is_listed_with_its_state_and_alarms(viewer: Browser, console: Console) -> None:
    rows = list_sites(console.sites(), console.alarms(), console.register)
    page = viewer.get("/sites").text
    assert {row.site for row in rows} == {point.partition("/")[0] for point in console.register.points}
    assert all(f'href="/sites/{row.site}"' in page for row in rows)
    standing = [one for one in console.alarms().records(only_standing=True) if one.alarm.condition]
    assert sum(row.alarms for row in rows) == len(standing)


def test_a_site_shows_each_of_its_points_with_age_and_value(viewer: Browser, console: Console) -> None:
    now_ms = console.now_ms()
    site = read_site(
        console.store(),
        console.sites(),
        console.alarms(),
        sources_of(console, ["works-1"]),
        "works-1",
        now_ms=now_ms,
    )
    page = viewer.get("/sites/works-1").text
    for _, points in site.devices:
        for one in points:
            assert f"/points/{one.name.site}/{one.name.name}" in page
            assert one.newest.freshness == "fresh"


def test_the_small_trends_come_after_the_page(viewer: Browser, console: Console) -> None:
    point = "works-1/works.turbidity_ntu"
    assert "<path d=" not in viewer.get("/sites/works-1").text.partition("<main")[2]
    assert (
        read_sparks(console.store(), [point], now_ms=console.now_ms())[point].path
        in viewer.get("/sites/works-1/values").text
    )


def test_a_small_trend_stays_in_its_box_and_spans_its_values(console: Console) -> None:
    point = "works-1/works.turbidity_ntu"
    line = read_sparks(console.store(), [point], now_ms=console.now_ms())[point]
    heights = [float(part.split("V")[1]) for part in line.path.replace("L", " L").split() if "V" in part]
    assert 0 <= min(heights) <= max(heights) <= HEIGHT
    assert line.low < line.high


def test_an_unknown_site_is_not_found(viewer: Browser) -> None:
    assert viewer.get("/sites/nowhere").status_code == 404
    assert viewer.get("/api/v1/sites/nowhere").status_code == 404


def test_the_api_tells_what_the_page_shows(viewer: Browser) -> None:
    assert viewer.get("/api/v1/sites").json()[0].keys() >= {"site", "presence", "heard_ms", "alarms"}
    told = viewer.get("/api/v1/sites/works-1").json()
    assert percent(100 * told["good_share"], 1) in viewer.get("/sites/works-1").text


def test_age_is_judged_by_what_was_promised() -> None:
    """Older than twice the promised pace is marked, older than four times is no data."""
    assert [freshness(0, 60_000, now_ms=age_s * 1000) for age_s in (119, 121, 239, 241)] == [
        "fresh",
        "old",
        "old",
        "none",
    ]


def test_a_bad_reading_has_no_value_whatever_stands_with_it() -> None:
    bad = newest_of(Latest(0, 231.0, 8), 60_000, now_ms=0)
    assert (bad.value, bad.is_usable, bad.quality) == (None, False, "bad_no_answer")
