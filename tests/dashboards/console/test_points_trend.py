"""A trend never hides a spike, never bridges a gap, and never draws a BAD reading."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboards.console.errors import Unusable
from dashboards.console.views.points_limits import PointLimit, broken
from dashboards.console.views.points_projection import projected
from dashboards.console.views.points_span import STEPS, Window, span_of, window_of
from dashboards.console.views.points_trend import State, Trend, pace_of, read_trend
from edge.wire import PointInfo
from ingest.days import DAY_MS
from ingest.store import Columns
from ingest.store_sqlite import SqliteStore

ZONE = "Asia/Shanghai"
NOON = 1_764_043_200_000
MINUTE = 60_000
HOUR = Window(NOON, NOON + 60 * MINUTE, 5 * MINUTE)
POINT = "hujirt-wtp/outlet.free_chlorine_mg_l"
Row = tuple[int, float, int]


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "store.db")


def append(store: SqliteStore, rows: Sequence[Row], point: str = POINT) -> None:
    """Keep rows of (t_ms, value, quality)."""
    store.append(
        Columns(
            points=(point,),
            index=np.zeros(len(rows), np.int32),
            t_ms=np.array([t_ms for t_ms, _, _ in rows], np.int64),
            value=np.array([value for _, value, _ in rows], np.float64),
            quality=np.array([quality for _, _, quality in rows], np.uint8),
        )
    )


def every_minute(minutes: range, value: float = 0.6, quality: int = 0) -> list[Row]:
    return [(NOON + minute * MINUTE, value, quality) for minute in minutes]


def states(trend: Trend) -> list[tuple[float, State]]:
    """Minute at which each stretch of the strip begins, and its state."""
    return [((stretch.start_ms - HOUR.start_ms) / MINUTE, stretch.state) for stretch in trend.strip]


def test_an_hour_by_hand(store: SqliteStore) -> None:
    """Good for 20 min, ten minutes BAD, ten of silence, ten uncertain; ten are still to come."""
    append(store, every_minute(range(20)))
    append(store, [(NOON + 3 * MINUTE + 1000, 1.9, 0)])
    append(store, every_minute(range(20, 30), math.nan, 8))
    append(store, every_minute(range(40, 50), 0.5, 2))
    trend = read_trend(store, POINT, HOUR, MINUTE, now_ms=NOON + 50 * MINUTE)
    assert states(trend) == [(0, "good"), (20, "bad"), (30, "none"), (40, "uncertain"), (50, "future")]
    assert trend.high[0] == 1.9
    assert [t for t, mean in zip(trend.t_ms, trend.mean, strict=True) if mean is None] == [
        NOON + 20 * MINUTE,
        NOON + 30 * MINUTE,
    ]
    assert (trend.valued, trend.bad, trend.expected, trend.good_share) == (31, 10, 50, 31 / 50)


def test_a_step_that_misses_readings_says_how_many(store: SqliteStore) -> None:
    """Of five readings that a step promises two did not come, and in the next one two came without a value."""
    append(store, every_minute(range(60)))
    store_of_gaps = [row for row in every_minute(range(60)) if row[0] not in (NOON + 6 * MINUTE, NOON + 7 * MINUTE)]
    sparse = "hujirt-wtp/inlet.free_chlorine_mg_l"
    append(store, store_of_gaps, sparse)
    append(store, every_minute(range(11, 13), math.nan, 8), sparse)
    trend = read_trend(store, sparse, HOUR, MINUTE, now_ms=HOUR.end_ms)
    assert states(trend) == [(0, "good"), (5, "partly"), (15, "good")]
    assert trend.strip[1].missing == 2 / 5
    assert states(read_trend(store, POINT, HOUR, MINUTE, now_ms=HOUR.end_ms)) == [(0, "good")]


def test_a_slow_point_has_no_gaps_within_what_it_promised(store: SqliteStore) -> None:
    """A reading each quarter of an hour on steps of five minutes; one that fails to come is not yet a gap, two are."""
    append(store, [(NOON + minute * MINUTE, 1.0, 0) for minute in (0, 15, 45)])
    assert states(read_trend(store, POINT, HOUR, 15 * MINUTE, now_ms=HOUR.end_ms)) == [(0, "good"), (50, "future")]
    append(store, [(NOON + 45 * MINUTE, 1.0, 0)], "s/a.b_v")
    assert states(read_trend(store, "s/a.b_v", HOUR, 15 * MINUTE, now_ms=HOUR.end_ms))[0] == (0, "none")


def test_a_point_without_any_reading_is_one_gap(store: SqliteStore) -> None:
    trend = read_trend(store, POINT, HOUR, None, now_ms=HOUR.end_ms)
    assert states(trend) == [(0, "none")]
    assert (trend.mean, trend.good_share) == ((None,), None)


def test_the_future_is_neither_read_nor_a_gap(store: SqliteStore) -> None:
    append(store, every_minute(range(60)))
    trend = read_trend(store, POINT, HOUR, MINUTE, now_ms=NOON - 1)
    assert states(trend) == [(0, "future")]
    assert trend.valued == 0


readings = st.lists(
    st.tuples(
        st.integers(0, 60 * MINUTE - 1),
        st.floats(-1e6, 1e6, allow_nan=False),
        st.sampled_from([0, 1, 2, 3, 8, 9]),
    ),
    max_size=60,
    unique_by=lambda row: row[0],
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=readings, pace_min=st.sampled_from([None, 1, 5, 20]), number=st.integers(0, 10**6))
def test_every_value_lies_in_the_band_and_the_strip_has_no_hole(
    store: SqliteStore, rows: list[Row], pace_min: int | None, number: int
) -> None:
    point = f"s{number}/a.b_v"
    kept = {t_ms: (x, q) for t_ms, x, q in zip(*_columns(store, point), strict=True)}
    append(store, [(NOON + t, math.nan if q >= 8 else x, q) for t, x, q in rows], point)
    kept |= {NOON + t: (x, q) for t, x, q in rows}
    trend = read_trend(store, point, HOUR, pace_min and pace_min * MINUTE, now_ms=HOUR.end_ms)
    band = {t // HOUR.step_ms: (low, high) for t, low, high in zip(trend.t_ms, trend.low, trend.high, strict=True)}
    for t_ms, (value, quality) in kept.items():
        low, high = band.get(t_ms // HOUR.step_ms, (None, None))
        assert quality >= 8 or (low is not None and high is not None and low <= value <= high)
    edges = [(stretch.start_ms, stretch.end_ms) for stretch in trend.strip]
    assert (edges[0][0], edges[-1][1]) == (HOUR.start_ms, HOUR.end_ms)
    assert all(left[1] == right[0] for left, right in pairwise(edges))


def _columns(store: SqliteStore, point: str) -> tuple[list[int], list[float], list[int]]:
    rows = store.read([point], HOUR.start_ms, HOUR.end_ms)
    return rows.t_ms.tolist(), rows.value.tolist(), rows.quality.tolist()


def test_a_span_is_whole_local_days_that_end_today() -> None:
    """Noon in Shanghai on 25 November 2025."""
    week = span_of("week", "", timezone=ZONE, now_ms=NOON)
    assert (week.first_day, week.last_day, week.later) == ("2025-11-19", "2025-11-25", None)
    assert week.end_ms - week.start_ms == 7 * DAY_MS
    before = span_of("week", week.earlier, timezone=ZONE, now_ms=NOON)
    assert (before.last_day, before.later) == ("2025-11-18", "2025-11-25")


@pytest.mark.parametrize(
    ("name", "on"),
    [("decade", ""), ("day", "2025-11-26"), ("day", "1066-10-14"), ("day", "yesterday"), ("day", "2025-02-30")],
)
def test_an_absurd_span_is_refused(name: str, on: str) -> None:
    with pytest.raises(Unusable):
        span_of(name, on, timezone=ZONE, now_ms=NOON)


@given(start=st.integers(0, 2**41), length=st.integers(1, 400 * DAY_MS))
def test_any_window_has_at_most_the_steps_of_a_screen(start: int, length: int) -> None:
    window = window_of(start, start + length)
    assert length / window.step_ms <= STEPS


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5), (-1, 5), (0, 2**42), (0, 401 * DAY_MS)])
def test_an_absurd_window_is_refused(start: int, end: int) -> None:
    with pytest.raises(Unusable):
        window_of(start, end)


def test_a_point_by_exception_promises_its_longest_silence() -> None:
    assert pace_of(PointInfo("a.b_v", 10.0)) == 10_000
    assert pace_of(PointInfo("a.b_v", 10.0, by_exception=True, max_silence_s=600.0)) == 600_000
    assert pace_of(PointInfo("a.b_v", 10.0, by_exception=True)) is None
    assert pace_of(None) is None


def limit(level: str, value: float) -> PointLimit:
    return PointLimit(level, value, level in ("H", "HH"), "O", 300, 900, 0.02, "plant", "", True)  # type: ignore[arg-type]


def test_the_worst_of_several_broken_limits_is_named() -> None:
    limits = [limit("HH", 2.0), limit("H", 1.5), limit("L", 0.3), limit("LL", 0.2)]
    named = [found.level if (found := broken(limits, value)) else "" for value in (0.1, 0.25, 1.0, 1.6, 2.5, math.nan)]
    assert named == ["LL", "L", "", "H", "HH", ""]


@pytest.mark.parametrize(
    "means",
    [
        [0.60, 0.55, 0.50, None, 0.40, 0.35],
        [0.60, 0.40, 0.58, 0.42, 0.61, 0.39],
        [0.60, 0.60, 0.60, 0.60, 0.60, 0.60],
        [0.35, 0.40, 0.45, 0.50, 0.55, 0.60],
        [0.60, 0.55, 0.50],
    ],
)
def test_no_line_is_drawn_through_a_gap_noise_a_flat_value_or_away_from_every_limit(means: list[float | None]) -> None:
    at = [NOON + 5 * MINUTE * step for step in range(len(means))]
    assert projected(at, means, [limit("LL", 0.2)], now_ms=at[-1]) is None


def test_an_old_line_says_nothing() -> None:
    at = [NOON + 5 * MINUTE * step for step in range(6)]
    falling = [0.60, 0.55, 0.50, 0.45, 0.40, 0.35]
    assert projected(at, falling, [limit("LL", 0.2)], now_ms=at[-1]) is not None
    assert projected(at, falling, [limit("LL", 0.2)], now_ms=at[-1] + 11 * MINUTE) is None
