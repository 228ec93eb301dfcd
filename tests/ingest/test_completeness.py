"""Expected against received, and the questions that need store and register together."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.wire import PointInfo, PointList
from ingest.completeness import completeness
from ingest.days import day_bounds, day_numbers, day_text
from ingest.query import latest_of, points_of, series, unregistered
from ingest.register_files import load_register
from ingest.store import Columns
from ingest.store_sqlite import SqliteStore

SHANGHAI = "Asia/Shanghai"
DAY = "2026-01-01"
START_MS = 1_767_196_800_000
L1, L2 = "ulaan/line_end.l1.voltage_v", "ulaan/line_end.l2.voltage_v"
STRAY = "ulaan/stray.level_m"
SAMPLE = Path(__file__).resolve().parents[2] / "ingest" / "register.sample"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "store.db")
    yield opened
    opened.close()


def rows(point: str, minutes: list[int], bad: tuple[int, ...] = ()) -> Columns:
    is_bad = np.isin(minutes, bad)
    return Columns(
        points=(point,),
        index=np.zeros(len(minutes), np.int32),
        t_ms=START_MS + 60_000 * np.array(minutes, np.int64),
        value=np.where(is_bad, math.nan, 230.0),
        quality=np.where(is_bad, 8, 0).astype(np.uint8),
    )


def test_a_day_of_minutes_with_a_hole_and_a_silent_device(store: SqliteStore) -> None:
    """1 440 expected, half of them received, 60 of these without a value; the other point said nothing."""
    store.append(rows(L1, list(range(720)), bad=tuple(range(60))))
    store.append(rows(L1, [1440]))  # the next day's
    announced = PointList(
        v=1,
        site="ulaan",
        boot="b",
        at_ms=START_MS,
        points=[
            PointInfo("line_end.l1.voltage_v", period_s=60),
            PointInfo("line_end.l2.voltage_v", period_s=10, by_exception=True, max_silence_s=3600),
            PointInfo("stray.level_m", period_s=10, by_exception=True),
        ],
    )
    first, second, third = completeness(store, announced, DAY, SHANGHAI)
    assert (first.point, first.expected, first.received, first.good) == (L1, 1440.0, 720, 660)
    assert first.covered == pytest.approx(660 / 1440)
    assert (second.expected, second.received, second.covered) == (24.0, 0, 0.0)
    assert (third.expected, third.received) == (0.0, 0)


def test_readings_of_several_points_come_apart_as_series(store: SqliteStore) -> None:
    store.append(rows(L2, [1, 2]))
    store.append(rows(L1, [0], bad=(0,)))
    found = series(store, [L1, STRAY, L2], START_MS, START_MS + 3_600_000)
    assert [len(found[point]) for point in (L1, STRAY, L2)] == [1, 0, 2]
    assert found[L2].t_ms.tolist() == [START_MS + 60_000, START_MS + 120_000]
    assert math.isnan(found[L1].value[0])


def test_points_are_found_by_asset_and_quantity(store: SqliteStore) -> None:
    register = load_register(SAMPLE, SHANGHAI)
    store.append(rows(L1, [0, 5]))
    store.append(rows(STRAY, [0]))
    assert points_of(register, "m1")[:2] == (L1, L2)
    assert points_of(register, "m1", "current_a") == ()
    assert [latest.t_ms for latest in latest_of(store, register, "m1").values()] == [START_MS + 300_000]
    assert unregistered(store, register) == [STRAY]


def test_days_begin_at_local_midnight() -> None:
    assert day_bounds(DAY, SHANGHAI) == (START_MS, START_MS + 86_400_000)
    instants = np.array([START_MS - 1, START_MS, START_MS + 86_399_999])
    assert [day_text(number) for number in day_numbers(instants, SHANGHAI).tolist()] == ["2025-12-31", DAY, DAY]


def test_a_day_on_which_the_clocks_go_forward_has_23_hours() -> None:
    start_ms, end_ms = day_bounds("2026-03-29", "Europe/Berlin")
    assert end_ms - start_ms == 23 * 3_600_000
    instants = np.array([start_ms - 1, start_ms, end_ms - 1, end_ms])
    days = [day_text(number) for number in day_numbers(instants, "Europe/Berlin").tolist()]
    assert days == ["2026-03-28", "2026-03-29", "2026-03-29", "2026-03-30"]
