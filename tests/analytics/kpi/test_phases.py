"""R12: what of a unit's phases must be dead for it to be interrupted, by the register's `phase_rule`."""

import numpy as np
import pytest

from analytics.kpi.model import make_model
from analytics.kpi.readings import day_runs
from analytics.runs import LIVE, LOST
from ingest.register import Asset, PhaseRule, PointEntry, Region, Register
from ingest.store import Columns


def runs_of(volts: list[list[float]], rule: PhaseRule) -> list[tuple[int, int]]:
    """State and first minute of each run of one meter; `volts` has a row per minute and a column per phase."""
    asset = Asset("t1", "transformer", "t1", "t1", "1501", None, 1, "lv", None, None, None, phase_rule=rule)
    points = tuple(f"town/meter.l{phase}.voltage_v" for phase in range(1, len(volts[0]) + 1))
    register = Register(
        regions={"1501": Region("1501", "Qingshui Banner", "清水旗", "banner", None)},
        assets={"t1": (asset,)},
        points={point: PointEntry(point, "t1", "D", "", 220.0) for point in points},
        plans=(),
    )
    value = np.array(volts, np.float64)
    t_ms = np.repeat(np.arange(len(value), dtype=np.int64) * 60_000, len(points))
    index = np.tile(np.arange(len(points), dtype=np.int32), len(value))
    rows = Columns(points, index, t_ms, value.ravel(), np.zeros(len(t_ms), np.uint8))
    runs, _ = day_runs(rows, make_model(register, "1501"))
    return [(int(state), int(start_ms) // 60_000) for state, start_ms in zip(runs.state, runs.start_ms, strict=True)]


ALL_LIVE, ONE_DEAD, ALL_DEAD = [230.0, 231.0, 229.0], [230.0, 0.0, 229.0], [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("rule", "expected"), [("all", [(LIVE, 0), (LOST, 4), (LIVE, 6)]), ("any", [(LIVE, 0), (LOST, 2), (LIVE, 6)])]
)
def test_a_transformer_is_out_with_its_last_phase_and_a_three_phase_customer_with_its_first(
    rule: PhaseRule, expected: list[tuple[int, int]]
) -> None:
    volts = [ALL_LIVE] * 2 + [ONE_DEAD] * 2 + [ALL_DEAD] * 2 + [ALL_LIVE] * 2
    assert runs_of(volts, rule) == expected


@pytest.mark.parametrize("rule", ["all", "any"])
def test_a_single_phase_unit_is_out_with_its_own_phase_under_either_rule(rule: PhaseRule) -> None:
    assert runs_of([[230.0], [0.0], [0.0], [230.0]], rule) == [(LIVE, 0), (LOST, 1), (LIVE, 3)]
