"""What a backup says of itself: every file with its hash, every database with its version and its counts."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

NAME = "manifest.json"
FORMAT = 1
"""Of the backup file itself. A newer one is refused."""


@dataclass(frozen=True)
class KeptFile:
    """One file of the centre's folder."""

    name: str
    """Path in the restored folder."""
    bytes: int
    sha256: str
    mode: int
    """Permissions, such as 0o600."""


@dataclass(frozen=True)
class KeptDatabase:
    """What a database held at the instant of the backup."""

    version: int
    """Of its schema: `PRAGMA user_version`."""
    rows: Mapping[str, int]
    """Table → rows."""


@dataclass(frozen=True)
class StoreLines:
    """What of the store stands in the backup as lines; nothing where the store is one of the files."""

    readings: int = 0
    numbers: int = 0
    """Partial sums."""


@dataclass(frozen=True)
class Manifest:
    """All of a backup."""

    format: int
    steppe: str
    """The program that made it."""
    taken_ms: int
    """The one instant that all its databases show. [ms since 1970-01-01T00:00Z]"""
    root: str
    """Where the centre's folder stood: the broker's own file names it."""
    files: tuple[KeptFile, ...]
    folders: Mapping[str, int]
    """Path in the restored folder → permissions; `.` is that folder itself."""
    databases: Mapping[str, KeptDatabase]
    """By the name of the file."""
    lines: StoreLines
    left_out: tuple[str, ...]
    """Keys and passwords that stood there and are not in the backup."""


def contents(db: sqlite3.Connection) -> KeptDatabase:
    """Return what a database holds now."""
    [(version,)] = db.execute("PRAGMA user_version").fetchall()
    tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1")
    count = "SELECT count(*) FROM {}"
    return KeptDatabase(
        version, {table: db.execute(count.format(f'"{table}"')).fetchone()[0] for (table,) in tables.fetchall()}
    )
