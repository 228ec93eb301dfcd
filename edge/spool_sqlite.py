"""The spool in one SQLite file, which survives kills and power cuts.

Write-ahead log, `synchronous=FULL`, one transaction per group of batches: a commit is on the card when it returns.
A file that fails `quick_check`, or that SQLite later finds malformed, is renamed and never deleted; a new stream
begins beside it.
"""

import contextlib
import logging
import re
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.errors import SpoolError
from edge.seal import Sealed
from edge.spool import Depth, Policy, check_numbers, losses, new_stream, victims, weight
from edge.spool_file import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    Damaged,
    is_damage,
    lenient_text,
    losses_on_file,
    newest_set_aside,
    put_aside,
    record,
    rows,
)
from edge.wire import Ack, DroppedRange

log = logging.getLogger(__name__)

VERSION = 1
"""Of the tables, kept in the file; 0 is a file from before versions were written, with the same tables."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS stream (id TEXT NOT NULL, next_seq INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS batch (
    seq INTEGER PRIMARY KEY, weight INTEGER NOT NULL, readings INTEGER NOT NULL,
    first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, offset_ms INTEGER, boot TEXT NOT NULL,
    crc INTEGER NOT NULL, payload BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS draft ON batch (seq) WHERE offset_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS dropped (
    stream TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, readings INTEGER NOT NULL,
    first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, policy TEXT NOT NULL, PRIMARY KEY (stream, first_seq)
) STRICT;
CREATE INDEX IF NOT EXISTS dropped_end ON dropped (stream, last_seq);
"""
SETTINGS = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -512;
PRAGMA journal_size_limit = 4000000;
"""
OLDEST = """
SELECT seq, payload, readings, first_ms, last_ms, offset_ms, boot, crc FROM batch
WHERE seq >= ? AND seq < ? AND offset_ms IS NULL ORDER BY seq LIMIT 1
"""
DRAFTS = """
SELECT seq, payload, readings, first_ms, last_ms, offset_ms, boot, crc FROM batch
WHERE offset_ms IS NOT NULL ORDER BY seq LIMIT ?
"""
PUT = """
REPLACE INTO batch (seq, payload, readings, first_ms, last_ms, offset_ms, boot, crc, weight)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
WEIGHT_WITHIN = "SELECT COUNT(*), COALESCE(SUM(weight), 0) FROM batch WHERE seq BETWEEN ? AND ?"
NOTED = "DELETE FROM dropped WHERE stream = ? AND first_seq >= ? AND last_seq <= ?"


class SqliteSpool:
    """One file with one owner: a second process is refused, and only one thread may call at a time."""

    def __init__(self, path: Path, *, max_bytes: int, when_full: Policy = "oldest") -> None:
        """Open or make the file at `path`. Raises SpoolError where that is not possible."""
        self._path = path
        self._max_bytes = max_bytes
        self._when_full = when_full
        self._db: sqlite3.Connection | None = None
        self._stream, self._next_seq, self._batches, self._weight = "", 0, 0, 0
        with self._errors_named():
            self._ready()

    @property
    def stream(self) -> str:
        return self._stream

    @property
    def next_seq(self) -> int:
        return self._next_seq

    @property
    def set_aside(self) -> str | None:
        return newest_set_aside(self._path)

    def append(self, batches: Sequence[Sealed]) -> None:
        with self._transaction() as db:
            check_numbers(batches, self._next_seq)  # by now: to open the file may have begun a new stream
            next_seq, count = self._next_seq + len(batches), self._batches + len(batches)
            weight_bytes = self._weight + sum(weight(batch).bytes for batch in batches)
            db.executemany(PUT, map(_columns, batches))
            db.execute("UPDATE stream SET next_seq = ?", (next_seq,))
            candidates = rows(db, NEWEST_FIRST if self._when_full == "newest" else OLDEST_FIRST)
            gone = victims(self._when_full, candidates, count, weight_bytes - self._max_bytes)
            db.executemany("DELETE FROM batch WHERE seq = ?", [(row.seq,) for row in gone])
            record(db, losses(self._stream, gone, self._when_full))
        self._next_seq = next_seq
        self._batches = count - len(gone)
        self._weight = weight_bytes - sum(row.bytes for row in gone)

    def oldest(self, start: int, end: int) -> Sealed | None:
        while True:
            with self._errors_named():
                row = self._ready().execute(OLDEST, (start, end)).fetchone()
            if row is None:
                return None
            batch = self._intact(row)
            if batch is not None:
                return batch

    def drafts(self, limit: int) -> list[Sealed]:
        with self._errors_named():
            rows = self._ready().execute(DRAFTS, (limit,)).fetchall()
        return [batch for row in rows if (batch := self._intact(row)) is not None]

    def finish(self, batches: Sequence[Sealed]) -> None:
        grown = 0
        with self._transaction() as db:
            for batch in batches:
                before = db.execute("SELECT weight FROM batch WHERE seq = ?", (batch.seq,)).fetchone()
                if before is not None:
                    db.execute(PUT, _columns(batch))
                    grown += weight(batch).bytes - before[0]
        self._weight += grown

    def forget(self, ack: Ack) -> int:
        ranges = [(first, last) for first, last in [(0, ack.upto), *ack.also] if self._knows(ack.stream, first, last)]
        if not ranges:
            return 0
        count, weight_bytes = 0, 0
        with self._transaction() as db:
            for within in ranges:
                db.execute(NOTED, (ack.stream, *within))
                if ack.stream == self._stream:
                    rows_there, weight_there = db.execute(WEIGHT_WITHIN, within).fetchone()
                    db.execute("DELETE FROM batch WHERE seq BETWEEN ? AND ?", within)
                    count, weight_bytes = count + rows_there, weight_bytes + weight_there
        self._batches -= count
        self._weight -= weight_bytes
        return count

    def dropped(self, limit: int) -> list[DroppedRange]:
        with self._errors_named():
            rows = self._ready().execute("SELECT * FROM dropped ORDER BY stream, first_seq LIMIT ?", (limit,))
            return [DroppedRange(*row) for row in rows]

    def depth(self) -> Depth:
        with self._errors_named():
            first = self._ready().execute("SELECT first_ms FROM batch ORDER BY seq LIMIT 1").fetchone()
        return Depth(self._batches, self._weight, None if first is None else first[0])

    def start_over(self, reason: str) -> None:
        with self._errors_named():
            self._put_aside(reason)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _knows(self, stream: str, first: int, last: int) -> bool:
        """Whether an acknowledgement of this range changes anything."""
        with self._errors_named():
            db = self._ready()
            if db.execute("SELECT 1 FROM dropped WHERE stream = ? LIMIT 1", (stream,)).fetchone():
                return True
            held = db.execute("SELECT 1 FROM batch WHERE seq BETWEEN ? AND ? LIMIT 1", (first, last))
            return stream == self._stream and held.fetchone() is not None

    def _intact(self, row: tuple[int, bytes, int, int, int, int | None, str, int]) -> Sealed | None:
        """Return the batch of a row; where the card has changed its payload, let it go as damaged and return None."""
        batch = Sealed(*row[:-1])
        if zlib.crc32(batch.payload) == row[-1]:
            return batch
        log.error("%s: batch %d is damaged and is let go", self._path, batch.seq)
        with self._transaction() as db:
            db.execute("DELETE FROM batch WHERE seq = ?", (batch.seq,))
            record(db, losses(self._stream, [weight(batch)], "damaged"))
        self._batches -= 1
        self._weight -= weight(batch).bytes
        return None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._errors_named():
            db = self._ready()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    @contextlib.contextmanager
    def _errors_named(self) -> Iterator[None]:
        """Turn SQLite's errors into SpoolError; where the file proves damaged, put it aside first."""
        try:
            yield
        except (sqlite3.Error, OSError, Damaged) as error:
            if is_damage(error):
                with contextlib.suppress(sqlite3.Error, OSError, Damaged):
                    self._put_aside(str(error))
            raise SpoolError(f"{self._path}: the spool failed ({error}). {_remedy(error)}") from error

    def _ready(self) -> sqlite3.Connection:
        """Return the open file; open it first where that has not been done or has failed."""
        if self._db is None:
            try:
                self._db = self._load()
            except (sqlite3.Error, Damaged) as error:
                if not is_damage(error):
                    raise
                self._put_aside(str(error))
        assert self._db is not None
        return self._db

    def _load(self) -> sqlite3.Connection:
        """Open the file, check it, and read where its stream stands."""
        db = sqlite3.connect(self._path, timeout=1.0, isolation_level=None, check_same_thread=False)
        try:
            db.text_factory = lenient_text
            db.executescript(SETTINGS)
            verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise Damaged(verdict)
            _check_version(db, self._path)
            db.executescript(SCHEMA)
            db.execute(f"PRAGMA user_version = {VERSION}")
            self._stream, self._next_seq = _stream_of(db)
            self._batches, self._weight = db.execute("SELECT COUNT(*), COALESCE(SUM(weight), 0) FROM batch").fetchone()
        except BaseException:
            db.close()
            raise
        return db

    def _put_aside(self, reason: str) -> None:
        self.close()
        lost = losses_on_file(self._path)
        name = put_aside(self._path)
        log.error("%s is set aside as %s (%s); a new stream begins. Keep it for support", self._path, name, reason)
        self._db = self._load()
        record(self._db, lost)


def _check_version(db: sqlite3.Connection, path: Path) -> None:
    """Leave a file alone whose tables this program does not know."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise SpoolError(
            f"{path}: written by a newer steppe (version {version}, this one knows {VERSION}). Install that one again"
        )


def _remedy(error: BaseException) -> str:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
        return "Another process holds it: stop that one, a spool has one owner"
    return "Free space on the disk, or check the card and who may write there; nothing already sealed is touched"


def _stream_of(db: sqlite3.Connection) -> tuple[str, int]:
    """Return the stream's id and next number, made now where the file is new."""
    rows = db.execute("SELECT id, next_seq FROM stream").fetchall()
    if not rows:
        db.execute("INSERT INTO stream VALUES (?, 0)", (new_stream(),))
        return _stream_of(db)
    stream, next_seq = rows[0]
    highest = db.execute("SELECT COALESCE(MAX(seq), -1) FROM batch").fetchone()[0]
    if len(rows) > 1 or not re.fullmatch("[0-9a-f]{32}", stream) or next_seq <= highest:
        raise Damaged("its stream row makes no sense")
    return stream, next_seq


def _columns(batch: Sealed) -> tuple[int, bytes, int, int, int, int | None, str, int, int]:
    return (
        batch.seq,
        batch.payload,
        batch.readings,
        batch.first_ms,
        batch.last_ms,
        batch.offset_ms,
        batch.boot,
        zlib.crc32(batch.payload),
        weight(batch).bytes,
    )
