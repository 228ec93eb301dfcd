"""One SQLite connection that threads share: reads, writes, and transactions, one at a time."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.schema import Schema, bring_up
from ingest.sqlite_file import connect, store_errors, transaction


class Rows:
    """The file behind the console's own tables. Raises StoreDown or StoreRefused."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path, self._lock = path, threading.RLock()
        with store_errors(path):
            self._db = connect(path)
            bring_up(self._db, path, Schema(schema))
        path.chmod(0o600)

    def read(self, query: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._lock, store_errors(self._path):
            return self._db.execute(query, values).fetchall()

    def write(self, statement: str, values: Sequence[object] = ()) -> int:
        """Change rows, durable on return; return how many."""
        with self.transaction() as db:
            return db.execute(statement, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All statements inside, or none of them."""
        with self._lock, store_errors(self._path), transaction(self._db):
            yield self._db

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
