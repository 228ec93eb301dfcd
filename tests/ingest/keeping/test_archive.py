"""The archive: what leaves the store stands verified in a file, and nothing leaves it otherwise."""

import hashlib
import json
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import support
from click.testing import CliRunner
from support.small_centre import SmallCentre

from analytics.kpi.sources import ParquetSource
from edge.errors import BadInput, ConfigError
from ingest.cli import centre as centre_command
from ingest.config import Retention, load_centre
from ingest.days import DAY_MS
from ingest.keeping.archive import UNREGISTERED, Archive, Archived, counties_of
from ingest.keeping.day_file import parts_of
from ingest.register import Asset, PointEntry, Region, Register
from ingest.store import Columns, StoreRefused
from ingest.store_sqlite import SqliteStore

NOON = 1_764_043_200_000
"""12:00 on 25 November 2025 in Shanghai."""
DAY, NEXT_DAY = "2025-11-25", "2025-11-26"
ZONE = "Asia/Shanghai"
VOLTAGE, TURBIDITY = "county-a/feeder1_meter.l1.voltage_v", "qingshui-wtp/clearwell.turbidity_ntu"
COUNTIES = {"1501": [VOLTAGE], "1502": [TURBIDITY]}
KEEP = Retention(archive_after_days=1)
PRUNE = Retention(archive_after_days=1, prune_after_days=1)
Row = tuple[str, int, float, int]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "store.db")) as opened:
        yield opened


def columns(rows: Sequence[Row]) -> Columns:
    points = tuple(dict.fromkeys(point for point, *_ in rows))
    return Columns(
        points,
        np.array([points.index(point) for point, *_ in rows], np.int32),
        np.array([t_ms for _, t_ms, _, _ in rows], np.int64),
        np.array([value for *_, value, _ in rows], float),
        np.array([quality for *_, quality in rows], np.uint8),
    )


def run(store: SqliteStore, folder: Path, retention: Retention, *, days_later: int = 2) -> Archived:
    archive = Archive(folder, store, COUNTIES, ZONE)
    return archive.run(retention, NOON + days_later * DAY_MS, lambda *_: None)


def archived(folder: Path, county: str, point: str) -> list[tuple[int, float | None]]:
    rows = ParquetSource(folder, county, ZONE).read([point], NOON - 2 * DAY_MS, NOON + 9 * DAY_MS)
    return [(t - NOON, None if math.isnan(x) else x) for t, x in zip(rows.t_ms.tolist(), rows.value, strict=True)]


def left(store: SqliteStore) -> int:
    return len(store.read([VOLTAGE, TURBIDITY], 0, 2**42))


def test_a_day_goes_into_one_file_per_county_with_its_hash_and_counts(store: SqliteStore, tmp_path: Path) -> None:
    """Two points of two counties; the reading after midnight belongs to the next day, which is not due yet."""
    store.append(columns([(VOLTAGE, NOON, 230.5, 0), (VOLTAGE, NOON + 1, math.nan, 8), (TURBIDITY, NOON, 0.3, 0)]))
    store.append(columns([(VOLTAGE, NOON + DAY_MS // 2, 231.0, 0)]))
    done = run(store, tmp_path / "archive", KEEP)
    assert (done.days, done.files, done.rows, done.pruned, done.upto_day) == (1, 2, 3, 0, NEXT_DAY)
    assert archived(tmp_path / "archive", "1501", VOLTAGE) == [(0, 230.5), (1, None)]
    assert archived(tmp_path / "archive", "1502", TURBIDITY) == [(0, 0.3)]
    [part] = parts_of(tmp_path / "archive" / "1501", DAY)
    content = (tmp_path / "archive" / "1501" / f"{DAY}.parquet").read_bytes()
    assert (part.rows, part.points, part.first_ms, part.last_ms) == (2, 1, NOON, NOON + 1)
    assert part.sha256 == hashlib.sha256(content).hexdigest()
    assert left(store) == 4


def test_running_again_writes_and_changes_nothing(store: SqliteStore, tmp_path: Path) -> None:
    store.append(columns([(VOLTAGE, NOON, 230.5, 0)]))
    run(store, tmp_path / "archive", KEEP)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "archive").rglob("*.parquet*")}
    assert run(store, tmp_path / "archive", KEEP).files == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "archive").rglob("*.parquet*")} == before


def test_only_what_stands_in_a_file_is_pruned_whether_packed_or_not(store: SqliteStore, tmp_path: Path) -> None:
    store.append(columns([(VOLTAGE, NOON + 1000 * i, float(i), 0) for i in range(50)]))
    store.append(columns([(VOLTAGE, NOON + DAY_MS, 1.0, 0)]))
    while store.pack(NOON + DAY_MS):
        pass
    assert run(store, tmp_path / "archive", PRUNE).pruned == 50
    assert left(store) == 1
    assert len(archived(tmp_path / "archive", "1501", VOLTAGE)) == 50


def test_what_comes_late_or_changes_goes_into_the_next_part_before_it_is_pruned(
    store: SqliteStore, tmp_path: Path
) -> None:
    store.append(columns([(VOLTAGE, NOON + i, float(i), 0) for i in range(5)]))
    run(store, tmp_path / "archive", KEEP)
    store.append(columns([(VOLTAGE, NOON + 1, 99.0, 2), (VOLTAGE, NOON + 7, 7.0, 0)]))
    assert (run(store, tmp_path / "archive", PRUNE).pruned, left(store)) == (6, 0)
    assert [part.rows for part in parts_of(tmp_path / "archive" / "1501", DAY)] == [5, 2]
    store.append(columns([(VOLTAGE, NOON + 8, 8.0, 0), (VOLTAGE, NOON + 2, 2.0, 0)]))  # months later, and a replay
    assert (run(store, tmp_path / "archive", PRUNE).rows, left(store)) == (1, 0)
    assert [part.file for part in parts_of(tmp_path / "archive" / "1501", DAY)] == [
        f"{DAY}.parquet",
        f"{DAY}.2.parquet",
        f"{DAY}.3.parquet",
    ]
    assert [value for _, value in archived(tmp_path / "archive", "1501", VOLTAGE)] == [0, 1, 99, 2, 3, 4, 7, 8]


@pytest.mark.parametrize("harm", ["change", "remove"])
def test_a_file_that_was_harmed_since_stops_pruning(store: SqliteStore, tmp_path: Path, harm: str) -> None:
    store.append(columns([(VOLTAGE, NOON + i, float(i), 0) for i in range(5)]))
    run(store, tmp_path / "archive", KEEP)
    path = tmp_path / "archive" / "1501" / f"{DAY}.parquet"
    if harm == "change":
        path.write_bytes(path.read_bytes().replace(b"PAR1", b"PAR2"))
    else:
        path.rename(tmp_path / "elsewhere.parquet")
    archive = Archive(tmp_path / "archive", store, COUNTIES, ZONE)
    with pytest.raises(StoreRefused, match="Nothing of that day was deleted"):
        archive._prune(DAY)
    assert left(store) == 5


def test_killed_at_any_line_every_reading_is_in_the_store_or_in_a_file(tmp_path: Path) -> None:
    tests = Path(support.__path__[0]).parent
    done = subprocess.run(
        [sys.executable, str(tests / "support" / "killed_archive.py"), str(tmp_path)],
        env={"PYTHONPATH": f"{tests.parent}:{tests}"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100, "lines that were run before the last death"


def test_a_point_belongs_to_the_banner_of_its_asset() -> None:
    regions = {
        "15": Region("15", "League", "盟", "league", None),
        "1501": Region("1501", "Banner", "旗", "banner", "15"),
        "150101": Region("150101", "Sumu", "苏木", "sumu", "1501"),
    }
    plant = Asset("w1", "water_works", "Works", "水厂", "150101", None, 0, None, None, None, None)
    register = Register(regions, {"w1": (plant,)}, {TURBIDITY: PointEntry(TURBIDITY, "w1", "", "", None)}, ())
    assert counties_of(register, [VOLTAGE, TURBIDITY]) == {"1501": [TURBIDITY], UNREGISTERED: [VOLTAGE]}


def test_the_command_archives_as_the_configuration_says(centre: SmallCentre) -> None:
    centre.receive(0, 3)
    centre.write()
    assert isinstance(CliRunner().invoke(centre_command, ["archive", str(centre.file)]).exception, BadInput)
    with centre.file.open("a") as file:
        file.write("\n[retention]\narchive_after_days = 1\nprune_after_days = 1\n")
    done = json.loads(CliRunner().invoke(centre_command, ["archive", str(centre.file), "--json"]).output)
    assert (done["days"] >= 1, done["rows"], done["pruned"]) == (True, 9, 9)
    assert list((centre.data / "archive" / UNREGISTERED).glob("*.parquet")) != []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[retention]\nprune_after_days = 5\n", "needs archive_after_days"),
        ("[retention]\narchive_after_days = 9\nprune_after_days = 5\n", "export, then prune"),
        (
            '[store]\nurl = "influxdb+http://h:1/b"\n[retention]\narchive_after_days = 5\nprune_after_days = 5\n',
            "bucket's own retention",
        ),
        ("[retention]\npack_after_days = 0.5\n", ">= 1"),
    ],
)
def test_rules_of_retention(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "centre.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_centre(path)
