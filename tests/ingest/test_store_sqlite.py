"""What can happen to a file: full disk, damage, another program's, two processes at once."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from support.wire import NOW_MS

from ingest.store import Columns, StoreRefused
from ingest.store_sqlite import SqliteStore

TURBIDITY = "qingshui-wtp/clearwell.turbidity_ntu"


def test_a_full_disk_stops_the_sqlite_store_and_nothing_stored_is_lost(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store.append(many_rows(100))
    store._db.execute("PRAGMA max_page_count = 20")  # what a full disk answers, from the same place in SQLite
    with pytest.raises(StoreRefused, match="disk is full"):
        store.append(many_rows(100_000))
    assert len(store.read([TURBIDITY], 0, 2**42)) == 100
    store.close()


def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    store.append(many_rows(100_000))
    store.close()
    spoilt = bytearray(path.read_bytes())
    spoilt[8_192 : len(spoilt) // 2] = bytes(len(spoilt) // 2 - 8_192)
    path.write_bytes(spoilt)
    with pytest.raises(StoreRefused, match="replay"):
        reading(path)
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(StoreRefused, match="replay"):
        SqliteStore(path)


def reading(path: Path) -> None:
    store = SqliteStore(path)
    try:
        store.read([TURBIDITY], 0, 2**42)
    finally:
        store.close()


def test_the_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(StoreRefused, match="another program"):
        SqliteStore(path)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="folder exists"):
        SqliteStore(tmp_path / "nowhere" / "store.db")


def test_readers_see_the_last_commit_while_a_writer_is_in_the_middle_of_one(tmp_path: Path) -> None:
    writer, reader = SqliteStore(tmp_path / "store.db"), SqliteStore(tmp_path / "store.db")
    writer.append(many_rows(10))
    with writer._transaction() as db:
        db.execute("DELETE FROM reading")
        assert len(reader.read([TURBIDITY], 0, 2**42)) == 10
    assert len(reader.read([TURBIDITY], 0, 2**42)) == 0
    writer.close()
    reader.close()


def many_rows(count: int) -> Columns:
    return Columns(
        points=(TURBIDITY,),
        index=np.zeros(count, np.int32),
        t_ms=NOW_MS + np.arange(count, dtype=np.int64),
        value=np.linspace(0.0, 1.0, count),
        quality=np.zeros(count, np.uint8),
    )
