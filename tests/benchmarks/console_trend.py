"""A year of one point at one reading a minute: opened as a trend, and exported, on SQLite and InfluxDB 1.8.

Two per cent of the readings are BAD, so InfluxDB takes its slower way. The export runs in a process of its own, so that
its memory is its own: what it needs more than for its last 40 days is what the rest of the year adds.
"""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from benchmarks.table import Row
from support.servers import influxdb

from dashboards.console.views.export import Wanted, csv_of, parquet_of
from dashboards.console.views.points_span import Window, window_of
from dashboards.console.views.points_trend import read_trend
from edge.wire import Quality
from ingest.config import StoreSettings
from ingest.days import DAY_MS
from ingest.store import Columns
from ingest.stores import open_store

READINGS = 525_600
MINUTE_MS = 60_000
END_MS = 1_764_000_000_000
POINT = "works-1/outlet.free_chlorine_mg_l"
BESIDE = 4
"""Other points in the store."""
YEAR = Window(END_MS - READINGS * MINUTE_MS, END_MS, DAY_MS)
FINE = window_of(YEAR.start_ms, YEAR.end_ms, 2000)
TRIES = 5


def measure() -> list[Row]:
    """Each store: the trend in steps of a day and finer, then the export."""
    with tempfile.TemporaryDirectory() as folder:
        rows = _of("SQLite", "sqlite:///store.db", Path(folder))
    try:
        with tempfile.TemporaryDirectory() as folder, influxdb(Path(folder)) as server:
            rows += _of("InfluxDB 1.8.10", server.store_url, Path(folder))
    except pytest.skip.Exception as absent:
        rows.append(Row("InfluxDB 1.8.10", float("nan"), "", str(absent)))
    return rows


def _of(name: str, url: str, folder: Path) -> list[Row]:
    with closing(open_store(StoreSettings(url=url), folder)) as store:
        for number in range(BESIDE + 1):
            store.append(_year(POINT if number == 0 else f"works-1/m{number}.voltage_v", number))
        whole = _best_ms(lambda: read_trend(store, POINT, YEAR, MINUTE_MS, now_ms=END_MS))
        fine = _best_ms(lambda: read_trend(store, POINT, FINE, MINUTE_MS, now_ms=END_MS))
        raw = _best_ms(lambda: store.read([POINT], YEAR.start_ms, YEAR.end_ms), tries=1)
    return [
        Row(f"{name}, a year of a point as 365 days", whole, "ms", f"limit 1 000; {READINGS} rows raw: {raw:.0f}"),
        Row(f"{name}, the same in {READINGS * MINUTE_MS // FINE.step_ms} steps", fine, "ms", "limit 1 000"),
        *_exports(name, url, folder),
    ]


def _exports(name: str, url: str, folder: Path) -> Iterator[Row]:
    for form in ("csv", "parquet"):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as other:
            seconds, grown_mib = other.submit(_export, url, folder, form).result()
        yield Row(
            f"{name}, the year as {form}", READINGS / seconds, "readings/s", f"{grown_mib:.0f} MiB more than 40 days"
        )


def _export(url: str, folder: Path, form: str) -> tuple[float, float]:
    """Export 40 days, then the year; return the year's seconds and by how much the peak of memory rose."""
    with closing(open_store(StoreSettings(url=url), folder)) as store:

        def run(start_ms: int) -> None:
            wanted = Wanted((POINT,), start_ms, END_MS)
            file = (
                csv_of(store, wanted, ZoneInfo("Asia/Shanghai"), _ignore)
                if form == "csv"
                else parquet_of(store, wanted, _ignore)
            )
            for _ in file:
                pass

        run(END_MS - 40 * DAY_MS)
        before_kib, began = _peak_kib(), time.perf_counter()
        run(YEAR.start_ms)
        return time.perf_counter() - began, (_peak_kib() - before_kib) / 1024


def _ignore(share: float, readings: int) -> None:
    """Nobody waits for this export."""


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _best_ms(work: Callable[[], object], tries: int = TRIES) -> float:
    return min(_ms(work) for _ in range(tries))


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _year(point: str, seed: int) -> Columns:
    made = np.random.default_rng(seed)
    value = (0.6 + made.normal(0, 0.02, READINGS)).round(3)
    bad = made.random(READINGS) < 0.02
    return Columns(
        points=(point,),
        index=np.zeros(READINGS, np.int32),
        t_ms=YEAR.start_ms + MINUTE_MS * np.arange(READINGS, dtype=np.int64),
        value=np.where(bad, np.nan, value),
        quality=np.where(bad, int(Quality.BAD_NO_ANSWER), int(Quality.GOOD)).astype(np.uint8),
    )
