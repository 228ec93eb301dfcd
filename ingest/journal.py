"""The centre's log: every checked message exactly as received, once, in the order it was kept.

One SQLite file (WAL, synchronous=FULL). `commit` is one transaction: payloads, the numbers received of each stream
and the counts per site stand or fall together, so what `ack` says is always true. One process commits (it holds
`JournalLock`); any number of readers, in any process, follow with a cursor of their own.
Everything here raises the JournalError of `journal_file.py`, and has then changed nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.wire import Ack, Status
from ingest import tally
from ingest.check import Checked, Kind, Sealed
from ingest.journal_file import PAGE_BYTES, JournalFull, connect, journal_errors
from ingest.ranges import Ranges, add, holds, union
from ingest.schema import Schema, bring_up
from ingest.sqlite_file import transaction

log = logging.getLogger(__name__)

PRUNE_ROWS = 500
"""Rows deleted per transaction, so that pruning never keeps arrivals waiting."""
HELD_BACK = 10_000
"""A reader that keeps so many entries beyond keep_days is told of: it has stopped, or was switched off for good."""
ACK_RANGES = 100
"""An ack lists at most this many of the lowest and of the highest ranges: backlog and live, and never a long packet."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    position INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, site TEXT, received_ms INTEGER, payload BLOB);
CREATE TABLE IF NOT EXISTS received (
    site TEXT, stream TEXT, first INTEGER, last INTEGER, PRIMARY KEY (site, stream, first)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor (reader TEXT PRIMARY KEY, position INTEGER) WITHOUT ROWID;
"""

Stream = tuple[str, str]
"""Site and stream id."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A kept message."""

    position: int
    """Rises with each entry and is never used again."""
    kind: Kind
    site: str
    received_ms: int
    """By the centre's clock. [ms since 1970-01-01T00:00Z]"""
    payload: bytes
    """Exactly as received: read it with `edge.wire.decode`."""


@dataclass(frozen=True)
class Committed:
    """What one commit did."""

    fresh: tuple[Checked, ...]
    """What was kept, in order, at the last positions up to `newest`."""
    repeated: int
    """Messages that the journal had already."""
    newest: int
    """Position of the last entry."""
    streams: tuple[Stream, ...]
    """Whose acknowledgement to send: repeated messages too, for the last ack may be lost."""

    @property
    def kept(self) -> int:
        return len(self.fresh)


class Journal:
    """A connection to the journal; each thread opens its own."""

    def __init__(self, path: Path, *, max_bytes: int | None = None) -> None:
        """Open the file, made if absent. `max_bytes` bounds what this connection lets it grow to."""
        self._path = path
        self._received: dict[Stream, Ranges] = {}
        self._seen: dict[str, int] = {}
        self._told: set[str] = set()
        with self._errors():
            self._db = connect(path, max_bytes=max_bytes)
            bring_up(self._db, path, Schema(SCHEMA + tally.SCHEMA))

    def commit(self, arrivals: Sequence[Checked]) -> Committed:
        """Keep what is new among `arrivals`, durable on return. Raises JournalFull, JournalError: nothing is kept."""
        while True:
            try:
                return self._commit(arrivals)
            except JournalFull:
                if not self._make_room():
                    raise

    def ack(self, site: str, stream: str | None = None) -> Ack | None:
        """Return what the centre holds of a site's stream, its newest if not named; None if it has sent nothing.

        Numbers that the site reported as dropped count as held: nobody waits for them any more.
        """
        with self._errors():
            if stream is None:
                newest = "SELECT stream FROM stream WHERE site = ? ORDER BY last_ms DESC, stream LIMIT 1"
                row = self._db.execute(newest, (site,)).fetchone()
                if row is None:
                    return None
                stream = str(row[0])
            held = union(self._ranges("received", "first, last", site, stream), self._dropped(site, stream))
        upto = held[0][1] if held and held[0][0] == 0 else -1
        also = [one for one in held if one[0] > upto]
        return Ack(stream, upto, also if len(also) <= 2 * ACK_RANGES else also[:ACK_RANGES] + also[-ACK_RANGES:])

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return up to `limit` entries that follow position `after`, in order."""
        with self._errors():
            rows = self._db.execute(
                "SELECT position, kind, site, received_ms, payload FROM entry WHERE position > ?"
                " ORDER BY position LIMIT ?",
                (after, limit),
            )
            return [Entry(*row) for row in rows]

    def newest(self) -> int:
        """Return the position of the last entry ever kept, 0 for none: a reader at it has read everything."""
        with self._errors():
            row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").fetchone()
        return 0 if row is None else int(row[0])

    def cursor(self, reader: str) -> int:
        """Return the position up to which `reader` needs nothing any more; 0 for a new reader."""
        with self._errors():
            row = self._db.execute("SELECT position FROM cursor WHERE reader = ?", (reader,)).fetchone()
        self._seen[reader] = 0 if row is None else int(row[0])
        return self._seen[reader]

    def advance(self, reader: str, position: int) -> None:
        """Note, durably, that `reader` needs nothing up to `position`.

        A reader that somebody rewound since its last `cursor` stays rewound.
        """
        with self._writing():
            moved = self._db.execute(
                "INSERT INTO cursor VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position"
                " WHERE position = coalesce(?, position)",
                (reader, position, self._seen.get(reader)),
            )
        if moved.rowcount:
            self._seen[reader] = position

    def rewind(self, reader: str, received_ms: int) -> int:
        """Set `reader` back to the first entry received at or after `received_ms`; return how many entries it is."""
        position = self._first_since(received_ms) - 1
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (reader, position))
        return self.newest() - position

    def forget_reader(self, reader: str) -> None:
        """Let go of a reader that will not come back, so that entries are no longer kept for it."""
        with self._writing():
            self._db.execute("DELETE FROM cursor WHERE reader = ?", (reader,))

    def readers(self) -> dict[str, int]:
        """Return each known reader with the position up to which it needs nothing any more."""
        with self._errors():
            return dict(self._db.execute("SELECT reader, position FROM cursor ORDER BY reader").fetchall())

    def prune(self, older_than_ms: int) -> int:
        """Let go of entries received before `older_than_ms` that every reader has passed; return how many."""
        due = self._first_since(older_than_ms) - 1
        behind = {reader for reader, position in self.readers().items() if due - position > HELD_BACK}
        for reader in sorted(behind - self._told):
            log.warning("%s: old entries are kept for %r; start it, or see 'steppe ingest readers'", self._path, reader)
        self._told = behind
        return self._delete(min(self._passed(), due))

    def size_bytes(self) -> int:
        """Return how much of `max_mb` is used: whole pages, those freed by pruning left out."""
        with self._errors():
            pages, free = (
                self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count")
            )
        return int(pages - free) * PAGE_BYTES

    def close(self) -> None:
        self._db.close()

    def _commit(self, arrivals: Sequence[Checked]) -> Committed:
        received: dict[Stream, Ranges] = {}
        streams: dict[Stream, None] = {}
        fresh: list[Checked] = []
        repeated: list[Checked] = []
        with self._writing():
            for one in arrivals:
                streams.update(dict.fromkeys(_streams_of(one)))
                (fresh if self._is_new(one, received) else repeated).append(one)
            self._db.executemany(
                "INSERT INTO entry (kind, site, received_ms, payload) VALUES (?, ?, ?, ?)",
                [(one.kind, one.site, one.received_ms, one.payload) for one in fresh],
            )
            for stream, ranges in received.items():
                self._save_received(stream, ranges)
            tally.record(self._db, fresh, repeated)
        self._received.update(received)
        return Committed(tuple(fresh), len(repeated), self.newest(), tuple(streams))

    def _is_new(self, one: Checked, received: dict[Stream, Ranges]) -> bool:
        if not isinstance(one.said, Sealed):
            return tally.is_news(self._db, one)
        stream = (one.site, one.said.stream)
        ranges = received.get(stream) or self._received_of(stream)
        if holds(ranges, one.said.seq):
            return False
        received[stream] = add(ranges, one.said.seq)
        return True

    def _received_of(self, stream: Stream) -> Ranges:
        if stream not in self._received:
            self._received[stream] = self._ranges("received", "first, last", *stream)
        return self._received[stream]

    def _save_received(self, stream: Stream, ranges: Ranges) -> None:
        before, after = set(self._received_of(stream)), set(ranges)
        self._db.executemany(
            "DELETE FROM received WHERE site = ? AND stream = ? AND first = ?",
            [(*stream, first) for first, _ in before - after],
        )
        self._db.executemany(
            "INSERT INTO received VALUES (?, ?, ?, ?)", [(*stream, first, last) for first, last in after - before]
        )

    def _dropped(self, site: str, stream: str) -> Ranges:
        return self._ranges("dropped", "first_seq, last_seq", site, stream)

    def _ranges(self, table: str, columns: str, site: str, stream: str) -> Ranges:
        query = f"SELECT {columns} FROM {table} WHERE site = ? AND stream = ? ORDER BY 1"  # noqa: S608
        return tuple(self._db.execute(query, (site, stream)).fetchall())

    def _make_room(self) -> bool:
        """Let passed entries go before keep_days: what every reader has must not stand in the way of what is new."""
        with self._errors():
            oldest, newest = self._db.execute("SELECT min(position), max(position) FROM entry").fetchone()
        if oldest is None:
            return False
        gone = self._delete(min(self._passed(), oldest + max((newest - oldest) // 10, PRUNE_ROWS)))
        if gone:
            log.warning(
                "%s: full; %d entries that every reader has went before keep_days. Raise max_mb", self._path, gone
            )
        return gone > 0

    def _passed(self) -> int:
        """The position that every reader has passed; 0 while nobody reads."""
        with self._errors():
            return int(self._db.execute("SELECT coalesce(min(position), 0) FROM cursor").fetchone()[0])

    def _first_since(self, received_ms: int) -> int:
        """The first position received at or after an instant, by bisection: arrival order is position order."""
        with self._errors():
            low = int(self._db.execute("SELECT coalesce(min(position), 1) FROM entry").fetchone()[0])
        high = self.newest() + 1
        while low < high:
            middle = (low + high) // 2
            query = "SELECT received_ms FROM entry WHERE position >= ? ORDER BY position LIMIT 1"
            with self._errors():
                row = self._db.execute(query, (middle,)).fetchone()
            if row is None or row[0] >= received_ms:
                high = middle
            else:
                low = middle + 1
        return low

    def _delete(self, upto: int) -> int:
        gone = 0
        while True:
            with self._writing():
                chunk = "SELECT position FROM entry WHERE position <= ? ORDER BY position LIMIT ?"
                rows = self._db.execute(f"DELETE FROM entry WHERE position IN ({chunk})", (upto, PRUNE_ROWS)).rowcount  # noqa: S608
            gone += rows
            if rows < PRUNE_ROWS:
                return gone

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._errors(), transaction(self._db):
            yield

    def _errors(self) -> AbstractContextManager[None]:
        return journal_errors(self._path)


def _streams_of(one: Checked) -> list[Stream]:
    """Whose ack the message asks for; a site's present stream last, for only the last ack is retained."""
    if isinstance(one.said, Sealed):
        return [(one.site, one.said.stream)]
    if isinstance(one.said, Status):
        streams = dict.fromkeys(gone.stream for gone in one.said.dropped if gone.stream != one.said.stream)
        return [(one.site, stream) for stream in (*streams, one.said.stream) if stream is not None]
    return []
