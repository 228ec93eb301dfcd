"""A centre's ingest in a thread of the test, on files in the test's folder, and what can be seen of it from outside."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from support.wire import NOW_MS

from edge.clock import RealClock
from ingest.config import Broker, Centre, JournalSettings
from ingest.deadletter import DeadLetters, Letter
from ingest.journal import Journal
from ingest.receive import run
from ingest.stores import open_store


class StoppedClock(RealClock):
    """The instant it was set to, always."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        return self.at_ms


class CentreUnderTest:
    """The files of a centre, and its ingest, which can be started and stopped."""

    def __init__(
        self, folder: Path, url: str, *, max_mb: float = 100.0, broker_files: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.url = url
        self.clock = StoppedClock(NOW_MS + 5_000)
        self.centre = Centre(
            data_dir=str(folder), broker=Broker(url=url, **(broker_files or {})), journal=JournalSettings(max_mb=max_mb)
        )

    @contextmanager
    def ingest(self) -> Iterator[None]:
        """Ingest in a thread of its own; leaving the block stops it and raises what went wrong."""
        stop = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(run, self.centre, self.clock, stop)
            try:
                yield
            finally:
                stop.set()
                running.result(timeout=30)

    @property
    def journal_path(self) -> Path:
        return self.folder / "journal.db"

    def kept(self) -> list[bytes]:
        """Every payload in the journal, in order."""
        if not self.journal_path.exists():
            return []
        journal = Journal(self.journal_path)
        entries = journal.read(0, 100_000)
        journal.close()
        return [entry.payload for entry in entries]

    def stored(self) -> int:
        """How many readings the store holds."""
        if not (self.folder / "store.db").exists():
            return 0
        store = open_store(self.centre.store, self.folder)
        with closing(store):
            points = store.points()
            return len(store.read(points, 0, 2**53)) if points else 0

    def letters(self) -> list[Letter]:
        """Every dead letter."""
        dead_letters = DeadLetters(self.folder / "deadletters.db")
        found = dead_letters.letters()
        dead_letters.close()
        return found
