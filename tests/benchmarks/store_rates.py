"""Readings from the journal into SQLite and InfluxDB 1.8: 2 million in batches of 500, of 100 sites with 50 points.

Each store is written by a process of its own, so that the CPU time is its own.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from benchmarks.table import Row
from support.servers import influxdb

from edge.wire import Batch, Quality, encode
from ingest.changes import Changes
from ingest.check import Checked, Sealed
from ingest.config import StoreSettings
from ingest.decode import chunks
from ingest.journal import Entry, Journal
from ingest.lines import line_heads, reading_lines
from ingest.rejected import Rejected
from ingest.stores import open_store
from ingest.writer import Sinks, write_once

BATCHES = 4_000
SITES = 100
POINTS = 50
SECONDS_PER_BATCH = 10
START_MS = 1_764_000_000_000
CHUNK_ROWS = StoreSettings().batch_rows
BATCHES_PER_COMMIT = 500


@dataclass(frozen=True)
class Run:
    """What writing the whole journal took."""

    readings: int
    seconds: float
    cpu_s: float


def measure() -> list[Row]:
    """Decode, format, write, read."""
    payloads = [_payload(number) for number in range(BATCHES)]
    entries = [Entry(i, "batch", "", 0, payload) for i, payload in enumerate(payloads[: BATCHES // 4])]
    rows = [_rate("inflate and decode batches", entries, _decode), _rate("columns to line protocol", entries, _format)]
    with tempfile.TemporaryDirectory() as folder:
        rows += _written("SQLite", "sqlite:///store.db", Path(folder), payloads)
        rows.append(_day_of_one_point(Path(folder)))
    try:
        with tempfile.TemporaryDirectory() as folder, influxdb(Path(folder)) as server:
            rows += _written("InfluxDB 1.8.10", server.store_url, Path(folder), payloads)
    except pytest.skip.Exception as absent:
        rows.append(Row("InfluxDB 1.8.10", float("nan"), "", str(absent)))
    return rows


def _payload(number: int) -> bytes:
    """One sealed batch: each point once a second, voltages that wander."""
    made, values = np.random.default_rng(number), POINTS * SECONDS_PER_BATCH
    batch = Batch(
        v=1,
        site=f"site-{number % SITES}",
        stream=f"{number % SITES:032x}",
        seq=number // SITES,
        boot="boot-1",
        t0=START_MS + number // SITES * SECONDS_PER_BATCH * 1000,
        points=[f"meter{point}.l1.voltage_v" for point in range(POINTS)],
        p=[row % POINTS for row in range(values)],
        dt=[row // POINTS * 1000 for row in range(values)],
        x=made.normal(230.0, 2.0, values).round(2).tolist(),
        q=Quality.GOOD,
    )
    return encode(batch, packed=True)


def _rate(name: str, entries: list[Entry], work: Callable[[list[Entry]], Iterator[tuple[int, float]]]) -> Row:
    done = [step for _ in range(3) for step in work(entries)]
    return Row(name, sum(n for n, _ in done) / sum(s for _, s in done), "readings/s", "one core")


def _decode(entries: list[Entry]) -> Iterator[tuple[int, float]]:
    began = time.process_time()
    count = sum(len(chunk.rows) for chunk in chunks(entries, CHUNK_ROWS))
    yield count, time.process_time() - began


def _format(entries: list[Entry]) -> Iterator[tuple[int, float]]:
    for chunk in chunks(entries, CHUNK_ROWS):
        began = time.process_time()
        count = len(reading_lines(chunk.rows, line_heads(chunk.rows.points)))
        yield count, time.process_time() - began


def _written(name: str, url: str, folder: Path, payloads: list[bytes]) -> list[Row]:
    _fill_journal(folder, payloads)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as other:
        run = other.submit(_write_all, url, folder).result()
    return [
        Row(f"journal to {name}", run.readings / run.seconds, "readings/s", "target 200 000" if "SQL" in name else ""),
        Row(f"journal to {name}, CPU", run.cpu_s * 1e6 / run.readings, "CPU-s per 10⁶", ""),
    ]


def _fill_journal(folder: Path, payloads: list[bytes]) -> None:
    with closing(Journal(folder / "journal.db")) as journal:
        checked = [_checked(number, payload) for number, payload in enumerate(payloads)]
        for first in range(0, len(checked), BATCHES_PER_COMMIT):
            journal.commit(checked[first : first + BATCHES_PER_COMMIT])


def _checked(number: int, payload: bytes) -> Checked:
    sealed = Sealed(f"{number % SITES:032x}", number // SITES, "boot-1", ())
    return Checked("batch", f"site-{number % SITES}", START_MS, payload, sealed)


def _write_all(url: str, folder: Path) -> Run:
    with (
        closing(Journal(folder / "journal.db")) as journal,
        closing(open_store(StoreSettings(url=url), folder)) as store,
        closing(Changes(folder / "changes.db")) as changes,
        closing(Rejected(folder / "rejected.db")) as rejected,
    ):
        sinks = Sinks(store, changes, rejected, "Asia/Shanghai", CHUNK_ROWS)
        began, cpu_began, readings = time.perf_counter(), time.process_time(), 0
        while written := write_once(journal, sinks):
            readings += written
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    return Run(readings, seconds, cpu_s)


def _day_of_one_point(folder: Path) -> Row:
    with closing(open_store(StoreSettings(), folder)) as store:
        store.points()
        began = time.perf_counter()
        rows = store.read(["site-7/meter7.l1.voltage_v"], START_MS, START_MS + 86_400_000)
        seconds = time.perf_counter() - began
    return Row("SQLite, one point read", seconds * 1000, "ms", f"{len(rows)} readings")
