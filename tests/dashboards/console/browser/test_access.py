"""Every page for everybody: examined by axe, on a narrow window, without a mouse."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Page, expect
from support.axe import grave_findings, load_axe
from support.chromium import DESK, PHONE, Window
from support.console_pages import Shown, find_pages
from support.console_server import ConsoleServer

Open = Callable[..., AbstractContextManager[Window]]
MOST_KEYS = 60
OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUSED = "document.activeElement.matches({!r})"


@pytest.fixture(scope="module")
def axe() -> str:
    return load_axe()


@pytest.fixture(scope="module")
def pages(opened: Open) -> tuple[Shown, ...]:
    with opened(role="admin") as shown:
        return find_pages(shown.fetch)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_no_page_has_a_grave_finding_or_hangs_over_its_window(
    opened: Open, pages: tuple[Shown, ...], axe: str, width: int, language: str
) -> None:
    found: list[str] = []
    with opened(width, "admin", language) as shown:
        for one in pages:
            shown.go(one.path)
            found += [f"{one.name}: {said}" for said in grave_findings(shown.page, axe)]
            if shown.page.evaluate(OVERHANG) > 0:
                found.append(f"{one.name}: wider than {width} px")
    assert found == []


def test_the_door_has_no_grave_finding(strangers: Window, server: ConsoleServer, axe: str) -> None:
    strangers.go("/signin")
    assert grave_findings(strangers.page, axe) == []
    strangers.page.goto(server.link("viewer"))
    assert grave_findings(strangers.page, axe) == []


def test_an_alarm_is_taken_without_a_mouse(strangers: Window, server: ConsoleServer) -> None:
    """In by the one-time link, past the bar, to the first alarm: Tab and Enter alone."""
    page = strangers.page
    page.goto(server.link("crew"))
    press_at(page, "form.door button")
    page.wait_for_url(strangers.home + "/")
    press_at(page, '.tabs a[href="/alarms"]')
    page.wait_for_url("**/alarms")
    press_at(page, ".skip")
    press_at(page, "form[data-take] button")
    expect(page.locator("article .btn.done").first).to_be_visible()
    expect(page.locator("article [role=status]").first).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))


def press_at(page: Page, selector: str) -> None:
    """Press Tab until the focus stands there and can be seen, then Enter."""
    for _ in range(MOST_KEYS):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED.format(selector)):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{MOST_KEYS} times Tab do not reach {selector}")
