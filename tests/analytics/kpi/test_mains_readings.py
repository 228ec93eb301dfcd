"""A gateway that reports its mains on change: no change is lost among its regular reports."""

import numpy as np
from numpy.typing import NDArray

from analytics.kpi.model import make_model
from analytics.kpi.readings import day_runs
from analytics.runs import LIVE, LOST
from ingest.register import Asset, PointEntry, Region, Register
from ingest.store import Columns

POINT = "lift-1/gateway.mains_on"


def asset(id_: str, kind: str, parent: str | None) -> Asset:
    return Asset(id_, kind, id_, id_, "1501", parent, 0, None, None, None, None)


def runs_of(seconds: list[int], mains_on: list[float]) -> list[tuple[int, int]]:
    """State and first second of each run."""
    register = Register(
        regions={"1501": Region("1501", "Qingshui Banner", "清水旗", "banner", None)},
        assets={"t06": (asset("t06", "transformer", None),), "gw": (asset("gw", "gateway", "t06"),)},
        points={POINT: PointEntry(POINT, "gw", "", "", None)},
        plans=(),
    )
    t_ms: NDArray[np.int64] = np.array(seconds, np.int64) * 1000
    rows = Columns((POINT,), np.zeros(len(t_ms), np.int32), t_ms, np.array(mains_on), np.zeros(len(t_ms), np.uint8))
    runs, _ = day_runs(rows, make_model(register, "1501"))
    return [(int(state), int(start_ms) // 1000) for state, start_ms in zip(runs.state, runs.start_ms, strict=True)]


def test_mains_that_fail_seconds_after_a_report_are_lost_from_then_on() -> None:
    """Reported each minute; lost at 191 s, eleven seconds after a report: once taken for the same poll."""
    assert runs_of([60, 120, 180, 191, 240, 300], [1, 1, 1, 0, 0, 0]) == [(LIVE, 60), (LOST, 191)]
