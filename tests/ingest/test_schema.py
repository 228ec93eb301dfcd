"""Versions of our databases: an upgrade is whole or not at all, and a newer file is left alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.errors import BadInput
from ingest.schema import NewerFile, Schema, bring_up, copy_aside
from ingest.sqlite_file import connect

FIRST = Schema("CREATE TABLE IF NOT EXISTS meter (name TEXT, volts REAL);")


def add_phase(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE meter ADD COLUMN phase INTEGER NOT NULL DEFAULT 1")


def double_volts(db: sqlite3.Connection) -> None:
    db.execute("UPDATE meter SET volts = 2 * volts")


THIRD = Schema(
    "CREATE TABLE IF NOT EXISTS meter (name TEXT, volts REAL, phase INTEGER NOT NULL DEFAULT 1);\n"
    "CREATE TRIGGER IF NOT EXISTS stays BEFORE DELETE ON meter BEGIN SELECT RAISE(ABORT, 'it stays'); END;",
    version=3,
    steps={1: add_phase, 2: double_volts},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of version 1 with a meter of 115 V."""
    made = tmp_path / "meters.db"
    with closing(connect(made)) as db:
        bring_up(db, made, FIRST)
        db.execute("INSERT INTO meter VALUES ('m1', 115.0)")
    return made


def rows(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT * FROM meter").fetchall()


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def opened(path: Path, schema: Schema) -> None:
    with closing(connect(path)) as db:
        bring_up(db, path, schema)


def test_an_older_file_is_led_through_every_version_and_kept_as_it_was(path: Path) -> None:
    opened(path, THIRD)
    assert (rows(path), version(path)) == ([("m1", 230.0, 1)], 3)
    assert (rows(copy_aside(path, 1)), version(copy_aside(path, 1))) == ([("m1", 115.0)], 1)


def test_opening_again_changes_nothing(path: Path) -> None:
    opened(path, THIRD)
    opened(path, THIRD)
    assert rows(path) == [("m1", 230.0, 1)]


def test_a_new_file_gets_the_newest_tables_without_a_step(tmp_path: Path) -> None:
    opened(tmp_path / "new.db", THIRD)
    assert version(tmp_path / "new.db") == 3
    assert not copy_aside(tmp_path / "new.db", 1).exists()


def test_a_file_from_before_versions_were_written_is_of_version_1(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 0")
    opened(path, THIRD)
    assert (rows(path), version(path)) == ([("m1", 230.0, 1)], 3)


def test_a_newer_file_is_refused_in_one_line_and_left_as_it_is(path: Path) -> None:
    opened(path, THIRD)
    before = path.read_bytes()
    with pytest.raises(NewerFile, match=r"written by a newer steppe \(version 3, this one knows 1\)") as refused:
        opened(path, FIRST)
    assert "\n" not in str(refused.value)
    assert isinstance(refused.value, BadInput)
    assert path.read_bytes() == before


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_step_that_fails_leaves_the_file_as_it_was(path: Path, fails_at: int) -> None:
    def fail(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM meter")
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(sqlite3.OperationalError):
        opened(path, Schema(THIRD.sql, 3, {**THIRD.steps, fails_at: fail}))
    assert (rows(path), version(path)) == ([("m1", 115.0)], 1)
    opened(path, THIRD)
    assert rows(path) == [("m1", 230.0, 1)]


def test_what_was_committed_and_not_yet_in_the_file_itself_is_in_the_copy(path: Path) -> None:
    with closing(connect(path)) as writer:
        writer.execute("INSERT INTO meter VALUES ('m2', 116.0)")
        opened(path, THIRD)
    assert rows(copy_aside(path, 1)) == [("m1", 115.0), ("m2", 116.0)]
