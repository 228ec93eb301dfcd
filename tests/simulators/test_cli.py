"""The commands: what they make, and how they refuse."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.errors import BadInput
from simulators.cli import demo, simulate

CSV = "time,V\n" + "".join(f"2025-01-01T00:{minute:02d}:00,{230 + minute / 10}\n" for minute in range(10))


def test_a_county_is_written_with_its_truth(tmp_path: Path) -> None:
    result = CliRunner().invoke(simulate, ["county", str(tmp_path / "county"), "--seed", "7"])
    assert result.exit_code == 0, result.output
    assert "steppe simulate serve" in result.output
    names = {path.name for path in (tmp_path / "county").iterdir()}
    assert names == {"register", "sites", "centre.toml", "scenario.json", "truth.json"}
    truth = json.loads((tmp_path / "county" / "truth.json").read_text(encoding="utf-8"))
    assert 99.0 < truth["rs1_pct"] < 100.0


def test_a_replay_prints_one_json_object(tmp_path: Path) -> None:
    file = tmp_path / "meter.csv"
    file.write_text(CSV, encoding="utf-8")
    arguments = ["replay", str(file), "--folder", str(tmp_path / "out"), "--column", "V=voltage_v", "--json"]
    result = CliRunner().invoke(simulate, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert (found["ok"], found["rows"], found["lost"]) == (True, 10, 0)
    assert found["points"] == ["replay/meter.voltage_v"]


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        (demo, ["--speed", "fast"], "give a number or auto"),
        (demo, ["--speed", "9000"], "1 to 2000"),
        (demo, ["--store", "mysql"], "--store"),
        (simulate, ["replay", "none.csv", "--folder", "x"], "cannot be read"),
        (simulate, ["serve", "."], "steppe simulate county"),
    ],
)
def test_wrong_use_says_what_to_do(
    command, arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, BadInput)
    assert message in str(result.exception)
