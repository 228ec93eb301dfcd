"""A county of 2 000 points at one reading a minute, recomputed from Parquet on one and on two Dask workers."""

import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.table import Row
from distributed import Client, LocalCluster

from analytics.kpi.backfill import Span, backfill
from analytics.kpi.database import KpiDatabase
from analytics.kpi.model import CountyModel, make_model
from analytics.kpi.sources import ParquetSource
from ingest.days import day_bounds
from ingest.register import Asset, PointEntry, Region, Register
from ingest.store_sqlite import SqliteStore

ZONE, COUNTY = "Asia/Shanghai", "1501"
FEEDERS, TRANSFORMERS, MINUTES = 20, 250, 1440
SPAN = Span("2025-06-01", "2025-06-07")
NOW_MS = day_bounds("2025-07-01", ZONE)[0]
QUANTITIES = (
    "l1.voltage_v",
    "l2.voltage_v",
    "l3.voltage_v",
    "energy_kwh",
    "power_fail_count",
    "powered_time_h",
    "last_power_fail_start_s",
    "last_power_fail_end_s",
)


def measure() -> list[Row]:
    """Recompute six days on one worker and on two, from the same files."""
    with tempfile.TemporaryDirectory() as folder:
        register = county()
        for day in SPAN.days_around():
            write_day(Path(folder) / COUNTY, day, register)
        model = make_model(register, COUNTY)
        one_s, memory_mib = timed(Path(folder), model, workers=1)
        two_s, _ = timed(Path(folder), model, workers=2)
    readings = len(SPAN.days()) * len(register.points) * MINUTES
    return [
        Row("backfill, readings per second, 1 worker", readings / one_s, "/s", f"{len(register.points)} points"),
        Row("backfill, 2 workers faster by", one_s / two_s, "times", "at least 1.7"),
        Row("a county-year on 2 workers", two_s / len(SPAN.days()) * 365 / 60, "min", "from 6 days"),
        Row("memory of a worker, highest", memory_mib, "MiB"),
    ]


def timed(folder: Path, model: CountyModel, *, workers: int) -> tuple[float, float]:
    """Seconds for the span, the workers' start not counted, and the highest memory of a worker. [s], [MiB]"""
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
        tempfile.TemporaryDirectory() as centre,
        closing(SqliteStore(Path(centre) / "store.db")) as store,
        closing(KpiDatabase(Path(centre) / "kpi.db")) as database,
    ):
        source = ParquetSource(folder, COUNTY, ZONE)
        client.run(_peak_mib)
        began = time.monotonic()
        for _ in backfill(
            client, {COUNTY: source}, {COUNTY: model}, store, database, SPAN, timezone=ZONE, now_ms=NOW_MS
        ):
            pass
        return time.monotonic() - began, max(client.run(_peak_mib).values())


def county() -> Register:
    """Feeders and transformers, one three-phase terminal with registers of its own at each transformer."""
    assets = {"s": _asset("s", "substation", None)}
    assets |= {f"f{f}": _asset(f"f{f}", "feeder", "s") for f in range(FEEDERS)}
    assets |= {f"t{t}": _asset(f"t{t}", "transformer", f"f{t % FEEDERS}") for t in range(TRANSFORMERS)}
    points = {entry.point: entry for t in range(TRANSFORMERS) for entry in _points(t)}
    return Register(
        {COUNTY: Region(COUNTY, "Qingshui", "", "banner", None)}, {k: (a,) for k, a in assets.items()}, points, ()
    )


def write_day(folder: Path, day: str, register: Register) -> None:
    """One day of readings, the same at each point but for its noise."""
    start_ms, _ = day_bounds(day, ZONE)
    folder.mkdir(exist_ok=True)
    names = sorted(register.points)
    rng = np.random.default_rng(start_ms)
    table = pa.table(
        {
            "point": pa.DictionaryArray.from_arrays(np.repeat(np.arange(len(names), dtype=np.int32), MINUTES), names),
            "t_ms": np.tile(start_ms + np.arange(MINUTES) * 60_000, len(names)),
            "value": np.concatenate([_values(name, start_ms, rng) for name in names]),
            "quality": np.zeros(len(names) * MINUTES, np.uint8),
        }
    )
    pq.write_table(table, folder / f"{day}.parquet", compression="zstd")


def _asset(id_: str, kind: str, parent: str | None) -> Asset:
    return Asset(id_, kind, id_, "", COUNTY, parent, 200 if kind == "transformer" else 0, "mv", 100.0, None, None)


def _points(transformer: int) -> Iterator[PointEntry]:
    for quantity in QUANTITIES:
        name = f"site{transformer % FEEDERS}/t{transformer}.{quantity}"
        if quantity.endswith("voltage_v"):
            yield PointEntry(name, f"t{transformer}", "D", "gb12325-220", 220.0)
        else:
            yield PointEntry(name, f"t{transformer}", "", "", None)


def _values(name: str, start_ms: int, rng: np.random.Generator) -> np.ndarray:
    minute = start_ms // 60_000 + np.arange(MINUTES, dtype=np.float64)
    if name.endswith("voltage_v"):
        return rng.normal(222.0, 5.0, MINUTES).round(1)
    if name.endswith("powered_time_h"):
        return (minute / 60).round(3)
    if name.endswith("energy_kwh"):
        return minute * 0.1
    return np.full(MINUTES, 3.0 if name.endswith("count") else 1.7e9 + name.endswith("end_s") * 60)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
