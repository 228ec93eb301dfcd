"""Every promise of the store port, asked of each adapter on the real thing."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.servers import InfluxServer, influxdb

from ingest.config import StoreSettings
from ingest.store import Columns, Latest, Partial, RowsRefused, Store
from ingest.stores import open_store

NOON = 1_764_043_200_000
VOLTAGE = "county-a/feeder1_meter.l1.voltage_v"
TURBIDITY = "qingshui-wtp/clearwell.turbidity_ntu"


@pytest.fixture(scope="module")
def influx_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with influxdb(tmp_path_factory.mktemp("influxdb")) as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("influxdb", marks=pytest.mark.server)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = "sqlite:///store.db"
    if request.param == "influxdb":
        server = request.getfixturevalue("influx_server")
        server.empty()
        url = server.store_url
    opened = open_store(StoreSettings(url=url), tmp_path)
    yield opened
    opened.close()


def columns(rows: Sequence[tuple[str, int, float, int]]) -> Columns:
    """Rows of (point, t_ms, value, quality) as columns."""
    points = tuple(dict.fromkeys(point for point, *_ in rows))
    return Columns(
        points=points,
        index=np.array([points.index(point) for point, *_ in rows], np.int32),
        t_ms=np.array([t_ms for _, t_ms, _, _ in rows], np.int64),
        value=np.array([value for *_, value, _ in rows], np.float64),
        quality=np.array([quality for *_, quality in rows], np.uint8),
    )


def rows_of(columns: Columns) -> list[tuple[str, int, float | None, int]]:
    """Columns as rows that compare equal: None for NaN."""
    return [
        (columns.points[i], t, None if math.isnan(x) else x, q)
        for i, t, x, q in zip(
            columns.index.tolist(),
            columns.t_ms.tolist(),
            columns.value.tolist(),
            columns.quality.tolist(),
            strict=True,
        )
    ]


def everything(store: Store, *points: str) -> list[tuple[str, int, float | None, int]]:
    return rows_of(store.read(points, 0, 2**42))


def test_what_was_appended_is_read_by_point_and_then_by_time(store: Store) -> None:
    store.append(columns([(VOLTAGE, NOON + 2, 231.5, 0), (TURBIDITY, NOON, 0.31, 1), (VOLTAGE, NOON, 230.25, 0)]))
    assert rows_of(store.read([VOLTAGE, TURBIDITY], NOON, NOON + 3)) == [
        (VOLTAGE, NOON, 230.25, 0),
        (VOLTAGE, NOON + 2, 231.5, 0),
        (TURBIDITY, NOON, 0.31, 1),
    ]


def test_points_are_answered_in_the_order_in_which_they_were_asked_for(store: Store) -> None:
    store.append(columns([(VOLTAGE, NOON, 1.0, 0), (TURBIDITY, NOON, 2.0, 0)]))
    assert [row[0] for row in everything(store, TURBIDITY, VOLTAGE)] == [TURBIDITY, VOLTAGE]


def test_a_range_holds_its_start_and_not_its_end(store: Store) -> None:
    store.append(columns([(VOLTAGE, NOON + i, float(i), 0) for i in range(4)]))
    assert store.read([VOLTAGE], NOON + 1, NOON + 3).t_ms.tolist() == [NOON + 1, NOON + 2]


def test_unknown_points_have_no_readings_and_keep_their_place(store: Store) -> None:
    store.append(columns([(VOLTAGE, NOON, 1.0, 0)]))
    read = store.read(["county-a/no.such_v", VOLTAGE, "not a point at all"], 0, 2**42)
    assert (read.points[read.index[0]], len(read)) == (VOLTAGE, 1)
    assert everything(store, "county-a/no.such_v") == []
    assert everything(store) == []


def test_appending_again_changes_nothing(store: Store) -> None:
    rows = columns([(VOLTAGE, NOON + i, float(i), 0) for i in range(100)])
    store.append(rows)
    store.append(rows)
    assert everything(store, VOLTAGE) == rows_of(rows)


def test_the_last_of_several_readings_of_one_instant_wins(store: Store) -> None:
    store.append(columns([(VOLTAGE, NOON, 1.0, 0), (VOLTAGE, NOON, 2.0, 0)]))
    assert everything(store, VOLTAGE) == [(VOLTAGE, NOON, 2.0, 0)]
    store.append(columns([(VOLTAGE, NOON, 3.0, 2)]))
    assert everything(store, VOLTAGE) == [(VOLTAGE, NOON, 3.0, 2)]


def test_a_silent_device_is_a_row_without_a_value_even_where_a_value_stood(store: Store) -> None:
    store.append(columns([(VOLTAGE, NOON, 230.0, 0)]))
    store.append(columns([(VOLTAGE, NOON, math.nan, 8), (TURBIDITY, NOON, math.nan, 9)]))
    assert everything(store, VOLTAGE, TURBIDITY) == [(VOLTAGE, NOON, None, 8), (TURBIDITY, NOON, None, 9)]


def test_a_value_that_comes_with_bad_quality_is_not_kept(store: Store) -> None:
    store.append(columns([(VOLTAGE, NOON, 230.0, 8)]))
    assert everything(store, VOLTAGE) == [(VOLTAGE, NOON, None, 8)]


def test_bad_rows_are_refused_with_their_reasons_and_the_others_are_stored(store: Store) -> None:
    rows = [
        (VOLTAGE, NOON, math.inf, 0),
        (VOLTAGE, NOON + 1, 1.0, 0),
        (VOLTAGE, -1, 1.0, 0),
        ("no-device", NOON, 1.0, 0),
        (VOLTAGE, NOON + 2, math.nan, 0),
    ]
    with pytest.raises(RowsRefused) as refused:
        store.append(columns(rows))
    assert set(refused.value.reasons) == {0, 2, 3, 4}
    assert "not finite" in refused.value.reasons[0]
    assert "1970" in refused.value.reasons[2]
    assert "<site>/<device>" in refused.value.reasons[3]
    assert everything(store, VOLTAGE) == [(VOLTAGE, NOON + 1, 1.0, 0)]


def test_nothing_appended_is_nothing_done(store: Store) -> None:
    store.append(columns([]))
    store.write_kpi([])
    assert store.points() == []
    assert store.latest([VOLTAGE]) == {}


def test_a_stream_brings_the_same_rows_in_the_same_order_piece_by_piece(store: Store) -> None:
    rows = columns([(point, NOON + i, float(i), 0) for point in (VOLTAGE, TURBIDITY) for i in range(60_000)])
    store.append(rows)
    pieces = list(store.stream([VOLTAGE, TURBIDITY], NOON, NOON + 60_000))
    assert max(len(piece) for piece in pieces) <= 50_000
    assert np.concatenate([piece.value for piece in pieces]).tolist() == rows.value.tolist()
    assert np.concatenate([piece.index for piece in pieces]).tolist() == rows.index.tolist()


def bucket_rows(store: Store, start_ms: int, end_ms: int, step_ms: int) -> list[tuple[float | None, ...]]:
    """Buckets of VOLTAGE as rows that compare equal: None for NaN."""
    found = store.buckets(VOLTAGE, start_ms, end_ms, step_ms)
    columns = (found.start_ms, found.low, found.high, found.mean, found.valued, found.bad, found.worst)
    return [tuple(None if x != x else x for x in row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def test_buckets_sum_up_a_hand_worked_hour(store: Store) -> None:
    """Steps of ten minutes: two values, one uncertain; a BAD beside a value; only BAD; nothing; cut by the end."""
    minute = 60_000
    rows = [(0, 230.0, 0), (9, 250.0, 2), (10, 228.0, 0), (11, math.nan, 8), (25, math.nan, 9), (59, 1.0, 0)]
    store.append(columns([(VOLTAGE, NOON + 7 + t * minute, x, q) for t, x, q in rows]))
    start, step = NOON + 7, 10 * minute  # steps count from the start that was asked for, not from the hour
    assert bucket_rows(store, start, start + 59 * minute, step) == [
        (start, 230.0, 250.0, 240.0, 2, 0, 2),
        (start + step, 228.0, 228.0, 228.0, 1, 1, 8),
        (start + 2 * step, None, None, None, 0, 1, 9),
    ]
    assert bucket_rows(store, start + 59 * minute, start + 60 * minute, step)[0][:2] == (start + 59 * minute, 1.0)


def test_buckets_of_an_unknown_point_or_an_empty_span_are_none(store: Store) -> None:
    store.append(columns([(VOLTAGE, NOON, 1.0, 0)]))
    assert len(store.buckets("county-a/no.such_v", NOON, NOON + 10, 1)) == 0
    assert len(store.buckets("not a point at all", NOON, NOON + 10, 1)) == 0
    assert bucket_rows(store, NOON, NOON, 1) == bucket_rows(store, NOON + 1, NOON, 1) == []


def test_a_value_left_under_a_bad_reading_is_in_no_bucket(store: Store) -> None:
    store.append(columns([(VOLTAGE, NOON, 999.0, 0), (VOLTAGE, NOON + 1, 230.0, 0)]))
    store.append(columns([(VOLTAGE, NOON, math.nan, 8)]))
    assert bucket_rows(store, NOON, NOON + 10, 10) == [(NOON, 230.0, 230.0, 230.0, 1, 1, 8)]


@pytest.mark.parametrize(("step_ms", "message"), [(0, "positive"), (1, "at most 20000")])
def test_absurd_steps_are_refused(store: Store, step_ms: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        store.buckets(VOLTAGE, NOON, NOON + 20_001, step_ms)


def test_the_newest_reading_of_each_point_is_found_whatever_its_quality(store: Store) -> None:
    store.append(columns([(VOLTAGE, NOON + 5, 231.0, 0), (VOLTAGE, NOON, 230.0, 0), (TURBIDITY, NOON, 0.3, 0)]))
    store.append(columns([(TURBIDITY, NOON + 7, math.nan, 8)]))
    newest = store.latest([VOLTAGE, TURBIDITY, "county-a/no.such_v"])
    assert newest[VOLTAGE] == Latest(NOON + 5, 231.0, 0)
    assert (newest[TURBIDITY].t_ms, newest[TURBIDITY].quality, len(newest)) == (NOON + 7, 8, 2)
    assert math.isnan(newest[TURBIDITY].value)


def test_every_point_with_a_reading_is_listed_sorted(store: Store) -> None:
    store.append(columns([(VOLTAGE, NOON, 1.0, 0), (TURBIDITY, NOON, math.nan, 8)]))
    store.write_kpi([Partial("voltage", "subject", "2026-01-01", {"ok": 1.0}, NOON)])
    assert store.points() == sorted([TURBIDITY, VOLTAGE])


def test_coverage_counts_slots_with_a_reading_that_is_not_bad(store: Store) -> None:
    """Ten slots of a minute: two readings in the first, BAD in the second, one in the last, one outside."""
    minute = 60_000
    start = NOON + 7  # slots count from the start that was asked for, not from the hour
    store.append(
        columns(
            [
                (VOLTAGE, start, 1.0, 0),
                (VOLTAGE, start + minute - 1, 1.0, 2),
                (VOLTAGE, start + minute, math.nan, 8),
                (VOLTAGE, start + 10 * minute - 1, 1.0, 0),
                (VOLTAGE, start + 10 * minute, 1.0, 0),
            ]
        )
    )
    share = store.coverage([TURBIDITY, VOLTAGE], start, start + 10 * minute, minute)
    assert share.tolist() == [0.0, 0.2]
    assert store.coverage([VOLTAGE], start, start, minute).tolist() == [0.0]


def test_partial_sums_come_back_exactly_by_subject_and_day(store: Store) -> None:
    """Names that look like numbers or need quoting, sums that need all their digits."""
    partials = [
        Partial("voltage", "007", "2026-01-02", {"ok_min": 1439.0, "odd, name": 0.1 + 0.2, "tiny": 5e-324}, NOON),
        Partial("voltage", "一号 变压器,东=西", "2026-01-01", {"ok_min": 1e300}, NOON + 1),
        Partial("voltage", "007", "2026-01-01", {}, NOON + 2),
        Partial("supply", "007", "2026-01-01", {"ok_min": 1.0}, NOON),
    ]
    store.write_kpi(partials)
    assert store.read_kpi("voltage", "2026-01-01", "2026-01-03") == [partials[2], partials[0], partials[1]]
    assert store.read_kpi("voltage", "2026-01-01", "2026-01-02", ["007"]) == [partials[2]]
    assert store.read_kpi("voltage", "2026-01-03", "2026-01-04") == []
    assert store.read_kpi("unknown", "2026-01-01", "2026-01-04") == []
    assert store.kpis() == ["supply", "voltage"]


def test_a_partial_sum_written_again_replaces_the_whole_of_the_earlier_one(store: Store) -> None:
    later = Partial("voltage", "t1", "2026-01-01", {"over_min": 3.0}, NOON + 1)
    store.write_kpi([Partial("voltage", "t1", "2026-01-01", {"ok_min": 1.0, "over_min": 2.0}, NOON)])
    store.write_kpi([later])
    assert store.read_kpi("voltage", "2026-01-01", "2026-01-02") == [later]


def test_a_partial_sum_that_cannot_be_added_is_refused_and_the_others_are_stored(store: Store) -> None:
    good = Partial("voltage", "t1", "2026-01-01", {"ok_min": 1.0}, NOON)
    bad = Partial("voltage", "t2", "2026-01-01", {"ok_min": math.nan}, NOON)
    with pytest.raises(RowsRefused) as refused:
        store.write_kpi([bad, good, Partial("voltage", "t3\n", "2026-01-01", {}, NOON)])
    assert set(refused.value.reasons) == {0, 2}
    assert store.read_kpi("voltage", "2026-01-01", "2026-01-02") == [good]


def test_health_is_a_line_about_the_store(store: Store) -> None:
    store.append(columns([(VOLTAGE, NOON, 1.0, 0)]))
    assert store.health().points == 1
    assert str(store.health()).endswith(", 1 points")


values = st.floats(allow_nan=False, allow_infinity=False)
readings = st.lists(
    st.tuples(
        st.sampled_from([VOLTAGE, TURBIDITY, "s/a.b_v"]),
        st.integers(NOON, NOON + 20),
        values | st.just(math.nan),
        st.sampled_from([0, 1, 2, 3]),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(appends=st.lists(readings, max_size=3), day=st.integers(0, 40_000))
def test_a_store_is_a_dictionary_from_point_and_instant_to_the_last_reading(
    store: Store, appends: list[list[tuple[str, int, float, int]]], day: int
) -> None:
    """Each example has a day of its own, so that one store serves them all."""
    moved = [[(p, t + day * 1000, x, 8 if math.isnan(x) else q) for p, t, x, q in rows] for rows in appends]
    start = NOON + day * 1000
    points = sorted({VOLTAGE, TURBIDITY, "s/a.b_v"})
    model = {row[:2]: row for row in rows_of(store.read(points, start, start + 21))}
    for rows in moved:
        store.append(columns(rows))
        model |= {(p, t): (p, t, None if math.isnan(x) else x, q) for p, t, x, q in rows}
    assert rows_of(store.read(points, start, start + 21)) == [model[key] for key in sorted(model)]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=readings, day=st.integers(0, 40_000), step_ms=st.integers(1, 25), cut=st.integers(0, 21))
def test_smallest_and_largest_of_each_bucket_are_those_of_its_raw_readings(
    store: Store, rows: list[tuple[str, int, float, int]], day: int, step_ms: int, cut: int
) -> None:
    """No spike is hidden, no BAD counts as a value, and every reading is in one bucket."""
    start, end = NOON + day * 1000, NOON + day * 1000 + cut
    store.append(columns([(VOLTAGE, t + day * 1000, x, 8 if math.isnan(x) else q) for _, t, x, q in rows]))
    raw = store.read([VOLTAGE], start, end)
    number = (raw.t_ms - start) // step_ms
    assert [row[:3] + row[4:] for row in bucket_rows(store, start, end, step_ms)] == [
        expected_bucket(raw.value[number == k], raw.quality[number == k], start + k * step_ms)
        for k in np.unique(number).tolist()
    ]


def expected_bucket(value: np.ndarray, quality: np.ndarray, start_ms: int) -> tuple[float | None, ...]:
    """Start, smallest, largest, readings with a value, BAD ones and the worst quality, in plain NumPy."""
    good = value[~np.isnan(value)]
    low, high = (good.min(), good.max()) if len(good) else (None, None)
    return (start_ms, low, high, len(good), len(value) - len(good), quality.max())
