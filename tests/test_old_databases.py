"""Every database that an earlier version wrote opens in this one with all that it held; newer ones are refused.

The files in `fixtures/databases` were written by the version in their names and never change: a new version adds its
own beside them.
"""

import gzip
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from analytics.alarms.database import AlarmDatabase
from analytics.kpi.database import KpiDatabase
from dashboards.console.database import ConsoleDatabase
from ingest.authority.roll import Roll
from ingest.changes import Changes
from ingest.deadletter import DeadLetters
from ingest.journal import Journal
from ingest.rejected import Rejected
from ingest.schema import NewerFile
from ingest.store_sqlite import SqliteStore

FIXTURES = Path(__file__).with_name("fixtures") / "databases"
TURBIDITY = "qingshui-wtp/clearwell.turbidity_ntu"

KINDS: dict[str, tuple[Callable[[Path], Any], Callable[[Any], object], object]] = {
    "alarms": (
        AlarmDatabase,
        lambda db: (len(db.audit_rows()), db.broken_audit_rows(), db.meta("cursor")),
        (2, [], "20"),
    ),
    "changes": (Changes, len, 1),
    "console": (ConsoleDatabase, lambda db: [(deed.who, deed.subject) for deed in db.deeds()], [("admin", "wang")]),
    "deadletters": (DeadLetters, lambda db: [letter.reason for letter in db.letters()], ["not decodable"]),
    "journal": (Journal, lambda db: (db.newest(), db.cursor("store"), db.ack("qingshui-wtp").upto), (21, 21, 19)),
    "kpi": (KpiDatabase, lambda db: (db.judgements()[0].who, db.corrections()[0].new), ("Bao", 2.0)),
    "rejected": (Rejected, lambda db: db.rows(9)[0].reason, "too old"),
    "roll": (Roll, lambda db: len(db.members()), 4),
    "store": (
        SqliteStore,
        lambda db: (len(db.read([TURBIDITY], 0, 2**42)), db.read_kpi("voltage", "2025-11-24", "2025-11-25")[0].sums),
        (60, {"minutes": 1439.5}),
    ),
}
"""Kind → what opens it, what to ask of it, and what the files in the folder answer."""
FILES = sorted(FIXTURES.glob("*.db.gz"))


def laid_down(packed: Path, folder: Path) -> Path:
    path = folder / f"{packed.name.partition('.')[0]}.db"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    return path


@pytest.mark.parametrize("packed", FILES, ids=lambda packed: packed.name)
def test_a_database_of_an_earlier_version_opens_with_all_that_it_held(packed: Path, tmp_path: Path) -> None:
    path = laid_down(packed, tmp_path)
    opens, ask, answer = KINDS[path.stem]
    for _ in range(2):
        with closing(opens(path)) as opened:
            assert ask(opened) == answer


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(kind: str, tmp_path: Path) -> None:
    path = laid_down(FIXTURES / f"{kind}.version-1.db.gz", tmp_path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerFile, match=f"{kind}.db: written by a newer steppe"):
        KINDS[kind][0](path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)


def test_every_kind_has_a_file_of_its_present_version(tmp_path: Path) -> None:
    """Whoever raises a version adds a file of it: else nobody would notice the next step that breaks it."""
    for kind, (opens, _, _) in KINDS.items():
        path = laid_down(FIXTURES / f"{kind}.version-1.db.gz", tmp_path)
        opens(path).close()
        with closing(sqlite3.connect(path)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
        assert (FIXTURES / f"{kind}.version-{version}.db.gz").is_file(), f"{kind} of version {version}"
