"""From an order on the command line to a backfill on Dask, with its progress on a terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from distributed import Client, LocalCluster
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from analytics.kpi.backfill import Progress, Span, backfill, forget_progress
from analytics.kpi.database import KpiDatabase
from analytics.kpi.model import counties, make_model
from analytics.kpi.sources import ParquetSource, Source, StoreSource
from edge.errors import BadInput
from ingest.config import Centre, load_centre
from ingest.days import day_numbers, day_text
from ingest.register_files import load_register
from ingest.stores import open_store


@dataclass(frozen=True)
class Order:
    """What a person asked for."""

    centre_toml: Path
    from_day: str
    to_day: str
    workers: int
    scheduler: str | None = None
    parquet: Path | None = None
    restart: bool = False


def run(order: Order) -> str:
    """Carry out the order; return a line about it. Raises BadInput or StoreError."""
    centre = load_centre(order.centre_toml)
    now_ms = time.time_ns() // 1_000_000
    span = _span(order, now_ms, centre.timezone)
    register = load_register(Path(centre.register), centre.timezone)
    models = {county: make_model(register, county) for county in counties(register)}
    data_dir = Path(centre.data_dir)
    with (
        closing(open_store(centre.store, data_dir)) as store,
        closing(KpiDatabase(data_dir / "kpi.db")) as database,
        _client(order) as client,
    ):
        if order.restart:
            forget_progress(database, span, list(models))
        sources = {county: _source(centre, order.parquet, county) for county in models}
        written = _show(
            backfill(client, sources, models, store, database, span, timezone=centre.timezone, now_ms=now_ms)
        )
    return f"{len(span.days())} days of {len(models)} counties computed, {written} partial sums written"


def _span(order: Order, now_ms: int, timezone: str) -> Span:
    for option, text in (("--from", order.from_day), ("--to", order.to_day)):
        try:
            date.fromisoformat(text)
        except ValueError as error:
            raise BadInput(f"{option} {text!r}: write a day as YYYY-MM-DD") from error
    today = day_text(int(day_numbers(np.array([now_ms], np.int64), timezone)[0]))
    if not order.from_day < order.to_day <= today:
        raise BadInput(
            f"--from {order.from_day} --to {order.to_day}: the span must have a day, and end by today, {today}"
        )
    return Span(order.from_day, order.to_day)


def _source(centre: Centre, parquet: Path | None, county: str) -> Source:
    if parquet is not None:
        return ParquetSource(parquet.resolve(), county, centre.timezone)
    return StoreSource(centre.store, Path(centre.data_dir))


@contextmanager
def _client(order: Order) -> Iterator[Client]:
    """A client of the scheduler, or of processes of our own on loopback."""
    if order.scheduler is not None:
        try:
            client = Client(order.scheduler, timeout="10s")
        except (OSError, ValueError) as error:
            raise BadInput(f"--scheduler {order.scheduler}: no Dask scheduler answers there ({error})") from error
        with client:
            yield client
        return
    with (
        LocalCluster(
            n_workers=order.workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _show(steps: Iterator[Progress]) -> int:
    """Follow the steps, with a bar on a terminal; return how many partial sums were written."""
    console = Console(stderr=True)
    columns = (TextColumn("backfill"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    written = 0
    with Bar(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("days", total=None)
        for step in steps:
            written = step.written
            bar.update(task, total=step.total, completed=step.done)
    return written
