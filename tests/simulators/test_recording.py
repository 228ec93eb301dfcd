"""Recordings: any CSV or Parquet file, and what an instrument would show of it."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from edge.errors import BadInput
from simulators.recording import load_recording

CSV = "time,voltage_v,note\n2025-01-01T00:02:00,231.5,c\n2025-01-01T00:00:00,230.1,a\n2025-01-01T00:01:00,,b\n"
ZERO_MS = 1_735_689_600_000


@pytest.fixture
def recording_csv(tmp_path: Path) -> Path:
    path = tmp_path / "meter.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def test_rows_come_in_order_of_time_with_numbers_only(recording_csv: Path) -> None:
    recording = load_recording(recording_csv)
    assert list(recording.columns) == ["voltage_v"]
    assert recording.t_ms.tolist() == [ZERO_MS, ZERO_MS + 60_000, ZERO_MS + 120_000]
    assert recording.period_ms == 60_000


@pytest.mark.parametrize(
    ("second", "expected"),
    [(-1, None), (0, 230.1), (59, 230.1), (60, None), (119, None), (120, 231.5), (179, 231.5), (180, None)],
)
def test_a_row_is_shown_for_one_period_and_a_null_is_silence(
    recording_csv: Path, second: int, expected: float | None
) -> None:
    assert load_recording(recording_csv).value("voltage_v", ZERO_MS + second * 1000) == expected


def test_parquet_reads_the_same_as_csv(recording_csv: Path, tmp_path: Path) -> None:
    times = [datetime(2025, 1, 1, 0, minute) for minute in range(3)]  # noqa: DTZ001
    path = tmp_path / "meter.parquet"
    pq.write_table(pa.table({"at": times, "voltage_v": [230.1, None, 231.5], "event": [True, False, True]}), path)
    one, other = load_recording(path), load_recording(recording_csv)
    assert list(one.columns) == ["voltage_v", "event"]
    assert one.t_ms.tolist() == other.t_ms.tolist()
    assert one.value("voltage_v", ZERO_MS) == 230.1
    assert one.value("event", ZERO_MS) == 1.0


def test_epoch_seconds_are_taken_where_they_are_named(tmp_path: Path) -> None:
    path = tmp_path / "epoch.csv"
    path.write_text("s,level_m\n100,1.5\n110,1.6\n", encoding="utf-8")
    recording = load_recording(path, time_column="s")
    assert recording.t_ms.tolist() == [100_000, 110_000]
    assert list(recording.columns) == ["level_m"]


def test_days_with_their_fractions_are_taken_too(tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    path.write_text("day,flow_m3_d\n0.0,15000\n0.010416667,14700\n0.020833333,14600\n", encoding="utf-8")
    recording = load_recording(path, time_column="day", time_unit="d")
    assert recording.t_ms.tolist() == [0, 900_000, 1_800_000]
    assert recording.period_ms == 900_000


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("a,b\n1,2\n3,4\n", {}, "Name the time column with --time"),
        (CSV, {"time_column": "when"}, "no column 'when'"),
        (CSV, {"columns": ["power_kw"]}, "The file has time, voltage_v, note"),
        (CSV, {"columns": ["note"]}, "holds no numbers"),
        ("time,v\n2025-01-01T00:00:00,1\n", {}, "needs two at least"),
        ("time,v\n2025-01-01T00:00:00,1\n,2\n", {}, "without an instant"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_refused(
    tmp_path: Path, text: str, arguments: dict[str, object], message: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        load_recording(path, **arguments)  # type: ignore[arg-type]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load_recording(tmp_path / "none.parquet")
