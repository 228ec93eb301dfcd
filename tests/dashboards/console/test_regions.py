"""From the league down to the gacha, one click each; names in the register are not trusted."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from support.console_browser import Browser

from dashboards.console.people import Role
from dashboards.console.site import Console
from dashboards.console.views.kpi_span import region_of
from dashboards.console.views.regions import KINDS, read_region, topmost

SignIn = Callable[[Role], Browser]


def test_each_region_leads_to_those_below_it_and_back(console: Console, client: SignIn) -> None:
    """league → banner → sumu → gacha: each page links the next level, and all levels above."""
    [top] = topmost(console)
    viewer = client("viewer")
    assert viewer.get("/regions").headers["location"] == f"/regions/{top.code}"
    way = [
        region
        for region in console.register.regions.values()
        if region.code.startswith("150101") or region.parent is None
    ]
    for region in (*way, console.register.regions["1501"]):
        text = viewer.get(f"/regions/{region.code}").text
        below = [one.code for one in console.register.regions.values() if one.parent == region.code]
        assert all(f'href="/regions/{code}"' in text for code in below)
        if region.parent is not None:
            assert f'href="/regions/{region.parent}"' in text


def test_a_region_lists_what_stands_in_it_the_sick_first(console: Console) -> None:
    found = read_region(console, region_of("1501", console.register), "en")
    assert {row.kind for row in found.assets} <= set(KINDS)
    grades = [row.priority or 9 for row in found.assets]
    assert grades == sorted(grades)
    assert found.assets_in_all == sum(count for _, count in found.by_kind)
    assert found.customers == sum(row.customers for row in found.assets)


def test_the_parts_of_a_region_are_as_its_month_shows_them(console: Console) -> None:
    found = read_region(console, region_of("150101", console.register), "en")
    assert {part.region.code for part in found.parts} <= {state.region.code for state in found.states}
    assert found.supply.low_pct is not None
    worst = min(part.supply.point_pct or 0.0 for part in found.parts)
    assert found.parts[0].supply.point_pct == worst


@pytest.mark.parametrize("code", ["9999", "150199", "%00", "..%2f..", "x" * 300])
def test_an_unknown_region_is_a_page_with_a_way_back(client: SignIn, code: str) -> None:
    answer = client("viewer").get(f"/regions/{code}")
    assert answer.status_code in (404, 400)
    assert 'href="/"' in answer.text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_shown_in_both_languages(client: SignIn, language: str) -> None:
    text = client("viewer").get(f"/regions/150101?lang={language}").text
    assert ("Regions below, now" if language == "en" else "下级区域现状") in text
    assert "regions." not in text


def test_the_api_gives_the_same_numbers(console: Console, client: SignIn) -> None:
    found = read_region(console, region_of("150101", console.register), "en")
    answer = client("viewer").get("/api/v1/regions/150101").json()
    assert answer["supply"]["low_pct"] == found.supply.low_pct
    assert [row["asset"] for row in answer["assets"]] == [row.asset for row in found.assets]


def test_a_name_that_looks_like_a_script_is_shown_and_not_run(console: Console, client: SignIn, folder: Path) -> None:
    """Last in this file: it changes the register of this module's county."""
    path = folder / "register" / "assets.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["name"] = f"<script>alert('{row['id']}')</script>"
        row["name_zh"] = '"><img src=x onerror=alert(1)>'
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for address in ("/", "/regions/1501", "/kpi"):
        for language in ("en", "zh"):
            text = client("viewer").get(f"{address}?lang={language}").text
            assert "<script>alert" not in text
            assert "<img" not in text
    assert "&lt;script&gt;alert" in client("viewer").get("/regions/1501?lang=en").text
