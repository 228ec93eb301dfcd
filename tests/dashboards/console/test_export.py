"""What is exported is what is stored: piece by piece, with progress, and harmless in a spreadsheet."""

import csv
import io
import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.console.errors import Unusable
from dashboards.console.views.export import Wanted, _local_times, csv_of, harmless, parquet_of, table_csv, wanted_of
from ingest.store import Columns
from ingest.store_sqlite import SqliteStore

ZONE = ZoneInfo("Asia/Shanghai")
NOON = 1_764_043_200_000
POINT = "hujirt-wtp/outlet.free_chlorine_mg_l"
COLD = "hujirt-wtp/outlet.water_temp_c"
WANTED = Wanted((POINT, COLD), NOON, NOON + 10_000_000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "store.db")
    rows = [(0, NOON, 0.6, 0), (0, NOON + 60_000, math.nan, 8), (1, NOON + 500, -1.25, 2)]
    opened.append(
        Columns(
            (POINT, COLD),
            np.array([row[0] for row in rows], np.int32),
            np.array([row[1] for row in rows], np.int64),
            np.array([row[2] for row in rows], np.float64),
            np.array([row[3] for row in rows], np.uint8),
        )
    )
    yield opened
    opened.close()


def ignore(share: float, readings: int) -> None:
    """Nobody looks at this progress."""


def test_csv_has_local_time_empty_cells_for_bad_and_numbers_that_stay_numbers(store: SqliteStore) -> None:
    text = b"".join(csv_of(store, WANTED, ZONE, ignore)).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["point", "time", "value", "quality"],
        [POINT, "2025-11-25T12:00:00+08:00", "0.6", "good"],
        [POINT, "2025-11-25T12:01:00+08:00", "", "bad_no_answer"],
        [COLD, "2025-11-25T12:00:00.500+08:00", "-1.25", "uncertain_range"],
    ]


def test_parquet_holds_the_same_rows(store: SqliteStore) -> None:
    table = pq.read_table(io.BytesIO(b"".join(parquet_of(store, WANTED, ignore))))
    assert table["point"].to_pylist() == [POINT, POINT, COLD]
    assert table["value"].to_pylist() == [0.6, None, -1.25]
    assert table["quality"].to_pylist() == ["good", "bad_no_answer", "uncertain_range"]
    assert [int(at.timestamp() * 1000) for at in table["time"].to_pylist()] == [NOON, NOON + 60_000, NOON + 500]


def test_an_export_of_nothing_is_a_file_that_can_be_read(store: SqliteStore) -> None:
    nothing = Wanted((POINT,), 0, 10)
    assert b"".join(csv_of(store, nothing, ZONE, ignore)).decode("utf-8-sig") == "point,time,value,quality\r\n"
    assert pq.read_table(io.BytesIO(b"".join(parquet_of(store, nothing, ignore)))).num_rows == 0


def test_many_rows_come_in_pieces_and_progress_rises_to_the_whole(store: SqliteStore) -> None:
    rows = 120_000
    store.append(
        Columns(
            (POINT,),
            np.zeros(rows, np.int32),
            NOON + 60 * np.arange(rows, dtype=np.int64),
            np.arange(rows, dtype=np.float64),
            np.zeros(rows, np.uint8),
        )
    )
    told: list[tuple[float, int]] = []
    pieces = list(csv_of(store, WANTED, ZONE, lambda share, done: told.append((share, done))))
    assert max(map(len, pieces)) < 5_000_000
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert told[-1] == (1.0, store.read(WANTED.points, WANTED.start_ms, WANTED.end_ms).t_ms.size)


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_looks_like_a_formula_is_text(text: str) -> None:
    (head, row) = csv.reader(io.StringIO(b"".join(table_csv(["name"], [[text]])).decode("utf-8-sig"), newline=""))
    assert (head, row) == (["name"], [f"'{text}"])


@given(st.lists(st.integers(0, 2**42 - 1), min_size=1), st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "UTC"]))
def test_every_local_time_names_its_instant(instants: list[int], zone: str) -> None:
    written = _local_times(np.array(instants, np.int64), ZoneInfo(zone))
    assert [round(datetime.fromisoformat(text).timestamp() * 1000) for text in written] == instants


@given(st.one_of(st.integers(), st.floats(), st.text()))
def test_only_text_is_touched_and_only_at_its_start(cell: float | str) -> None:
    made = harmless(cell)
    assert str(made).endswith(str(cell))
    assert not isinstance(made, str) or made[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n")


@pytest.mark.parametrize(
    ("points", "start", "end"),
    [((), 0, 1), (("../etc/passwd",), 0, 1), ((POINT,), 1, 1), ((POINT,), 0, 2**42), ((POINT,) * 201, 0, 1)],
)
def test_an_absurd_export_is_refused(points: tuple[str, ...], start: int, end: int) -> None:
    with pytest.raises(Unusable):
        wanted_of(points, start, end)
