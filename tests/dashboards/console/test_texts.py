"""Numbers and lengths of time as people read them."""

import math

import pytest

from dashboards.console.texts import MINUTE_MS, SECOND_MS, lasting, number, reading


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.2584, "0.258"),
        (-0.0007, "-0.0007"),
        (0.000_412, "0.00041"),
        (-1e-17, "0"),
        (0.0, "0"),
        (7.5524, "7.552"),
        (636.24, "636.2"),
        (10_339.4, "10339"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_a_number_has_four_figures_and_no_decimals_of_noise(value: float | None, said: str) -> None:
    assert number(value) == said


def test_a_reading_never_looks_like_a_limit_that_it_has_broken() -> None:
    """0.2996 mg/L is below the limit of 0.3: rounded it would say that nothing is wrong."""
    assert reading(0.2996, 0.3, 1.5) == "0.2996"
    assert reading(0.3, 0.3, 1.5) == "0.3"
    assert reading(0.2584, 0.3, None) == "0.258"
    assert reading(None, 0.3) == "–"


def test_how_long_something_lasted_is_said_as_finely_as_it_is_known() -> None:
    """From 06:10:31 to 06:15:06, each to a second: not 4 min."""
    span_ms = 4 * MINUTE_MS + 35 * SECOND_MS
    assert lasting(span_ms, 2 * SECOND_MS, "en") == "4 min 35 s"
    assert lasting(span_ms, 2 * SECOND_MS, "zh") == "4 分 35 秒"
    assert lasting(span_ms, MINUTE_MS, "en") == "4 min"
    assert lasting(4 * MINUTE_MS, 0, "en") == "4 min"
    assert lasting(60 * MINUTE_MS + span_ms, 0, "en") == "1 h 04"
    assert lasting(35 * SECOND_MS, 0, "en") == "35 s"
