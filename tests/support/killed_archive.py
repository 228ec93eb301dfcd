"""Archiving and pruning killed at every eleventh line: `python killed_archive.py FOLDER` prints how many it ran.

After each death every reading is in the store or in a file that is described, and the next run leaves all of them in
files and none in the store.
"""

import shutil
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
from support.killed_at_each_line import kills

import ingest
from ingest.config import Retention
from ingest.keeping.archive import Archive
from ingest.keeping.day_file import parts_of, read_part
from ingest.store import Columns
from ingest.store_sqlite import SqliteStore

NOON = 1_764_043_200_000
DAY_MS = 86_400_000
DAY = "2025-11-25"
POINT = "county-a/feeder1_meter.l1.voltage_v"
RETENTION = Retention(archive_after_days=1, prune_after_days=1)
ROWS = 12
CODE = Path(ingest.__file__).parent


def main(folder: Path) -> None:
    whole, path, archive = folder / "whole.db", folder / "store.db", folder / "archive"
    with closing(SqliteStore(whole)) as store:
        store.append(readings())
    lines = 0
    shutil.copy(whole, path)
    for lines in kills(lambda: archive_all(path, archive), CODE, every=11):
        assert stored(path) | archived(archive) == set(range(ROWS)), f"after {lines} lines"
        archive_all(path, archive)
        assert (stored(path), archived(archive)) == (set(), set(range(ROWS))), f"after {lines} lines"
        for part in ("", "-wal", "-shm"):
            path.with_name(path.name + part).unlink(missing_ok=True)
        shutil.rmtree(archive, ignore_errors=True)
        shutil.copy(whole, path)
    print(lines)


def readings() -> Columns:
    t_ms = NOON + 60_000 * np.arange(ROWS, dtype=np.int64)
    return Columns((POINT,), np.zeros(ROWS, np.int32), t_ms, np.arange(ROWS, dtype=float), np.zeros(ROWS, np.uint8))


def archive_all(path: Path, archive: Path) -> None:
    with closing(SqliteStore(path)) as store:
        Archive(archive, store, {"1501": [POINT]}, "Asia/Shanghai").run(RETENTION, NOON + 3 * DAY_MS, lambda *_: None)


def stored(path: Path) -> set[float]:
    with closing(SqliteStore(path)) as store:
        return set(store.read([POINT], 0, 2**42).value.tolist())


def archived(archive: Path) -> set[float]:
    folder = archive / "1501"
    return {
        value
        for part in parts_of(folder, DAY)
        for rows in read_part(folder / part.file)
        for value in rows.value.tolist()
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
