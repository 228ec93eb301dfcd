"""What a person sees of register, rejected rows and store."""

import json
import math
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge.errors import SteppeError
from ingest.cli import ingest
from ingest.rejected import Rejected, RejectedRow

SAMPLE = Path(__file__).resolve().parents[2] / "ingest" / "register.sample"


@pytest.fixture
def centre_file(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "register")
    path = tmp_path / "centre.toml"
    path.write_text('register = "register"\n', encoding="utf-8")
    return path


def steppe_ingest(*words: object) -> Result:
    return CliRunner().invoke(ingest, [str(word) for word in words])


def test_a_sound_register_is_counted(centre_file: Path) -> None:
    result = steppe_ingest("register", centre_file)
    assert (result.exit_code, result.output) == (0, "5 regions, 9 assets, 7 points, 2 plans, 0 problems\n")


def test_every_problem_of_the_register_is_listed_and_the_exit_code_says_so(centre_file: Path) -> None:
    plans = centre_file.parent / "register" / "plans.csv"
    plans.write_text("asset,start,end,nature\nf9,2026-01-01,2026-01-02,planned\nf1,soon,2026-01-02,planned\n")
    result = steppe_ingest("register", centre_file)
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.output.splitlines()[:2]] == [
        "plans.csv line 3, column start",
        "plans.csv line 2, column asset",
    ]
    answer = json.loads(steppe_ingest("register", "--json", centre_file).output)
    assert [problem["line"] for problem in answer["problems"]] == [3, 2]


def test_asking_for_rejected_rows_makes_no_file(centre_file: Path) -> None:
    assert steppe_ingest("rejected", centre_file).output == "0 rejected rows\n"
    assert not (centre_file.parent / "rejected.db").exists()


def test_rejected_rows_are_shown_with_their_reasons(centre_file: Path) -> None:
    with closing(Rejected(centre_file.parent / "rejected.db")) as kept:
        kept.add([RejectedRow(7, "site/meter.voltage_v", 0, 230.5, 0, "too old for the store")])
        kept.add([RejectedRow(8, "site/meter.voltage_v", 0, math.nan, 8, "too old for the store")])
    result = steppe_ingest("rejected", "--limit", 1, centre_file)
    assert result.output.splitlines() == [
        "site/meter.voltage_v 1970-01-01T00:00:00+00:00 nan quality 8: too old for the store",
        "2 rejected rows",
    ]
    answer = json.loads(steppe_ingest("rejected", "--json", centre_file).output)
    assert (answer["total"], answer["rows"][1]["value"]) == (2, 230.5)


def test_the_store_answers_in_one_line(centre_file: Path) -> None:
    assert steppe_ingest("store", centre_file).output.startswith("SQLite ")
    centre_file.write_text('[store]\nurl = "influxdb+http://127.0.0.1:1/nowhere"\n', encoding="utf-8")
    result = steppe_ingest("store", centre_file)
    assert isinstance(result.exception, SteppeError)
    assert "Is InfluxDB running" in str(result.exception)
