"""A month of a region: the same numbers everywhere, what would decide it, and addresses that make no sense."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from support.console_browser import Browser

from analytics.bounds import RsBounds
from analytics.kpi.database import Judgement
from analytics.kpi.report import numbers_by
from analytics.kpi.targets import Target
from dashboards.console.errors import NotFound, Unusable
from dashboards.console.people import Role
from dashboards.console.per_thread import PerThread
from dashboards.console.site import Console
from dashboards.console.views.kpi import read_month
from dashboards.console.views.kpi_bounds import Axis, axis_of, supply_bounds
from dashboards.console.views.kpi_events import event_id, surety
from dashboards.console.views.kpi_span import home, level_of, month_of, region_of
from ingest.register import Region, Register
from ingest.store import Partial, Store, StoreDown
from ingest.store_sqlite import SqliteStore

ZONE = "Asia/Shanghai"
MAY_27_MS = 1779866809000
TARGET = Target("reliability", 2025, 99.83, "a plan", verified=True)
SignIn = Callable[[Role], Browser]


def test_a_month_under_way_counts_up_to_today() -> None:
    """On 27 May 2026 the month has 744 h, today is its last day, and June has not begun."""
    month = month_of("", MAY_27_MS, ZONE)
    assert (month.name, month.from_day, month.to_day) == ("2026-05", "2026-05-01", "2026-05-28")
    assert (month.hours, month.is_running, month.before, month.after) == (744.0, True, "2026-04", "")


def test_a_month_that_is_over_counts_whole() -> None:
    month = month_of("2024-02", MAY_27_MS, ZONE)
    assert (month.to_day, month.hours, month.after) == ("2024-03-01", 29 * 24.0, "2024-03")


@pytest.mark.parametrize("asked", ["2026-13", "26-05", "2026-05-01", "2026-06", "x" * 40, "2026-0５"])
def test_a_month_that_makes_no_sense_is_refused(asked: str) -> None:
    with pytest.raises(Unusable):
        month_of(asked, MAY_27_MS, ZONE)


def regions(*rows: tuple[str, str, str | None]) -> Register:
    return Register({c: Region(c, c, c, level, parent) for c, level, parent in rows}, {}, {}, ())  # type: ignore[arg-type]


def test_home_is_the_banner_or_what_all_banners_share() -> None:
    county = [
        ("15", "league", None),
        ("1501", "banner", "15"),
        ("150101", "sumu", "1501"),
        ("15010101", "gacha", "150101"),
    ]
    assert home(regions(*county)) == "1501"
    assert home(regions(*county, ("1502", "banner", "15"))) == "15"
    assert home(regions(("a", "banner", None), ("b", "banner", None))) == "a"
    with pytest.raises(NotFound):
        region_of("15020101", regions(*county))


def test_levels_are_two() -> None:
    assert (level_of(""), level_of("lv")) == ("mv", "lv")
    with pytest.raises(Unusable):
        level_of("hv")


def test_bounds_without_service_have_no_numbers_and_no_verdict() -> None:
    nan = float("nan")
    bounds = supply_bounds(RsBounds(nan, nan, nan, nan, 0.0), TARGET)
    assert (bounds.low_pct, bounds.point_pct, bounds.high_pct, bounds.verdict) == (None, None, None, "")


def test_an_axis_shows_bounds_and_target_and_keeps_what_lies_beyond_at_its_ends() -> None:
    """99.810 to 99.858 against 99.83: a margin of 0.04 on each side, in whole hundredths."""
    axis = axis_of(supply_bounds(RsBounds(99.81, 99.835, 99.858, 1.0, 1.0), TARGET))
    assert (axis.from_pct, axis.to_pct) == pytest.approx((99.77, 99.9))
    assert Axis(99.0, 100.0).at(99.25) == 25.0
    assert (Axis(99.0, 100.0).at(98.0), Axis(99.0, 100.0).at(101.0)) == (0.0, 100.0)


def test_the_address_of_an_interruption_is_its_asset_and_local_minute() -> None:
    assert event_id("f1-t03", 1780000000000, ZoneInfo(ZONE)) == "f1-t03.20260529-0426"
    assert [surety(confidence) for confidence in (1.0, 0.95, 0.9, 0.8)] == ["high", "high", "medium", "low"]


def test_the_page_has_the_numbers_of_the_command_line(console: Console) -> None:
    """`steppe analytics numbers --by region` adds up partials itself; both must agree to the last digit."""
    register = console.register
    month = month_of("", console.now_ms(), ZONE)
    by_region = numbers_by(console.store(), register, month.from_day, month.to_day, "region")
    for code in ("1501", *(c for c, r in register.regions.items() if r.level == "gacha")):
        for level in ("mv", "lv"):
            page = read_month(console, register.regions[code], month, level_of(level))
            theirs = by_region[code].supply
            rs = theirs.rs_mv if level == "mv" else theirs.rs_lv
            assert (page.supply.low_pct, page.supply.point_pct, page.supply.high_pct) == (
                rs.low_pct,
                rs.point_pct,
                rs.high_pct,
            )


def test_a_month_is_worked_out_once_until_a_day_of_it_is_published_anew(console: Console) -> None:
    month, region = month_of("", console.now_ms(), ZONE), region_of("1501", console.register)
    first = read_month(console, region, month, "mv")
    assert read_month(console, region, month, "mv") is first
    assert read_month(console, region, month, "lv") is not first
    console.kpi.mark_published(month.from_day)
    assert read_month(console, region, month, "mv") is not first


def test_a_word_on_an_interruption_is_seen_before_it_counts(console: Console) -> None:
    month, region = month_of("", console.now_ms(), ZONE), region_of("1501", console.register)
    before = read_month(console, region, month, "mv").events[-1]
    span = (before.start_ms, before.end_ms) * 2
    console.kpi.judge(Judgement(before.place.asset, "confirm", *span, "A. Bat", console.now_ms(), "seen"))
    [after] = [one for one in read_month(console, region, month, "mv").events if one.id == before.id]
    assert before.said is None
    assert after.said is not None
    assert not after.said.is_counted


def test_a_month_read_while_the_store_was_down_is_read_again(console: Console) -> None:
    """A day is published anew while the store does not answer: older sums stand in, and only so long."""
    month, region = month_of("", console.now_ms(), ZONE), region_of("1501", console.register)
    read_month(console, region, month, "mv")
    console.kpi.mark_published(month.from_day)
    silent: PerThread[Store] = PerThread(lambda: SilentStore(console.data_dir / "store.db"))
    with closing(silent):
        old = read_month(replace(console, stores=silent), region, month, "mv")
    assert console.sums.is_behind
    assert read_month(console, region, month, "mv") is not old
    assert not console.sums.is_behind


class SilentStore(SqliteStore):
    """A store that is there, and answers nothing about numbers."""

    def read_kpi(self, *_: object) -> list[Partial]:
        """Raise StoreDown."""
        raise StoreDown("the store does not answer")


def test_days_and_causes_account_for_what_was_lost(console: Console) -> None:
    """The days' certain and possible hours are the bounds' hours; the calendar month is whole."""
    month = month_of("", console.now_ms(), ZONE)
    page = read_month(console, region_of("1501", console.register), month, "mv")
    assert page.share.out_h is not None
    assert sum(day.certain_h for day in page.days) == pytest.approx(page.share.out_h.low * page.share.customers)
    assert sum(day.top_h for day in page.days) == pytest.approx(page.share.out_h.high * page.share.customers)
    assert len(page.days) == 31
    assert {row.cause for row in page.causes} <= {
        "planned", "limit", "upstream", "feeder", "transformer", "beyond", "unseen",
    }  # fmt: skip


def test_those_that_wait_for_a_person_come_first(console: Console) -> None:
    month = month_of("", console.now_ms(), ZONE)
    page = read_month(console, region_of("1501", console.register), month, "mv")
    waits = [row.waits for row in page.events]
    assert page.events
    assert waits == sorted(waits, reverse=True)
    assert page.waiting == sum(waits)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_shown_in_both_languages(client: SignIn, language: str) -> None:
    answer = client("viewer").get(f"/kpi?lang={language}")
    assert answer.status_code == 200
    assert ("What would decide it" if language == "en" else "怎样才能判定") in answer.text
    assert "kpi." not in answer.text.replace("/kpi.", "")


def test_a_viewer_is_not_asked_to_decide(client: SignIn) -> None:
    assert "#decide" in client("operator").get("/kpi?lang=en").text
    assert "#decide" not in client("viewer").get("/kpi?lang=en").text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("region=9999", 404),
        ("month=2026-99", 400),
        ("month=2999-01", 400),
        ("level=hv", 400),
        ("rows=0", 400),
        ("region=" + "9" * 500, 400),
        ("month=2020-01", 200),
    ],
)
def test_addresses_that_make_no_sense_get_one_sentence_and_a_way_back(client: SignIn, query: str, status: int) -> None:
    answer = client("viewer").get(f"/kpi?{query}")
    assert answer.status_code == status
    assert 'href="/"' in answer.text


def test_the_api_gives_what_the_page_shows(client: SignIn, console: Console) -> None:
    month = month_of("", console.now_ms(), ZONE)
    page = read_month(console, region_of("1501", console.register), month, "mv")
    answer = client("viewer").get("/api/v1/kpi?region=1501").json()
    assert answer["supply"]["point_pct"] == page.supply.point_pct
    assert [row["id"] for row in answer["events"]] == [row.id for row in page.events]
    assert client("viewer").get("/api/v1/kpi?region=nowhere").status_code == 404
