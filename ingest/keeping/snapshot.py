"""Several SQLite files as they stood at one instant, copied while others write to them.

For some milliseconds nobody may commit to any of them, and in that time a reading transaction begins on each. So the
copies are what the disks would hold had the power gone at that instant, and every process here is made to survive
that: no cursor stands beyond what it points into, and whatever was acknowledged before is there.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from ingest.sqlite_file import store_errors
from ingest.store import StoreDown

LOCK_WAIT_S = 5.0
"""Shorter than any writer waits for us, for whoever waits for a later file holds up those who write to an earlier."""
ATTEMPTS = 5
PAGES_PER_STEP = 2_000


@contextmanager
def at_one_instant(paths: Sequence[Path], *, wait_s: float = LOCK_WAIT_S) -> Iterator[dict[Path, sqlite3.Connection]]:
    """Give a connection per file, all of which show the same instant until the block ends. Raises StoreDown.

    Files are taken in the order given: those with long transactions first, so that the others wait the least.
    """
    with ExitStack() as stack:
        readers = {path: stack.enter_context(_opened(path, wait_s)) for path in paths}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                _begin_together(readers, wait_s)
                break
            except StoreDown:
                if attempt == ATTEMPTS:
                    raise
        yield readers


def copy(source: sqlite3.Connection, target: Path, progress: Callable[[float], None]) -> None:
    """Write what `source` shows into a file of its own, without anything beside it; tell of the share that is done."""
    with store_errors(target), closing(sqlite3.connect(target)) as copied:
        source.backup(
            copied, pages=PAGES_PER_STEP, progress=lambda _, left, pages: progress(1 - left / pages if pages else 1.0)
        )
    make_one_file(target)


def make_one_file(path: Path) -> None:
    """Leave nothing beside a database that nobody has open, so that it can be carried away."""
    with store_errors(path), closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = DELETE")


def _begin_together(readers: dict[Path, sqlite3.Connection], wait_s: float) -> None:
    with ExitStack() as held:
        for path in readers:
            held.enter_context(_nobody_writes(path, wait_s))
        for path, reader in readers.items():
            with store_errors(path):
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # now it has begun


@contextmanager
def _nobody_writes(path: Path, wait_s: float) -> Iterator[None]:
    with _opened(path, wait_s) as db:
        with store_errors(path):
            db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


@contextmanager
def _opened(path: Path, wait_s: float) -> Iterator[sqlite3.Connection]:
    with store_errors(path):
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=wait_s, isolation_level=None)
    with closing(db):
        yield db
