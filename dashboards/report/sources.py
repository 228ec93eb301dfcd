"""What a report is made from: the centre's store and files, opened for reading, and a digest of all that was read."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analytics.alarms.database import AlarmDatabase
from analytics.alarms.service import DATABASE_FILE
from analytics.kpi.database import KpiDatabase
from analytics.kpi.published import KeptSums, Published
from analytics.kpi.quarters import Steps
from dashboards.report.model import Input
from edge.errors import BadInput
from ingest.config import Centre
from ingest.register import Register
from ingest.register_files import load_register
from ingest.sites import Sites
from ingest.store import Buckets, Store, StoreError
from ingest.stores import open_store


@dataclass(frozen=True, eq=False)
class Sources:
    """A centre, opened for reading."""

    centre: Centre
    register: Register
    published: Published
    store: Store
    database: KpiDatabase
    alarms: AlarmDatabase | None
    sites: Sites | None
    digests: "Digests"

    @property
    def register_folder(self) -> Path:
        """Where the register's files stand."""
        return Path(self.centre.register)


@dataclass(frozen=True, eq=False)
class Digests:
    """Digests of what is read, by name; the same reading in the same order gives the same digests."""

    _by_name: dict[str, Any] = field(default_factory=dict)

    def note(self, name: str, *values: object) -> None:
        """Take values into the digest of a name: arrays by their bytes, everything else as it prints."""
        digest = self._by_name.setdefault(name, hashlib.sha256())
        for value in values:
            digest.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())

    def inputs(self) -> tuple[Input, ...]:
        """Return what was read, by name."""
        return tuple(Input(name, digest.hexdigest()) for name, digest in sorted(self._by_name.items()))


@dataclass(frozen=True, eq=False)
class NotedSteps:
    """The store's sums of readings, each noted as it is read."""

    store: Steps
    digests: Digests

    def buckets(self, point: str, start_ms: int, end_ms: int, step_ms: int) -> Buckets:
        """Return what the store says."""
        found = self.store.buckets(point, start_ms, end_ms, step_ms)
        self.digests.note("readings", point, start_ms, found.start_ms, found.mean, found.low, found.high)
        return found


@contextmanager
def open_sources(centre: Centre, kept: KeptSums | None = None) -> Iterator[Sources]:
    """Open a centre for the time of a `with` block. Raises BadInput where it has no numbers or cannot be read."""
    data = Path(centre.data_dir)
    if not (data / "kpi.db").exists():
        raise BadInput(f"{data / 'kpi.db'}: there are no numbers yet. `steppe analytics run` makes them")
    with ExitStack() as stack:
        try:
            store = stack.enter_context(closing(open_store(centre.store, data)))
            store.health()
            database = stack.enter_context(closing(KpiDatabase(data / "kpi.db")))
        except StoreError as error:
            raise BadInput(f"the store {centre.store.url}: {error}. Start it, and make the report again") from error
        register = load_register(Path(centre.register), centre.timezone)
        alarms, journal = data / DATABASE_FILE, data / centre.journal.path
        digests = Digests()
        digests.note("register", *_files(Path(centre.register)))
        yield Sources(
            centre,
            register,
            Published(store, database, register, kept or KeptSums()),
            store,
            database,
            stack.enter_context(closing(AlarmDatabase(alarms))) if alarms.exists() else None,
            stack.enter_context(closing(Sites(journal))) if journal.exists() else None,
            digests,
        )


def _files(folder: Path) -> Iterator[object]:
    for path in sorted(folder.glob("*.csv")):
        yield path.name
        yield np.frombuffer(path.read_bytes(), np.uint8)
