"""The embedded store: one SQLite file, nothing to install.

A reading is a row whose integer key holds series and instant, `series << 42 | t_ms`. Measured on two shared cores,
rows per second in durable transactions of 100 000 rows, one statement per 50 rows: 500–700 thousand with this key;
a table `(series, t)` WITHOUT ROWID takes 290–370 thousand, with one statement per row both take about 300 thousand.
One day of one series reads in under a millisecond. `readings` is the same as a view for people with an SQL prompt.

WAL with synchronous=FULL: a commit survives a power cut, and readers in other processes work while one writes.
"""

import json
import math
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.columns import (
    FIRST_BAD,
    check_buckets,
    join,
    partial_refusals,
    refusals,
    slots,
    take,
    taken,
    without_bad_values,
)
from ingest.schema import Schema, bring_up
from ingest.sqlite_file import connect, store_errors, transaction
from ingest.store import Buckets, Columns, Latest, Partial, RowsRefused, StoreRefused

T_BITS = 42
MAX_SERIES = 2 ** (63 - T_BITS) - 1
ROWS_PER_STATEMENT = 50
ROWS_PER_PIECE = 50_000
CHECKPOINT_PAGES = 16_000
"""Pages that many transactions touch are moved once: 6 000 points cost 2.9 CPU-s per million, 3.8 with 8 000 pages."""
CACHE_KIB = 32 * 1024
"""Holds the newest page of each of 8 000 series, so that appending reads nothing back. [KiB]"""
APPLICATION_ID = 0x57E99E01

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, point TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS reading (key INTEGER PRIMARY KEY, value REAL, quality INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS kpi (
    kpi TEXT NOT NULL, day TEXT NOT NULL, subject TEXT NOT NULL, sums TEXT NOT NULL, computed_ms INTEGER NOT NULL,
    PRIMARY KEY (kpi, day, subject)
) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS readings AS
    SELECT series.point, reading.key & {2**T_BITS - 1} AS t_ms, reading.value, reading.quality
    FROM series JOIN reading
    ON reading.key >= series.id << {T_BITS} AND reading.key < (series.id + 1) << {T_BITS};
"""  # noqa: S608 - the only insertions are numbers of this module
INSERT_ONE = "INSERT OR REPLACE INTO reading VALUES (?, ?, ?)"
INSERT_MANY = INSERT_ONE + ", (?, ?, ?)" * (ROWS_PER_STATEMENT - 1)
SELECT_BUCKET = (
    "SELECT min(value), max(value), avg(value), count(value), count(*) - count(value), max(quality)"
    " FROM reading WHERE key >= ? AND key < ?"
)
SELECT_RANGE = "SELECT key, value, quality FROM reading WHERE key >= ? AND key < ? ORDER BY key LIMIT ?"


class SqliteStore:
    """Readings and partial sums in one SQLite file. Threads of a process may share it."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises StoreDown or StoreRefused."""
        self._path = path
        self._lock = threading.Lock()
        self._ids: dict[str, int] = {}
        with store_errors(self._path):
            self._db = _open(path)

    def append(self, rows: Columns) -> None:
        """Keep `rows`, durable on return. Raises StoreDown, StoreRefused, or RowsRefused (the others are stored)."""
        reasons = refusals(rows)
        good = take(rows, taken(rows, reasons)) if reasons else rows
        if len(good):
            self._insert(good)
        if reasons:
            raise RowsRefused(reasons)

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> Columns:
        """Return the readings with start <= t < end, by point and then by time. Unknown points have none."""
        return join(list(self.stream(points, start_ms, end_ms)), points)

    def stream(self, points: Sequence[str], start_ms: int, end_ms: int) -> Iterator[Columns]:
        """Yield the same readings piece by piece, in bounded memory, in the same order."""
        ids = self._known_ids(points)
        for index, point in enumerate(points):
            if point in ids:
                yield from self._stream_one(tuple(points), index, ids[point], start_ms, end_ms)

    def buckets(self, point: str, start_ms: int, end_ms: int, step_ms: int) -> Buckets:
        """Return the readings with start <= t < end summed up in steps that count from `start_ms`.

        Step by step in key order: half the time of one GROUP BY, which would sort every reading again.
        """
        check_buckets(start_ms, end_ms, step_ms)
        ids = self._known_ids([point])
        found: list[tuple[object, ...]] = []
        for step_start_ms in range(start_ms, end_ms, step_ms) if point in ids else ():
            span = _bounds(ids[point], step_start_ms, min(step_start_ms + step_ms, end_ms))
            found += [(step_start_ms, *sums) for sums in self._query(SELECT_BUCKET, span) if sums[-1] is not None]
        return _buckets(found)

    def latest(self, points: Sequence[str]) -> dict[str, Latest]:
        """Return the newest reading of each point that has one."""
        newest: dict[str, Latest] = {}
        for point, series in self._known_ids(points).items():
            found = self._query(
                "SELECT key, value, quality FROM reading WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT 1",
                (series << T_BITS, (series + 1) << T_BITS),
            )
            for key, value, quality in found:
                newest[point] = Latest(key - (series << T_BITS), math.nan if value is None else value, quality)
        return newest

    def points(self) -> list[str]:
        """Return every point that has a reading, sorted."""
        return [point for (point,) in self._query("SELECT point FROM series ORDER BY point")]

    def coverage(self, points: Sequence[str], start_ms: int, end_ms: int, period_ms: int) -> NDArray[np.float64]:
        """Return per point the share of the period's slots that hold a reading that is not BAD. [0..1]"""
        expected = slots(start_ms, end_ms, period_ms)
        ids = self._known_ids(points)
        held = np.zeros(len(points))
        for row, point in enumerate(points):
            if point in ids and expected:
                held[row] = self._held_slots(ids[point], start_ms, end_ms, period_ms)
        return held / max(expected, 1)

    def write_kpi(self, partials: Sequence[Partial]) -> None:
        """Keep `partials`, durable on return; an earlier one of the same (kpi, subject, day) is replaced."""
        reasons = partial_refusals(partials)
        rows = [_kpi_row(partial) for number, partial in enumerate(partials) if number not in reasons]
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO kpi VALUES (?, ?, ?, ?, ?)", rows)
        if reasons:
            raise RowsRefused(reasons)

    def read_kpi(self, kpi: str, from_day: str, to_day: str, subjects: Sequence[str] | None = None) -> list[Partial]:
        """Return the partial sums with from_day <= day < to_day, by subject and day; all subjects if None."""
        wanted = None if subjects is None else set(subjects)
        found = self._query(
            "SELECT kpi, subject, day, sums, computed_ms FROM kpi WHERE kpi = ? AND day >= ? AND day < ?"
            " ORDER BY subject, day",
            (kpi, from_day, to_day),
        )
        return [
            Partial(name, subject, day, json.loads(sums), computed_ms)
            for name, subject, day, sums, computed_ms in found
            if wanted is None or subject in wanted
        ]

    def kpis(self) -> list[str]:
        """Return every kpi of which there are partial sums, sorted."""
        return [kpi for (kpi,) in self._query("SELECT DISTINCT kpi FROM kpi ORDER BY kpi")]

    def health(self) -> str:
        """Return a line about the store (kind, version, size). Raises StoreDown or StoreRefused."""
        ((pages, page_bytes),) = self._query("SELECT * FROM pragma_page_count, pragma_page_size")
        ((series,),) = self._query("SELECT count(*) FROM series")
        return f"SQLite {sqlite3.sqlite_version}, {self._path}, {pages * page_bytes / 1e6:.1f} MB, {series} points"

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def _insert(self, rows: Columns) -> None:
        names = [rows.points[i] for i in np.unique(rows.index).tolist()]
        with self._transaction() as db:
            fresh = self._make_ids(db, [name for name in names if name not in self._ids])
            known = self._ids | fresh if fresh else self._ids
            ids = np.array([known.get(name, 0) for name in rows.points], np.int64)
            keys = (ids[rows.index] << T_BITS) | rows.t_ms
            order = np.argsort(keys, kind="stable")
            _insert_sorted(db, keys[order], without_bad_values(rows)[order], rows.quality[order])
        self._ids.update(fresh)

    def _make_ids(self, db: sqlite3.Connection, names: Sequence[str]) -> dict[str, int]:
        db.executemany("INSERT OR IGNORE INTO series (point) VALUES (?)", [(name,) for name in names])
        fresh = {name: _id_of(db, name) for name in names}
        if fresh and max(fresh.values()) > MAX_SERIES:
            raise StoreRefused(f"{self._path}: more than {MAX_SERIES} points. Use InfluxDB for a store of this size")
        return fresh

    def _known_ids(self, points: Sequence[str]) -> dict[str, int]:
        for point in points:
            if point not in self._ids:
                self._ids.update(self._query("SELECT point, id FROM series WHERE point = ?", (point,)))
        return {point: self._ids[point] for point in points if point in self._ids}

    def _stream_one(
        self, points: tuple[str, ...], index: int, series: int, start_ms: int, end_ms: int
    ) -> Iterator[Columns]:
        key, end_key = _bounds(series, start_ms, end_ms)
        while key < end_key:
            found = self._query(SELECT_RANGE, (key, end_key, ROWS_PER_PIECE))
            if found:
                yield _columns(points, index, series, found)
            if len(found) < ROWS_PER_PIECE:
                return
            key = found[-1][0] + 1

    def _held_slots(self, series: int, start_ms: int, end_ms: int, period_ms: int) -> int:
        first, last = _bounds(series, start_ms, end_ms)
        ((held,),) = self._query(
            "SELECT count(DISTINCT (key - ?) / ?) FROM reading WHERE key >= ? AND key < ? AND quality < ?",
            ((series << T_BITS) + start_ms, period_ms, first, last, FIRST_BAD),
        )
        return int(held)

    def _query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock, store_errors(self._path):
            return self._db.execute(sql, parameters).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, store_errors(self._path), transaction(self._db):
            yield self._db


def _open(path: Path) -> sqlite3.Connection:
    db = connect(path)
    try:
        ((application,),) = db.execute("PRAGMA application_id").fetchall()
        ((tables,),) = db.execute("SELECT count(*) FROM sqlite_master").fetchall()
        if tables and application != APPLICATION_ID:
            raise StoreRefused(f"{path}: a database of another program. Name another file in [store] url")
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        db.execute(f"PRAGMA cache_size = {-CACHE_KIB}")
        if not tables:
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        bring_up(db, path, Schema(SCHEMA))
    except BaseException:
        db.close()
        raise
    return db


def _insert_sorted(
    db: sqlite3.Connection, keys: NDArray[np.int64], values: NDArray[np.float64], qualities: NDArray[np.uint8]
) -> None:
    """Insert in key order; SQLite turns NaN into NULL by itself."""
    whole = len(keys) // ROWS_PER_STATEMENT * ROWS_PER_STATEMENT
    db.executemany(INSERT_MANY, _parameters(keys[:whole], values[:whole], qualities[:whole], ROWS_PER_STATEMENT))
    db.executemany(INSERT_ONE, _parameters(keys[whole:], values[whole:], qualities[whole:], 1))


def _parameters(
    keys: NDArray[np.int64], values: NDArray[np.float64], qualities: NDArray[np.uint8], rows: int
) -> Iterator[list[object]]:
    """Yield key, value, quality of so many rows at a time; few become Python objects at once."""
    for first in range(0, len(keys), rows):
        piece = slice(first, first + rows)
        flat: list[object] = [None] * (3 * rows)
        flat[0::3], flat[1::3], flat[2::3] = keys[piece].tolist(), values[piece].tolist(), qualities[piece].tolist()
        yield flat


def _kpi_row(partial: Partial) -> tuple[str, str, str, str, int]:
    sums = {name: float(value) for name, value in partial.sums.items()}
    return partial.kpi, partial.day, partial.subject, json.dumps(sums), partial.computed_ms


def _id_of(db: sqlite3.Connection, point: str) -> int:
    ((series,),) = db.execute("SELECT id FROM series WHERE point = ?", (point,)).fetchall()
    return int(series)


def _bounds(series: int, start_ms: int, end_ms: int) -> tuple[int, int]:
    """First key of the range and the first one behind it; the range is cut to what a key can hold."""
    first, last = (min(max(t_ms, 0), 1 << T_BITS) for t_ms in (start_ms, end_ms))
    return (series << T_BITS) + first, (series << T_BITS) + last


def _buckets(found: list[tuple[object, ...]]) -> Buckets:
    start, low, high, mean, valued, bad, worst = zip(*found, strict=True) if found else ((),) * 7
    return Buckets(
        start_ms=np.array(start, np.int64),
        low=np.array(low, np.float64),
        high=np.array(high, np.float64),
        mean=np.array(mean, np.float64),
        valued=np.array(valued, np.int64),
        bad=np.array(bad, np.int64),
        worst=np.array(worst, np.uint8),
    )


def _columns(points: tuple[str, ...], index: int, series: int, found: list[tuple[int, float | None, int]]) -> Columns:
    keys, values, qualities = zip(*found, strict=True)
    return Columns(
        points=points,
        index=np.full(len(keys), index, np.int32),
        t_ms=np.array(keys, np.int64) - (series << T_BITS),
        value=np.array(values, np.float64),
        quality=np.array(qualities, np.uint8),
    )
