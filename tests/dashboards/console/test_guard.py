"""Who may ask what: no page without a session, roles, forms from elsewhere, tokens with their scopes."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from support.console_browser import Browser
from support.console_routes import Asked, every_route

from dashboards.console.app import build_app
from dashboards.console.people import ROLES, Role
from dashboards.console.site import Console

OPEN = {
    ("GET", "/signin"),
    ("POST", "/signin"),
    ("GET", "/welcome/{word}"),
    ("POST", "/welcome/{word}"),
    ("GET", "/static/{name:path}"),
    ("GET", "/favicon.ico"),
    ("GET", "/alive"),
    ("GET", "/metrics"),
    ("GET", "/take/{word}"),
    ("POST", "/take/{word}"),
    ("GET", "/api/openapi.json"),
}
"""Every door that opens without a session. Whoever adds one adds it here, and a second person sees it."""


def test_nothing_but_the_known_doors_opens_without_a_session(stranger: Browser) -> None:
    for asked in every_route():
        answer = stranger.http.request(asked.method, asked.path)
        if (asked.method, asked.route) in OPEN:
            continue
        if asked.method == "GET" and not asked.is_api:
            assert answer.status_code == 303, asked
            assert answer.headers["location"].startswith("/signin"), asked
        else:
            assert answer.status_code in (401, 403), asked


def test_nothing_that_changes_something_is_a_get() -> None:
    """A GET needs no secret of a form, so it must not act."""
    acting = re.compile(r"\b(ack|shelve|judge|revoke|add|remove|delete|reset|move|signout)\b")
    reading = [re.sub(r"\{.*?\}", "", one.route) for one in every_route() if one.method == "GET"]
    assert not [route for route in reading if acting.search(route)]


@pytest.mark.parametrize("path", ["/users", "/audit"])
@pytest.mark.parametrize("role", ROLES)
def test_only_an_administrator_sees_users_and_the_audit_trail(client, role: Role, path: str) -> None:
    assert client(role).get(path).status_code == (200 if role == "admin" else 403)


@pytest.mark.parametrize("role", ["viewer", "crew", "operator"])
def test_nobody_makes_themselves_an_administrator(client, console: Console, role: Role) -> None:
    assert client(role).post(f"/users/{role}", role="admin").status_code == 403
    assert client(role).post("/users", name="mine", role="admin").status_code == 403
    assert client(role).post("/tokens", name="mine", scopes="admin").status_code == 403
    assert console.database.users.get(role).role == role


def test_whoever_loses_a_role_has_lost_it_at_the_next_request(client, console: Console) -> None:
    admin = client("admin")
    assert admin.post("/users", name="tana", full_name="Tana", role="admin").status_code == 200
    with TestClient(build_app(console), follow_redirects=False) as http:
        tana = Browser(http)
        tana.enter(console, "tana")
        assert tana.get("/users").status_code == 200
        admin.post("/users/tana", role="viewer")
        assert tana.get("/users").status_code == 403
        admin.post("/users/tana", role="viewer", disabled="1")
        assert tana.get("/me").status_code == 303


def test_the_last_administrator_cannot_shut_the_door_behind_them(client, console: Console) -> None:
    for role, disabled in (("viewer", ""), ("admin", "1")):
        answer = client("admin").post("/users/admin", role=role, disabled=disabled)
        assert answer.status_code == 400
        assert "At least one administrator must remain" in answer.text
    assert console.database.users.get("admin").may("admin")


class TestForms:
    """Cross-site request forgery: another site's page can send a form, and does not know its secret."""

    def changed(self, console: Console) -> bool:
        return any(user.name == "forged" for user in console.database.users.all())

    @pytest.mark.parametrize("secret", ["", "guess", "x" * 64, "===", "é"])
    def test_a_form_without_its_secret_does_nothing(self, client, console: Console, secret: str) -> None:
        answer = client("admin").http.post("/users", data={"name": "forged", "csrf": secret})
        assert answer.status_code == 403
        assert not self.changed(console)

    def test_the_secret_of_another_session_does_not_count(self, client, console: Console) -> None:
        theirs = client("operator").csrf()
        assert client("admin").http.post("/users", data={"name": "forged", "csrf": theirs}).status_code == 403
        assert not self.changed(console)

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ],
    )
    def test_a_form_sent_by_another_site_does_nothing_even_with_the_secret(
        self, client, console: Console, headers: dict[str, str]
    ) -> None:
        browser = client("admin")
        data = {"name": "forged", "csrf": browser.csrf()}
        assert browser.http.post("/users", data=data, headers=headers).status_code == 403
        assert not self.changed(console)

    def test_the_secret_counts_in_a_header_too(self, client) -> None:
        browser = client("operator")
        headers = {"x-csrf-token": browser.csrf(), "origin": "http://testserver", "sec-fetch-site": "same-origin"}
        assert browser.http.post("/nothing", headers=headers).status_code == 404

    def test_a_page_never_shows_the_same_secret_twice(self, client) -> None:
        """What is compressed beside a visitor's own words must not repeat (BREACH)."""
        browser = client("operator")
        assert browser.csrf() != browser.csrf()

    def test_the_sign_in_is_guarded_too(self, stranger: Browser) -> None:
        """Else somebody signs a victim in under a name of their own and reads what they do."""
        assert stranger.http.post("/signin", data={"name": "operator", "password": "x"}).status_code == 403


@pytest.fixture
def app(console: Console) -> FastAPI:
    return build_app(console)


@pytest.fixture
def http(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False) as client:
        yield client


def bearer(console: Console, *scopes: str, days: int = 1) -> dict[str, str]:
    """The header of a new token."""
    name = f"token of {'-'.join(scopes)} {len(console.database.tokens.all())}"
    word = console.database.tokens.new(name, scopes, days=days, now_ms=console.wall.now_ms())
    return {"authorization": f"Bearer {word}"}


def api_reads() -> list[Asked]:
    return [one for one in every_route() if one.is_api and one.method == "GET" and one.route.startswith("/api/v1")]


def test_a_token_reads_what_its_scope_allows_and_opens_no_page(console: Console, http: TestClient) -> None:
    headers = bearer(console, "read")
    for asked in api_reads():
        assert http.get(asked.path, headers=headers).status_code not in (401, 403), asked
    assert http.get("/users", headers=headers).status_code == 303


@pytest.mark.parametrize("word", ["", "x", "steppe_guess", "Bearer"])
def test_a_token_that_is_unknown_is_told_so_in_problem_json(http: TestClient, word: str) -> None:
    for asked in api_reads()[:3]:
        answer = http.get(asked.path, headers={"authorization": f"Bearer {word}"})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 401


def test_a_revoked_and_an_expired_token_count_no_more(console: Console, http: TestClient) -> None:
    word = console.database.tokens.new("short", ["read"], days=1, now_ms=console.wall.now_ms())
    assert console.database.tokens.caller(word, now_ms=console.wall.now_ms()) is not None
    assert console.database.tokens.caller(word, now_ms=console.wall.now_ms() + 86_400_001) is None
    console.database.tokens.revoke("short")
    assert console.database.tokens.caller(word, now_ms=console.wall.now_ms()) is None


def test_a_token_that_may_only_read_changes_nothing(console: Console, http: TestClient) -> None:
    headers = bearer(console, "read")
    for asked in every_route():
        if asked.is_api and asked.method != "GET":
            assert http.request(asked.method, asked.path, headers=headers, json={}).status_code == 403, asked


def test_every_act_is_in_an_audit_trail_that_shows_when_it_was_changed(client, console: Console) -> None:
    admin = client("admin")
    admin.post("/users", name="suhe", full_name="Suhe", role="crew")
    admin.post("/users/suhe", role="operator")
    admin.post("/tokens", name="office", scopes="read")
    admin.post("/tokens/office/revoke")
    acts = [(deed.who, deed.act, deed.subject) for deed in console.database.deeds(limit=4)]
    assert acts == [
        ("admin", "revoke token", "office"),
        ("admin", "new token", "office"),
        ("admin", "change user", "suhe"),
        ("admin", "add user", "suhe"),
    ]
    assert "吊销令牌" in admin.get("/audit?lang=zh").text
    assert console.database.broken_deeds() == []
    assert "suhe" in admin.get("/audit").text
