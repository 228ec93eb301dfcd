"""Alarm performance: the figures of the command line, beside the limits of the standard."""

from pathlib import Path

import pytest
from support.alarm_script import START_MS, Play, county
from support.console_browser import Browser

from analytics.alarms.events import Acknowledge
from dashboards.console.people import Role
from dashboards.console.site import Console
from dashboards.console.views.performance import PerformancePage, alarm_performance

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SUPPLY = "st-0/meter#supply_lost"


class SignIn:
    """`client("crew")`: a browser of that role."""

    def __call__(self, role: Role) -> Browser: ...


def figures(play: Play, hours: int = 24) -> PerformancePage:
    return alarm_performance(
        play.database, play.register, START_MS - HOUR_MS, START_MS + hours * HOUR_MS, now_ms=play.now_ms
    )


def test_an_hour_by_hand(tmp_path: Path) -> None:
    """One alarm in the 70 min up to now, taken after 60 s: 1 · 24 h / 70 min = 20.6 a day."""
    play = Play(tmp_path, county(1))
    play.say("st-0", meter__voltage_v=0.0)
    play.minute(1)
    play.act(SUPPLY, Acknowledge(), "wang")
    play.minute(9)
    page = figures(play)
    by_name = {figure.name: figure for figure in page.figures}
    assert by_name["per_day"].value == pytest.approx(24 * 60 / 70)
    assert (by_name["per_day"].met, by_name["max_per_10_min"].value) == (True, 1)
    assert (by_name["top_10_share"].met, by_name["top_10_share"].manageable) == (False, False)
    second = page.responses[1]
    assert (second.priority, second.count, second.taken, second.median_s) == (2, 1, 1, 60.0)
    assert [(one.alarm, one.count, one.stands) for one in page.frequent] == [(SUPPLY, 1, True)]
    assert sum(page.counts) == page.annunciated == page.standing == 1


def test_explained_alarms_do_not_count(tmp_path: Path) -> None:
    play = Play(tmp_path, county(3))
    play.say_all({site: {"meter.voltage_v": 0.0} for site in ("head", "st-0", "st-1", "st-2")})
    play.minute(5)
    assert figures(play).annunciated == 1


def test_a_period_without_alarms_has_no_shares(tmp_path: Path) -> None:
    page = figures(Play(tmp_path, county(1)))
    by_name = {figure.name: figure for figure in page.figures}
    assert (page.annunciated, by_name["top_10_share"].value, by_name["top_10_share"].met) == (0, None, None)
    assert page.responses[0].share is None


def test_what_stands_for_more_than_a_day_is_named(tmp_path: Path) -> None:
    play = Play(tmp_path, county(1))
    play.say("st-0", meter__voltage_v=0.0)
    play.minute(1)
    page = alarm_performance(
        play.database, play.register, START_MS, START_MS + 3 * DAY_MS, now_ms=START_MS + 2 * DAY_MS
    )
    assert [one.alarm for one in page.stale] == [SUPPLY]
    assert next(figure.value for figure in page.figures if figure.name == "stale") == 1


def test_page_and_api_say_the_same(client: SignIn, console: Console) -> None:
    page = client("viewer").get("/alarms/performance", lang="zh")
    assert page.status_code == 200
    said = client("viewer").get("/api/v1/alarm-performance").json()
    assert f"{said['annunciated']}</div>" in client("viewer").get("/alarms/performance", lang="en").text
    assert client("viewer").get("/alarms/performance", **{"from": "2026-02-31"}).status_code == 400
    assert client("viewer").get("/alarms/performance", **{"from": "1999-01-01", "to": "1999-01-02"}).status_code == 200
