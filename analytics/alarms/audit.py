"""The audit trail: an append-only table in which every row's hash covers the row before it.

Whoever changes, removes or reorders a row breaks the chain at that place, and `broken_rows` names it. What the chain
cannot see is the loss of its last rows; their count and last hash are printed by the daily check, to compare.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

SCHEMA = """
CREATE TABLE IF NOT EXISTS audit(seq INTEGER PRIMARY KEY, row TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS audit_alarm ON audit(json_extract(row, '$.alarm'));
CREATE TRIGGER IF NOT EXISTS audit_keeps_rows BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit rows are never removed'); END;
CREATE TRIGGER IF NOT EXISTS audit_keeps_words BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
"""
FIRST_HASH = "0" * 64


@dataclass(frozen=True)
class AuditRow:
    """Who did what to which alarm, when and why."""

    at_ms: int
    """Instant of the act or of the reading that decided it. [ms since 1970-01-01T00:00Z]"""
    recorded_ms: int
    """When it was written down. [ms since 1970-01-01T00:00Z]"""
    alarm: str
    act: str
    """The event's name, such as `Acknowledge`, or `refused Acknowledge`."""
    before: str
    """ISA letter before it."""
    after: str
    actor: str
    """User name, or `engine`."""
    reason: str = ""


def append(connection: sqlite3.Connection, row: AuditRow) -> None:
    """Add a row to the chain, inside the caller's transaction."""
    last = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone() or (0, FIRST_HASH)
    text = json.dumps(asdict(row), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    connection.execute("INSERT INTO audit VALUES(?, ?, ?)", (last[0] + 1, text, _chained(last[1], text)))


def rows(connection: sqlite3.Connection, *, alarm: str | None = None, limit: int = 1000) -> Iterator[AuditRow]:
    """Yield the newest rows first, of one alarm or of all."""
    of_alarm = "" if alarm is None else "WHERE json_extract(row, '$.alarm') = :alarm"
    query = f"SELECT row FROM audit {of_alarm} ORDER BY seq DESC LIMIT :limit"  # noqa: S608 - our own words
    for (text,) in connection.execute(query, {"alarm": alarm, "limit": limit}):
        yield AuditRow(**json.loads(text))


def newest(connection: sqlite3.Connection, alarm: str, act: str) -> AuditRow | None:
    """Return an alarm's newest row of one act; None where it was never done."""
    query = (
        "SELECT row FROM audit WHERE json_extract(row, '$.alarm') = ? AND json_extract(row, '$.act') = ?"
        " ORDER BY seq DESC LIMIT 1"
    )
    found = connection.execute(query, (alarm, act)).fetchone()
    return None if found is None else AuditRow(**json.loads(found[0]))


def alarms_acted_on(connection: sqlite3.Connection, acts: Sequence[str], reason: str, *, since_ms: int) -> list[str]:
    """Return the alarms to which one of some acts was done since an instant, for a reason that begins like `reason`."""
    found = connection.execute(
        "SELECT DISTINCT json_extract(row, '$.alarm') FROM audit WHERE json_extract(row, '$.recorded_ms') >= ?"
        " AND json_extract(row, '$.act') IN (SELECT value FROM json_each(?))"
        " AND substr(json_extract(row, '$.reason'), 1, ?) = ? ORDER BY 1",
        (since_ms, json.dumps(list(acts)), len(reason), reason),
    )
    return [alarm for (alarm,) in found]


def broken_rows(connection: sqlite3.Connection) -> list[int]:
    """Return the numbers of the rows at which the chain breaks; empty for a trail that is whole."""
    broken, expected_seq, previous = [], 1, FIRST_HASH
    for seq, text, digest in connection.execute("SELECT seq, row, hash FROM audit ORDER BY seq"):
        if seq != expected_seq or digest != _chained(previous, text):
            broken.append(seq)
        expected_seq, previous = seq + 1, digest
    return broken


def _chained(previous: str, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
