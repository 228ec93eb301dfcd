"""A recorded household's voltage down the whole road gives the numbers that the file itself gives."""

import contextlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from support.data import recording

from analytics.voltage import Limits, MinuteCounts, count_minutes
from analytics.voltage_minutes import minute_values
from ingest.config import load_centre
from ingest.query import series
from ingest.stores import open_store
from simulators.recording import Recording
from simulators.replay import Replayed, replay

MINUTE_MS = 60_000
LIMITS = Limits(lo=198.0, hi=235.4, assess_lo=154.0, assess_hi=264.0, dead_below=11.0)


def household(start: str, end: str) -> Recording:
    """The recording's voltage from `start` up to `end`, minutes that the source had filled staying empty."""
    table = pq.read_table(recording("household_voltage_1min_2007.parquet"), columns=["time", "voltage_v"])
    time = table["time"].to_numpy()
    inside = (time >= np.datetime64(start)) & (time < np.datetime64(end))
    t_ms = time[inside].astype("datetime64[ms]").astype(np.int64)
    voltage_v = table["voltage_v"].to_numpy()[inside].astype(np.float64)
    return Recording(t_ms, {"voltage_v": voltage_v}, MINUTE_MS)


def counted(t_ms: np.ndarray, voltage_v: np.ndarray, of: Recording) -> MinuteCounts:
    """The product's own functions, on whatever series."""
    minutes = len(of.t_ms)
    values, _ = minute_values(t_ms, voltage_v, start_ms=int(of.t_ms[0]), minutes=minutes)
    return count_minutes(values.reshape(1, -1), LIMITS)


def from_the_store(result: Replayed, of: Recording) -> MinuteCounts:
    centre = load_centre(result.centre)
    with contextlib.closing(open_store(centre.store, Path(centre.data_dir))) as store:
        (found,) = series(store, result.points, 0, 2**53).values()
    return counted(found.t_ms, found.value, of)


def same_numbers(folder: Path, start: str, end: str) -> MinuteCounts:
    """Replay the span, compare state by state, and return the counts."""
    played = household(start, end)
    result = replay(played, folder, names={"voltage_v": "voltage_v"})
    assert result.findings.ok, result.findings
    direct, stored = counted(played.t_ms, played.columns["voltage_v"], played), from_the_store(result, played)
    for state in ("ok", "over", "under", "offscale", "outage", "invalid"):
        assert getattr(stored, state).tolist() == getattr(direct, state).tolist(), state
    assert stored.pass_pct == pytest.approx(direct.pass_pct, nan_ok=True)
    assert stored.coverage_pct == pytest.approx(direct.coverage_pct)
    return stored


@pytest.mark.road
def test_three_days_with_a_hole_give_the_same_compliance_and_coverage(tmp_path: Path) -> None:
    """28 to 30 April 2007, where the recording lacks more than a day: the hole is missing, never filled."""
    counts = same_numbers(tmp_path, "2007-04-28", "2007-05-01")
    assert counts.minutes.item() == 3 * 1440
    assert 0 < counts.invalid.item() < 3 * 1440
    assert counts.coverage_pct.item() < 70


@pytest.mark.road
@pytest.mark.soak
def test_a_month_gives_the_same_compliance_and_coverage(tmp_path: Path) -> None:
    assert same_numbers(tmp_path, "2007-04-01", "2007-05-01").minutes.item() == 30 * 1440
