"""One point's day as partial sums: what is not to be judged leaves the count, and is counted itself."""

import numpy as np
import pytest
from support.tiny_centre import START_MS

from analytics.kpi.voltage_days import STATES, voltage_day
from analytics.voltage_limits import VOLTAGE_LIMITS
from edge.wire import Quality
from ingest.store import Columns

MINUTE_MS, DAY_MS = 60_000, 86_400_000
NONE = np.zeros(0, np.int64)
LIMITS = VOLTAGE_LIMITS["gb12325-220"]


def rows(volts: np.ndarray, quality: np.ndarray | None = None) -> Columns:
    """One reading a minute from midnight on."""
    count = len(volts)
    flags = np.zeros(count, np.uint8) if quality is None else quality
    at_ms = START_MS + np.arange(count, dtype=np.int64) * MINUTE_MS
    return Columns(("site/m1.voltage_v",), np.zeros(count, np.int32), at_ms, volts, flags)


def day(columns: Columns, lost: tuple[np.ndarray, np.ndarray] = (NONE, NONE)) -> dict[str, float]:
    return voltage_day(columns, LIMITS, *lost, START_MS, START_MS + DAY_MS)


@pytest.fixture
def living() -> np.ndarray:
    """A day of a living voltage: it moves by a tenth of a volt every minute."""
    return 230.0 + 0.1 * (np.arange(1440) % 7)


def test_v11_a_stuck_sensor_is_invalid_in_the_partial_sums(living: np.ndarray) -> None:
    """31 equal minutes are one too many; 30 are believed."""
    living[100:131], living[200:230] = 228.3, 228.3
    assert day(rows(living)) == dict.fromkeys(STATES, 0.0) | {"ok": 1409.0, "invalid": 31.0}


def test_v11_a_dead_phase_may_be_constant(living: np.ndarray) -> None:
    living[100:200] = 0.0
    assert day(rows(living)) == dict.fromkeys(STATES, 0.0) | {"ok": 1340.0, "outage": 100.0}


def test_readings_that_are_not_good_are_missing(living: np.ndarray) -> None:
    quality = np.full(1440, Quality.GOOD, np.uint8)
    quality[:40] = Quality.UNCERTAIN_CLOCK
    assert day(rows(living, quality)) == dict.fromkeys(STATES, 0.0) | {"ok": 1400.0, "invalid": 40.0}


def test_readings_of_ten_kilovolts_in_a_220_v_point_are_off_scale_and_never_compliant(living: np.ndarray) -> None:
    living[:60] += 9_770.0
    assert day(rows(living)) == dict.fromkeys(STATES, 0.0) | {"ok": 1380.0, "offscale": 60.0}


def test_v5_each_end_of_a_loss_has_its_power_up(living: np.ndarray) -> None:
    """Out from 0:10 to 0:20 to the second: the minute from 0:20 on is not a whole one."""
    lost = np.array([START_MS + 10 * MINUTE_MS]), np.array([START_MS + 20 * MINUTE_MS])
    assert day(rows(living), lost) == dict.fromkeys(STATES, 0.0) | {"ok": 1429.0, "outage": 11.0}
