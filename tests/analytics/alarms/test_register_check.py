"""What the register lacks: people, contracts, inspections; and the commands for jobs, upkeep and checks."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.alarm_centre import SUPPLY, alarm_centre

from analytics.alarms import service
from analytics.alarms.cli import alarms
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import Fell, Rose, Severity
from analytics.alarms.records import Act
from analytics.alarms.register_check import findings
from analytics.alarms.state import Kind
from edge.clock import RealClock
from edge.errors import BadInput
from ingest.register import Asset, PointEntry, Register

NOW = 1_764_000_000_000
DAY = 24 * 3_600_000
WHOLE = Asset(
    *("a", "water_works", "a", "a", "150122", None, 1, None, None, None, None),
    owner="County",
    responsible="Wang",
    phone="138",
    inspection_days=30,
    contract_until="2030-01-01",
)


def found(asset: Asset, last_ms: int | None = NOW - DAY) -> list[str]:
    register = Register({}, {"a": (asset,)}, {"s/d.ph": PointEntry("s/d.ph", "a", "", "", None)}, ())
    inspected = {} if last_ms is None else {"a": last_ms}
    return [text for _, text in findings(register, inspected, "Asia/Shanghai", now_ms=NOW)]


def test_a_whole_entry_has_no_findings() -> None:
    assert found(WHOLE) == []


@pytest.mark.parametrize(
    ("asset", "last_ms", "message"),
    [
        (replace(WHOLE, owner=""), NOW, "has no owner"),
        (replace(WHOLE, responsible=""), NOW, "has no responsible"),
        (replace(WHOLE, phone=""), NOW, "has no phone"),
        (replace(WHOLE, contract_until="2025-01-01"), NOW, "its contract ended on 2025-01-01"),
        (replace(WHOLE, contract_until="spring"), NOW, "'spring' is no day"),
        (WHOLE, None, "never was"),
        (WHOLE, NOW - 40 * DAY, "10 days overdue"),
        (replace(WHOLE, in_service_to_ms=NOW - DAY), NOW, "not in service"),
    ],
)
def test_each_lack_is_found(asset: Asset, last_ms: int | None, message: str) -> None:
    (text,) = found(asset, last_ms)
    assert message in text


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Run a command on a centre where a supply was lost for ten minutes today, and is lost again."""
    centre = alarm_centre(tmp_path)
    now_ms = RealClock().now_ms()
    events = [Rose(now_ms - 3_000_000, Severity.HIGH), Fell(now_ms - 2_400_000), Rose(now_ms - 1000, Severity.HIGH)]
    with closing(AlarmDatabase(Path(centre.data_dir) / service.DATABASE_FILE)) as database, database.transaction() as c:
        for event in events:
            record = c.find(SUPPLY, asset="station_0", kind="supply_lost")
            c.apply(record, Act(event, event.at_ms), Kind(), now_ms=event.at_ms)
    file = str(tmp_path / "centre.toml")
    return lambda *words: CliRunner().invoke(alarms, [*words[:1], file, *words[1:]])


def work(run: Callable[..., Result], tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(alarms, ["work", words[0], str(tmp_path / "centre.toml"), *words[1:]])


def test_a_job_is_drafted_moved_and_shown(run: Callable[..., Result], tmp_path: Path) -> None:
    assert "work order 1: draft" in work(run, tmp_path, "new", SUPPLY, "--by", "wang").output
    assert "work order 1: issued" in work(run, tmp_path, "move", "1", "issued", "--by", "bao").output
    assert "issued by bao" in work(run, tmp_path, "show", "1").output
    assert "1 work orders" in work(run, tmp_path, "list").output
    assert json.loads(work(run, tmp_path, "list", "--json").output)["orders"][0]["state"] == "issued"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "9"), "there is no work order 9"),
        (("new", "x#high", "--by", "wang"), "there is no alarm 'x#high'"),
        (("move", "9", "done", "--by", "wang"), "there is no work order 9"),
    ],
)
def test_bad_input_is_one_line(
    run: Callable[..., Result], tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    refused = work(run, tmp_path, *words).exception
    assert isinstance(refused, BadInput)
    assert message in str(refused)
    assert "\n" not in str(refused)


def test_inspections_are_noted_and_checked(run: Callable[..., Result]) -> None:
    before = run("register-check")
    assert (before.exit_code, "never was" in before.output) == (1, True)
    assert run("inspected", "station_0", "--by", "wang").exit_code == 0
    assert run("register-check").output == "0 findings\n"
    assert isinstance(run("inspected", "nowhere", "--by", "wang").exception, BadInput)


def test_upkeep_is_told_per_alarm(run: Callable[..., Result]) -> None:
    days = ("--from", "2026-01-01", "--to", "2100-01-01")
    assert "mttr_h" in run("upkeep", *days).output
    figures = json.loads(run("upkeep", *days, "--json").output)["upkeep"][SUPPLY]
    assert figures["failures"] == 2
    assert figures["mtta_min"] is None
