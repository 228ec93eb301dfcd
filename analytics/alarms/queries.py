"""What is asked of `alarms.db` by those who show it: occurrences, notices, what an alarm explains. Reads only.

Each function takes the connection of `AlarmDatabase.reading()`, so that all that one page shows is of one instant.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analytics.alarms.events import Severity
from analytics.alarms.records import Occurrence


@dataclass(frozen=True)
class Notice:
    """One word to one person about an occurrence, and what became of it."""

    purpose: str
    """`fired`, `escalated`, `reminder`, `resolved`."""
    recipient: str
    channels: tuple[str, ...]
    """What is left to try, in order; the one that took it where it was taken."""
    state: str
    """`queued`, `sending`, `accepted`, `cancelled`, `dead`."""
    attempts: int
    next_ms: int
    """When it is due, or was. [ms since 1970-01-01T00:00Z]"""
    sent_ms: int | None
    """When the service took it. [ms since 1970-01-01T00:00Z]"""
    last_error: str


@dataclass(frozen=True)
class Told:
    """Who knows of an occurrence, and who is next unless somebody takes it."""

    heard: tuple[tuple[str, int], ...] = ()
    """Who was told that it began, and when last, in that order. [ms since 1970-01-01T00:00Z]"""
    next_name: str = ""
    """Empty where nobody is next."""
    next_ms: int = 0


@dataclass(frozen=True)
class Filter:
    """Which occurrences of the past are asked for."""

    start_ms: int
    end_ms: int
    severities: tuple[Severity, ...] = ()
    """Empty for all."""
    alarm: str = ""
    """Part of the alarm's id; empty for all."""
    assets: tuple[str, ...] | None = None
    """None for all."""


def occurrence(connection: sqlite3.Connection, number: int) -> Occurrence | None:
    """Return an occurrence by its own number, the one in a notice's mark; None where there is none."""
    row = connection.execute("SELECT * FROM occurrence WHERE id = ?", (number,)).fetchone()
    return None if row is None else _occurrence(row)


def occurrence_of(connection: sqlite3.Connection, alarm: str, number: int) -> Occurrence | None:
    """Return an alarm's occurrence of a number; None where there is none."""
    row = connection.execute("SELECT * FROM occurrence WHERE alarm = ? AND number = ?", (alarm, number)).fetchone()
    return None if row is None else _occurrence(row)


def newest(connection: sqlite3.Connection, alarms: Sequence[str]) -> dict[str, Occurrence]:
    """Return alarm → its newest occurrence, of those that have one."""
    rows = connection.execute(
        "SELECT o.* FROM json_each(?1) a JOIN occurrence o ON o.alarm = a.value AND o.number ="
        " (SELECT max(number) FROM occurrence WHERE alarm = a.value)",
        (_json(alarms),),
    )
    return {found.alarm: found for found in map(_occurrence, rows)}


def explained(connection: sqlite3.Connection, alarm: str) -> list[Occurrence]:
    """Return the open occurrences that an alarm explains, the oldest first."""
    rows = connection.execute(
        "SELECT * FROM occurrence WHERE closed_ms IS NULL AND cause = ? ORDER BY onset_ms, id", (alarm,)
    )
    return [_occurrence(row) for row in rows]


def explained_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return alarm → how many open occurrences it explains."""
    query = "SELECT cause, count(*) FROM occurrence WHERE closed_ms IS NULL AND cause IS NOT NULL GROUP BY cause"
    return dict(connection.execute(query).fetchall())


def onsets_since(connection: sqlite3.Connection, alarm: str, since_ms: int) -> list[int]:
    """Return when an alarm's occurrences began since an instant, the oldest first. [ms since 1970-01-01T00:00Z]"""
    query = "SELECT onset_ms FROM occurrence WHERE alarm = ? AND onset_ms >= ? ORDER BY onset_ms"
    return [onset_ms for (onset_ms,) in connection.execute(query, (alarm, since_ms))]


def next_onset_ms(connection: sqlite3.Connection, alarm: str, number: int) -> int | None:
    """Return when the occurrence after one began; None where it is the newest. [ms since 1970-01-01T00:00Z]"""
    query = "SELECT min(onset_ms) FROM occurrence WHERE alarm = ? AND number > ?"
    row = connection.execute(query, (alarm, number)).fetchone()
    return None if row[0] is None else int(row[0])


def history(
    connection: sqlite3.Connection, wanted: Filter, *, limit: int, offset: int = 0
) -> tuple[list[Occurrence], int]:
    """Return a page of the occurrences that began in a period, the newest first, and how many there are in all."""
    where = (
        " FROM occurrence o JOIN alarm a ON a.id = o.alarm WHERE o.onset_ms >= :start AND o.onset_ms < :end"
        " AND (:severities = '[]' OR o.severity IN (SELECT value FROM json_each(:severities)))"
        " AND instr(o.alarm, :alarm) > 0"
        " AND (:assets IS NULL OR a.asset IN (SELECT value FROM json_each(:assets)))"
    )
    values = {
        "start": wanted.start_ms,
        "end": wanted.end_ms,
        "severities": _json([int(severity) for severity in wanted.severities]),
        "alarm": wanted.alarm,
        "assets": None if wanted.assets is None else _json(wanted.assets),
    }
    (total,) = connection.execute(f"SELECT count(*){where}", values).fetchone()
    page = f"SELECT o.*{where} ORDER BY o.onset_ms DESC, o.id DESC LIMIT :limit OFFSET :offset"
    rows = connection.execute(page, values | {"limit": limit, "offset": offset})
    return [_occurrence(row) for row in rows], total


def within(connection: sqlite3.Connection, start_ms: int, end_ms: int) -> list[Occurrence]:
    """Return the occurrences of which any part lies in [start, end), and that no other alarm explains, oldest first."""
    rows = connection.execute(
        "SELECT * FROM occurrence WHERE onset_ms < ? AND (onset_ms >= ? OR coalesce(returned_ms, closed_ms) IS NULL"
        " OR coalesce(returned_ms, closed_ms) >= ?) AND cause IS NULL ORDER BY onset_ms, id",
        (end_ms, start_ms, start_ms),
    )
    return [_occurrence(row) for row in rows]


def notices(connection: sqlite3.Connection, alarm: str, number: int) -> list[Notice]:
    """Return every notice of an alarm's occurrence, in the order of their times."""
    rows = connection.execute(
        "SELECT purpose, recipient, channels, iif(called_back AND state = 'queued', 'cancelled', state), attempts,"
        " next_ms, sent_ms, last_error, sent_by FROM outbox WHERE alarm = ? AND occurrence = ?"
        " ORDER BY coalesce(sent_ms, next_ms), id",
        (alarm, number),
    )
    return [
        Notice(purpose, to, (by,) if by else tuple(ways.split("\n")), state, attempts, next_ms, sent_ms, error)
        for purpose, to, ways, state, attempts, next_ms, sent_ms, error, by in rows
    ]


def told(connection: sqlite3.Connection, alarms: Sequence[str]) -> dict[tuple[str, int], Told]:
    """Return (alarm, occurrence number) → who knows, of those of some alarms of which anybody was to be told."""
    rows = connection.execute(
        "SELECT alarm, occurrence, recipient, state, sent_ms, next_ms FROM json_each(?) JOIN outbox ON alarm = value"
        " WHERE purpose != 'resolved' AND (state = 'accepted' OR (state IN ('queued', 'sending') AND NOT called_back))"
        " ORDER BY coalesce(sent_ms, next_ms), outbox.id",
        (_json(alarms),),
    )
    heard: dict[tuple[str, int], dict[str, int]] = {}
    coming: dict[tuple[str, int], tuple[str, int]] = {}
    for alarm, number, name, state, sent_ms, next_ms in rows:
        if state == "accepted":
            heard.setdefault((alarm, number), {})[name] = sent_ms
        else:
            coming.setdefault((alarm, number), (name, next_ms))
    return {
        key: Told(tuple(heard.get(key, {}).items()), *coming.get(key, ("", 0))) for key in heard.keys() | coming.keys()
    }


def dead_notices(connection: sqlite3.Connection, since_ms: int) -> int:
    """Return how many notices due since an instant reached nobody."""
    (count,) = connection.execute(
        "SELECT count(*) FROM outbox WHERE state = 'dead' AND next_ms >= ?", (since_ms,)
    ).fetchone()
    return int(count)


def work_order_of(connection: sqlite3.Connection, alarm: str, number: int) -> int | None:
    """Return the number of an occurrence's work order; None where it has none."""
    query = "SELECT id FROM work_order WHERE alarm = ? AND occurrence = ?"
    row = connection.execute(query, (alarm, number)).fetchone()
    return None if row is None else int(row[0])


def _occurrence(row: tuple[Any, ...]) -> Occurrence:
    number, alarm, of_alarm, onset_ms, severity, *rest = row  # the columns stand in the fields' order
    return Occurrence(number, alarm, of_alarm, onset_ms, _SEVERITY[severity], *rest)


def _json(values: Sequence[str] | Sequence[int]) -> str:
    return json.dumps(list(values))


_SEVERITY = {int(severity): severity for severity in Severity}
