"""Packed hours: a store answers the same before and after, whatever was packed when, and what came late counts."""

import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import support
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.packed_hours import FEWEST_ROWS, HOUR_MS, pack, unpack
from ingest.sqlite_tables import Rows
from ingest.store import Columns
from ingest.store_sqlite import SqliteStore

HOUR = 1_764_043_200_000
VOLTAGE, TURBIDITY = "county-a/feeder1_meter.l1.voltage_v", "qingshui-wtp/clearwell.turbidity_ntu"
POINTS = (VOLTAGE, TURBIDITY)
END = HOUR + 6 * HOUR_MS
EXACT = ("start_ms", "low", "high", "valued", "bad", "worst")
Row = tuple[int, int, float, int]


def columns(rows: Sequence[Row]) -> Columns:
    """Rows of (which point, t_ms, value, quality) as columns."""
    index, t_ms, value, quality = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Columns(
        POINTS, np.array(index, np.int32), np.array(t_ms, np.int64), np.array(value, float), np.array(quality, np.uint8)
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "store.db")) as opened:
        yield opened


def pack_all(store: SqliteStore, before_ms: int) -> None:
    while store.pack(before_ms):
        pass


def answers(store: SqliteStore) -> dict[str, Any]:
    """Everything a store can be asked, as values that compare equal."""
    rows = store.read(POINTS, 0, 2**42)
    buckets = [store.buckets(point, HOUR + 7, END - 3, 1_700_000) for point in POINTS]
    return {
        "rows": [column.tobytes() for column in (rows.index, rows.t_ms, rows.value, rows.quality)],
        "part": store.read(POINTS, HOUR + 1_000_000, HOUR + 5 * HOUR_MS).t_ms.tolist(),
        "latest": repr(store.latest(POINTS)),
        "coverage": store.coverage(POINTS, HOUR + 5, END, 60_000).tolist(),
        "points": store.points(),
        "first": store.first_hour_ms(),
        "exact": [[getattr(one, name).tobytes() for name in EXACT] for one in buckets],
        "mean": [one.mean.tobytes() for one in buckets],
    }


def test_a_hand_worked_hour_is_one_row_and_reads_the_same(store: SqliteStore, tmp_path: Path) -> None:
    """Six readings of an hour, one of them without an answer, and two in the next hour, which is not old yet."""
    hour = [(0, HOUR + 600_000 * i, math.nan if i == 3 else 230.5 + i, 8 if i == 3 else 0) for i in range(6)]
    store.append(columns([*hour, (0, HOUR + HOUR_MS, 231.0, 0), (0, HOUR + HOUR_MS + 1, 231.5, 0)]))
    before = answers(store)
    assert store.pack(HOUR + HOUR_MS + 5) is False
    assert (count(store, "reading"), count(store, "packed")) == (2, 1)
    assert answers(store) == before


def count(store: SqliteStore, table: str) -> int:
    return int(store._query(f"SELECT count(*) FROM {table}")[0][0])


def test_a_late_reading_counts_above_the_packed_one_and_is_packed_with_it(store: SqliteStore) -> None:
    store.append(columns([(0, HOUR + i, float(i), 0) for i in range(10)]))
    pack_all(store, END)
    store.append(columns([(0, HOUR + 3, 99.0, 2), (0, HOUR + 50, 7.0, 0)]))
    for _ in range(2):
        rows = store.read([VOLTAGE], 0, 2**42)
        assert rows.value.tolist() == [0, 1, 2, 99, 4, 5, 6, 7, 8, 9, 7]
        assert store.latest([VOLTAGE])[VOLTAGE].t_ms == HOUR + 50
        pack_all(store, END)
    assert (count(store, "reading"), count(store, "packed")) == (0, 1)


def test_few_readings_of_an_hour_stay_as_they_are(store: SqliteStore) -> None:
    store.append(columns([(0, HOUR + i, 1.0, 0) for i in range(FEWEST_ROWS - 1)]))
    pack_all(store, END)
    assert (count(store, "reading"), count(store, "packed")) == (FEWEST_ROWS - 1, 0)


def test_what_is_forgotten_is_exactly_what_was_given(store: SqliteStore) -> None:
    """Of ten readings six are given, one of which has changed since: five go, and their neighbours of the hour stay."""
    store.append(columns([(0, HOUR + i, float(i), 0) for i in range(10)]))
    pack_all(store, END)
    given_rows = store.read([VOLTAGE], HOUR, HOUR + 6)
    store.append(columns([(0, HOUR + 2, 99.0, 0)]))
    assert store.forget(given_rows) == 5
    assert store.read([VOLTAGE], 0, 2**42).value.tolist() == [99, 6, 7, 8, 9]
    assert store.forget(given_rows) == 0


instants = st.integers(HOUR, END - 1) | st.integers(HOUR, HOUR + 60)
values = st.integers(-4_000_000, 4_000_000).map(lambda number: number / 16)
rows = st.lists(
    st.tuples(st.integers(0, 1), instants, values, st.sampled_from([0, 1, 2]))
    | st.tuples(st.integers(0, 1), instants, st.just(math.nan), st.sampled_from([8, 9])),
    max_size=40,
)
acts = st.lists(rows | st.integers(HOUR, END + HOUR_MS), max_size=6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
def test_whatever_is_packed_when_every_answer_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, acts: list[list[Row] | int]
) -> None:
    """Lists are appended; a number packs everything before it. The other store never packs."""
    folder = tmp_path_factory.mktemp("stores")
    with closing(SqliteStore(folder / "packed.db")) as packed, closing(SqliteStore(folder / "plain.db")) as plain:
        for act in acts:
            if isinstance(act, int):
                pack_all(packed, act)
            else:
                packed.append(columns(act))
                plain.append(columns(act))
            assert answers(packed) == answers(plain)


exact = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.integers(-(10**7), 10**7)


@given(
    st.lists(exact, min_size=1)
    | st.lists(exact.map(lambda value: round(value, 2)), min_size=1)
    | st.lists(decimals.map(lambda whole: whole / 100), min_size=1)
    | st.lists(decimals.map(lambda whole: whole * 0.1), min_size=1)
)
def test_an_unpacked_value_is_bit_for_bit_what_was_packed(packed: list[float]) -> None:
    """Whatever the instrument: many decimals, few, scaled by a division or by a factor, negative zero."""
    count = len(packed)
    rows = Rows(HOUR + np.arange(count), np.array(packed), np.zeros(count, np.uint8))
    again = unpack(HOUR, pack(rows, HOUR))
    assert again.value.tobytes() == rows.value.tobytes()
    assert again.key.tolist() == rows.key.tolist()


def test_a_long_packed_range_is_streamed_in_bounded_pieces(store: SqliteStore) -> None:
    store.append(columns([(0, HOUR + 30 * i, float(i), 0) for i in range(120_000)]))
    pack_all(store, END)
    pieces = list(store.stream([VOLTAGE], 0, 2**42))
    assert max(map(len, pieces)) <= 50_000
    assert np.concatenate([piece.value for piece in pieces]).tolist() == list(range(120_000))


def test_killed_at_any_line_packing_and_forgetting_lose_nothing(tmp_path: Path) -> None:
    tests = Path(support.__path__[0]).parent
    script = tests / "support" / "killed_packing.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env={"PYTHONPATH": f"{tests.parent}:{tests}"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50, "lines at which it was killed"
