"""Messages that cannot be taken, kept with the reason until a person decides: show, replay, or drop.

A letter is durable before its message is acknowledged to the broker, so a wrong message neither is lost nor comes
back for ever. The same bytes on the same topic are one letter with a count. The file is bounded: where a broken
gateway fills it, the oldest letters go, and how many went is kept.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.config import Centre
from ingest.journal_file import connect, journal_errors
from ingest.schema import Schema, bring_up
from ingest.sqlite_file import transaction

MAX_BYTES = 64 * 1024 * 1024

SCHEMA = """
CREATE TABLE IF NOT EXISTS letter (
    number INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB UNIQUE, topic TEXT, reason TEXT, times INTEGER,
    first_ms INTEGER, last_ms INTEGER, bytes INTEGER, replay INTEGER DEFAULT 0, payload BLOB);
CREATE TABLE IF NOT EXISTS gone (letters INTEGER);
INSERT INTO gone SELECT 0 WHERE NOT EXISTS (SELECT * FROM gone);
"""
COLUMNS = "number, topic, reason, times, first_ms, last_ms, bytes, replay"


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that cannot be taken."""

    topic: str
    payload: bytes
    reason: str
    received_ms: int
    """By the centre's clock. [ms since 1970-01-01T00:00Z]"""


@dataclass(frozen=True, slots=True)
class Letter:
    """A kept message, without its payload."""

    number: int
    topic: str
    reason: str
    times: int
    """How often it came, at least."""
    first_ms: int
    last_ms: int
    bytes: int
    replay: bool
    """Marked: the running ingest checks it again within seconds."""


class DeadLetters:
    """The file of dead letters; each thread opens its own. Raises the JournalError of `journal_file.py`."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        with journal_errors(path):
            self._db = connect(path, max_bytes=None)
            bring_up(self._db, path, Schema(SCHEMA))

    def add(self, refused: Sequence[Refused]) -> None:
        """Keep `refused`, durable on return."""
        if not refused:
            return
        with journal_errors(self._path), transaction(self._db):
            self._db.executemany(
                "INSERT INTO letter (digest, topic, reason, times, first_ms, last_ms, bytes, payload)"
                " VALUES (?, ?, ?, 1, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " times = times + 1, last_ms = excluded.last_ms, reason = excluded.reason, replay = 0",
                [_row(one) for one in refused],
            )
            self._keep_within_bounds()

    def letters(self) -> list[Letter]:
        """Return every letter, oldest first."""
        with journal_errors(self._path):
            return [_letter(row) for row in self._db.execute(f"SELECT {COLUMNS} FROM letter ORDER BY number")]  # noqa: S608

    def to_replay(self) -> list[Letter]:
        """Return the letters marked for replay."""
        with journal_errors(self._path):
            marked = f"SELECT {COLUMNS} FROM letter WHERE replay = 1 ORDER BY number"  # noqa: S608
            return [_letter(row) for row in self._db.execute(marked)]

    def payload(self, number: int) -> bytes | None:
        """Return a letter's payload exactly as received; None where there is no such letter."""
        with journal_errors(self._path):
            row = self._db.execute("SELECT payload FROM letter WHERE number = ?", (number,)).fetchone()
        return None if row is None else bytes(row[0])

    def mark_for_replay(self, numbers: Sequence[int]) -> int:
        """Ask the running ingest, or the next one, to check these again; return how many there are."""
        return self._change("UPDATE letter SET replay = 1 WHERE number = ?", numbers)

    def drop(self, numbers: Sequence[int]) -> int:
        """Delete these letters for good; return how many there were."""
        return self._change("DELETE FROM letter WHERE number = ?", numbers)

    def gone(self) -> int:
        """Return how many letters went because the file was full."""
        with journal_errors(self._path):
            return int(self._db.execute("SELECT letters FROM gone").fetchone()[0])

    def close(self) -> None:
        self._db.close()

    def _change(self, statement: str, numbers: Sequence[int]) -> int:
        with journal_errors(self._path), transaction(self._db):
            return self._db.executemany(statement, [(number,) for number in numbers]).rowcount if numbers else 0

    def _keep_within_bounds(self) -> None:
        total = int(self._db.execute("SELECT coalesce(sum(bytes), 0) FROM letter").fetchone()[0])
        while total > self._max_bytes:
            number, size = self._db.execute("SELECT number, bytes FROM letter ORDER BY last_ms, number").fetchone()
            self._db.execute("DELETE FROM letter WHERE number = ?", (number,))
            self._db.execute("UPDATE gone SET letters = letters + 1")
            total -= size


def dead_letters_path(centre: Centre) -> Path:
    """Return where the centre keeps its dead letters: beside the journal."""
    return (Path(centre.data_dir) / centre.journal.path).with_name("deadletters.db")


def _row(one: Refused) -> tuple[object, ...]:
    digest = hashlib.blake2b(one.topic.encode() + b"\0" + one.payload, digest_size=16).digest()
    return digest, one.topic, one.reason, one.received_ms, one.received_ms, len(one.payload), one.payload


def _letter(row: tuple[int, str, str, int, int, int, int, int]) -> Letter:
    return Letter(*row[:7], bool(row[7]))
