"""`steppe console`: who may come in, said on the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from starlette.testclient import TestClient
from support.alarm_centre import alarm_centre
from support.console_browser import Browser

from dashboards.console.app import build_app
from dashboards.console.cli import console as command
from dashboards.console.settings import ConsoleSettings
from dashboards.console.site import open_console
from edge.clock import RealClock
from edge.errors import BadInput
from ingest.config import load_centre


@pytest.fixture
def centre_toml(tmp_path: Path) -> Path:
    alarm_centre(tmp_path)
    return tmp_path / "centre.toml"


def run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


def test_the_first_administrator_comes_in_by_the_link_that_the_command_prints(centre_toml: Path) -> None:
    link = run("user", "add", centre_toml, "tana", "--role", "admin", "--full-name", "Tana").output.strip()
    assert link.startswith("http://127.0.0.1:8080/welcome/")
    console = open_console(load_centre(centre_toml), ConsoleSettings(), RealClock())
    with TestClient(build_app(console), follow_redirects=False) as http:
        browser, path = Browser(http), link.removeprefix("http://127.0.0.1:8080")
        assert browser.post(path, password="a long password", again="a long password").status_code == 303
        assert browser.get("/users").status_code == 200
    console.close()


def test_users_are_listed_for_people_and_for_programs(centre_toml: Path) -> None:
    run("user", "add", centre_toml, "wang", "--role", "operator")
    assert "wang                 operator   wang  has not come in yet" in run("user", "list", centre_toml).output
    (user,) = json.loads(run("user", "list", centre_toml, "--json").output)["users"]
    assert (user["name"], user["role"], user["has_password"]) == ("wang", "operator", False)


def test_another_link_takes_the_place_of_the_first(centre_toml: Path) -> None:
    first = run("user", "add", centre_toml, "wang").output
    assert run("user", "link", centre_toml, "wang").output != first


def test_a_token_is_shown_once_listed_and_revoked(centre_toml: Path) -> None:
    word = run("token", "new", centre_toml, "office", "--scope", "read", "--scope", "judge").output.strip()
    assert word.startswith("steppe_")
    listed = run("token", "list", centre_toml).output
    assert "office" in listed
    assert "read judge" in listed
    assert word not in listed
    run("token", "revoke", centre_toml, "office")
    assert json.loads(run("token", "list", centre_toml, "--json").output) == {"tokens": []}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("user", "add", "wang"), "There is a user of that name"),
        (("user", "add", " x"), "1 to 60 printable characters"),
        (("user", "link", "nobody"), "there is no user nobody"),
        (("token", "revoke", "none"), "there is no token none"),
        (("token", "new", "a/b"), "no slash"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(centre_toml: Path, words: tuple[str, ...], sentence: str) -> None:
    run("user", "add", centre_toml, "wang")
    with pytest.raises(BadInput, match=sentence):
        run(*words[:2], centre_toml, *words[2:])


def test_every_command_has_help_with_an_example() -> None:
    for path in (
        [],
        ["run"],
        ["user"],
        ["user", "add"],
        ["user", "list"],
        ["user", "link"],
        ["token"],
        ["token", "new"],
    ):
        assert "Example: steppe console" in run(*path, "--help").output
