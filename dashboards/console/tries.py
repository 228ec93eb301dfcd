"""Wrong passwords: counted per user and address, per address, and per user, so that guessing takes years."""

from dataclasses import dataclass

from dashboards.console.errors import TooMany
from dashboards.console.rows import Rows

SCHEMA = """
CREATE TABLE IF NOT EXISTS try(at_ms INTEGER NOT NULL, user TEXT NOT NULL, address TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS try_time ON try(at_ms);
"""
WINDOW_MS = 15 * 60_000
PER_ADDRESS, PER_USER = 4, 10
"""So many times as many are allowed to one address for all users, and to one user from all addresses."""


@dataclass(frozen=True)
class Tries:
    """The wrong passwords of the last quarter of an hour; they survive a restart."""

    rows: Rows
    allowed: int
    """Per user and address."""

    def refuse_too_many(self, user: str, address: str, *, now_ms: int) -> None:
        """Raise TooMany where this user or this address has had its tries; nobody is locked out for longer."""
        query = """
            SELECT sum(user = :user AND address = :address) >= :allowed
                OR sum(address = :address) >= :allowed * :per_address
                OR sum(user = :user) >= :allowed * :per_user, min(at_ms)
            FROM try WHERE at_ms > :since AND at_ms <= :now AND (user = :user OR address = :address)"""
        values = {"user": user, "address": address, "allowed": self.allowed, "since": now_ms - WINDOW_MS, "now": now_ms}
        values |= {"per_address": PER_ADDRESS, "per_user": PER_USER}
        ((is_too_many, first_ms),) = self.rows.read(query, values)
        if is_too_many:
            raise TooMany("signin.too_many", wait_s=max((first_ms + WINDOW_MS - now_ms) // 1000, 1))

    def note(self, user: str, address: str, *, now_ms: int) -> None:
        """Count a wrong password, and forget what is too old to count."""
        with self.rows.transaction() as db:
            db.execute("DELETE FROM try WHERE at_ms <= ?", (now_ms - WINDOW_MS,))
            db.execute("INSERT INTO try VALUES(?, ?, ?)", (now_ms, user[:100], address))

    def forgive(self, user: str, address: str) -> None:
        """Forget the tries of a user who came in, from this address."""
        self.rows.write("DELETE FROM try WHERE user = ? AND address = ?", (user, address))
