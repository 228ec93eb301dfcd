"""Packing, then forgetting, killed at each line: `python killed_packing.py FOLDER` prints at how many."""

import shutil
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
from support.killed_at_each_line import kills

import ingest
from ingest.store import Columns
from ingest.store_sqlite import SqliteStore

HOUR = 1_764_043_200_000
POINT = "county-a/feeder1_meter.l1.voltage_v"
ROWS = 40


def main(folder: Path) -> None:
    whole, path = folder / "whole.db", folder / "store.db"
    with closing(SqliteStore(whole)) as store:
        store.append(rows(range(ROWS)))
    lines = 0
    shutil.copy(whole, path)
    for lines in kills(lambda: pack_and_forget(path), Path(ingest.__file__).parent):
        with closing(SqliteStore(path)) as store:
            held = [int(value) for value in store.read([POINT], 0, 2**42).value]
        assert held in (list(range(ROWS)), list(range(10, ROWS))), f"after {lines} lines: {held}"
        for part in ("", "-wal", "-shm"):
            path.with_name(path.name + part).unlink(missing_ok=True)
        shutil.copy(whole, path)
    print(lines + 1)


def rows(values: range) -> Columns:
    """One point, a reading every five minutes."""
    count = len(values)
    t_ms = HOUR + 300_000 * np.array(values, np.int64)
    return Columns((POINT,), np.zeros(count, np.int32), t_ms, np.array(values, float), np.zeros(count, np.uint8))


def pack_and_forget(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        while store.pack(HOUR + 2 * 3_600_000):
            pass
        store.forget(rows(range(10)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
