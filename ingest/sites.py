"""What the centre knows of each site's delivery: status, gaps, losses, duplicates, clock steps, expected and received.

Counted in the journal's own transactions (`tally.py`) and asked for here, as data: a console, a report and the KPI
service read the same numbers. Reading never disturbs ingest; only ingest calls `sweep`.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from edge.wire import DroppedRange, PointInfo, PointList, Status, decode
from ingest import tally
from ingest.check import HOUR_MS
from ingest.journal_file import connect, journal_errors
from ingest.ranges import Range, Ranges, count, missing, union
from ingest.sqlite_file import transaction

MOST_LISTS = 1000
"""Announced point lists that are kept decoded."""


@dataclass(frozen=True)
class SiteState:
    """A site at one glance."""

    site: str
    status: Status | None
    """As it said last; None where it has said nothing."""
    status_ms: int | None
    """When that was received. [ms since 1970-01-01T00:00Z]"""
    last_batch_ms: int | None
    """When its last batch was received. [ms since 1970-01-01T00:00Z]"""
    points: int
    """Points it announced."""
    batches: int
    duplicates: int
    """Batches that came again."""
    missing_batches: int
    """Batches it sealed that are neither here nor reported as dropped."""
    dropped_readings: int
    """Readings its full spool let go, by its own report."""
    clock_steps: int


@dataclass(frozen=True)
class StatusChange:
    """A birth, a death, or a status that differs in more than its counters."""

    received_ms: int
    status: Status


@dataclass(frozen=True)
class Dropped:
    """A loss that the site itself reported."""

    site: str
    reported_ms: int
    batches: DroppedRange


@dataclass(frozen=True)
class Gap:
    """Batches of a stream that are neither here nor reported as dropped."""

    site: str
    stream: str
    first_seq: int
    last_seq: int
    seen_ms: int
    """Since when they are known to be missing. [ms since 1970-01-01T00:00Z]"""
    closed_ms: int | None
    """When the last of them had come or was reported; None while it is open. [ms since 1970-01-01T00:00Z]"""


@dataclass(frozen=True)
class ClockStep:
    """A site's wall clock was set."""

    site: str
    at_ms: int
    """By the site's clock after the step. [ms since 1970-01-01T00:00Z]"""
    received_ms: int
    step_ms: int
    """Positive: forward."""


@dataclass(frozen=True)
class HourBalance:
    """What a site promised for an hour, and what came."""

    hour_ms: int
    expected: float
    """From the point list then in force; of points by exception, the least they send. [readings]"""
    received: int
    """Rows sampled in the hour, with a value or without."""
    bad: int
    """Of these, rows of instruments that did not answer."""


@dataclass(frozen=True)
class Incident:
    """Something that happened to the journal itself."""

    at_ms: int
    text: str


class Sites:
    """Questions about sites, asked of the journal's file; each thread opens its own."""

    def __init__(self, journal_path: Path) -> None:
        self._path = journal_path
        with journal_errors(journal_path):
            self._db = connect(journal_path, max_bytes=None)
            self._db.executescript(tally.SCHEMA)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Questions inside the block see one instant, are answered faster, and hold up nobody who writes."""
        with journal_errors(self._path):
            self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def names(self) -> list[str]:
        """Return every site that ever sent anything, sorted."""
        return [str(row[0]) for row in self._ask("SELECT site FROM stream UNION SELECT site FROM latest ORDER BY 1")]

    def states(self) -> list[SiteState]:
        """Return each site at one glance, by name."""
        return [self.state(site) for site in self.names()]

    def state(self, site: str) -> SiteState:
        """Return one site at one glance."""
        said = self._ask("SELECT payload, received_ms FROM latest WHERE site = ? AND kind = 'status'", site)
        announced = self.point_list(site)
        [(batches, duplicates, last_ms, dropped, steps)] = self._ask(
            "SELECT coalesce(sum(batches), 0), coalesce(sum(duplicates), 0), max(last_ms),"
            " (SELECT coalesce(sum(readings), 0) FROM dropped WHERE site = ?1),"
            " (SELECT count(*) FROM clock_step WHERE site = ?1) FROM stream WHERE site = ?1",
            site,
        )
        return SiteState(
            site,
            status=decode(said[0][0], Status) if said else None,
            status_ms=said[0][1] if said else None,
            last_batch_ms=last_ms,
            points=len(announced.points) if announced else 0,
            batches=batches,
            duplicates=duplicates,
            missing_batches=sum(count(self._missing(site, stream)) for stream in self._streams(site)),
            dropped_readings=dropped,
            clock_steps=steps,
        )

    def status_history(self, site: str, from_ms: int, to_ms: int) -> list[StatusChange]:
        """Return the changes of a site's status received with from <= t < to, in order."""
        query = (
            "SELECT received_ms, payload FROM status_change WHERE site = ? AND received_ms >= ? AND received_ms < ?"
            " ORDER BY received_ms, rowid"
        )
        return [StatusChange(at_ms, decode(said, Status)) for at_ms, said in self._ask(query, site, from_ms, to_ms)]

    def first_status_ms(self, site: str) -> int | None:
        """Return when the first status of a site was received; None for none. [ms since 1970-01-01T00:00Z]"""
        [(first_ms,)] = self._ask("SELECT min(received_ms) FROM status_change WHERE site = ?", site)
        return None if first_ms is None else int(first_ms)

    def point_list(self, site: str) -> PointList | None:
        """Return the points a site announced last; None where it has announced none."""
        with journal_errors(self._path):
            payload = tally.latest(self._db, site, "points")
        return None if payload is None else _announced(payload)

    def dropped(self, site: str) -> list[Dropped]:
        """Return every loss that a site reported, oldest first."""
        columns = "stream, first_seq, last_seq, readings, first_ms, last_ms, policy"
        query = f"SELECT reported_ms, {columns} FROM dropped WHERE site = ? ORDER BY first_ms"  # noqa: S608
        return [Dropped(site, row[0], DroppedRange(*row[1:])) for row in self._ask(query, site)]

    def gaps(self, *, now_ms: int, older_than_ms: int, site: str | None = None) -> list[Gap]:
        """Return the gaps, of all sites or one, that lasted at least `older_than_ms` or have been open as long."""
        query = (
            "SELECT site, stream, first_seq, last_seq, seen_ms, closed_ms FROM gap"
            " WHERE coalesce(closed_ms, ?1) - seen_ms >= ?2 AND site = coalesce(?3, site)"
            " ORDER BY seen_ms, site, first_seq"
        )
        return [Gap(*row) for row in self._ask(query, now_ms, older_than_ms, site)]

    def clock_steps(self, site: str) -> list[ClockStep]:
        """Return when a site's wall clock was set, and how far, oldest first."""
        query = "SELECT site, at_ms, received_ms, step_ms FROM clock_step WHERE site = ? ORDER BY received_ms"
        return [ClockStep(*row) for row in self._ask(query, site)]

    def hours(self, site: str, from_ms: int, to_ms: int) -> list[HourBalance]:
        """Return expected and received of each whole or begun hour with from <= hour < to."""
        counts = {
            hour_ms: (readings, bad)
            for hour_ms, readings, bad in self._ask(
                "SELECT hour_ms, readings, bad FROM hour WHERE site = ? AND hour_ms >= ? AND hour_ms < ?",
                site,
                from_ms,
                to_ms,
            )
        }
        lists = [
            (at_ms, _readings_per_hour(payload))
            for at_ms, payload in self._ask(
                "SELECT received_ms, payload FROM point_list WHERE site = ? ORDER BY received_ms", site
            )
        ]
        first_ms = -(-from_ms // HOUR_MS) * HOUR_MS
        return [
            HourBalance(hour_ms, _in_force(lists, hour_ms + HOUR_MS), *counts.get(hour_ms, (0, 0)))
            for hour_ms in range(first_ms, to_ms, HOUR_MS)
        ]

    def incidents(self) -> list[Incident]:
        """Return what happened to the journal itself, oldest first."""
        return [Incident(*row) for row in self._ask("SELECT at_ms, text FROM incident ORDER BY at_ms")]

    def sweep(self, now_ms: int) -> None:
        """Note which gaps are open now and which have closed; called by ingest from time to time."""
        with journal_errors(self._path), transaction(self._db):
            for site in self.names():
                for stream in self._streams(site):
                    self._sweep_stream(site, stream, now_ms)

    def close(self) -> None:
        self._db.close()

    def _sweep_stream(self, site: str, stream: str, now_ms: int) -> None:
        noted = self._ask(
            "SELECT first_seq, last_seq, seen_ms FROM gap WHERE site = ? AND stream = ? AND closed_ms IS NULL",
            site,
            stream,
        )
        open_now = self._missing(site, stream)
        if [(first, last) for first, last, _ in noted] == list(open_now):
            return
        key = "site = ? AND stream = ? AND first_seq = ? AND seen_ms = ?"
        for first, last, seen_ms in noted:
            if any(_overlap((first, last), gap) for gap in open_now):
                self._db.execute(f"DELETE FROM gap WHERE {key}", (site, stream, first, seen_ms))  # noqa: S608
            else:
                self._db.execute(f"UPDATE gap SET closed_ms = ? WHERE {key}", (now_ms, site, stream, first, seen_ms))  # noqa: S608
        for gap in open_now:
            since_ms = min((seen_ms for *old, seen_ms in noted if _overlap((old[0], old[1]), gap)), default=now_ms)
            self._db.execute("INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?, ?, NULL)", (site, stream, *gap, since_ms))

    def _streams(self, site: str) -> list[str]:
        query = "SELECT stream FROM stream WHERE site = ?1 UNION SELECT stream FROM sealed_count WHERE site = ?1"
        return [str(row[0]) for row in self._ask(query, site)]

    def _missing(self, site: str, stream: str) -> Ranges:
        held = union(
            self._ask("SELECT first, last FROM received WHERE site = ? AND stream = ?", site, stream),
            self._ask("SELECT first_seq, last_seq FROM dropped WHERE site = ? AND stream = ?", site, stream),
        )
        sealed = self._ask("SELECT batches FROM sealed_count WHERE site = ? AND stream = ?", site, stream)
        return missing(held, max(held[-1][1] if held else -1, sealed[0][0] - 1 if sealed else -1))

    def _ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with journal_errors(self._path):
            return self._db.execute(query, values).fetchall()


def _overlap(left: Range, right: Range) -> bool:
    return left[0] <= right[1] and right[0] <= left[1]


@lru_cache(MOST_LISTS)
def _announced(payload: bytes) -> PointList:
    return decode(payload, PointList)


@lru_cache(MOST_LISTS)
def _readings_per_hour(payload: bytes) -> float:
    return sum(3600.0 / _longest_wait_s(point) for point in _announced(payload).points)


def _longest_wait_s(point: PointInfo) -> float:
    """Between two readings; a point by exception without a longest silence promises none."""
    if point.by_exception:
        return point.max_silence_s or math.inf
    return point.period_s


def _in_force(lists: Sequence[tuple[int, float]], before_ms: int) -> float:
    """The promise made last before an instant, or the first one for the time before it; nothing where none was made."""
    made = [promise for at_ms, promise in lists if at_ms < before_ms]
    return made[-1] if made else lists[0][1] if lists else 0.0
