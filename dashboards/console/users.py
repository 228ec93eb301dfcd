"""Users, their passwords (argon2), and the one-time links by which they first come in."""

import secrets
import threading
from typing import Literal

import argon2

from dashboards.console.digest import digest
from dashboards.console.errors import NotFound, Unusable
from dashboards.console.people import Role, User, is_name
from dashboards.console.rows import Rows

SCHEMA = """
CREATE TABLE IF NOT EXISTS user(
    name TEXT PRIMARY KEY, full_name TEXT NOT NULL, role TEXT NOT NULL, password TEXT, disabled INTEGER NOT NULL,
    made_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS link(
    digest TEXT PRIMARY KEY, user TEXT NOT NULL, purpose TEXT NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID;
"""
LINK_HOURS = 72
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
"""Hashing a novel is work that a stranger could order."""
HASHED_AT_ONCE = 2
"""A hash takes 64 MiB on purpose; so many at a time bound the memory that sign-ins may take."""

Purpose = Literal["password", "enter"]
"""What a one-time link is good for: to choose a password, or only to come in once."""


class Users:
    """Who may sign in."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._hasher = argon2.PasswordHasher()
        self._room = threading.BoundedSemaphore(HASHED_AT_ONCE)
        self._nobody = ""

    def all(self) -> list[User]:
        """Return every user, by name."""
        query = "SELECT name, full_name, role, password IS NOT NULL, disabled FROM user ORDER BY name"
        return [_user(*row) for row in self._rows.read(query)]

    def get(self, name: str) -> User:
        """Return the user of that name. Raises NotFound."""
        query = "SELECT name, full_name, role, password IS NOT NULL, disabled FROM user WHERE name = ?"
        for row in self._rows.read(query, (name,)):
            return _user(*row)
        raise NotFound(f"user {name}")

    def add(self, name: str, full_name: str, role: Role, *, now_ms: int) -> None:
        """Add a user who has no password yet. Raises Unusable where the name is taken or no name."""
        if not is_name(name):
            raise Unusable("users.bad_name")
        row = (name, full_name.strip()[:100] or name, role, now_ms)
        if not self._rows.write("INSERT OR IGNORE INTO user VALUES(?, ?, ?, NULL, 0, ?)", row):
            raise Unusable("users.name_taken")

    def change(self, name: str, *, role: Role, is_disabled: bool) -> None:
        """Give a user another role, or shut or open the door. Raises Unusable where no admin would be left."""
        with self._rows.transaction() as db:
            values = (role, int(is_disabled), name)
            db.execute("UPDATE user SET role = ?, disabled = ? WHERE name = ?", values)
            (admins,) = db.execute("SELECT count(*) FROM user WHERE role = 'admin' AND NOT disabled").fetchone()
            if admins == 0:
                raise Unusable("users.last_admin")

    def set_password(self, name: str, password: str) -> None:
        """Keep the hash of a password. Raises Unusable where it is too short or only the name."""
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or password.lower() == name.lower():
            raise Unusable("users.weak_password")
        with self._room:
            hashed = self._hasher.hash(password)
        self._rows.write("UPDATE user SET password = ? WHERE name = ?", (hashed, name))

    def verify(self, name: str, password: str) -> User | None:
        """Return the user if the password is right. Takes as long for a name that does not exist."""
        found = self._rows.read("SELECT password FROM user WHERE name = ? AND NOT disabled", (name,))
        hashed = found[0][0] if found and found[0][0] else None
        with self._room:
            self._nobody = self._nobody or self._hasher.hash(secrets.token_urlsafe())
            is_right = _matches(self._hasher, hashed or self._nobody, password[:LONGEST_PASSWORD])
        return self.get(name) if hashed and is_right else None

    def new_link(self, name: str, purpose: Purpose, *, now_ms: int) -> str:
        """Return the word of a new one-time link; it takes the place of the user's earlier ones."""
        self.get(name)
        word = secrets.token_urlsafe(24)
        with self._rows.transaction() as db:
            db.execute("DELETE FROM link WHERE user = ? OR until_ms <= ?", (name, now_ms))
            row = (digest(word), name, purpose, now_ms + LINK_HOURS * 3_600_000)
            db.execute("INSERT INTO link VALUES(?, ?, ?, ?)", row)
        return word

    def of_link(self, word: str, *, now_ms: int) -> tuple[User, Purpose]:
        """Return whose link it is and what for; it stays good. Raises NotFound."""
        query = "SELECT user, purpose FROM link WHERE digest = ? AND until_ms > ?"
        for name, purpose in self._rows.read(query, (digest(word), now_ms)):
            user = self.get(name)
            if not user.is_disabled:
                return user, purpose
        raise NotFound("welcome.gone")

    def use_link(self, word: str, *, now_ms: int) -> User:
        """Use a link up and return whose it was. Raises NotFound where it was used or is too old."""
        user, _ = self.of_link(word, now_ms=now_ms)
        if not self._rows.write("DELETE FROM link WHERE digest = ?", (digest(word),)):
            raise NotFound("welcome.gone")
        return user


def _user(name: str, full_name: str, role: Role, has_password: int, disabled: int) -> User:
    return User(name, full_name, role, bool(has_password), bool(disabled))


def _matches(hasher: argon2.PasswordHasher, hashed: str, password: str) -> bool:
    try:
        return hasher.verify(hashed, password)
    except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
        return False
