"""The version of a database's tables, and the way from an older one.

Upgrade: a program that finds an older file changes it in one transaction, when it opens it, after a copy of the whole
file was set aside as `<file>.version-<old>`. Downgrade: a file that is newer than the program is refused and left as
it is; the copy set aside, or a backup made before the upgrade, is what an older program reads.
The version stands in the file itself (`PRAGMA user_version`); 0 is an empty file, or one from before versions were
written, whose tables are those of version 1.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from edge.errors import BadInput
from ingest.sqlite_file import transaction

FIRST_VERSION = 1

Step = Callable[[sqlite3.Connection], None]
"""Changes the tables of one version into those of the next; runs inside the transaction."""


class NewerFile(BadInput):
    """A newer program wrote this file; nothing of it was touched."""


@dataclass(frozen=True)
class Schema:
    """The tables of one kind of database."""

    sql: str
    """Makes what is absent of the newest version: `CREATE … IF NOT EXISTS`."""
    version: int = FIRST_VERSION
    """The newest, which this program reads and writes."""
    steps: Mapping[int, Step] = field(default_factory=dict)
    """Older version → the way to the next one."""


def bring_up(db: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """Give the open file `path` the tables of `schema`.

    Raises BadInput or sqlite3.Error; nothing has changed then, and the connection is closed.
    """
    try:
        _refuse_newer(db, path, schema)
        if _version(db) != schema.version:
            with transaction(db):
                _change(db, path, schema)
    except BaseException:
        db.close()
        raise


def copy_aside(path: Path, version: int) -> Path:
    """Return where the file is kept as it was at `version`."""
    return path.with_name(f"{path.name}.version-{version}")


def _change(db: sqlite3.Connection, path: Path, schema: Schema) -> None:
    version = _version_of_tables(db, schema)
    _refuse_newer(db, path, schema)
    if version < schema.version:
        _set_aside(path, version)
    for older in range(version, schema.version):
        schema.steps[older](db)
    _run_script(db, schema.sql)
    db.execute(f"PRAGMA user_version = {schema.version}")


def _run_script(db: sqlite3.Connection, sql: str) -> None:
    """Run the statements one by one within the transaction; `executescript` would end it."""
    statement = ""
    for piece in sql.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _version_of_tables(db: sqlite3.Connection, schema: Schema) -> int:
    """The version as it stands now that nobody else writes; a file without tables needs no step."""
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return max(_version(db), FIRST_VERSION) if tables else schema.version


def _refuse_newer(db: sqlite3.Connection, path: Path, schema: Schema) -> None:
    version = _version(db)
    if version > schema.version:
        raise NewerFile(
            f"{path}: written by a newer steppe (version {version}, this one knows {schema.version}). Install the "
            "newer one again, or restore a backup made before the upgrade"
        )


def _set_aside(path: Path, version: int) -> None:
    """Copy the file as last committed; a copy that was cut short has another name."""
    aside = copy_aside(path, version)
    if shutil.disk_usage(path.parent).free < 2 * path.stat().st_size:
        raise BadInput(f"{path}: no room to keep a copy of it before it is upgraded. Free twice its size on this disk")
    unfinished = aside.with_name(f"{aside.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT, path.stat().st_mode & 0o777))
    with closing(sqlite3.connect(path)) as committed, closing(sqlite3.connect(unfinished)) as copied:
        committed.backup(copied)
        copied.execute("PRAGMA journal_mode = DELETE")
    unfinished.replace(aside)
