"""The journal's file: who may commit to it, how it is opened, and what its errors ask of the caller.

JournalError            the journal did not take it: acknowledge nothing, try again later
├── JournalFull             no room, on the disk or within max_mb
├── JournalLocked           another process commits to this journal
└── JournalDamaged          the file is broken: end this process, the next start sets the file aside (salvage.py)
"""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import SteppeError

PAGE_BYTES = 32_768
"""Measured with payloads of 3 kB: 31 M readings/s into the file, where pages of 4 kB take 18 M. [bytes]"""
CHECKPOINT_BYTES = 16 * 1024 * 1024
BUSY_S = 10.0


class JournalError(SteppeError):
    """The journal did not do what was asked; nothing of the call is kept."""


class JournalFull(JournalError):
    """There is no room, on the disk or within `max_mb`."""


class JournalLocked(JournalError):
    """Another process commits to this journal."""


class JournalDamaged(JournalError):
    """The file is broken; the next start of ingest sets it aside and saves what can be read."""


class JournalLock:
    """Held by the one process that commits; the system lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock of the journal at `path`. Raises JournalLocked."""
        self._file = path.with_name(f"{path.name}.lock").open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise JournalLocked(f"{path}: another ingest process writes to it. Stop that one first") from error

    def release(self) -> None:
        self._file.close()


def connect(path: Path, *, max_bytes: int | None) -> sqlite3.Connection:
    """Open the file, made if absent: what a transaction wrote is on the disk when it returns."""
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S, check_same_thread=False)
    db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_BYTES // PAGE_BYTES}")
    db.execute(f"PRAGMA journal_size_limit = {4 * CHECKPOINT_BYTES}")
    if max_bytes is not None:
        db.execute(f"PRAGMA max_page_count = {max(max_bytes // PAGE_BYTES, 1)}")
    return db


@contextmanager
def journal_errors(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as the ones of ours that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _journal_error(path, error) from error


def _journal_error(path: Path, error: sqlite3.Error) -> JournalError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return JournalDamaged(
            f"{path}: damaged ({error}). Start ingest again: it sets the file aside and saves the rest"
        )
    if code == sqlite3.SQLITE_FULL:
        return JournalFull(f"{path}: full. Free disk space, raise max_mb, or see 'steppe ingest readers'")
    return JournalError(f"{path}: {error}. Check the disk and the file's permissions")
