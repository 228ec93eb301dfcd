"""A small centre folder whose journal and store were filled as ingest fills them."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from support.wire import NOW_MS, batch_payload

from edge.wire import topic
from ingest.authority.centre_files import Wishes, make_centre
from ingest.changes import Changes
from ingest.check import check
from ingest.config import load_centre
from ingest.journal import Journal
from ingest.rejected import Rejected
from ingest.store import Partial
from ingest.stores import open_store
from ingest.writer import Sinks, write_once

TURBIDITY = "qingshui-wtp/clearwell.turbidity_ntu"


class SmallCentre:
    """A centre of `steppe centre init`, driven step by step."""

    def __init__(self, centre_file: Path) -> None:
        self.file = centre_file
        self.settings = load_centre(centre_file)
        self.data = Path(self.settings.data_dir)

    @classmethod
    def made(cls, root: Path, store: str = "sqlite:///store.db") -> "SmallCentre":
        """Make one in a new folder."""
        return cls(make_centre(root, Wishes(hosts=("127.0.0.1",), store=store), NOW_MS).centre_file)

    def receive(self, first_seq: int, count: int) -> None:
        """Commit batches of three readings: what an acknowledgement covers from then on."""
        with closing(Journal(self.data / "journal.db")) as journal:
            self.commit(journal, range(first_seq, first_seq + count))

    def commit(self, journal: Journal, numbers: range) -> None:
        batches = [(batch_payload(seq, t0_ms=instant(seq)), instant(seq) + 5_000) for seq in numbers]
        where = topic("qingshui-wtp", "batch")
        journal.commit([check(where, payload, received_ms=received_ms) for payload, received_ms in batches])

    def write(self) -> None:
        """Write what is in the journal to the store."""
        with closing(Journal(self.data / "journal.db")) as journal, self.sinks() as sinks:
            while write_once(journal, sinks):
                pass

    def write_until(self, stop: threading.Event) -> None:
        with closing(Journal(self.data / "journal.db")) as journal, self.sinks() as sinks:
            while not stop.is_set():
                write_once(journal, sinks)

    @contextmanager
    def sinks(self) -> Iterator[Sinks]:
        with (
            closing(open_store(self.settings.store, self.data)) as store,
            closing(Changes(self.data / "changes.db")) as changes,
            closing(Rejected(self.data / "rejected.db")) as rejected,
        ):
            yield Sinks(store, changes, rejected, self.settings.timezone, chunk_rows=300)

    def publish(self, sums: dict[str, float], day: str = "2025-11-24") -> None:
        with closing(open_store(self.settings.store, self.data)) as store:
            store.write_kpi([Partial("voltage", TURBIDITY, day, sums, NOW_MS)])


def instant(seq: int) -> int:
    """When batch `seq` was sampled first: batches do not overlap."""
    return NOW_MS + 3_000 * seq


def stored_instants(centre_file: Path) -> list[int]:
    """Every instant of the point that stands in the store."""
    settings = load_centre(centre_file)
    with closing(open_store(settings.store, Path(settings.data_dir))) as store:
        return [int(t_ms) for t_ms in store.read([TURBIDITY], 0, 2**42).t_ms]
