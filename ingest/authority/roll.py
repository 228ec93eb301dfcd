"""The roll: every certificate that the authority signed, until when it holds, and whether it was revoked."""

from dataclasses import dataclass
from pathlib import Path

from ingest.authority.certificates import Issued
from ingest.schema import Schema, bring_up
from ingest.sqlite_file import connect, transaction

FILE = "roll.db"
TABLE = """
CREATE TABLE IF NOT EXISTS certificate (
    serial TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    not_before_ms INTEGER NOT NULL,
    not_after_ms INTEGER NOT NULL,
    revoked_ms INTEGER
);
"""
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Member:
    """A name on the roll, by its newest certificate."""

    name: str
    not_before_ms: int
    not_after_ms: int
    revoked: bool

    def days_left(self, now_ms: int) -> float:
        """Return how long its certificate holds; negative once it has expired. [days]"""
        return (self.not_after_ms - now_ms) / DAY_MS


class Roll:
    """The roll in its file. Written by whoever signs; each call is one durable transaction."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path)
        bring_up(self._db, path, Schema(TABLE))

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def enter(self, issued: Issued) -> None:
        """Note a certificate, before anybody gets it."""
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO certificate VALUES (?, ?, ?, ?, NULL)",
                (str(issued.serial), issued.name, issued.not_before_ms, issued.not_after_ms),
            )

    def revoke(self, name: str, now_ms: int) -> int:
        """Revoke every certificate of a name for good; return how many were not revoked before."""
        with transaction(self._db):
            return self._db.execute(
                "UPDATE certificate SET revoked_ms = ? WHERE name = ? AND revoked_ms IS NULL", (now_ms, name)
            ).rowcount

    def members(self) -> list[Member]:
        """Return each name by its newest certificate, in the order of names."""
        rows = self._db.execute(
            "SELECT name, not_before_ms, not_after_ms, revoked_ms IS NOT NULL FROM certificate"
            " WHERE rowid IN (SELECT max(rowid) FROM certificate GROUP BY name) ORDER BY name"
        )
        return [Member(name, first_ms, last_ms, bool(revoked)) for name, first_ms, last_ms, revoked in rows]

    def member(self, name: str) -> Member | None:
        """Return who stands on the roll under a name."""
        return next((member for member in self.members() if member.name == name), None)

    def revoked(self) -> list[tuple[int, int]]:
        """Return (serial, revoked_ms) of everything revoked."""
        rows = self._db.execute("SELECT serial, revoked_ms FROM certificate WHERE revoked_ms IS NOT NULL")
        return [(int(serial), revoked_ms) for serial, revoked_ms in rows]
