"""Tokens of the API: each with its scopes and its end, shown once and kept as a digest."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from dashboards.console.digest import digest
from dashboards.console.errors import NotFound, Unusable
from dashboards.console.people import SCOPES, Caller, Scope, is_name
from dashboards.console.rows import Rows

SCHEMA = """
CREATE TABLE IF NOT EXISTS token(
    name TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL, made_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL) WITHOUT ROWID;
"""
PREFIX = "steppe_"
"""Lets scanners of repositories and logs recognize a token that got lost there."""
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Token:
    """What is kept of a token."""

    name: str
    scopes: tuple[Scope, ...]
    made_ms: int
    until_ms: int


class Tokens:
    """Which programs may use the API."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def new(self, name: str, scopes: Collection[Scope], *, days: int, now_ms: int) -> str:
        """Return the word of a new token. Raises Unusable where the name is taken or no name."""
        if not is_name(name):
            raise Unusable("tokens.bad_name")
        word = PREFIX + secrets.token_urlsafe(32)
        ordered = " ".join(scope for scope in SCOPES if scope in scopes)
        row = (name, digest(word), ordered, now_ms, now_ms + days * DAY_MS)
        if not self._rows.write("INSERT OR IGNORE INTO token VALUES(?, ?, ?, ?, ?)", row):
            raise Unusable("tokens.name_taken")
        return word

    def caller(self, word: str, *, now_ms: int) -> Caller | None:
        """Return who uses a token, if it still counts."""
        query = "SELECT name, scopes FROM token WHERE digest = ? AND until_ms > ?"
        for name, scopes in self._rows.read(query, (digest(word), now_ms)):
            return Caller(f"token {name}", frozenset(scopes.split()))
        return None

    def all(self) -> list[Token]:
        """Return every token, by name; revoked ones are gone."""
        query = "SELECT name, scopes, made_ms, until_ms FROM token ORDER BY name"
        return [Token(name, tuple(scopes.split()), *times) for name, scopes, *times in self._rows.read(query)]

    def revoke(self, name: str) -> None:
        """Make a token worthless at once. Raises NotFound."""
        if not self._rows.write("DELETE FROM token WHERE name = ?", (name,)):
            raise NotFound(f"token {name}")
