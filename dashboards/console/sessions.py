"""Sessions: a random word in the browser's cookie, its digest here. A new one at every sign-in."""

import secrets

from dashboards.console.digest import digest
from dashboards.console.people import Role, Session, User
from dashboards.console.rows import Rows

SCHEMA = """
CREATE TABLE IF NOT EXISTS session(
    digest TEXT PRIMARY KEY, user TEXT NOT NULL, csrf TEXT NOT NULL, seen_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL) WITHOUT ROWID;
"""
SEEN_EVERY_MS = 60_000
"""How exactly the last request is known: a page view is no reason to write to the disk. [ms]"""
HOUR_MS = 3_600_000


class Sessions:
    """Who is signed in where."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def open(self, user: str, *, hours: float, now_ms: int) -> str:
        """Return the word for the cookie of a new session."""
        word = secrets.token_urlsafe(32)
        row = (digest(word), user, secrets.token_urlsafe(24), now_ms, now_ms + int(hours * HOUR_MS))
        with self._rows.transaction() as db:
            db.execute("DELETE FROM session WHERE until_ms <= ?", (now_ms,))
            db.execute("INSERT INTO session VALUES(?, ?, ?, ?, ?)", row)
        return word

    def get(self, word: str, *, idle_hours: float, now_ms: int) -> Session | None:
        """Return the session of a cookie's word, if it still counts and its user may still come in."""
        query = """
            SELECT user.name, full_name, role, session.digest, csrf, seen_ms FROM session
            JOIN user ON user.name = session.user AND NOT disabled
            WHERE session.digest = ? AND until_ms > ? AND seen_ms > ?"""
        values = (digest(word), now_ms, now_ms - int(idle_hours * HOUR_MS))
        for row in self._rows.read(query, values):
            return self._seen(*row, now_ms=now_ms)
        return None

    def close(self, session: Session) -> None:
        """End one session."""
        self._rows.write("DELETE FROM session WHERE digest = ?", (session.digest,))

    def close_all(self, user: str, *, but: Session | None = None) -> None:
        """End every session of a user, or every other one."""
        kept = but.digest if but else ""
        self._rows.write("DELETE FROM session WHERE user = ? AND digest <> ?", (user, kept))

    def count(self, *, now_ms: int) -> int:
        """Return how many sessions count now."""
        return int(self._rows.read("SELECT count(*) FROM session WHERE until_ms > ?", (now_ms,))[0][0])

    def _seen(
        self, name: str, full_name: str, role: Role, key: str, csrf: str, seen_ms: int, *, now_ms: int
    ) -> Session:
        if now_ms - seen_ms >= SEEN_EVERY_MS:
            self._rows.write("UPDATE session SET seen_ms = ? WHERE digest = ?", (now_ms, key))
        return Session(User(name, full_name, role), csrf, key)
