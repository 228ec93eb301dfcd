"""What only a real InfluxDB can show: kill -9, types that conflict, retention, a bucket that is not there."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.servers import InfluxServer, influxdb

from ingest.config import StoreSettings
from ingest.store import Columns, RowsRefused, Store, StoreDown, StoreRefused
from ingest.stores import open_store

pytestmark = pytest.mark.server

NOON = 1_764_043_200_000
VOLTAGE = "county-a/feeder1_meter.l1.voltage_v"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with influxdb(tmp_path_factory.mktemp("influxdb")) as running:
        yield running


@pytest.fixture
def store(server: InfluxServer, tmp_path: Path) -> Iterator[Store]:
    server.empty()
    opened = open_store(StoreSettings(url=server.store_url), tmp_path)
    yield opened
    opened.close()


def minutes(first: int, last: int, point: str = VOLTAGE) -> Columns:
    count = last - first
    return Columns(
        points=(point,),
        index=np.zeros(count, np.int32),
        t_ms=NOON + 60_000 * np.arange(first, last, dtype=np.int64),
        value=np.arange(first, last, dtype=np.float64),
        quality=np.zeros(count, np.uint8),
    )


def stored(store: Store) -> list[float]:
    return store.read([VOLTAGE], 0, 2**42).value.tolist()


def test_what_was_acknowledged_survives_kill_9(server: InfluxServer, store: Store) -> None:
    store.append(minutes(0, 5_000))
    server.kill()
    with pytest.raises(StoreDown, match="no answer"):
        store.append(minutes(5_000, 5_001))
    server.start()
    store.append(minutes(5_000, 5_001))
    assert stored(store) == list(range(5_001))


def test_rows_of_a_quantity_that_stands_there_with_another_type_are_set_aside(
    server: InfluxServer, store: Store
) -> None:
    """Somebody wrote `level_m` as a text once; the voltages of the same call are stored."""
    write_as_another_program(server, f'level_m,point=x,site=x value="high" {NOON}')
    level = "county-a/tank.level_m"
    rows = minutes(0, 4)
    mixed = Columns((VOLTAGE, level), np.array([0, 1, 0, 1], np.int32), rows.t_ms, rows.value, rows.quality)
    with pytest.raises(RowsRefused) as refused:
        store.append(mixed)
    assert set(refused.value.reasons) == {1, 3}
    assert "field type conflict" in refused.value.reasons[1]
    assert stored(store) == [0.0, 2.0]


def test_rows_older_than_the_retention_are_set_aside(server: InfluxServer, tmp_path: Path) -> None:
    server.empty()
    server.query(f'CREATE RETENTION POLICY "day" ON "{server.database}" DURATION 1d REPLICATION 1')
    short = open_store(StoreSettings(url=f"influxdb+{server.url}/{server.database}%2Fday"), tmp_path)
    with pytest.raises(RowsRefused, match="retention"):
        short.append(minutes(0, 3))
    assert len(short.read([VOLTAGE], 0, 2**42)) == 0
    short.close()


def test_a_database_that_does_not_exist_stops_writing_and_reading(server: InfluxServer, tmp_path: Path) -> None:
    """Its CSV answers are empty and say HTTP 200: taken at their word, a county would have no readings."""
    missing = open_store(StoreSettings(url=f"influxdb+{server.url}/nowhere"), tmp_path)
    for ask in (lambda: missing.append(minutes(0, 1)), lambda: missing.read([VOLTAGE], 0, NOON), missing.health):
        with pytest.raises(StoreRefused, match="not found"):
            ask()
    missing.close()


def write_as_another_program(server: InfluxServer, line: str) -> None:
    url = f"{server.url}/write?db={server.database}&precision=ms"
    with urllib.request.urlopen(url, data=line.encode(), timeout=10):
        pass
