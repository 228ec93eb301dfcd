"""The embedded store: one SQLite file, nothing to install.

A reading is a row whose integer key holds series and instant, `series << 42 | t_ms`. Measured on two shared cores,
rows per second in durable transactions of 100 000 rows, one statement per 50 rows: 500–700 thousand with this key;
a table `(series, t)` WITHOUT ROWID takes 290–370 thousand, with one statement per row both take about 300 thousand.
One day of one series reads in under a millisecond. `readings` is the same as a view for people with an SQL prompt.

WAL with synchronous=FULL: a commit survives a power cut, and readers in other processes work while one writes.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
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
from ingest.packed_hours import HOUR_MS, forget, is_packed, newest, pack_some, read_all, read_piece
from ingest.sqlite_buckets import ask_buckets, no_buckets, sum_buckets
from ingest.sqlite_file import store_errors, transaction
from ingest.sqlite_tables import MAX_SERIES, T_BITS, Rows, insert_sorted, key_bounds, open_tables
from ingest.store import Buckets, Columns, Latest, Partial, RowsRefused, StoreHealth, StoreRefused

ROWS_PER_PIECE = 50_000
HOURS_AT_ONCE = 500
"""Packed per transaction: some tens of milliseconds, in which readings wait."""
COUNT_SLOTS = "SELECT count(DISTINCT (key - ?) / ?) FROM reading WHERE key >= ? AND key < ? AND quality < ?"


class SqliteStore:
    """Readings and partial sums in one SQLite file. Threads of a process may share it."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises StoreDown or StoreRefused."""
        self._path = path
        self._lock = threading.Lock()
        self._ids: dict[str, int] = {}
        with store_errors(self._path):
            self._db = open_tables(path)
        self._pack_from = 0

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
        """Return the readings with start <= t < end summed up in steps that count from `start_ms`."""
        check_buckets(start_ms, end_ms, step_ms)
        series = self._known_ids([point]).get(point)
        if series is None:
            return no_buckets()
        with self._reading() as db:
            first, end = key_bounds(series, start_ms, end_ms)
            if is_packed(db, first, end):
                return sum_buckets(read_all(db, first, end), series, start_ms, step_ms)
            return ask_buckets(db, series, range(start_ms, end_ms, step_ms), end_ms)

    def latest(self, points: Sequence[str]) -> dict[str, Latest]:
        """Return the newest reading of each point that has one."""
        found: dict[str, Latest] = {}
        known = self._known_ids(points)
        with self._reading() as db:
            for point, series in known.items():
                row = newest(db, series)
                if len(row):
                    t_ms = int(row.key[0]) - (series << T_BITS)
                    found[point] = Latest(t_ms, float(row.value[0]), int(row.quality[0]))
        return found

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
            Partial(name, subject, day, _SUMS.decode(sums), computed_ms)
            for name, subject, day, sums, computed_ms in found
            if wanted is None or subject in wanted
        ]

    def kpis(self) -> list[str]:
        """Return every kpi of which there are partial sums, sorted."""
        return [kpi for (kpi,) in self._query("SELECT DISTINCT kpi FROM kpi ORDER BY kpi")]

    def first_hour_ms(self) -> int | None:
        """Return the start of the oldest reading's hour, None for an empty store. [ms since 1970-01-01T00:00Z]"""
        oldest = (
            "SELECT min(key) - (id << ?1) FROM {table} WHERE key >= series.id << ?1 AND key < (series.id + 1) << ?1"
        )
        first = ", ".join(f"({oldest.format(table=table)})" for table in ("reading", "packed"))
        found = self._query(f"SELECT {first} FROM series", (T_BITS,))  # noqa: S608 - names of our own tables
        return min((t_ms - t_ms % HOUR_MS for row in found for t_ms in row if t_ms is not None), default=None)

    def pack(self, before_ms: int) -> bool:
        """Make a bounded part of what is older than `before_ms` smaller; return whether there is more. Rows stay."""
        with self._transaction() as db:
            go_on = pack_some(db, self._pack_from, before_ms, HOURS_AT_ONCE)
        self._pack_from = go_on or 0
        return go_on is not None

    def forget(self, rows: Columns) -> int:
        """Delete the rows that still are exactly these, durable on return; return how many. Changed ones stay."""
        ids = self._known_ids(rows.points)
        gone = 0
        with self._transaction() as db:
            for number in np.unique(rows.index).tolist():
                chosen = rows.index == number
                if rows.points[number] in ids:
                    base = ids[rows.points[number]] << T_BITS
                    gone += forget(db, Rows(base + rows.t_ms[chosen], rows.value[chosen], rows.quality[chosen]))
        return gone

    def health(self) -> StoreHealth:
        """Return what answers, and how much it holds. Raises StoreDown or StoreRefused."""
        ((pages, page_bytes),) = self._query("SELECT * FROM pragma_page_count, pragma_page_size")
        ((series,),) = self._query("SELECT count(*) FROM series")
        return StoreHealth(f"SQLite {sqlite3.sqlite_version}", str(self._path), pages * page_bytes / 1e6, series)

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
            insert_sorted(db, Rows(keys[order], without_bad_values(rows)[order], rows.quality[order]))
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
        key, end_key = key_bounds(series, start_ms, end_ms)
        while key < end_key:
            with self._reading() as db:
                rows, key = read_piece(db, key, end_key)
            for first in range(0, len(rows), ROWS_PER_PIECE):
                yield _columns(points, index, series, rows, slice(first, first + ROWS_PER_PIECE))

    def _held_slots(self, series: int, start_ms: int, end_ms: int, period_ms: int) -> int:
        first, end = key_bounds(series, start_ms, end_ms)
        origin = (series << T_BITS) + start_ms
        with self._reading() as db:
            if is_packed(db, first, end):
                rows = read_all(db, first, end)
                return len(np.unique((rows.key[rows.quality < FIRST_BAD] - origin) // period_ms))
            return int(db.execute(COUNT_SLOTS, (origin, period_ms, first, end, FIRST_BAD)).fetchone()[0])

    def _query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock, store_errors(self._path):
            return self._db.execute(sql, parameters).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Questions inside see one instant."""
        with self._lock, store_errors(self._path):
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._db.execute("ROLLBACK")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, store_errors(self._path), transaction(self._db):
            yield self._db


def _kpi_row(partial: Partial) -> tuple[str, str, str, str, int]:
    sums = {name: float(value) for name, value in partial.sums.items()}
    return partial.kpi, partial.day, partial.subject, json.dumps(sums), partial.computed_ms


def _id_of(db: sqlite3.Connection, point: str) -> int:
    ((series,),) = db.execute("SELECT id FROM series WHERE point = ?", (point,)).fetchall()
    return int(series)


def _columns(points: tuple[str, ...], index: int, series: int, rows: Rows, piece: slice) -> Columns:
    t_ms = rows.key[piece] - (series << T_BITS)
    return Columns(points, np.full(len(t_ms), index, np.int32), t_ms, rows.value[piece], rows.quality[piece])


_SUMS = msgspec.json.Decoder(dict[str, int | float])
