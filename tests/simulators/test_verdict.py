"""The final table: every row sees what it is there to see."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from analytics.bounds import RsBounds
from analytics.voltage import MinuteCounts
from simulators.checker import Findings
from simulators.numbers import FoundAlarm, FoundInterruption, Numbers
from simulators.sensing import Sensing
from simulators.truth import AlarmTruth, Interruption, Truth, UnitTruth, VoltageTruth
from simulators.verdict import Row, judge, pooled_voltage_pct

MINUTE_MS = 60_000
POINT = "feeder-1/t01.l1.voltage_v"


def counts(ok: int, over: int = 0, under: int = 0, outage: int = 0, invalid: int = 0) -> MinuteCounts:
    return MinuteCounts(*(np.array(n, np.int64) for n in (ok, over, under, 0, outage, invalid)))


@pytest.fixture
def truth() -> Truth:
    """One transformer of two was out for an hour, one voltage was low for 20 min, chlorine was low for an hour."""
    return Truth(
        start_ms=0,
        days=1,
        units=[
            UnitTruth("t1", 40, True, [Interruption(600 * MINUTE_MS, 660 * MINUTE_MS, "transformer_outage")]),
            UnitTruth("t2", 60, True, []),
        ],
        transformer_hours_out=1.0,
        rs1_pct=100.0 * (1 - 1 / 48),
        rs1_lv_pct=100.0 * (1 - 40 / 2400),
        voltage=[VoltageTruth(POINT, 0, ok=1360, over=0, under=20, outage=60, changes=4)],
        alarms=[AlarmTruth("works-1/works.free_chlorine_mg_l L", 0, 60 * MINUTE_MS)],
    )


@pytest.fixture
def numbers(truth: Truth) -> Numbers:
    """All of it, as a good road would tell."""
    return Numbers(
        rs_mv=RsBounds(97.9, truth.rs1_pct, 97.95, 1.0, 48.0),
        rs_lv=RsBounds(98.3, truth.rs1_lv_pct, 98.4, 1.0, 2400.0),
        resolution_ms=90_000,
        interruptions=(FoundInterruption("t1", 600 * MINUTE_MS + 900, 660 * MINUTE_MS, 1000, 1000),),
        voltage={(POINT, 0): counts(1350, under=20, outage=60, invalid=10)},
        alarms=(FoundAlarm("works-1/works.free_chlorine_mg_l L", 5 * MINUTE_MS, 62 * MINUTE_MS),),
    )


def failing(rows: list[Row]) -> list[str]:
    return [row.name for row in rows if not row.ok]


def test_a_good_run_has_no_failing_row(truth: Truth, numbers: Numbers) -> None:
    assert failing(judge(truth, numbers, Findings(sealed=9, stored=9))) == []


@pytest.mark.parametrize(
    ("spoil", "row"),
    [
        (lambda n: replace(n, rs_mv=RsBounds(98.0, 98.1, 98.2, 1.0, 48.0)), "RS-1, transformers"),
        (lambda n: replace(n, rs_lv=RsBounds(99.9, 99.9, 99.9, 1.0, 48.0)), "RS-1, customers"),
        (lambda n: replace(n, interruptions=()), "interruptions of units"),
        (lambda n: replace(n, interruptions=n.interruptions * 2), "interruptions of units"),
        (lambda n: replace(n, interruptions=(replace(n.interruptions[0], asset="t2"),)), "interruptions of units"),
        (lambda n: replace(n, interruptions=(replace(n.interruptions[0], end_ms=0),)), "interruptions of units"),
        (lambda n: replace(n, voltage={}), "voltage within limits"),
        (lambda n: replace(n, voltage={(POINT, 0): counts(1380, outage=60)}), "voltage within limits"),
        (lambda n: replace(n, alarms=()), "water alarms"),
        (lambda n: replace(n, alarms=n.alarms * 2), "water alarms"),
    ],
)
def test_each_row_sees_its_own_failure(
    truth: Truth, numbers: Numbers, spoil: Callable[[Numbers], Numbers], row: str
) -> None:
    assert failing(judge(truth, spoil(numbers), Findings(sealed=9, stored=9))) == [row]


@pytest.mark.parametrize("what", ["lost", "duplicated", "invented", "changed", "unaccounted"])
def test_each_way_of_losing_data_has_its_row(truth: Truth, numbers: Numbers, what: str) -> None:
    rows = judge(truth, numbers, Findings(sealed=9, stored=9, **{what: 1}))
    assert len(failing(rows)) == 1
    assert what in failing(rows)[0]


def test_a_wrong_verdict_fails_even_where_the_bounds_hold(truth: Truth, numbers: Numbers) -> None:
    """Bounds from 99.82 to 99.84 say nothing against 99.83; 99.83 and more must be true to be a PASS."""
    close = Truth(**{**{f: getattr(truth, f) for f in truth.__struct_fields__}, "rs1_pct": 99.829})
    doubtful = replace(numbers, rs_mv=RsBounds(99.82, 99.83, 99.84, 1.0, 48.0))
    assert failing(judge(close, doubtful, Findings(9, 9))) == []
    wrong = replace(numbers, rs_mv=RsBounds(99.8300001, 99.83, 99.84, 1.0, 48.0))
    [row] = [row for row in judge(close, wrong, Findings(9, 9)) if not row.ok]
    assert row.problems == ("the bounds do not hold the truth", "PASS is the wrong verdict")


def test_a_gateway_that_noticed_late_excuses_what_feeds_it_and_nothing_else(truth: Truth, numbers: Numbers) -> None:
    """Seen 30 s late: 30 s of 48 transformer-hours are 0.017 %."""
    late = replace(
        numbers,
        interruptions=(FoundInterruption("t1", 600 * MINUTE_MS + 30_000, 660 * MINUTE_MS, 0, 0),),
        rs_mv=RsBounds(97.93, 97.93, 97.93, 1.0, 48.0),
    )
    excused = Sensing(lag_ms=30_000, assets=frozenset({"t1"}))
    assert failing(judge(truth, late, Findings(9, 9), excused)) == []
    assert len(failing(judge(truth, late, Findings(9, 9), Sensing(30_000, frozenset({"t2"}))))) == 2


def test_pooled_voltage_counts_minutes_and_not_points(truth: Truth, numbers: Numbers) -> None:
    assert pooled_voltage_pct(truth.voltage, numbers.voltage) == pytest.approx((100 * 1360 / 1380, 100 * 1350 / 1370))
