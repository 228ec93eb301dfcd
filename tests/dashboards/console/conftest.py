"""A console over a small county that was really simulated, and browsers that have signed in to it.

`console` is a module's own copy: what one module's tests do to it, another's never see.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient
from support.centre import StoppedClock
from support.console_browser import Browser
from support.console_county import ConsoleCounty, make_console_county

from dashboards.console.app import build_app
from dashboards.console.people import ROLES, Role
from dashboards.console.settings import ConsoleSettings
from dashboards.console.site import Console, open_console

SignIn = Callable[[Role], Browser]


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> ConsoleCounty:
    """The county's folder; to be copied, not to be changed."""
    return make_console_county(tmp_path_factory.mktemp("county"))


@pytest.fixture(scope="module")
def folder(county: ConsoleCounty, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This module's own copy of the county: centre.toml, register/, data/."""
    copy = tmp_path_factory.mktemp("copy") / "county"
    shutil.copytree(county.folder, copy)
    return copy


@pytest.fixture(scope="module")
def console(county: ConsoleCounty, folder: Path) -> Iterator[Console]:
    """The console, at the instant up to which the county was simulated; one user per role, by the role's name."""
    centre = msgspec.structs.replace(county.centre, data_dir=str(folder / "data"), register=str(folder / "register"))
    clock = StoppedClock(county.now_ms)
    opened = open_console(centre, ConsoleSettings(), clock, wall=StoppedClock(county.now_ms), look_every_s=0.0)
    with closing(opened):
        for role in ROLES:
            opened.database.users.add(role, f"The {role}", role, now_ms=county.now_ms)
        yield opened


@pytest.fixture(scope="module")
def client(console: Console) -> Iterator[SignIn]:
    """`client("operator")`: a browser in which somebody of that role has signed in. English; the same one each time."""
    app = build_app(console)
    browsers: dict[Role, Browser] = {}
    with ExitStack() as stack:

        def sign_in(role: Role) -> Browser:
            if role not in browsers:
                browsers[role] = Browser(stack.enter_context(TestClient(app, follow_redirects=False)))
                browsers[role].enter(console, role)
            return browsers[role]

        yield sign_in


@pytest.fixture
def stranger(console: Console) -> Iterator[Browser]:
    """A browser in which nobody has signed in."""
    with TestClient(build_app(console), follow_redirects=False) as http:
        yield Browser(http)
