"""Any words in any place of any route: an answer below 500, and never somebody else's markup in a page.

The first strategy puts words that have broken programs before into paths, queries and forms; the second lets
schemathesis make requests from the API's own description.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.schemas import APIOperation
from starlette.testclient import TestClient
from support.alarm_centre import REGISTER, SITE, alarm_centre
from support.console_browser import Browser
from support.console_routes import Asked, every_route

from dashboards.console.app import build_app
from dashboards.console.people import Scope
from dashboards.console.settings import ConsoleSettings
from dashboards.console.site import Console, open_console
from edge.clock import RealClock

NASTY = (
    "",
    "0",
    "-1",
    "9" * 40,
    "1e999",
    "nan",
    "../../etc/passwd",
    "..%2f..%2fconsole.db",
    "'; DROP TABLE user; --",
    '" OR 1=1',
    "<script>alert(1)</script>",
    "{{7*7}}",
    "{0.__class__}",
    "%s%n",
    "=cmd|' /C calc'!A0",
    "\x00",
    "\ud7ff\uffff",
    "清水旗/ww1.浊度",
    "works-1/works.free_chlorine_mg_l",
    "1501",
    "f1-t03",
    "2026-05",
    "2026-13-45",
    "0000-00-00",
    "99999-01-01",
    "a" * 2000,
)
WORDS = st.sampled_from(NASTY) | st.text(max_size=30)
FIELDS = (
    "region", "month", "day", "from", "to", "from_ms", "to_ms", "span", "on", "page", "q", "steps", "tab", "asset",
    "points", "lang", "next", "reason", "why", "until", "name", "role", "password", "occurrence", "form", "level",
    "kind",
)  # fmt: skip
QUIET = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
STREAM = "/live"
"""Answers as long as it is listened to; its arguments are tested in test_live."""


@pytest.fixture(scope="module")
def admin(client) -> Browser:
    browser: Browser = client("admin")
    return browser


@pytest.fixture(scope="module")
def secret(admin: Browser) -> str:
    return admin.csrf()


def routes() -> list[Asked]:
    ending = ("/signout", "/users/{name}")
    return [one for one in every_route() if one.route != STREAM and one.route not in ending]


@pytest.mark.parametrize("asked", routes(), ids=lambda one: f"{one.method} {one.route}")
def test_no_words_in_a_request_break_the_console(admin: Browser, secret: str, asked: Asked) -> None:
    @QUIET
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        words = {place: quote(data.draw(WORDS), safe="") for place in asked.places}
        query = data.draw(st.dictionaries(st.sampled_from(FIELDS), WORDS, max_size=4))
        form = {"csrf": secret, **data.draw(st.dictionaries(st.sampled_from(FIELDS), WORDS, max_size=4))}
        answer = send(admin.http, asked, asked.filled(words), query, form)
        assert answer.status_code < 500
        if "text/html" in answer.headers.get("content-type", ""):
            assert "<script>alert" not in answer.text

    ask()


def send(http: TestClient, asked: Asked, path: str, query: dict[str, str], form: dict[str, str]):
    """Ask, with the form where one is taken."""
    body = form if asked.method == "POST" else None
    return http.request(asked.method, path, params={key: printable(word) for key, word in query.items()}, data=body)


def printable(word: str) -> str:
    """A word that can be put into an address at all."""
    return word.encode("utf-8", "replace").decode()


def test_the_api_answers_whatever_its_description_allows(console: Console) -> None:
    scopes: tuple[Scope, ...] = ("read", "alarms:act", "judge", "admin")
    token = console.database.tokens.new("fuzz", scopes, days=1, now_ms=console.wall.now_ms())
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", build_app(console))
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 10
    for operation in operations:
        ask_what_is_described(operation, {"authorization": f"Bearer {token}"})


def ask_what_is_described(operation: APIOperation, headers: dict[str, str]) -> None:
    @QUIET
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case) -> None:
        assert case.call(headers=headers).status_code < 500

    ask()


NAMES = ("<b>x</b>", '"><img src=x onerror=alert(1)>', "a' OR '1'='1", "{{7*7}}", "{0.__class__}", "../x", "名称")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_the_register_is_text_on_every_page(tmp_path: Path, name: str) -> None:
    """The register is kept by people: what they write is shown as it is, and does nothing."""
    quoted = '"' + name.replace('"', '""') + '"'
    files = dict(REGISTER)
    files["regions.csv"] = f"code,name,name_zh,level,parent\n150122,{quoted},{quoted},banner,\n"
    files["assets.csv"] = files["assets.csv"].replace("Station,水站", f"{quoted},{quoted}").replace("Wang", quoted)
    centre = alarm_centre(tmp_path, files)
    words = {"code": "150122", "site": SITE, "name": "outlet.ph", "asset_id": "station_0"}
    with closing(open_console(centre, ConsoleSettings(), RealClock())) as console, entered(console) as admin:
        for asked in routes():
            if asked.method == "GET" and not asked.is_api:
                answer = admin.get(asked.filled(words))
                assert answer.status_code < 500, asked
                if "<" in name and answer.headers.get("content-type", "").startswith("text/html"):
                    assert name not in answer.text, asked


@contextmanager
def entered(console: Console) -> Iterator[Browser]:
    """An administrator's browser."""
    console.database.users.add("admin", "<i>Admin</i>", "admin", now_ms=console.wall.now_ms())
    with TestClient(build_app(console), follow_redirects=False) as http:
        browser = Browser(http)
        browser.enter(console, "admin")
        yield browser
