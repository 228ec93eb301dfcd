"""The tables of the embedded store, their keys, and how rows get into them quickly.

A key holds series and instant, `series << 42 | t_ms`. `reading` has a row per reading. `packed` has a row per series
and hour: all readings of an old hour in one compressed piece (`packed_hours.py`). Where both have the same key, the
row in `reading` came later and counts.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.schema import Schema, bring_up
from ingest.sqlite_file import connect
from ingest.store import StoreRefused

T_BITS = 42
MAX_SERIES = 2 ** (63 - T_BITS) - 1
ROWS_PER_STATEMENT = 50
CHECKPOINT_PAGES = 16_000
"""Pages that many transactions touch are moved once: 6 000 points cost 2.9 CPU-s per million, 3.8 with 8 000 pages."""
CACHE_KIB = 32 * 1024
"""Of a connection that appends: the newest page of each of 8 000 series, so that appending reads nothing back. [KiB]"""
APPLICATION_ID = 0x57E99E01


def _add_packed(db: sqlite3.Connection) -> None:
    db.execute(PACKED)


PACKED = "CREATE TABLE IF NOT EXISTS packed (key INTEGER PRIMARY KEY, rows INTEGER NOT NULL, hour BLOB NOT NULL)"
TABLES = Schema(
    f"""
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, point TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS reading (key INTEGER PRIMARY KEY, value REAL, quality INTEGER NOT NULL);
{PACKED};
CREATE TABLE IF NOT EXISTS kpi (
    kpi TEXT NOT NULL, day TEXT NOT NULL, subject TEXT NOT NULL, sums TEXT NOT NULL, computed_ms INTEGER NOT NULL,
    PRIMARY KEY (kpi, day, subject)
) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS readings AS
    SELECT series.point, reading.key & {2**T_BITS - 1} AS t_ms, reading.value, reading.quality
    FROM series JOIN reading
    ON reading.key >= series.id << {T_BITS} AND reading.key < (series.id + 1) << {T_BITS};
""",  # noqa: S608 - the only insertions are numbers of this module
    version=2,
    steps={1: _add_packed},
)
INSERT_ONE = "INSERT OR REPLACE INTO reading VALUES (?, ?, ?)"
INSERT_MANY = INSERT_ONE + ", (?, ?, ?)" * (ROWS_PER_STATEMENT - 1)


@dataclass(frozen=True, eq=False)
class Rows:
    """Readings of one series, or of several, by key."""

    key: NDArray[np.int64]
    value: NDArray[np.float64]
    """NaN where quality is BAD."""
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.key)

    def where(self, which: NDArray[np.bool_]) -> "Rows":
        """Return some of the rows."""
        return Rows(self.key[which], self.value[which], self.quality[which])


def open_tables(path: Path) -> sqlite3.Connection:
    """Open a store's file, made if absent. Raises StoreRefused, BadInput, sqlite3.Error."""
    db = connect(path)
    try:
        ((application,),) = db.execute("PRAGMA application_id").fetchall()
        ((tables,),) = db.execute("SELECT count(*) FROM sqlite_master").fetchall()
        if tables and application != APPLICATION_ID:
            raise StoreRefused(f"{path}: a database of another program. Name another file in [store] url")
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        if not tables:
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        bring_up(db, path, TABLES)
    except BaseException:
        db.close()
        raise
    return db


def key_bounds(series: int, start_ms: int, end_ms: int) -> tuple[int, int]:
    """Return the first key of the range and the first one behind it; the range is cut to what a key can hold."""
    first, last = (min(max(t_ms, 0), 1 << T_BITS) for t_ms in (start_ms, end_ms))
    return (series << T_BITS) + first, (series << T_BITS) + last


def rows_of(found: list[tuple[int, float | None, int]]) -> Rows:
    """Return what was selected from `reading` as columns."""
    key, value, quality = zip(*found, strict=True) if found else ((), (), ())
    return Rows(np.array(key, np.int64), np.array(value, np.float64), np.array(quality, np.uint8))


def insert_sorted(db: sqlite3.Connection, rows: Rows) -> None:
    """Insert rows that are in key order; SQLite turns NaN into NULL by itself."""
    db.execute(f"PRAGMA cache_size = {-CACHE_KIB}")
    whole = len(rows) // ROWS_PER_STATEMENT * ROWS_PER_STATEMENT
    db.executemany(INSERT_MANY, _parameters(rows, 0, whole, ROWS_PER_STATEMENT))
    db.executemany(INSERT_ONE, _parameters(rows, whole, len(rows), 1))


def _parameters(rows: Rows, start: int, end: int, size: int) -> Iterator[list[object]]:
    """Yield key, value, quality of so many rows at a time; few become Python objects at once."""
    for first in range(start, end, size):
        piece = slice(first, first + size)
        flat: list[object] = [None] * (3 * size)
        flat[0::3], flat[1::3] = rows.key[piece].tolist(), rows.value[piece].tolist()
        flat[2::3] = rows.quality[piece].tolist()
        yield flat
