"""What `alarms.db` lets go of: once a day, what is old and nobody will ask for again.

Kept for ever: the audit trail, alarms, occurrences, what backlogs told, and work orders; they grow with what happens
and not with time. Let go after `KEEP_DAYS`: notices that are done with, unless their occurrence still stands and
somebody may be owed the word that it is over; links that were used, long after they have expired; and the last word of
sites that have not been heard since.
"""

from analytics.alarms.database import Transaction
from analytics.alarms.links import VALID_MS

DAY_MS = 86_400_000
KEEP_DAYS = 90
TRIMMED = "trimmed_day"
HEARD = ("sites_heard:", "site_clock:")


def trim_daily(change: Transaction, *, now_ms: int) -> None:
    """Trim inside the caller's transaction if it was not done this day (of UTC); a clock set back trims nothing."""
    day = now_ms // DAY_MS
    row = change.connection.execute("SELECT value FROM meta WHERE name = ?", (TRIMMED,)).fetchone()
    if row is None or day > int(row[0]):
        change.set_meta(TRIMMED, str(day))
        trim(change, now_ms=now_ms)


def trim(change: Transaction, *, now_ms: int) -> int:
    """Let go of what is old inside the caller's transaction; return how many rows that was."""
    old_ms = now_ms - KEEP_DAYS * DAY_MS
    notices = change.connection.execute(
        "DELETE FROM outbox WHERE state IN ('accepted', 'cancelled', 'dead') AND max(queued_ms, next_ms) < ?"
        " AND NOT EXISTS (SELECT 1 FROM occurrence WHERE occurrence.alarm = outbox.alarm"
        " AND occurrence.number = outbox.occurrence AND closed_ms IS NULL)",
        (old_ms,),
    )
    links = change.connection.execute("DELETE FROM link_used WHERE at_ms < ?", (old_ms - VALID_MS,))
    return notices.rowcount + links.rowcount + _forget_sites(change, old_ms)


def _forget_sites(change: Transaction, old_ms: int) -> int:
    """A site's two lines in `meta` go together, unless its silence still stands as an alarm."""
    heard, clock = HEARD
    rows = change.connection.execute(
        "SELECT substr(name, ?) FROM meta WHERE substr(name, 1, ?) = ? AND CAST(value AS INTEGER) < ?"
        " AND NOT EXISTS (SELECT 1 FROM alarm WHERE standing AND id = substr(name, ?) || '#silent')",
        (len(heard) + 1, len(heard), heard, old_ms, len(heard) + 1),
    ).fetchall()
    gone = [(f"{prefix}{site}",) for (site,) in rows for prefix in (heard, clock)]
    change.connection.executemany("DELETE FROM meta WHERE name = ?", gone)
    return len(gone)
