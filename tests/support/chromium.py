"""Debian's chromium, driven by Playwright, and what it has to say against the pages it showed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from support.servers import find_program

from dashboards.console.render import LANGUAGE_COOKIE

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK, PHONE = 1280, 390
"""Widths of a window. [px]"""
HEIGHTS = {DESK: 900, PHONE: 844}
ZONE = "Asia/Shanghai"
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser with an empty profile; skips the test where none is installed."""
    program = find_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Window:
    """One person's window: a page, and what went wrong on it."""

    context: BrowserContext
    page: Page
    home: str
    """Address of the console."""
    width: int
    complaints: list[str] = field(default_factory=list)
    """Errors of scripts and policies, and requests that left the machine."""

    def go(self, path: str) -> None:
        """Load a page of the console."""
        self.page.goto(self.home + path, wait_until="load")

    def enter(self, link: str) -> None:
        """Sign in at a one-time link."""
        self.page.goto(link)
        self.page.locator("form.door button").click()
        self.page.wait_for_url(self.home + "/")

    def fetch(self, path: str) -> str:
        """The HTML of a page, without showing it."""
        return self.context.request.get(self.home + path).text()

    def listen(self) -> None:
        """Note from now on what is to be complained of."""
        self.page.add_init_script(WATCH_POLICY)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.context.on("request", self._see)

    def _hear(self, message: Any) -> None:
        is_own_status = message.text.startswith("Failed to load resource") and message.location["url"] == self.page.url
        if message.type == "error" and not is_own_status:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _see(self, request: Any) -> None:
        asked = urlsplit(request.url)
        if asked.scheme not in ("data", "blob") and f"{asked.scheme}://{asked.netloc}" != self.home:
            self.complaints.append(f"{self.page.url} asked for {request.url}")


@contextmanager
def window(browser: Browser, home: str, width: int, *, language: str = "en") -> Iterator[Window]:
    """A window with cookies of its own, `width` pixels wide; a narrow one is a phone's."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]},
        has_touch=width == PHONE,
        is_mobile=width == PHONE,
        timezone_id=ZONE,
        locale=LOCALES[language],
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": home}])
    opened = Window(context, context.new_page(), home, width)
    opened.listen()
    try:
        yield opened
    finally:
        context.close()
