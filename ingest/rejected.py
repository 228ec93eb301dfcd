"""Rows that the store will never take, each with its reason: set aside, counted, and kept for a person."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.schema import Schema, bring_up
from ingest.sqlite_file import connect, store_errors, transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS rejected (
    position INTEGER, point TEXT, t_ms INTEGER, value REAL, quality INTEGER, reason TEXT,
    PRIMARY KEY (point, t_ms, position)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class RejectedRow:
    """A reading that is in the journal and not in the store."""

    position: int
    """Of the journal entry, or the last of the group of entries, that it came with."""
    point: str
    """Full name; only the site where the entry itself cannot be read."""
    t_ms: int
    value: float
    """NaN where quality is BAD."""
    quality: int
    reason: str


class Rejected:
    """The file of rejected rows."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises StoreDown or StoreRefused."""
        self._path = path
        self._lock = threading.Lock()
        with store_errors(path):
            self._db = connect(path)
            bring_up(self._db, path, Schema(SCHEMA))

    def add(self, rows: Sequence[RejectedRow]) -> None:
        """Keep `rows`, durable on return; adding a row again changes nothing."""
        values = [(r.position, r.point, r.t_ms, r.value, r.quality, r.reason) for r in rows]
        with self._lock, store_errors(self._path), transaction(self._db):
            self._db.executemany("INSERT OR REPLACE INTO rejected VALUES (?, ?, ?, ?, ?, ?)", values)

    def rows(self, limit: int) -> list[RejectedRow]:
        """Return up to `limit` rows, the newest entries first."""
        query = (
            "SELECT position, point, t_ms, value, quality, reason FROM rejected ORDER BY position DESC, point LIMIT ?"
        )
        with self._lock, store_errors(self._path):
            found = self._db.execute(query, (limit,)).fetchall()
        return [RejectedRow(p, point, t, math.nan if x is None else x, q, why) for p, point, t, x, q, why in found]

    def __len__(self) -> int:
        with self._lock, store_errors(self._path):
            return int(self._db.execute("SELECT count(*) FROM rejected").fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
