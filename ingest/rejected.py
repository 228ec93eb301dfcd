"""Rows that the store will never take, each with its reason: set aside, counted, and kept for a person.

The file is bounded: where a gateway goes on with a wrong clock for months, the oldest rows go; the journal had them.
"""

import logging
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.schema import Schema, bring_up
from ingest.sqlite_file import connect, store_errors, transaction

log = logging.getLogger(__name__)

MOST_ROWS = 1_000_000
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

    def __init__(self, path: Path, *, most_rows: int = MOST_ROWS) -> None:
        """Open the file, or make it. Raises StoreDown or StoreRefused."""
        self._path, self._most_rows = path, most_rows
        self._lock = threading.Lock()
        with store_errors(path):
            self._db = connect(path)
            bring_up(self._db, path, Schema(SCHEMA))
            self._at_most = self._count()
            """Rows, those counted twice that were added again: to count them all takes too long for each call."""

    def add(self, rows: Sequence[RejectedRow]) -> None:
        """Keep `rows`, durable on return; adding a row again changes nothing."""
        values = [(r.position, r.point, r.t_ms, r.value, r.quality, r.reason) for r in rows]
        with self._lock, store_errors(self._path), transaction(self._db):
            self._db.executemany("INSERT OR REPLACE INTO rejected VALUES (?, ?, ?, ?, ?, ?)", values)
            self._at_most += len(values)
            if self._at_most > self._most_rows:
                self._keep_within_bounds()

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
            return self._count()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM rejected").fetchone()[0])

    def _keep_within_bounds(self) -> None:
        """Let the oldest rows go, a tenth at once, so that it is seldom done."""
        excess = self._count() - self._most_rows
        if excess > 0:
            last = "SELECT position FROM rejected ORDER BY position LIMIT 1 OFFSET ?"
            gone = self._db.execute(
                f"DELETE FROM rejected WHERE position <= ({last})",  # noqa: S608 - ours
                (excess + self._most_rows // 10 - 1,),
            )
            log.warning("%s: full; the %d oldest rows go. Mend what they say first", self._path, gone.rowcount)
        self._at_most = self._count()
