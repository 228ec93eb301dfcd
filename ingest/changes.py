"""Which local days of which points have new readings: what the KPI service has to compute again.

At-least-once: a day marked again while it is being computed survives `done`, and is computed once more. A day that
waits already costs nothing to mark: with readings of many points, most marks are of that kind.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ingest.schema import Schema, bring_up
from ingest.sqlite_file import connect, store_errors, transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS changed (
    number INTEGER PRIMARY KEY AUTOINCREMENT, point TEXT NOT NULL, day TEXT NOT NULL, taken INTEGER NOT NULL DEFAULT 0,
    UNIQUE (point, day));
"""
MARK = "INSERT INTO changed (point, day) VALUES (?, ?) ON CONFLICT DO UPDATE SET taken = 0 WHERE taken = 1"
MAX_REMEMBERED = 200_000
"""Marks known to wait already, so that most need no writing."""


@dataclass(frozen=True)
class Change:
    """One local day of one point that has new readings."""

    point: str
    day: str
    """Local day, `YYYY-MM-DD`."""
    number: int
    """Rises with each change that was not waiting already."""


class Changes:
    """The file of marks; the store writer marks, the KPI service takes, each in its own process."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises StoreDown or StoreRefused."""
        self._path = path
        self._lock = threading.Lock()
        self._marked: set[tuple[str, str]] = set()
        self._version = 0
        with store_errors(path):
            self._db = connect(path)
            bring_up(self._db, path, Schema(SCHEMA))

    def mark(self, changed: Iterable[tuple[str, str]]) -> None:
        """Note (point, day) pairs, durable on return."""
        with self._lock, store_errors(self._path):
            self._forget_marks_if_touched()
            rows = set(changed) - self._marked
            if not rows:
                return
            with transaction(self._db):
                self._db.executemany(MARK, rows)
            if len(self._marked) + len(rows) <= MAX_REMEMBERED:
                self._marked |= rows

    def take(self, limit: int) -> list[Change]:
        """Return up to `limit` changes, those that have waited longest first; they wait on until they are `done`."""
        oldest = "SELECT point, day, number FROM changed ORDER BY number LIMIT ?"
        with self._lock, store_errors(self._path), transaction(self._db):
            self._marked.clear()
            taken = [Change(*row) for row in self._db.execute(oldest, (limit,))]
            self._db.executemany("UPDATE changed SET taken = 1 WHERE number = ?", [(one.number,) for one in taken])
        return taken

    def done(self, changes: Iterable[Change]) -> None:
        """Let go of changes that were taken, except where the day was marked again since."""
        rows = [(change.number,) for change in changes]
        with self._lock, store_errors(self._path), transaction(self._db):
            self._db.executemany("DELETE FROM changed WHERE number = ? AND taken = 1", rows)

    def __len__(self) -> int:
        with self._lock, store_errors(self._path):
            return int(self._db.execute("SELECT count(*) FROM changed").fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _forget_marks_if_touched(self) -> None:
        """What was marked still waits untaken while nobody else has written to the file; after that, nobody knows."""
        version = int(self._db.execute("PRAGMA data_version").fetchone()[0])
        if version != self._version:
            self._marked.clear()
        self._version = version
