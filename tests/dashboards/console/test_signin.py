"""Coming in and going out: passwords, one-time links, sessions that end, and guessing that leads nowhere."""

from collections.abc import Callable
from dataclasses import replace
from http.cookies import SimpleCookie

import pytest
from starlette.testclient import TestClient
from support.console_browser import Browser

from dashboards.console.app import build_app
from dashboards.console.settings import ConsoleSettings
from dashboards.console.site import Console

PASSWORD = "correct horse battery"
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def settled(console: Console) -> Console:
    """The console, where the operator has a password."""
    console.database.users.set_password("operator", PASSWORD)
    return console


def sign_in(browser: Browser, name: str = "operator", password: str = PASSWORD, **more: str) -> int:
    """Fill in the form; return the status."""
    return browser.post("/signin", name=name, password=password, **more).status_code


def test_the_right_password_opens_a_session_and_leads_to_the_page_that_was_wanted(
    settled: Console, stranger: Browser
) -> None:
    assert stranger.get("/me").headers["location"] == "/signin?next=/me"
    answer = stranger.post("/signin", name="operator", password=PASSWORD, next="/me")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert "The operator" in stranger.get("/me").text


@pytest.mark.parametrize(("name", "password"), [("operator", "wrong"), ("nobody", PASSWORD), ("viewer", ""), ("", "")])
def test_a_wrong_name_and_a_wrong_password_are_told_in_the_same_words(
    settled: Console, stranger: Browser, name: str, password: str
) -> None:
    answer = stranger.post("/signin?lang=en", name=name, password=password)
    assert answer.status_code == 401
    assert "Name or password is not right" in answer.text
    assert stranger.get("/me").status_code == 303


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere_after_the_sign_in(settled: Console, stranger: Browser, path: str) -> None:
    answer = stranger.post("/signin", name="operator", password=PASSWORD, next=path)
    assert answer.headers["location"] == "/"


def test_the_session_is_a_new_one_at_each_sign_in_and_the_old_one_is_worth_nothing(
    settled: Console, stranger: Browser
) -> None:
    """Session fixation: whatever somebody planted in the browser before, they do not know what it signs in with."""
    stranger.http.cookies.set("steppe", "planted", domain="testserver.local")
    words = []
    for _ in range(2):
        sign_in(stranger)
        words.append(str(stranger.http.cookies.get("steppe")))
    first, second = words
    assert len({"planted", first, second}) == 3
    with TestClient(build_app(settled), cookies={"steppe": str(first)}, follow_redirects=False) as other:
        assert other.get("/me").status_code == 303


def test_cookies_are_kept_from_scripts_and_from_other_sites(settled: Console, stranger: Browser) -> None:
    before = stranger.get("/signin", lang="en").headers.get_list("set-cookie")
    after = stranger.post("/signin", name="operator", password=PASSWORD).headers.get_list("set-cookie")
    flags = {name: morsel for line in [*before, *after] for name, morsel in SimpleCookie(line).items()}
    assert set(flags) == {"steppe", "steppe_form", "steppe_lang"}
    assert all(morsel["httponly"] for morsel in flags.values())
    assert {morsel["samesite"].lower() for morsel in flags.values()} == {"lax", "strict"}
    assert flags["steppe"]["max-age"] == str(12 * 3600)


def test_behind_tls_cookies_are_secure_and_bound_to_the_host(settled: Console) -> None:
    console = replace(settled, settings=ConsoleSettings(public_url="https://steppe.example"))
    with TestClient(build_app(console), base_url="https://steppe.example", follow_redirects=False) as http:
        browser = Browser(http)
        answer = browser.post("/signin", name="operator", password=PASSWORD)
        assert answer.headers["strict-transport-security"]
        session = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("__Host-steppe="))
        assert "Secure" in session
        assert "Path=/" in session
        assert "Domain" not in session
        assert browser.get("/me").status_code == 200


def test_signing_out_ends_the_session_on_the_server(settled: Console, stranger: Browser) -> None:
    sign_in(stranger)
    word = str(stranger.http.cookies.get("steppe"))
    assert stranger.post("/signout").headers["location"] == "/signin"
    stranger.http.cookies.set("steppe", word)
    assert stranger.get("/me").status_code == 303


@pytest.mark.parametrize(("hours", "is_still_in"), [(7.9, True), (8.1, False)])
def test_a_session_ends_when_nobody_uses_it(
    settled: Console, stranger: Browser, later: Callable[[float], None], hours: float, is_still_in: bool
) -> None:
    sign_in(stranger)
    later(hours)
    assert (stranger.get("/me").status_code == 200) is is_still_in


def test_a_session_ends_after_its_time_even_in_use(
    settled: Console, stranger: Browser, later: Callable[[float], None]
) -> None:
    sign_in(stranger)
    later(7.0)
    assert stranger.get("/me").status_code == 200
    later(5.1)
    assert stranger.get("/me").status_code == 303


@pytest.fixture
def later(console: Console):
    """`later(hours)` lets the machine's time pass; it is turned back afterwards."""
    clock = console.wall
    began_ms = clock.now_ms()

    def pass_time(hours: float) -> None:
        clock.at_ms += int(hours * HOUR_MS)

    yield pass_time
    clock.at_ms = began_ms


def test_guessing_is_stopped_after_five_tries_for_a_quarter_of_an_hour(
    settled: Console, stranger: Browser, later: Callable[[float], None]
) -> None:
    later(1.0)
    assert [sign_in(stranger, password=f"guess {n}") for n in range(6)] == [401] * 5 + [429]
    refused = stranger.post("/signin", name="operator", password=PASSWORD)
    assert refused.status_code == 429, "the right password is not even looked at"
    assert 0 < int(refused.headers["retry-after"]) <= 900
    later(0.26)
    assert sign_in(stranger) == 303


def test_one_address_may_not_go_through_many_names(
    settled: Console, stranger: Browser, later: Callable[[float], None]
) -> None:
    later(2.0)
    statuses = [sign_in(stranger, name=f"name {n}", password="a guess") for n in range(21)]
    assert statuses == [401] * 20 + [429]


def test_tries_survive_a_restart(settled: Console, stranger: Browser, later: Callable[[float], None]) -> None:
    later(3.0)
    for n in range(5):
        sign_in(stranger, password=f"guess {n}")
    with TestClient(build_app(settled), follow_redirects=False) as http:
        assert sign_in(Browser(http)) == 429


def test_a_one_time_link_sets_the_password_once(console: Console, stranger: Browser) -> None:
    console.database.users.add("batu", "Batu", "crew", now_ms=console.wall.now_ms())
    link = "/welcome/" + console.database.users.new_link("batu", "password", now_ms=console.wall.now_ms())
    assert stranger.get(link).status_code == 200
    assert stranger.get(link).status_code == 200, "whoever looks ahead, such as a mail scanner, uses nothing up"
    assert stranger.post(link, password=PASSWORD, again=PASSWORD).status_code == 303
    assert "Batu" in stranger.get("/me").text
    assert stranger.post(link, password=PASSWORD, again=PASSWORD).status_code == 404


@pytest.mark.parametrize(
    ("password", "again"), [("short", "short"), (PASSWORD, "another horse battery"), ("x" * 201, "x" * 201)]
)
def test_a_password_that_is_weak_or_mistyped_leaves_the_link_good(
    console: Console, stranger: Browser, password: str, again: str
) -> None:
    link = "/welcome/" + console.database.users.new_link("viewer", "password", now_ms=console.wall.now_ms())
    assert stranger.post(link, password=password, again=again).status_code == 400
    assert stranger.post(link, password=PASSWORD, again=PASSWORD).status_code == 303


def test_a_link_that_is_too_old_or_was_replaced_lets_nobody_in(
    console: Console, stranger: Browser, later: Callable[[float], None]
) -> None:
    first = console.database.users.new_link("viewer", "enter", now_ms=console.wall.now_ms())
    second = console.database.users.new_link("viewer", "enter", now_ms=console.wall.now_ms())
    assert stranger.get(f"/welcome/{first}").status_code == 404
    later(72.1)
    assert stranger.get(f"/welcome/{second}").status_code == 404


def test_another_password_signs_out_the_other_browsers(settled: Console, stranger: Browser) -> None:
    sign_in(stranger)
    with TestClient(build_app(settled), follow_redirects=False) as http:
        other = Browser(http)
        sign_in(other)
        wrong = other.post("/me", old="wrong", password=PASSWORD + "!", again=PASSWORD + "!")
        assert wrong.status_code == 400
        assert other.post("/me", old=PASSWORD, password=PASSWORD + "!", again=PASSWORD + "!").status_code == 200
        assert other.get("/me").status_code == 200
    assert stranger.get("/me").status_code == 303
    settled.database.users.set_password("operator", PASSWORD)


def test_no_secret_is_kept_as_it_is(settled: Console, stranger: Browser) -> None:
    """Whoever reads the file can neither sign in, nor use a session, a link or a token."""
    sign_in(stranger)
    now_ms = settled.wall.now_ms()
    session = str(stranger.http.cookies.get("steppe"))
    link = settled.database.users.new_link("crew", "enter", now_ms=now_ms)
    token = settled.database.tokens.new("kept", ["read"], days=1, now_ms=now_ms)
    files = [path.read_bytes() for path in settled.data_dir.glob("console.db*")]
    for secret in (session, link, token, PASSWORD):
        assert not any(secret.encode() in content for content in files)
    assert (settled.data_dir / "console.db").stat().st_mode & 0o077 == 0
