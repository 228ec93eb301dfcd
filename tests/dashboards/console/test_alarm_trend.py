"""The trend around an alarm: what is drawn where, worked by hand, and what must hold for any readings."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashboards.console.views.alarm_trend import Drawing, drawing
from dashboards.console.views.alarms_limits import NO_LIMITS, Limits
from ingest.store import Buckets

MINUTE_MS = 60_000
ONSET_MS = 60 * MINUTE_MS
START_MS, END_MS = 0, 100 * MINUTE_MS


def buckets(minutes: list[int], values: list[float]) -> Buckets:
    """One reading a minute, at some minutes."""
    value, count = np.array(values), np.ones(len(values), np.int64)
    return Buckets(
        start_ms=np.array(minutes, np.int64) * MINUTE_MS,
        low=value,
        high=value,
        mean=value,
        valued=count,
        bad=count * 0,
        worst=np.zeros(len(values), np.uint8),
    )


def drawn(found: Buckets, limits: Limits) -> Drawing:
    shown = drawing(found, limits, (START_MS, END_MS), MINUTE_MS, ONSET_MS, None)
    assert shown is not None
    return shown


def test_a_fall_below_the_limit_by_hand() -> None:
    """230 V until the alarm at 60 % of the width, then nothing: the line falls from near the top to the bottom."""
    shown = drawn(buckets(list(range(100)), [230.0] * 60 + [0.0] * 40), Limits(198.0, None))
    assert (shown.onset_pct, shown.worst) == (60.0, 0.0)
    [limit] = shown.limits
    assert limit.value == 198.0
    assert 10 < limit.y_pct < 30
    assert shown.path.startswith("M5 ")
    assert shown.path.endswith("L995 200.0")
    assert shown.band == ""
    assert [tick.value for tick in shown.values] == [0.0, 100.0, 200.0]


def test_a_gap_breaks_the_line() -> None:
    shown = drawn(buckets([0, 1, 2, 50, 51], [1.0, 1.0, 1.0, 2.0, 2.0]), NO_LIMITS)
    assert shown.path.count("M") == 2


def test_a_limit_far_from_the_readings_does_not_flatten_them() -> None:
    shown = drawn(buckets([0, 1, 2], [0.30, 0.25, 0.20]), Limits(0.3, 1.5))
    assert [line.value for line in shown.limits] == [0.3]


def test_nothing_to_draw() -> None:
    assert drawing(buckets([], []), NO_LIMITS, (START_MS, END_MS), MINUTE_MS, ONSET_MS, None) is None


@given(
    st.lists(
        st.tuples(st.integers(0, 99), st.floats(-1e6, 1e6)), min_size=1, max_size=60, unique_by=lambda row: row[0]
    ),
    st.floats(-1e6, 1e6),
)
def test_everything_is_inside_the_box(rows: list[tuple[int, float]], limit: float) -> None:
    rows.sort()
    shown = drawn(buckets([minute for minute, _ in rows], [value for _, value in rows]), Limits(None, limit))
    steps = [step for piece in shown.path.split("M")[1:] for step in piece.removesuffix("h3").split("L")]
    places = [tuple(map(float, step.split())) for step in steps]
    assert all(0 <= x <= 1000 and -0.1 <= y <= 200.1 for x, y in places)
    assert len(places) == len(rows)
    assert all(-0.1 <= line.y_pct <= 100.1 for line in shown.limits)
    assert len(shown.values) <= 7
