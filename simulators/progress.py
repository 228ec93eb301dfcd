"""How far a run is: what was made, sealed, committed and stored so far, read from the files that the processes keep."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analytics.alarms.database import AlarmDatabase
from analytics.alarms.service import DATABASE_FILE
from ingest.journal import Journal
from ingest.sites import Sites
from ingest.writer import READER
from simulators.child import LEDGER_FILE
from simulators.county_files import site_folder
from simulators.physics import Span


@dataclass(frozen=True)
class SiteProgress:
    """One gateway."""

    site: str
    sealed_batches: int
    waiting_batches: int
    """Sealed, and not yet at the centre."""
    online: bool


@dataclass(frozen=True)
class Progress:
    """The whole road at one glance. [readings], where nothing else is said"""

    made: int
    """Handed to a spool."""
    sealed: int
    """Promised by a spool."""
    committed: int
    """In the centre's journal."""
    not_stored: int
    """Messages in the journal that the store writer has not passed. [messages]"""
    sites: tuple[SiteProgress, ...]
    alarms: tuple[str, ...] = ()
    """Alarms on show at the centre, the gravest first."""

    @property
    def waiting(self) -> int:
        """Batches in all spools."""
        return sum(site.waiting_batches for site in self.sites)


@dataclass
class _Tail:
    """A ledger file, read as it grows."""

    path: Path
    offset: int = 0
    made: int = 0
    sealed: int = 0
    batches: int = 0
    rest: bytes = field(default=b"", repr=False)
    """The begin of a line whose end was not there yet."""

    def catch_up(self) -> None:
        """Count the lines that were added."""
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            file.seek(self.offset)
            added = file.read()
            self.offset += len(added)
            *lines, self.rest = (self.rest + added).split(b"\n")
            for line in lines:
                mark, _, _, readings = line.split(b" ", 4)[:4]
                if mark == b"S":
                    self.sealed += int(readings)
                    self.batches += 1
                else:
                    self.made += int(readings)


class ProgressReader:
    """Reads the progress of a run again and again, each time only what is new."""

    def __init__(self, folder: Path, sites: Sequence[str], journal: Path, span: Span) -> None:
        self._span = span
        self._tails = {site: _Tail(site_folder(folder, site) / LEDGER_FILE) for site in sites}
        self._path = journal
        self._centre: Sites | None = None
        self._journal: Journal | None = None
        self._alarms: AlarmDatabase | None = None

    def read(self) -> Progress:
        """The progress now."""
        for tail in self._tails.values():
            tail.catch_up()
        if self._centre is None and self._path.exists():
            self._centre, self._journal = Sites(self._path), Journal(self._path)
        rows = [self._site(site, tail) for site, tail in self._tails.items()]
        return Progress(
            made=sum(tail.made for tail in self._tails.values()),
            sealed=sum(tail.sealed for tail in self._tails.values()),
            committed=sum(committed for _, committed in rows),
            not_stored=0 if self._journal is None else self._journal.newest() - self._journal.cursor(READER),
            sites=tuple(site for site, _ in rows),
            alarms=self._standing(),
        )

    def close(self) -> None:
        """Let go of the journal and of the alarms."""
        for reader in (self._centre, self._journal, self._alarms):
            if reader is not None:
                reader.close()

    def _standing(self) -> tuple[str, ...]:
        """What an operator would see in the list: hidden consequences are not in it."""
        path = self._path.with_name(DATABASE_FILE)
        if self._alarms is None and path.exists():
            self._alarms = AlarmDatabase(path)
        records = [] if self._alarms is None else self._alarms.records(only_standing=True)
        shown = [record for record in records if not record.alarm.silent and record.alarm.condition]
        return tuple(record.id for record in sorted(shown, key=lambda record: (-record.alarm.severity, record.id)))

    def _site(self, site: str, tail: _Tail) -> tuple[SiteProgress, int]:
        """A site's progress and its readings at the centre."""
        if self._centre is None:
            return SiteProgress(site, tail.batches, tail.batches, False), 0
        state = self._centre.state(site)
        committed = sum(hour.received for hour in self._centre.hours(site, self._span.start_ms, self._span.end_ms))
        online = state.status is not None and state.status.online
        return SiteProgress(site, tail.batches, max(tail.batches - state.batches, 0), online), committed
