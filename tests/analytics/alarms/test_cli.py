"""`steppe alarms …` as a person types it."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.alarm_centre import SUPPLY, alarm_centre

from analytics.alarms import service
from analytics.alarms.cli import alarms
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import Rose, Severity
from analytics.alarms.records import Act
from analytics.alarms.state import Kind
from edge.clock import RealClock
from edge.errors import BadInput

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command on a centre where one supply is lost; the centre's file goes in by itself."""
    centre = alarm_centre(tmp_path)
    now_ms = RealClock().now_ms()
    with (
        closing(AlarmDatabase(Path(centre.data_dir) / service.DATABASE_FILE)) as database,
        database.transaction() as change,
    ):
        record = change.find(SUPPLY, asset="station_0", kind="supply_lost")
        change.apply(record, Act(Rose(now_ms, Severity.HIGH), now_ms, value=0.0), Kind(), now_ms=now_ms)
    file = str(tmp_path / "centre.toml")

    def run_command(command: str, *words: str) -> Result:
        return CliRunner().invoke(alarms, [command, file, *words])

    return run_command


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def refused(result: Result) -> str:
    """What the one line says that `steppe` prints before exit code 2."""
    assert isinstance(result.exception, BadInput), result.output
    assert "\n" not in str(result.exception)
    return str(result.exception)


def test_an_alarm_is_listed_taken_handed_back_and_its_trail_shown(run: Run) -> None:
    assert SUPPLY in said(run("list"))
    assert "acknowledged" in said(run("ack", SUPPLY, "--by", "wang", "--reason", "on my way"))
    assert "unacknowledged" in said(run("unack", SUPPLY, "--by", "wang", "--reason", "no car"))
    trail = said(run("show", SUPPLY))
    assert "B  → C  Acknowledge by wang on my way" in trail
    assert "C  → B  Unacknowledge by wang no car" in trail


def test_an_alarm_is_shelved_and_unshelved_taken_out_of_service_and_returned(run: Run) -> None:
    assert "shelved" in said(run("shelve", SUPPLY, "--by", "li", "--minutes", "60", "--reason", "probe"))
    assert "acknowledged" in said(run("unshelve", SUPPLY, "--by", "li"))
    assert "out_of_service" in said(run("suppress", SUPPLY, "--by", "li", "--work-order", "WO-7"))
    assert "unacknowledged" in said(run("return", SUPPLY, "--by", "li"))


def test_json_is_one_object_and_nothing_else(run: Run) -> None:
    (alarm,) = json.loads(said(run("list", "--json")))["alarms"]
    assert (alarm["id"], alarm["state"], alarm["severity"]) == (SUPPLY, "B", "high")
    days = ("--from", "2020-01-01", "--to", "2100-01-01")
    assert len(json.loads(said(run("history", *days, "--json")))["occurrences"]) == 1
    assert json.loads(said(run("performance", *days, "--json")))["annunciated"] == 1


def test_history_and_performance_are_for_people_too(run: Run) -> None:
    days = ("--from", "2020-01-01", "--to", "2100-01-01")
    assert "still there" in said(run("history", *days))
    assert "1 occurrences" in said(run("history", *days))
    assert "flood_share" in said(run("performance", *days))


def test_a_whole_trail_is_whole_and_a_tampered_one_ends_with_code_1(run: Run, tmp_path: Path) -> None:
    assert "whole, last act Rose by engine" in said(run("verify-audit"))
    with closing(AlarmDatabase(tmp_path / service.DATABASE_FILE)) as database, database.transaction() as change:
        change.connection.execute("DROP TRIGGER audit_keeps_words")
        change.connection.execute("UPDATE audit SET row = replace(row, 'Rose', 'Fell')")
    result = run("verify-audit")
    assert result.exit_code == 1
    assert "broken at row 1" in result.output


def test_a_channel_that_nobody_answers_ends_with_code_1(run: Run) -> None:
    result = run("test-channel", "sms", "--to", "county")
    assert result.exit_code == 1
    assert result.output.startswith("wait")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ack", "st-9/x#high", "--by", "wang"), "there is no alarm 'st-9/x#high'"),
        (("reset", SUPPLY, "--by", "wang"), "nothing to reset"),
        (("unshelve", SUPPLY, "--by", "wang"), "not shelved"),
        (("return", SUPPLY, "--by", "wang"), "in service"),
        (("shelve", SUPPLY, "--by", "wang", "--minutes", "100000", "--reason", "x"), "within 24 h"),
        (("history", "--from", "yesterday", "--to", "2026-07-01"), "day 'yesterday': write it as YYYY-MM-DD"),
        (("performance", "--from", "2026-07-01", "--to", "2026-07-01"), "the period is empty"),
        (("test-channel", "pager", "--to", "county"), "no channel 'pager'"),
    ],
)
def test_bad_input_is_one_line(run: Run, words: tuple[str, ...], message: str) -> None:
    assert message in refused(run(*words))


def test_a_centre_without_alarms_says_what_to_do(tmp_path: Path) -> None:
    alarm_centre(tmp_path)
    result = CliRunner().invoke(alarms, ["list", str(tmp_path / "centre.toml")])
    assert "Run `steppe alarms run" in refused(result)


def test_every_command_has_an_example() -> None:
    for name, command in alarms.commands.items():
        assert f"steppe alarms {name}" in (command.epilog or ""), name
