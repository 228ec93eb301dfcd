"""What our SQLite files have in common: durable commits, and errors that say what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ingest.store import StoreDown, StoreError, StoreRefused

BUSY_TIMEOUT_S = 30.0


def connect(path: Path) -> sqlite3.Connection:
    """Open a file in which a commit survives a power cut, and which others read while one writes."""
    db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 67108864")
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for questions only, which makes no file where there is none."""
    with store_errors(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        yield db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of the statements inside, or none of them."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """SQLite's errors as the store's: StoreDown where the next try may work, StoreRefused where a person must act."""
    try:
        yield
    except sqlite3.Error as error:
        raise _store_error(path, error) from error


def _store_error(path: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreDown(f"{path}: another process holds the file ({error}); the next try may work")
    if code == sqlite3.SQLITE_FULL:
        return StoreRefused(f"{path}: the disk is full. Free space, then start the writer again; nothing is lost")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreRefused(
            f"{path}: the file is damaged ({error}). Move it away, start the writer again, and refill the new one "
            "with 'steppe ingest replay'"
        )
    return StoreRefused(f"{path}: {error}. Check that the folder exists and that this user may write there")
