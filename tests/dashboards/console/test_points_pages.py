"""The page of a point and its API: the same numbers, from a county that was really simulated."""

from urllib.parse import quote

import numpy as np
import pytest
from support.console_browser import Browser

from dashboards.console.site import Console
from dashboards.console.texts import number

CHLORINE = "works-1/works.free_chlorine_mg_l"
VOLTAGE = "feeder-1/t01.l1.voltage_v"


@pytest.fixture
def viewer(client) -> Browser:  # type: ignore[no-untyped-def]
    browser: Browser = client("viewer")
    return browser


def test_a_point_says_value_unit_limit_quality_and_age(viewer: Browser) -> None:
    page = viewer.get(f"/points/{CHLORINE}").text
    facts = viewer.get(f"/api/v1/points/{CHLORINE}").json()["value"]
    assert "Free chlorine" in page
    assert f'{number(facts["newest"]["value"])}<small class="u">mg/L</small>' in page
    assert "quality good" in page
    assert [limit["level"] for limit in facts["limits"]] == ["HH", "H", "L", "LL"]
    assert "GB 5749-2022" in page


def test_the_series_of_the_api_are_the_readings_of_the_store(viewer: Browser, console: Console) -> None:
    chart = viewer.get(f"/api/v1/points/{CHLORINE}/series?span=day").json()
    trend = chart["trend"]
    raw = console.store().read([CHLORINE], trend["start_ms"], trend["end_ms"])
    assert trend["valued"] == int(np.isfinite(raw.value).sum())
    assert min(low for low in trend["low"] if low is not None) == np.nanmin(raw.value)
    assert max(high for high in trend["high"] if high is not None) == np.nanmax(raw.value)
    assert (chart["unit"], trend["step_ms"]) == ("mg/L", 300_000)


def test_the_alarms_of_the_day_are_marked(viewer: Browser) -> None:
    alarms = viewer.get(f"/api/v1/points/{CHLORINE}/series?span=day").json()["alarms"]
    page = viewer.get(f"/points/{CHLORINE}").text
    assert any(alarm["point"] == CHLORINE for alarm in alarms)
    assert all(f"/alarms/{alarm['id']}" in page for alarm in alarms)


def test_the_silence_of_a_device_is_a_gap_and_not_a_value(viewer: Browser) -> None:
    """The transformer is out: its meter does not answer, and the line ends there."""
    trend = viewer.get(f"/api/v1/points/{VOLTAGE}/series?span=day").json()["trend"]
    bad = [stretch for stretch in trend["strip"] if stretch["state"] == "bad"]
    assert bad
    for stretch in bad:
        inside = [
            mean
            for t_ms, mean in zip(trend["t_ms"], trend["mean"], strict=True)
            if stretch["start_ms"] <= t_ms < stretch["end_ms"]
        ]
        assert set(inside) == {None}


def test_the_table_needs_no_script_and_names_the_state_of_each_hour(viewer: Browser) -> None:
    page = viewer.get(f"/points/{VOLTAGE}?table=1").text
    assert "no answer from the device" in page
    assert "chart.js" in page
    assert "data-series" not in page


def test_a_part_of_a_day_comes_in_finer_steps(viewer: Browser) -> None:
    whole = viewer.get(f"/api/v1/points/{CHLORINE}/series?span=day").json()["trend"]
    end_ms = whole["start_ms"] + 3_600_000
    part = viewer.get(f"/api/v1/points/{CHLORINE}/series?from_ms={whole['start_ms']}&to_ms={end_ms}").json()["trend"]
    assert part["step_ms"] == 10_000
    assert part["good_share"] == 1.0


@pytest.mark.parametrize("name", ["no/such.point_v", "works-1/works.nonsense", "x/y"])
def test_an_unknown_point_is_a_page_with_a_way_back(viewer: Browser, name: str) -> None:
    answer = viewer.get(f"/points/{name}")
    assert answer.status_code == 404
    assert 'href="/"' in answer.text


@pytest.mark.parametrize(
    "query", ["span=decade", "span=day&on=tomorrow", "span=day&on=2999-01-01", "span=year&on=0001-01-01"]
)
def test_an_absurd_span_is_one_clear_sentence(viewer: Browser, query: str) -> None:
    answer = viewer.get(f"/points/{CHLORINE}?{query}")
    assert answer.status_code == 400
    assert "points.unusable" not in answer.text


@pytest.mark.parametrize("query", ["from_ms=5", "from_ms=9&to_ms=5", "from_ms=0&to_ms=4000000000000", "steps=0"])
def test_an_absurd_window_of_the_api_is_a_problem(viewer: Browser, query: str) -> None:
    answer = viewer.get(f"/api/v1/points/{CHLORINE}/series?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_name_from_outside_is_shown_and_never_run(viewer: Browser) -> None:
    answer = viewer.get("/points/" + quote("<script>alert(1)</script>/x.y_v"))
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


def test_nothing_is_shown_to_a_stranger(stranger: Browser) -> None:
    assert stranger.get(f"/points/{CHLORINE}").status_code == 303
    assert stranger.get(f"/api/v1/points/{CHLORINE}/series").status_code == 401


def test_every_span_is_a_page_in_both_languages(viewer: Browser) -> None:
    for span in ("day", "week", "month", "year"):
        for language in ("zh", "en"):
            page = viewer.get(f"/points/{CHLORINE}", span=span, lang=language)
            assert page.status_code == 200
            assert "points." not in page.text.replace("points.css", "")
