"""What every answer tells the browser not to do, and what the pages keep to."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.console_browser import Browser

import dashboards.console
from dashboards.console.headers import HEADERS

TEMPLATES = sorted((Path(dashboards.console.__file__).parent / "templates").glob("*.html"))
PATHS = ("/signin", "/static/steppe.css", "/alive", "/nothing", "/api/v1/nothing", "/api/openapi.json", "/metrics")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_headers(stranger: Browser, path: str) -> None:
    answer = stranger.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_the_policy_lets_nothing_run_load_or_frame_that_is_not_ours() -> None:
    policy = dict(part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";"))
    assert {policy[name] for name in ("default-src", "script-src", "style-src", "connect-src", "img-src")} == {"'self'"}
    assert {policy[name] for name in ("frame-ancestors", "base-uri", "object-src")} == {"'none'"}
    assert policy["form-action"] == "'self'"


def test_pages_are_not_kept_by_anyone(client) -> None:
    assert client("viewer").get("/me").headers["cache-control"] == "no-store"


def test_no_header_tells_what_we_run_on(stranger: Browser) -> None:
    assert not {"server", "x-powered-by"} & set(stranger.get("/signin").headers)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_what_the_policy_would_block_or_what_escapes_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<[^>{]*\sstyle\s*=", text), "inline style"
    assert not re.search(r"<[^>{]*\son[a-z]+\s*=", text), "inline handler"
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "inline script"
    assert not re.search(r"<style", text), "style block"
    assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup\(", text), "unescaped"
    assert not re.search(r"(src|href|action)=[\"']?(https?:)?//", text), "address outside"


@pytest.mark.parametrize("size", [256 * 1024 + 100, 2_000_000])
def test_a_body_longer_than_any_form_is_refused(client, size: int) -> None:
    browser = client("viewer")
    assert browser.post("/me", old="x" * size).status_code == 413


def test_an_error_shows_no_traceback(client) -> None:
    for path in (
        "/nothing",
        "/users/none/link",
        "/live?points=" + "&points=".join("p" * 3 + str(n) for n in range(300)),
    ):
        text = client("viewer").get(path).text
        assert "Traceback" not in text
        assert ".py" not in text


def test_a_body_that_does_not_say_its_length_is_cut_off(client) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(10):
            yield b"old=" + b"x" * 100_000

    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = client("viewer").http.post("/me", content=pieces(), headers=headers)
    assert answer.status_code in (400, 413)
