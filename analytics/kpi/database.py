"""`kpi.db`: what the service keeps beside the store.

Runs of devices per day (a cache that can be made again), inferred interruptions, what people found out about them
(append-only, never touched by a recomputation), and every correction of a number that was already published.
"""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from analytics.runs import Runs, no_runs
from ingest.schema import Schema, bring_up
from ingest.sqlite_file import connect, store_errors, transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    device TEXT, day TEXT, gap_ms INTEGER NOT NULL, live INTEGER NOT NULL, columns BLOB NOT NULL,
    PRIMARY KEY (day, device)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS run_by_device ON run (device, day);
CREATE TABLE IF NOT EXISTS interruption (
    day TEXT, asset TEXT, start_ms INTEGER, row TEXT NOT NULL, PRIMARY KEY (day, asset, start_ms)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS judgement (
    number INTEGER PRIMARY KEY, asset TEXT NOT NULL, verdict TEXT NOT NULL, was_start_ms INTEGER NOT NULL,
    was_end_ms INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, who TEXT NOT NULL,
    at_ms INTEGER NOT NULL, why TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS correction (
    number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kpi TEXT NOT NULL, subject TEXT NOT NULL, day TEXT NOT NULL,
    sum TEXT NOT NULL, old REAL NOT NULL, new REAL NOT NULL, why TEXT NOT NULL, published_ms INTEGER NOT NULL,
    UNIQUE (kpi, subject, day, sum, published_ms));
CREATE TABLE IF NOT EXISTS progress (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS published (day TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS judgement_stays BEFORE UPDATE ON judgement
    BEGIN SELECT RAISE(ABORT, 'judgements are append-only'); END;
CREATE TRIGGER IF NOT EXISTS correction_stays BEFORE UPDATE ON correction
    BEGIN SELECT RAISE(ABORT, 'corrections are append-only'); END;
"""

Verdict = Literal["confirm", "correct", "reject"]
JUDGED = "judgements computed"
"""Under this name the service keeps how many judgements it has brought into the numbers."""


@dataclass(frozen=True, eq=False)
class DeviceDay:
    """What a device said on a day."""

    device: str
    day: str
    gap_ms: int
    """The silence that its rhythm allows. [ms]"""
    runs: Runs
    """Numbered as device 0."""


@dataclass(frozen=True)
class InterruptionRow:
    """An inferred interruption of one unit, as the service published it."""

    asset: str
    start_ms: int
    end_ms: int
    start_error_ms: int
    end_error_ms: int
    is_open: bool
    nature: str
    event_asset: str
    customers: int
    confidence: float
    evidence: str
    """person, meter_record, terminal or silence."""
    witnesses: tuple[tuple[str, int], ...]
    """Device and first instant of the readings that support it. [ms since 1970-01-01T00:00Z]"""


@dataclass(frozen=True)
class Judgement:
    """What a person says of an interruption of an asset and everything below it."""

    asset: str
    verdict: Verdict
    was_start_ms: int
    """The interruption that was judged. [ms since 1970-01-01T00:00Z]"""
    was_end_ms: int
    start_ms: int
    """As the person knows it; equal to the former where it is confirmed or rejected."""
    end_ms: int
    who: str
    at_ms: int
    why: str

    def __post_init__(self) -> None:
        if self.end_ms <= self.start_ms or self.was_end_ms <= self.was_start_ms:
            raise ValueError("a judgement needs an end after its start")
        if not self.who.strip() or not self.why.strip():
            raise ValueError("a judgement needs a name and a reason")


@dataclass(frozen=True)
class Correction:
    """A published sum that changed afterwards."""

    at_ms: int
    kpi: str
    subject: str
    day: str
    sum: str
    old: float
    new: float
    why: str
    published_ms: int
    """When the old value was computed. [ms since 1970-01-01T00:00Z]"""


class KpiDatabase:
    """The file `kpi.db`; one per process and thread is enough, several may be open at once."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises StoreDown or StoreRefused."""
        self._path, self._lock = path, threading.Lock()
        with store_errors(path):
            self._db = connect(path)
            bring_up(self._db, path, Schema(SCHEMA))

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def save_days(self, days: Iterable[DeviceDay]) -> None:
        """Keep what devices said; an earlier version of the same day is replaced."""
        rows = [
            (d.device, d.day, d.gap_ms, int((d.runs.state == 1).sum()), _pack(d.runs)) for d in days
        ]  # LIVE is 1: a day with life bounds the search for the neighbours of a silence
        self._write("INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?)", rows)

    def days_around(self, devices: Sequence[str], day: str) -> list[DeviceDay]:
        """Return the day, and before and after it what each device said up to its next word of life."""
        found = [
            row
            for device in devices
            for row in self._read(
                "SELECT device, day, gap_ms, columns FROM run WHERE device = ?1"
                " AND day >= coalesce((SELECT max(day) FROM run WHERE device = ?1 AND day < ?2 AND live > 0), '')"
                " AND day <= coalesce((SELECT min(day) FROM run WHERE device = ?1 AND day > ?2 AND live > 0), '9')",
                (device, day),
            )
        ]
        return [DeviceDay(device, day_, gap_ms, _unpack(blob)) for device, day_, gap_ms, blob in found]

    def neighbours(self, device: str, day: str) -> tuple[str, str]:
        """Return the nearest days before and after with a word of life of the device; the day itself where none."""
        [(before, after)] = self._read(
            "SELECT (SELECT max(day) FROM run WHERE device = ?1 AND day < ?2 AND live > 0),"
            " (SELECT min(day) FROM run WHERE device = ?1 AND day > ?2 AND live > 0)",
            (device, day),
        )
        return before or day, after or day

    def known_days(self) -> list[str]:
        """Return every day of which something was heard, sorted."""
        return [row[0] for row in self._read("SELECT DISTINCT day FROM run ORDER BY day")]

    def save_interruptions(self, day: str, assets: Iterable[str], rows: Sequence[InterruptionRow]) -> None:
        """Publish the interruptions of these assets that began on a day, instead of earlier ones."""
        with self._lock, store_errors(self._path), transaction(self._db):
            self._db.executemany("DELETE FROM interruption WHERE day = ? AND asset = ?", [(day, a) for a in assets])
            self._db.executemany(
                "INSERT OR REPLACE INTO interruption VALUES (?, ?, ?, ?)",
                [(day, row.asset, row.start_ms, json.dumps(row.__dict__)) for row in rows],
            )

    def interruptions(self, from_day: str, to_day: str) -> list[InterruptionRow]:
        """Return the published interruptions that began with from_day <= day < to_day, by day and asset."""
        rows = self._read(
            "SELECT row FROM interruption WHERE day >= ? AND day < ? ORDER BY day, asset, start_ms", (from_day, to_day)
        )
        return [_INTERRUPTION.decode(row[0]) for row in rows]

    def mark_published(self, day: str) -> None:
        """Note that a day's numbers were published anew, for those who keep a copy of them."""
        self._write("INSERT INTO published VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET times = times + 1", [(day,)])

    def published(self, from_day: str, to_day: str) -> dict[str, int]:
        """Return day → how often its numbers were published, of from_day <= day < to_day."""
        return dict(self._read("SELECT day, times FROM published WHERE day >= ? AND day < ?", (from_day, to_day)))

    def judge(self, judgement: Judgement) -> None:
        """Keep what a person says, for good."""
        self._write(
            "INSERT INTO judgement VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [tuple(judgement.__dict__.values())]
        )

    def judgements(self) -> list[Judgement]:
        """Return everything people said, in order; a later one on the same time stands above an earlier one."""
        rows = self._read(
            "SELECT asset, verdict, was_start_ms, was_end_ms, start_ms, end_ms, who, at_ms, why FROM judgement"
            " ORDER BY number"
        )
        return [Judgement(*row) for row in rows]

    def judgement_count(self) -> int:
        """Return how many judgements there are."""
        [(count,)] = self._read("SELECT count(*) FROM judgement")
        return int(count)

    def counted_judgements(self) -> int:
        """Return how many of the judgements are in the published numbers: the first so many."""
        return int(self.recall(JUDGED) or 0)

    def correct(self, corrections: Iterable[Correction]) -> None:
        """Note that published sums change; noting the same change twice is noting it once."""
        rows = [tuple(c.__dict__.values()) for c in corrections]
        self._write("INSERT OR IGNORE INTO correction VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def corrections(self) -> list[Correction]:
        """Return every correction, in order."""
        query = "SELECT at_ms, kpi, subject, day, sum, old, new, why, published_ms FROM correction ORDER BY number"
        return [Correction(*row) for row in self._read(query)]

    def corrections_of(self, kpi: str, subjects: Sequence[str], from_day: str, last_day: str) -> list[Correction]:
        """Return the corrections of some subjects' days, both ends included, in order."""
        marks = ", ".join("?" * len(subjects))
        query = (
            "SELECT at_ms, kpi, subject, day, sum, old, new, why, published_ms FROM correction"  # noqa: S608 - marks only
            f" WHERE kpi = ? AND subject IN ({marks}) AND day >= ? AND day <= ? ORDER BY number"
        )
        return [Correction(*row) for row in self._read(query, (kpi, *subjects, from_day, last_day))]

    def remember(self, name: str, value: str) -> None:
        """Keep a word under a name."""
        self._write("INSERT OR REPLACE INTO progress VALUES (?, ?)", [(name, value)])

    def recall(self, name: str) -> str | None:
        """Return the word kept under a name; None if there is none."""
        rows = self._read("SELECT value FROM progress WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else None

    def _write(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        with self._lock, store_errors(self._path), transaction(self._db):
            self._db.executemany(sql, rows)

    def _read(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock, store_errors(self._path):
            return self._db.execute(sql, parameters).fetchall()


def _pack(runs: Runs) -> bytes:
    """The columns one after the other, as 64-bit numbers."""
    columns = [column for name, column in vars(runs).items() if name != "device"]
    return b"".join(np.ascontiguousarray(column, _wide(column)).tobytes() for column in columns)


def _unpack(blob: bytes) -> Runs:
    template = {name: column for name, column in vars(no_runs()).items() if name != "device"}
    count = len(blob) // (8 * len(template))
    columns: Mapping[str, Any] = {
        name: np.frombuffer(blob, _wide(column), count, 8 * count * place).astype(column.dtype)
        for place, (name, column) in enumerate(template.items())
    }
    return Runs(device=np.zeros(count, np.int64), **columns)


def _wide(column: np.ndarray[Any, Any]) -> str:
    return "<f8" if column.dtype.kind == "f" else "<i8"


_INTERRUPTION = msgspec.json.Decoder(InterruptionRow)
