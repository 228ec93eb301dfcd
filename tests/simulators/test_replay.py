"""A recording down the whole road: every row once, silence where the file has none."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

from edge.errors import BadInput
from ingest.config import load_centre
from ingest.store import Columns
from ingest.stores import open_store
from simulators.recording import Recording
from simulators.replay import Replayed, replay

ZERO_MS = 1_735_689_600_000
VOLTS = np.array([230.1, 231.5, np.nan, np.nan, 229.0, 228.25, 235.4, 198.0])
LEVEL = np.array([1.5, np.nan, np.nan, 1.4, 1.3, 1.2, 1.1, 1.0])


def stored(result: Replayed) -> Columns:
    centre = load_centre(result.centre)
    with contextlib.closing(open_store(centre.store, Path(centre.data_dir))) as store:
        return store.read(list(result.points), 0, 2**53)


def test_every_row_arrives_once_and_a_null_arrives_as_bad(tmp_path: Path) -> None:
    """Row 2 has no value at all: the meter is silent. Rows 1 and 3 lack one column: that register holds NaN."""
    recording = Recording(ZERO_MS + 60_000 * np.arange(8), {"V": VOLTS, "level": LEVEL}, 60_000)
    result = replay(recording, tmp_path, names={"V": "voltage_v", "level": "level_m"})
    assert result.findings.ok, result.findings
    assert result.points == ("replay/meter.voltage_v", "replay/meter.level_m")
    rows = stored(result)
    for number, column in enumerate((VOLTS, LEVEL)):
        mine = rows.index == number
        minute = (rows.t_ms[mine] - ZERO_MS) // 60_000
        assert minute.tolist() == list(range(8))
        assert rows.value[mine] == pytest.approx(column.astype(np.float32).astype(float), nan_ok=True)
        assert (rows.quality[mine] >= 8).tolist() == np.isnan(column).tolist()


def test_a_point_name_that_no_register_can_have_is_refused(tmp_path: Path) -> None:
    recording = Recording(ZERO_MS + 60_000 * np.arange(8), {"V": VOLTS}, 60_000)
    with pytest.raises(BadInput, match="use lower-case letters"):
        replay(recording, tmp_path, names={"V": "Voltage (V)"})
