"""`steppe water` on people's own files: what it prints, what it refuses, and what it keeps."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pytest
from click.testing import CliRunner

from analytics.water_cli import water
from edge.errors import BadInput

START = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = 1800


@pytest.fixture
def run_water():
    """Run `steppe water …`; an error of ours rises as it is."""

    def run(*arguments):
        result = CliRunner().invoke(water, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def works(tmp_path):
    """Thirty hours of a works: pH steps up and chlorine down for 20 minutes; the label says so."""
    rng = np.random.default_rng(5)
    columns = {
        "when": pa.array([START + timedelta(minutes=i) for i in range(ROWS)], pa.timestamp("ms", tz="UTC")),
        "pH": 7.5 + rng.normal(0, 0.01, ROWS).round(2),
        "free_chlorine_mg_l": 0.5 + rng.normal(0, 0.003, ROWS).round(3),
        "turbidity_ntu": 0.1 + rng.normal(0, 0.002, ROWS).round(3),
        "EVENT": np.zeros(ROWS, dtype=bool),
        "operator": ["li"] * ROWS,
    }
    columns["pH"][1600:1620] += 1
    columns["free_chlorine_mg_l"][1600:1620] -= 0.2
    columns["EVENT"][1600:1620] = True
    path = tmp_path / "works.parquet"
    pa_parquet.write_table(pa.table(columns), path)
    return path


def test_detect_prints_one_json_object_as_promised(run_water, works):
    result = run_water("detect", "--series", works, "--labels", "EVENT", "--json")
    answer = json.loads(result.stdout)
    (event,) = answer["events"]
    assert (event["start"], event["end"]) == ("2026-03-02T02:41:00Z", "2026-03-02T02:59:00Z")
    assert event["class"] == "dosing_failure"
    assert event["channels"]["pH"] > 0 > event["channels"]["free_chlorine_mg_l"]
    assert set(answer["scores"]) == {
        "precision",
        "recall",
        "f1",
        "events",
        "events_found",
        "median_delay_min",
        "false_per_day",
    }
    assert answer["scores"]["events_found"] == 1
    assert answer["scores"]["false_per_day"] == 0


def test_without_labels_there_are_no_scores_and_every_number_is_a_channel(run_water, works):
    answer = json.loads(run_water("detect", "--series", works, "--json").stdout)
    assert answer["scores"] is None
    assert "3 channels" in run_water("detect", "--series", works).stdout


def test_season_without_an_event_scores_null_not_nan(run_water, works):
    table = pa_parquet.read_table(works)
    pa_parquet.write_table(table.slice(0, 100), works)
    scores = json.loads(run_water("detect", "--series", works, "--labels", "EVENT", "--json").stdout)["scores"]
    assert scores["f1"] is None
    assert scores["events"] == 0


def test_csv_gives_the_same_events(run_water, works, tmp_path):
    path = tmp_path / "works.csv"
    pa_csv.write_csv(pa_parquet.read_table(works).drop_columns(["operator", "EVENT"]), path)
    parquet, csv = (json.loads(run_water("detect", "--series", p, "--json").stdout) for p in (works, path))
    assert csv == parquet


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Shanghai"])
def test_the_time_column_is_found_by_its_type_wherever_it_stands(run_water, works, tmp_path, unit, zone):
    """Renamed, last, between other columns, in any unit and zone: the same events."""
    table = pa_parquet.read_table(works)
    when = table["when"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
    instants = pa.array(when // {"s": 10**6, "ms": 10**3, "us": 1, "ns": 1}[unit] * (1000 if unit == "ns" else 1))
    moved = table.drop_columns(["when"]).append_column("Zeitpunkt", instants.cast(pa.timestamp(unit, tz=zone)))
    path = tmp_path / "moved.parquet"
    pa_parquet.write_table(moved, path)
    first, second = (
        json.loads(run_water("detect", "--series", one, "--labels", "EVENT", "--json").stdout) for one in (works, path)
    )
    assert first["scores"] == second["scores"]
    assert [event["channels"] for event in first["events"]] == [event["channels"] for event in second["events"]]
    assert {event["start"].endswith("Z") for event in second["events"]} == {zone is not None}


def test_other_names_and_number_types_and_an_index_change_nothing_that_matters(run_water, works, tmp_path):
    """As pandas writes a frame that was indexed by its time, or by row numbers with gaps."""
    table = pa_parquet.read_table(works).drop_columns(["operator"])
    other = table.rename_columns(["at", "c3", "c1", "c2", "y"])
    other = other.set_column(1, "c3", other["c3"].cast(pa.float32())).set_column(4, "y", other["y"].cast(pa.int8()))
    other = other.append_column("__index_level_0__", pa.array(range(7, ROWS + 7)))
    described = {"index_columns": ["__index_level_0__"], "columns": [], "column_indexes": []}
    path = tmp_path / "other.parquet"
    pa_parquet.write_table(other.replace_schema_metadata({"pandas": json.dumps(described)}), path)
    answer = json.loads(run_water("detect", "--series", path, "--labels", "y", "--json").stdout)
    assert answer["scores"]["events_found"] == 1
    assert {name for event in answer["events"] for name in event["channels"]} <= {"c1", "c2", "c3"}
    assert "of 3 channels" in run_water("detect", "--series", path, "--labels", "y").stdout


def test_missing_values_stay_missing(run_water, works, tmp_path):
    """A channel that is never read, one that is away for an hour, infinite values: none of them is an event."""
    table = pa_parquet.read_table(works)
    turbidity = table["turbidity_ntu"].to_numpy().copy()
    turbidity[1450:1510], turbidity[1520] = np.nan, np.inf
    never = pa.array([None] * ROWS, pa.float64())
    changed = table.set_column(3, "turbidity_ntu", pa.array(turbidity, from_pandas=True)).append_column("toc", never)
    path = tmp_path / "missing.parquet"
    pa_parquet.write_table(changed, path)
    answer = json.loads(run_water("detect", "--series", path, "--labels", "EVENT", "--json").stdout)
    assert (answer["scores"]["events_found"], answer["scores"]["false_per_day"]) == (1, 0)


def test_state_lets_the_next_file_begin_warm(run_water, works, tmp_path):
    """The second half alone is shorter than the day that is only learned from."""
    table, state = pa_parquet.read_table(works), tmp_path / "state"
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    pa_parquet.write_table(table.slice(0, 1500), first)
    pa_parquet.write_table(table.slice(1500), second)
    assert json.loads(run_water("detect", "--series", second, "--json").stdout)["events"] == []
    run_water("detect", "--series", first, "--state", state)
    whole = json.loads(run_water("detect", "--series", works, "--json").stdout)
    assert json.loads(run_water("detect", "--series", second, "--state", state, "--json").stdout) == whole


def test_wrong_files_are_told_in_one_line(run_water, works, tmp_path):
    table = pa_parquet.read_table(works)

    def refused(changed, *options):
        path = tmp_path / "wrong.parquet"
        pa_parquet.write_table(changed, path)
        with pytest.raises(BadInput) as error:
            run_water("detect", "--series", path, *options)
        return str(error.value)

    assert "no column holds times" in refused(table.drop_columns(["when"]))
    assert "no numeric column" in refused(table.select(["when", "operator"]))
    assert "no column CLASS for --labels" in refused(table, "--labels", "CLASS")
    assert "labels are 0 and 1" in refused(table, "--labels", "operator")
    assert "row 2, pH" in refused(table, "--labels", "pH")
    assert "row 52, when: the time does not rise" in refused(pa.concat_tables([table.slice(0, 50), table]))
    with pytest.raises(BadInput, match="there is no such file"):
        run_water("detect", "--series", tmp_path / "absent.parquet")


def test_foreign_state_is_refused(run_water, works, tmp_path):
    state = tmp_path / "state"
    state.write_bytes(b"not a state")
    with pytest.raises(BadInput, match="not a state of this version"):
        run_water("detect", "--series", works, "--state", state)


def test_ct_says_whether_the_water_is_disinfected(run_water):
    common = ("--temp", 5, "--ph", 7.5, "--volume", 500, "--baffling", 0.5)
    good = run_water("ct", "--chlorine", 0.8, "--flow", 60, *common)
    assert (good.exit_code, "ratio 1.0" in good.stdout) == (0, True)
    bad = run_water("ct", "--chlorine", 0.5, "--flow", 120, *common, "--json")
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["inactivation_ratio"] < 1


def test_limits_of_a_standard_carry_source_and_mark(run_water):
    answer = json.loads(
        run_water("limits", "--standard", "GB 18918-2002", "--grade", "1A", "--day", "2026-03-01", "--json").stdout
    )
    marks = {(r["quantity"], r["limit_kind"], r["condition"]): r["mark"] for r in answer["rows"]}
    assert marks["cod_mg_l", "daily", ""] == "amended 2026-03-01, check"
    assert marks["cod_mg_l", "single", ""] == "limit to be confirmed"
    assert all(row["source"] for row in answer["rows"])


def test_limits_check_a_file_with_delays_and_deadband(run_water, tmp_path):
    path = tmp_path / "outlet.csv"
    turbidity = [0.2] * 30 + [0.7] * 40 + [0.48] * 20 + [0.2] * 60
    rows = [f"{START + timedelta(minutes=i):%Y-%m-%d %H:%M:%S},{v}" for i, v in enumerate(turbidity)]
    path.write_text("\n".join(["time,turbidity_ntu", *rows]) + "\n")
    (alarm,) = json.loads(run_water("limits", "--profile", "works_outlet", "--series", path, "--json").stdout)["rows"]
    assert (alarm["level"], alarm["class"]) == ("H", "O")
    assert (alarm["start"], alarm["end"]) == ("2026-03-01T00:45:00", "2026-03-01T02:00:00")


def test_limits_questions_that_cannot_be_answered(run_water, works):
    with pytest.raises(BadInput, match="give --standard or --profile"):
        run_water("limits")
    with pytest.raises(BadInput, match="Known standards: DBHJ"):
        run_water("limits", "--standard", "GB 1")
    with pytest.raises(BadInput, match="Known profiles: aeration"):
        run_water("limits", "--profile", "outlet")
    with pytest.raises(BadInput, match="no column of this profile"):
        run_water("limits", "--profile", "clear_well", "--series", works)


@pytest.mark.parametrize("command", ["detect", "ct", "limits"])
def test_every_command_shows_an_example(run_water, command):
    assert "Example: steppe water" in run_water(command, "--help").stdout
