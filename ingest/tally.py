"""What is counted of each site in the same transaction that keeps its messages, so that the counts are exact.

`sites.py` asks the questions; this module holds the tables and fills them.
"""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from edge.wire import DroppedRange, PointList, Status, decode
from ingest.check import Checked, Kind, Sealed

CLOCK_STEP_MS = 1_000
"""A wall clock that moves this far against the one that never steps was set by somebody or something. [ms]"""
REMEMBERED = 20
"""Statuses, and point lists, of one site that are known again when they come again."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS stream (
    site TEXT, stream TEXT, boot TEXT, batches INTEGER, duplicates INTEGER, first_ms INTEGER, last_ms INTEGER,
    PRIMARY KEY (site, stream)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sealed_count (
    site TEXT, stream TEXT, batches INTEGER, PRIMARY KEY (site, stream)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hour (
    site TEXT, hour_ms INTEGER, readings INTEGER, bad INTEGER, PRIMARY KEY (site, hour_ms)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (
    site TEXT, kind TEXT, received_ms INTEGER, payload BLOB, PRIMARY KEY (site, kind)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS said (
    site TEXT, kind TEXT, digest BLOB, number INTEGER, PRIMARY KEY (site, kind, digest)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS status_change (
    site TEXT, received_ms INTEGER, at_ms INTEGER, payload BLOB);
CREATE INDEX IF NOT EXISTS status_change_of_site ON status_change (site, received_ms);
CREATE TABLE IF NOT EXISTS point_list (
    site TEXT, received_ms INTEGER, payload BLOB, PRIMARY KEY (site, received_ms)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dropped (
    site TEXT, stream TEXT, first_seq INTEGER, last_seq INTEGER, readings INTEGER, first_ms INTEGER, last_ms INTEGER,
    policy TEXT, reported_ms INTEGER, PRIMARY KEY (site, stream, first_seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clock_step (
    site TEXT, boot TEXT, at_ms INTEGER, received_ms INTEGER, step_ms INTEGER);
CREATE TABLE IF NOT EXISTS gap (
    site TEXT, stream TEXT, first_seq INTEGER, last_seq INTEGER, seen_ms INTEGER, closed_ms INTEGER,
    PRIMARY KEY (site, stream, first_seq, seen_ms)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS incident (
    at_ms INTEGER, text TEXT);
"""


def is_news(db: sqlite3.Connection, one: Checked) -> bool:
    """Whether a status or point list is none of the site's last ones; from now on it is one of them.

    A broker sends again what is retained, and what was not acknowledged.
    """
    digest = hashlib.blake2b(one.payload, digest_size=16).digest()
    key = (one.site, one.kind)
    new = db.execute(
        "INSERT OR IGNORE INTO said SELECT ?1, ?2, ?3, coalesce(max(number), 0) + 1 FROM said"
        " WHERE site = ?1 AND kind = ?2",
        (*key, digest),
    ).rowcount
    if new:
        oldest = "(SELECT max(number) FROM said WHERE site = ?1 AND kind = ?2) - ?3"
        db.execute(f"DELETE FROM said WHERE site = ?1 AND kind = ?2 AND number <= {oldest}", (*key, REMEMBERED))  # noqa: S608
    return bool(new)


def latest(db: sqlite3.Connection, site: str, kind: Kind) -> bytes | None:
    """Return the newest status or point list of a site as received; None where it has sent none."""
    row = db.execute("SELECT payload FROM latest WHERE site = ? AND kind = ?", (site, kind)).fetchone()
    return None if row is None else bytes(row[0])


def record(db: sqlite3.Connection, fresh: Sequence[Checked], repeated: Sequence[Checked]) -> None:
    """Count what `fresh` and `repeated` messages say, within the caller's transaction."""
    _count_batches(db, [(one, one.said) for one in fresh if isinstance(one.said, Sealed)])
    _count_duplicates(db, [(one, one.said) for one in repeated if isinstance(one.said, Sealed)])
    for one in fresh:
        if isinstance(one.said, Status):
            _take_status(db, one, one.said)
        elif isinstance(one.said, PointList):
            _take_points(db, one, one.said)


def _count_batches(db: sqlite3.Connection, batches: Iterable[tuple[Checked, Sealed]]) -> None:
    streams: dict[tuple[str, str], tuple[str, int, int]] = {}
    readings: Counter[tuple[str, int]] = Counter()
    bad: Counter[tuple[str, int]] = Counter()
    for one, sealed in batches:
        key = (one.site, sealed.stream)
        streams[key] = (sealed.boot, streams.get(key, ("", 0, 0))[1] + 1, one.received_ms)
        for hour in sealed.hours:
            readings[one.site, hour.hour_ms] += hour.readings
            bad[one.site, hour.hour_ms] += hour.bad
    db.executemany(
        "INSERT INTO stream VALUES (?, ?, ?, ?, 0, ?, ?) ON CONFLICT DO UPDATE SET"
        " boot = excluded.boot, batches = batches + excluded.batches, last_ms = excluded.last_ms",
        [(*key, boot, batches, at_ms, at_ms) for key, (boot, batches, at_ms) in streams.items()],
    )
    db.executemany(
        "INSERT INTO hour VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " readings = readings + excluded.readings, bad = bad + excluded.bad",
        [(*key, rows, bad[key]) for key, rows in readings.items()],
    )


def _count_duplicates(db: sqlite3.Connection, batches: Iterable[tuple[Checked, Sealed]]) -> None:
    times = Counter((one.site, sealed.stream) for one, sealed in batches)
    db.executemany(
        "UPDATE stream SET duplicates = duplicates + ? WHERE site = ? AND stream = ?",
        [(number, *key) for key, number in times.items()],
    )


def _take_status(db: sqlite3.Connection, one: Checked, status: Status) -> None:
    earlier_payload = latest(db, one.site, "status")
    earlier = None if earlier_payload is None else decode(earlier_payload, Status)
    if earlier is None or _lasting(earlier) != _lasting(status):
        row = (one.site, one.received_ms, status.at_ms, one.payload)
        db.execute("INSERT INTO status_change VALUES (?, ?, ?, ?)", row)
    if earlier is not None and abs(step_ms := _clock_step_ms(earlier, status)) >= CLOCK_STEP_MS:
        db.execute(
            "INSERT INTO clock_step VALUES (?, ?, ?, ?, ?)",
            (one.site, status.boot, status.at_ms, one.received_ms, step_ms),
        )
    if status.stream is not None:
        db.execute(
            "INSERT INTO sealed_count VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
            " batches = max(batches, excluded.batches)",
            (one.site, status.stream, status.next_seq),
        )
    for gone in status.dropped:
        _take_dropped(db, one, gone)
    _keep_latest(db, one)


def _take_points(db: sqlite3.Connection, one: Checked, announced: PointList) -> None:
    """Keep a promise where it differs from the one before: a site announces its points with every connection."""
    earlier = latest(db, one.site, "points")
    if earlier is None or decode(earlier, PointList).points != announced.points:
        row = (one.site, one.received_ms, one.payload)
        db.execute("INSERT OR REPLACE INTO point_list VALUES (?, ?, ?)", row)
    _keep_latest(db, one)


def _take_dropped(db: sqlite3.Connection, one: Checked, gone: DroppedRange) -> None:
    """Keep a reported loss once: a site repeats its ranges, lets them grow, and joins neighbours."""
    of_stream = (one.site, gone.stream, gone.first_seq, gone.last_seq)
    known = "SELECT 1 FROM dropped WHERE site = ? AND stream = ? AND first_seq <= ? AND last_seq >= ?"
    if db.execute(known, of_stream).fetchone() is None:
        db.execute("DELETE FROM dropped WHERE site = ? AND stream = ? AND first_seq >= ? AND last_seq <= ?", of_stream)
        row = (one.site, *msgspec.structs.astuple(gone), one.received_ms)
        db.execute("INSERT OR REPLACE INTO dropped VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def _lasting(status: Status) -> tuple[object, ...]:
    """What a person would call a change, as opposed to a heartbeat."""
    return status.online, status.boot, status.version, status.stream, status.clock, status.set_aside


def _clock_step_ms(earlier: Status, later: Status) -> int:
    """How far the site's wall clock was set between two statuses of one boot, whatever the line did meanwhile."""
    if earlier.boot != later.boot or earlier.up_ms is None or later.up_ms is None or later.up_ms < earlier.up_ms:
        return 0
    return (later.at_ms - earlier.at_ms) - (later.up_ms - earlier.up_ms)


def _keep_latest(db: sqlite3.Connection, one: Checked) -> None:
    row = (one.site, one.kind, one.received_ms, one.payload)
    db.execute("INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?)", row)
