"""The audit trail shows every tampering."""

import sqlite3
from collections.abc import Iterator

import pytest

from analytics.alarms import audit
from analytics.alarms.audit import AuditRow


@pytest.fixture
def trail() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(audit.SCHEMA)
    for number in range(5):
        audit.append(connection, AuditRow(number, number, "qingshui/ph#low", "Rose", "A", "B", "engine", f"第{number}"))
    yield connection
    connection.close()


def tamper(trail: sqlite3.Connection, statement: str) -> None:
    """As somebody with the file and an editor would: without the triggers."""
    trail.executescript("DROP TRIGGER audit_keeps_rows; DROP TRIGGER audit_keeps_words;" + statement)


def test_a_whole_trail_has_no_broken_row(trail: sqlite3.Connection) -> None:
    assert audit.broken_rows(trail) == []
    assert [row.at_ms for row in audit.rows(trail, limit=2)] == [4, 3]


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET row = replace(row, 'Rose', 'Fell') WHERE seq = 3", [3]),
        ("DELETE FROM audit WHERE seq = 2", [3]),
        ("UPDATE audit SET seq = 9 WHERE seq = 1", [2, 9]),
        ("UPDATE audit SET hash = 'x' WHERE seq = 4", [4, 5]),
    ],
)
def test_a_changed_removed_or_moved_row_breaks_the_chain_where_it_was(
    trail: sqlite3.Connection, statement: str, broken: list[int]
) -> None:
    tamper(trail, statement)
    assert audit.broken_rows(trail) == broken


@pytest.mark.parametrize("statement", ["DELETE FROM audit", "UPDATE audit SET row = ''"])
def test_the_database_refuses_to_change_the_trail(trail: sqlite3.Connection, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        trail.execute(statement)
