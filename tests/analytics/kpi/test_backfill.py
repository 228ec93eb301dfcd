"""The backfill on real Dask workers: the service's numbers, bit for bit, resumed where it was stopped."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from distributed import Client, LocalCluster
from support.tiny_centre import START_MS, ZONE, TinyCentre, tiny_columns
from support.tiny_county import TinyCounty

from analytics.kpi.backfill import Progress, Span, backfill
from analytics.kpi.backfill_cli import backfill as command
from analytics.kpi.model import counties, make_model
from analytics.kpi.sources import ParquetSource, Source, StoreSource
from edge.errors import BadInput
from ingest.config import StoreSettings
from ingest.days import day_numbers, day_text
from ingest.store import Columns, Partial

DAY_MS = 86_400_000
AFTER_MS = START_MS + 3 * DAY_MS + DAY_MS // 2
SPAN = Span("2026-06-01", "2026-06-04")
MakeCentre = Callable[..., TinyCentre]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        Client(cluster) as one,
    ):
        yield one


def heard(county: TinyCounty) -> Columns:
    """Everything but a silence of two meters across the second midnight."""
    through = np.ones((6, 3 * 1440 + 1), np.bool_)
    through[2:4, 2800:2950] = False
    return tiny_columns(county, through)


def run(centre: TinyCentre, client: Client, sources: Source) -> Iterator[Progress]:
    models = {county: make_model(centre.register, county) for county in counties(centre.register)}
    each = dict.fromkeys(models, sources)
    return backfill(client, each, models, centre.store, centre.database, SPAN, timezone=ZONE, now_ms=AFTER_MS)


def numbers(centre: TinyCentre) -> list[tuple[object, ...]]:
    def plain(partial: Partial) -> tuple[object, ...]:
        return partial.kpi, partial.subject, partial.day, tuple(sorted(partial.sums.items()))

    kpis = ("supply", "voltage")
    return [plain(p) for kpi in kpis for p in centre.store.read_kpi(kpi, SPAN.from_day, SPAN.to_day)]


@pytest.fixture
def served(make_centre: MakeCentre, county: TinyCounty) -> list[tuple[object, ...]]:
    """What the service makes of it."""
    centre = make_centre("served")
    centre.arrive(heard(county))
    centre.service().step(AFTER_MS)
    return numbers(centre)


def test_two_workers_give_the_services_numbers_bit_for_bit(
    make_centre: MakeCentre, county: TinyCounty, client: Client, tmp_path: Path, served: list[tuple[object, ...]]
) -> None:
    centre = make_centre("filled")
    centre.store.append(heard(county))
    steps = list(run(centre, client, StoreSource(StoreSettings(), tmp_path / "filled")))
    assert numbers(centre) == served
    assert (steps[-1].done, steps[-1].total) == (8, 8)


def test_parquet_files_give_the_same(
    make_centre: MakeCentre, county: TinyCounty, client: Client, tmp_path: Path, served: list[tuple[object, ...]]
) -> None:
    centre = make_centre("filled")
    write_parquet(heard(county), tmp_path / "cold" / "1501")
    list(run(centre, client, ParquetSource(tmp_path / "cold", "1501", ZONE)))
    assert numbers(centre) == served


def test_a_stopped_backfill_goes_on_where_it_was(
    make_centre: MakeCentre, county: TinyCounty, client: Client, tmp_path: Path, served: list[tuple[object, ...]]
) -> None:
    centre = make_centre("filled")
    centre.store.append(heard(county))
    source = StoreSource(StoreSettings(), tmp_path / "filled")
    begun = run(centre, client, source)
    for _ in range(6):
        next(begun)
    begun.close()
    rest = list(run(centre, client, source))
    assert len(rest) == 2
    assert numbers(centre) == served


def test_the_command_computes_on_the_scheduler_it_is_given(client: Client, tmp_path: Path) -> None:
    """One transformer without readings, two days: in service and unresolved; a second order finds all done."""
    register = tmp_path / "register"
    register.mkdir()
    (register / "regions.csv").write_text("code,name,level\n1501,Qingshui,banner\n")
    (register / "assets.csv").write_text("id,kind,region,customers\nt1,transformer,1501,40\n")
    (register / "points.csv").write_text("point,asset\n")
    (register / "plans.csv").write_text("asset,start,end,nature\n")
    (tmp_path / "centre.toml").write_text(f'timezone = "{ZONE}"\n')
    order = [str(tmp_path / "centre.toml"), "--from", "2026-06-01", "--to", "2026-06-03"]
    order += ["--scheduler", client.scheduler.address]
    said = [CliRunner().invoke(command, order, catch_exceptions=False).output for _ in range(2)]
    assert said[0].endswith("2 days of 1 counties computed, 2 partial sums written\n")
    assert said[1].endswith("0 partial sums written\n")


def test_a_span_that_reaches_beyond_today_is_refused(tmp_path: Path) -> None:
    (tmp_path / "centre.toml").write_text("")
    asked = [str(tmp_path / "centre.toml"), "--from", "2026-01-01", "--to", "2199-01-01"]
    result = CliRunner().invoke(command, asked)
    assert isinstance(result.exception, BadInput)
    assert "end by today" in str(result.exception)


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "1501").mkdir()
    (tmp_path / "1501" / "2026-06-01.parquet").write_text("no")
    with pytest.raises(BadInput, match=r"2026-06-01\.parquet: not readings in Parquet"):
        ParquetSource(tmp_path, "1501", ZONE).read(["site/m1.voltage_v"], START_MS, START_MS + DAY_MS)


def write_parquet(rows: Columns, folder: Path) -> None:
    folder.mkdir(parents=True)
    days = day_numbers(rows.t_ms, ZONE)
    for day in np.unique(days):
        mine = days == day
        table = {
            "point": [rows.points[index] for index in rows.index[mine]],
            "t_ms": rows.t_ms[mine],
            "value": rows.value[mine],
            "quality": rows.quality[mine],
        }
        pq.write_table(pa.table(table), folder / f"{day_text(int(day))}.parquet", compression="zstd")
