"""A browser, a console that really runs, and windows on it in which somebody has signed in."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.chromium import DESK, PHONE, Window, chromium, window
from support.console_county import ConsoleCounty
from support.console_server import ConsoleServer, console_server

from dashboards.console.people import Role

Open = Callable[..., AbstractContextManager[Window]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The module's browser; closed before another module runs event loops of its own."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def server(browser: Browser, county: ConsoleCounty, folder: Path) -> Iterator[ConsoleServer]:
    """The console of this module's own copy of the county."""
    with console_server(folder, county.now_ms) as running:
        yield running


@pytest.fixture(scope="module")
def opened(browser: Browser, server: ConsoleServer) -> Open:
    """`opened(width)`: a window in which an operator has signed in; nothing may be said against its pages."""
    cookies: dict[Role, list[dict[str, object]]] = {}

    @contextmanager
    def open_window(width: int = DESK, role: Role = "operator", language: str = "en") -> Iterator[Window]:
        with window(browser, server.url, width, language=language) as shown:
            if role not in cookies:
                shown.enter(server.link(role))
                cookies[role] = [one for one in shown.context.cookies() if one["name"] == "steppe"]
            shown.context.add_cookies(cookies[role])
            yield shown
            assert shown.complaints == []

    return open_window


@pytest.fixture(params=[DESK, PHONE])
def shown(request: pytest.FixtureRequest, opened: Open) -> Iterator[Window]:
    """An operator's window, once as wide as a desk's and once as a phone's."""
    with opened(request.param) as one:
        yield one


@pytest.fixture(params=[DESK, PHONE])
def strangers(request: pytest.FixtureRequest, browser: Browser, server: ConsoleServer) -> Iterator[Window]:
    """A window in which nobody has signed in."""
    with window(browser, server.url, request.param) as one:
        yield one
        assert one.complaints == []
