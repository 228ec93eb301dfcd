"""A damaged journal is set aside, never deleted, and what can be read of it goes on in a new file.

The rule: at each start of ingest every page is checked. Where one is broken, all readable rows are copied under
their old positions, so that readers' cursors and the numbers already acknowledged stay true; then the old file takes
a name that ends in `.damaged-<time>` and the new one takes its place. What could not be read is counted, logged, and
kept as an incident that `steppe ingest sites` shows. A crash on the way is finished by the next start.
"""

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ingest.journal import Journal
from ingest.journal_file import journal_errors
from ingest.sqlite_file import transaction

log = logging.getLogger(__name__)

PARTS = ("-wal", "-shm", "")
"""The file itself is moved last: while it stands there, the next start knows that the work is not done."""
CHUNK_ROWS = 1000

Row = tuple[object, ...]


@dataclass(frozen=True)
class Salvaged:
    """What became of a damaged journal."""

    aside: Path
    saved: int
    """Entries that go on in the new journal."""
    lost: int
    """Entries that could not be read; the store has those that its writer had passed."""


def heal(path: Path, *, now_ms: int) -> Salvaged | None:
    """Make the journal at `path` sound; None where nothing was wrong. The caller holds the journal's lock."""
    if _saved(path).exists():
        _swap(path, now_ms)
    if not path.exists() or _is_sound(path):
        return None
    log.warning("%s: damaged; saving what can be read", path)
    saved, lost = _copy(path, now_ms)
    salvaged = Salvaged(_swap(path, now_ms), saved, lost)
    log.warning("%s: %d entries saved, %d lost; the damaged file is kept as %s", path, saved, lost, salvaged.aside)
    return salvaged


def set_aside_if_damaged(path: Path, *, now_ms: int) -> None:
    """Give a damaged file that is not the journal another name, so that a new one begins."""
    if path.exists() and not _is_sound(path):
        aside = path.with_name(f"{path.name}.damaged-{now_ms}")
        _move(path, aside)
        log.warning("%s: damaged; it is kept as %s and a new one begins", path, aside)


def _is_sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as db:
            return bool(db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False


def _copy(path: Path, now_ms: int) -> tuple[int, int]:
    saving = path.with_name(f"{path.name}.saving")
    for part in PARTS:
        path.with_name(saving.name + part).unlink(missing_ok=True)
    Journal(saving).close()
    with (
        journal_errors(saving),
        closing(sqlite3.connect(path)) as old,
        closing(sqlite3.connect(saving, isolation_level=None)) as new,
    ):
        for table in _counts(new):
            _insert(new, table, _readable_rows(old, table))
        entries = _Entries(old)
        saved = _insert(new, "entry", entries.readable())
        _go_on_after(new, entries.last or now_ms)
        text = f"the journal was damaged: {saved} entries saved, {entries.lost} lost"
        new.execute("INSERT INTO incident VALUES (?, ?)", (now_ms, text))
        new.execute("PRAGMA journal_mode = DELETE")
    saving.rename(_saved(path))
    return saved, entries.lost


def _swap(path: Path, now_ms: int) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{now_ms}")
    _move(path, aside)
    _saved(path).rename(path)
    return aside


def _move(path: Path, aside: Path) -> None:
    for part in PARTS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + part).rename(aside.with_name(aside.name + part))


def _saved(path: Path) -> Path:
    """The complete new file on its way to the journal's name."""
    return path.with_name(f"{path.name}.saved")


def _counts(db: sqlite3.Connection) -> list[str]:
    """Every table but the entries, which are read one by one."""
    names = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [name for (name,) in names if name != "entry"]


def _readable_rows(db: sqlite3.Connection, table: str) -> list[Row]:
    """Rows from the front up to the damage, and from the back down to it."""
    rows: dict[Row, None] = {}
    with suppress(sqlite3.DatabaseError):
        keys = [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[5]] or ["rowid"]
        for order in ("ASC", "DESC"):
            with suppress(sqlite3.DatabaseError):
                by = ", ".join(f"{key} {order}" for key in keys)
                for row in db.execute(f"SELECT * FROM {table} ORDER BY {by}"):  # noqa: S608
                    rows[row] = None
    return list(rows)


class _Entries:
    """The entries of a damaged file, each asked for by its position."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.lost = 0
        self._first = self._number("SELECT min(position) FROM entry") or 1
        self.last = max(
            self._number("SELECT seq FROM sqlite_sequence WHERE name = 'entry'"),
            self._number("SELECT max(position) FROM entry"),
            self._number("SELECT max(position) FROM cursor"),
        )

    def readable(self) -> Iterator[Row]:
        for position in range(self._first, self.last + 1):
            try:
                row = self._db.execute("SELECT * FROM entry WHERE position = ?", (position,)).fetchone()
            except sqlite3.DatabaseError:
                self.lost += 1
                continue
            if row is not None:
                yield row

    def _number(self, query: str) -> int:
        try:
            row = self._db.execute(query).fetchone()
        except sqlite3.DatabaseError:
            return 0
        return int(row[0] or 0) if row else 0


def _insert(db: sqlite3.Connection, table: str, rows: Iterable[Row]) -> int:
    """Write `rows` in bounded transactions; return how many there were."""
    total = 0
    rest = iter(rows)
    while chunk := list(islice(rest, CHUNK_ROWS)):
        places = ", ".join("?" * len(chunk[0]))
        with transaction(db):
            db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({places})", chunk)  # noqa: S608
        total += len(chunk)
    return total


def _go_on_after(db: sqlite3.Connection, position: int) -> None:
    """Let the next entry take a position after `position`: no cursor, in this file or another, may stand beyond it.

    Where even the last position used cannot be read, the time in ms is a number that none has reached.
    """
    with transaction(db):
        db.execute("DELETE FROM sqlite_sequence WHERE name = 'entry'")
        db.execute("INSERT INTO sqlite_sequence VALUES ('entry', ?)", (position,))
