"""The outbox: notices on their way to people, queued in the transaction that caused them.

A notice is queued → sending (leased) → accepted, or waits for its next try, or fails over to the person's next
channel, or ends dead and is itself reported. Delivery is at least once: a worker killed between sending and writing
down sends again, and the notice's key in the text lets a reader recognise it.
"""

import json
import random
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from analytics.alarms.channels.port import Answer, Verdict
from analytics.alarms.events import Severity

SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox(
    id INTEGER PRIMARY KEY, dedupe_key TEXT NOT NULL UNIQUE, alarm TEXT NOT NULL, occurrence INTEGER NOT NULL,
    purpose TEXT NOT NULL, severity INTEGER NOT NULL, recipient TEXT NOT NULL, channels TEXT NOT NULL,
    title TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'queued', attempts INTEGER NOT NULL DEFAULT 0,
    queued_ms INTEGER NOT NULL, next_ms INTEGER NOT NULL, lease_until_ms INTEGER NOT NULL DEFAULT 0,
    sent_ms INTEGER, sent_by TEXT NOT NULL DEFAULT '', sent_with INTEGER, provider_id TEXT NOT NULL DEFAULT '',
    last_error TEXT NOT NULL DEFAULT '', called_back INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox(state, next_ms);
CREATE INDEX IF NOT EXISTS outbox_sent ON outbox(sent_by, sent_ms);
CREATE INDEX IF NOT EXISTS outbox_alarm ON outbox(alarm, occurrence);
"""
LEASE_MS = 60_000
BACK_OFF_S = (5.0, 15.0, 45.0, 120.0, 300.0, 900.0)
JITTER = 0.2
PARKED_S = 300.0
"""A service that asks for a longer wait than this is left alone, and its notices go to the next channel. [s]"""


@dataclass(frozen=True)
class Outgoing:
    """A notice to queue."""

    dedupe_key: str
    """Queued once however often it is planned: occurrence, step, recipient."""
    alarm: str
    occurrence: int
    purpose: str
    """`fired`, `escalated`, `reminder`, `resolved`, `heartbeat`, `window`."""
    severity: Severity
    recipient: str
    channels: tuple[str, ...]
    """Names in the order of trying."""
    title: str
    body: str
    not_before_ms: int
    """First try; a later instant gives causes time to arrive and digests time to fill."""


@dataclass(frozen=True)
class Queued:
    """A notice in the outbox, leased to whoever took it."""

    id: int
    alarm: str
    occurrence: int
    purpose: str
    severity: Severity
    recipient: str
    channels: tuple[str, ...]
    """What is left to try; the first one now."""
    title: str
    body: str
    attempts: int
    """Tries on the first channel so far."""


def queue(connection: sqlite3.Connection, notices: Sequence[Outgoing], *, now_ms: int) -> None:
    """Add notices inside the caller's transaction; one planned before is not added again."""
    rows = [
        {
            "dedupe_key": notice.dedupe_key,
            "alarm": notice.alarm,
            "occurrence": notice.occurrence,
            "purpose": notice.purpose,
            "severity": int(notice.severity),
            "recipient": notice.recipient,
            "channels": "\n".join(notice.channels),
            "title": notice.title,
            "body": notice.body,
            "queued_ms": now_ms,
            "next_ms": notice.not_before_ms,
        }
        for notice in notices
    ]
    connection.executemany(
        "INSERT OR IGNORE INTO outbox(dedupe_key, alarm, occurrence, purpose, severity, recipient, channels, title,"
        " body, queued_ms, next_ms) VALUES(:dedupe_key, :alarm, :occurrence, :purpose, :severity, :recipient,"
        " :channels, :title, :body, :queued_ms, :next_ms)",
        rows,
    )


def lease(connection: sqlite3.Connection, *, now_ms: int, limit: int) -> list[Queued]:
    """Take up to `limit` due notices, the gravest and oldest first, for `LEASE_MS`; nobody else gets them meanwhile."""
    rows = connection.execute(
        "UPDATE outbox SET state = 'sending', lease_until_ms = ?1 + ?2 WHERE id IN (SELECT id FROM outbox"
        " WHERE next_ms <= ?1 AND NOT called_back"
        " AND (state = 'queued' OR (state = 'sending' AND lease_until_ms <= ?1))"
        " ORDER BY severity DESC, next_ms, id LIMIT ?3)"
        " RETURNING id, alarm, occurrence, purpose, severity, recipient, channels, title, body, attempts",
        (now_ms, LEASE_MS, limit),
    ).fetchall()
    taken = [_queued(*row) for row in rows]
    return sorted(taken, key=lambda notice: (-notice.severity, notice.id))


def settle(
    connection: sqlite3.Connection, notice: Queued, answer: Answer, *, now_ms: int, sent_with: int | None = None
) -> str:
    """Write down what became of a leased notice; return its new state: accepted, queued, cancelled or dead.

    `sent_with` is the first notice's id where several went as one message.
    """
    if answer.verdict is Verdict.ACCEPTED:
        row = {"state": "accepted", "sent_ms": now_ms, "provider_id": answer.provider_id}
        row |= {"sent_by": notice.channels[0], "sent_with": sent_with or notice.id}
    elif not wanted(connection, [notice]):
        row = {"state": "cancelled"}
    elif answer.verdict is Verdict.WAIT and notice.attempts < len(BACK_OFF_S) and not _parked(notice, answer):
        row = {"state": "queued", "attempts": notice.attempts + 1, "next_ms": now_ms + _wait_ms(notice, answer)}
    elif len(notice.channels) > 1:
        row = {"state": "queued", "attempts": 0, "next_ms": now_ms, "channels": "\n".join(notice.channels[1:])}
    else:
        row = {"state": "dead"}
    row["last_error"] = "" if answer.verdict is Verdict.ACCEPTED else answer.detail
    assignments = ", ".join(f"{column} = :{column}" for column in row)
    connection.execute(f"UPDATE outbox SET {assignments} WHERE id = :id", row | {"id": notice.id})  # noqa: S608
    return str(row["state"])


def sent_within(connection: sqlite3.Connection, channel: str, since_ms: int) -> int:
    """Return how many messages a channel has taken since an instant; a digest is one."""
    query = "SELECT count(DISTINCT sent_with) FROM outbox WHERE sent_by = ? AND sent_ms > ?"
    return int(connection.execute(query, (channel, since_ms)).fetchone()[0])


def put_back(connection: sqlite3.Connection, notice: Queued, *, until_ms: int) -> None:
    """Return a leased notice untried, not to be taken before `until_ms`: its channel's bucket is empty."""
    connection.execute("UPDATE outbox SET state = 'queued', next_ms = ? WHERE id = ?", (until_ms, notice.id))


def cancel(connection: sqlite3.Connection, alarm: str, occurrence: int, purposes: Sequence[str]) -> int:
    """Call back what waits for an occurrence, for some purposes; return how many notices that is.

    One that a worker holds just now may still leave, once; it is never tried again.
    """
    done = connection.execute(
        "UPDATE outbox SET called_back = 1, state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END"
        " WHERE state IN ('queued', 'sending') AND alarm = ? AND occurrence = ?"
        " AND purpose IN (SELECT value FROM json_each(?))",
        (alarm, occurrence, json.dumps(list(purposes))),
    )
    return done.rowcount


def wanted(connection: sqlite3.Connection, notices: Sequence[Queued]) -> list[Queued]:
    """Return those of some leased notices that have not been called back since; the others are cancelled."""
    ids = json.dumps([notice.id for notice in notices])
    rows = connection.execute(
        "UPDATE outbox SET state = 'cancelled' WHERE called_back AND state = 'sending'"
        " AND id IN (SELECT value FROM json_each(?)) RETURNING id",
        (ids,),
    ).fetchall()
    gone = {row[0] for row in rows}
    return [notice for notice in notices if notice.id not in gone]


def follow_clock(connection: sqlite3.Connection, back_ms: int) -> None:
    """Move what waits by as much as the centre's clock was set back, so that nobody is told that much later."""
    connection.execute(
        "UPDATE outbox SET next_ms = next_ms - ?1, lease_until_ms = lease_until_ms - ?1"
        " WHERE state IN ('queued', 'sending')",
        (back_ms,),
    )


def was_told(connection: sqlite3.Connection, alarm: str, occurrence: int) -> list[str]:
    """Return who has had word of an occurrence, or may have, and not yet that it is over: they are owed it."""
    rows = connection.execute(
        "SELECT recipient FROM outbox WHERE alarm = ? AND occurrence = ? AND state IN ('accepted', 'sending')"
        " GROUP BY recipient HAVING max(id * (purpose IN ('fired', 'escalated', 'reminder')))"
        " > max(id * (purpose = 'resolved')) ORDER BY recipient",
        (alarm, occurrence),
    )
    return [row[0] for row in rows]


def _parked(notice: Queued, answer: Answer) -> bool:
    """Whether the channel asks for so long a wait that the next one should have its turn."""
    return (answer.retry_after_s or 0.0) >= PARKED_S and len(notice.channels) > 1


def _queued(
    row_id: int,
    alarm: str,
    occurrence: int,
    purpose: str,
    severity: int,
    recipient: str,
    channels: str,
    title: str,
    body: str,
    attempts: int,
) -> Queued:
    ways = tuple(channels.split("\n"))
    return Queued(row_id, alarm, occurrence, purpose, Severity(severity), recipient, ways, title, body, attempts)


def _wait_ms(notice: Queued, answer: Answer) -> int:
    planned_s = BACK_OFF_S[notice.attempts] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not a secret
    return int(max(planned_s, answer.retry_after_s or 0.0) * 1000)
