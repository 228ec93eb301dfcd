"""What an operator does all day, in a real browser on a real console, at a desk and on a phone."""

import re

from playwright.sync_api import Locator, expect
from support.chromium import DESK, PHONE, Window
from support.console_server import ConsoleServer

OPEN_CARD = "article.card:has(form[data-take])"


def untaken(shown: Window) -> int:
    """The number at the top left."""
    return int(shown.page.locator("#unack .n").inner_text())


def first_open(shown: Window) -> Locator:
    """The first alarm that waits for somebody and may be put on a shelf."""
    shown.go("/alarms")
    return shown.page.locator(OPEN_CARD).first


def test_a_one_time_link_lets_in_once(strangers: Window, server: ConsoleServer) -> None:
    link = server.link("viewer")
    strangers.enter(link)
    expect(strangers.page.locator("#unack")).to_be_visible()
    assert strangers.page.goto(link).status == 404


def test_an_alarm_is_taken_where_it_stands(shown: Window) -> None:
    """The button says who has it once the server confirmed it, and the bar counts one less."""
    card = first_open(shown)
    before, number = untaken(shown), card.get_attribute("id")
    card.locator("form[data-take] button").click()
    taken = shown.page.locator(f"#{number}")
    expect(taken.locator(".btn.done")).to_be_visible()
    expect(taken.locator("[role=status]")).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
    expect(shown.page.locator("#unack .n")).to_have_text(str(before - 1))
    shown.go("/alarms")
    expect(shown.page.locator(f"#{number}")).to_have_count(0)


def test_an_alarm_is_put_on_the_shelf_with_a_reason_and_an_end(shown: Window) -> None:
    shown.go("/alarms?priority=2")
    shown.page.locator(f"{OPEN_CARD} h2 a").first.click()
    title = shown.page.locator("h1").inner_text()
    shown.page.locator('a[href="#shelve"]').click()
    form = shown.page.locator("#shelve form")
    expect(form.locator("[name=until]")).not_to_have_value("")
    form.locator("[name=reason]").fill("the crew works on it until noon")
    form.locator("button").click()
    expect(shown.page.locator("ol.tl").last).to_contain_text("the crew works on it until noon")
    shown.go("/alarms?tab=shelved")
    expect(shown.page.locator("main")).to_contain_text(title.split(" · ")[0])


def test_the_county_opens_down_to_one_point(shown: Window) -> None:
    """League, banner, sumu, gacha; then a site, and a point of it."""
    shown.go("/regions/15")
    for code in ("1501", "150101", "15010101"):
        shown.page.locator(f'table a[href="/regions/{code}"]').first.click()
        shown.page.wait_for_url(f"**/regions/{code}")
    shown.go("/sites")
    shown.page.locator('main a[href="/sites/works-1"]').first.click()
    shown.page.locator('main a[href*="free_chlorine"]').first.click()
    shown.page.wait_for_url("**/points/works-1/**")
    expect(shown.page.locator(".uplot canvas").first).to_be_visible()


def test_the_language_is_the_readers_choice(shown: Window) -> None:
    shown.go("/alarms")
    shown.page.locator("header a[hreflang=zh]").click()
    expect(shown.page.locator("html")).to_have_attribute("lang", "zh")
    shown.go("/kpi")
    expect(shown.page.locator("h1")).to_contain_text("供电可靠率")
    shown.page.locator("header a[hreflang=en]").click()
    expect(shown.page.locator("h1")).to_contain_text("Supply reliability")


def test_an_interruption_is_confirmed_by_a_person(shown: Window) -> None:
    shown.go("/kpi")
    links = shown.page.locator('table a[href^="/evidence/"]').evaluate_all(
        "all => [...new Set(all.map((one) => one.href))]"
    )
    shown.page.goto(links[{DESK: -1, PHONE: -2}[shown.width]])
    shown.page.locator("#why").fill("the switching log of the substation says so")
    shown.page.locator("button[value=confirm]").click()
    shown.page.wait_for_url("**kept=1*")
    expect(shown.page.locator("ol.tl")).to_contain_text("the switching log of the substation says so")
    expect(shown.page.locator(".told")).to_be_visible()
