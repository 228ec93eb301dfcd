"""A server that is lost: no number may go on looking as if it were true."""

import re

from playwright.sync_api import Page, expect
from support.chromium import Window
from support.console_server import ConsoleServer

SAYS_WITHIN_MS = 3000
BACK_WITHIN_MS = 15_000
HATCHED = re.compile("repeating-linear-gradient")


def expect_stale(page: Page) -> None:
    """The banner is as wide as the page, values are hatched, and nothing can be done."""
    box = page.locator("#gone").bounding_box()
    assert box is not None
    assert box["width"] >= page.evaluate("document.documentElement.clientWidth")
    expect(page.locator("#gone")).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
    expect(page.locator("main .num").first).to_have_css("background-image", HATCHED)
    expect(page.locator("main button").first).to_be_disabled()
    expect(page.locator("main button:enabled")).to_have_count(0)


def expect_fresh(page: Page) -> None:
    """Everything is as it was before."""
    expect(page.locator("#gone")).to_be_hidden(timeout=BACK_WITHIN_MS)
    expect(page.locator("main .num").first).not_to_have_css("background-image", HATCHED)
    expect(page.locator("main button").first).to_be_enabled()


def hear_a_beat(page: Page) -> None:
    """Wait until the stream has told the time; from then on the page notes how long it hears nothing."""
    page.evaluate(
        """new Promise((heard) => {
            const gone = document.querySelector("#gone");
            document.body.addEventListener("sse:beat", () => { window.heardMs = performance.now(); heard(); });
            new MutationObserver(() => {
                if (!gone.hidden) window.silentMs ??= performance.now() - window.heardMs;
            }).observe(gone, { attributes: true, attributeFilter: ["hidden"] });
        })"""
    )


def expect_told_in_time(page: Page) -> None:
    """By the page's own clock: how busy this machine is with the browser's driver is not the page's doing."""
    expect(page.locator("#gone")).to_be_visible(timeout=BACK_WITHIN_MS)
    assert page.evaluate("window.silentMs") <= SAYS_WITHIN_MS


def test_a_frozen_server_is_told_within_three_seconds(shown: Window, server: ConsoleServer) -> None:
    """Its connections stand, so only its silence tells."""
    shown.go("/")
    hear_a_beat(shown.page)
    server.freeze()
    try:
        expect_told_in_time(shown.page)
        expect_stale(shown.page)
    finally:
        server.thaw()
    expect_fresh(shown.page)


def test_a_killed_server_is_told_and_found_again(shown: Window, server: ConsoleServer) -> None:
    shown.go("/alarms")
    hear_a_beat(shown.page)
    server.kill()
    try:
        expect_told_in_time(shown.page)
        expect_stale(shown.page)
    finally:
        server.start()
    expect_fresh(shown.page)
    shown.complaints.clear()  # the browser names each try at the stream
