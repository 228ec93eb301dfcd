"""`console.db`: users, sessions, tokens, wrong passwords, and the audit trail of every act. One file of mode 600."""

from dataclasses import dataclass
from pathlib import Path

from analytics.alarms import audit
from analytics.alarms.audit import AuditRow
from dashboards.console import sessions, tokens, tries, users
from dashboards.console.rows import Rows
from dashboards.console.sessions import Sessions
from dashboards.console.tokens import Tokens
from dashboards.console.tries import Tries
from dashboards.console.users import Users

FILE = "console.db"
SCHEMA = users.SCHEMA + sessions.SCHEMA + tokens.SCHEMA + tries.SCHEMA + audit.SCHEMA


@dataclass(frozen=True)
class Deed:
    """Who did what, to what, and why."""

    at_ms: int
    who: str
    act: str
    """One word, such as `sign in` or `add user`."""
    subject: str
    why: str = ""


class ConsoleDatabase:
    """The console's own file; one per process, shared by its threads."""

    def __init__(self, path: Path, *, wrong_passwords: int = 5) -> None:
        """Open the file, or make it. Raises StoreDown or StoreRefused."""
        self._rows = Rows(path, SCHEMA)
        self.users = Users(self._rows)
        """Who may sign in."""
        self.sessions = Sessions(self._rows)
        """Who is signed in."""
        self.tokens = Tokens(self._rows)
        """Which programs may use the API."""
        self.tries = Tries(self._rows, wrong_passwords)
        """Wrong passwords lately."""

    def note(self, deed: Deed) -> None:
        """Add a deed to the audit trail, in which each row's hash covers the one before it."""
        row = AuditRow(deed.at_ms, deed.at_ms, deed.subject, deed.act, "", "", deed.who, deed.why)
        with self._rows.transaction() as db:
            audit.append(db, row)

    def deeds(self, *, limit: int = 200) -> list[Deed]:
        """Return the newest deeds first."""
        with self._rows.transaction() as db:
            rows = list(audit.rows(db, limit=limit))
        return [Deed(row.at_ms, row.actor, row.act, row.alarm, row.reason) for row in rows]

    def broken_deeds(self) -> list[int]:
        """Return the numbers of audit rows at which the chain breaks."""
        with self._rows.transaction() as db:
            return audit.broken_rows(db)

    def close(self) -> None:
        """Let go of the file."""
        self._rows.close()
