"""Which days must be computed again: marked at least once, let go of only when nothing came since."""

from pathlib import Path

from ingest.changes import Changes


def test_a_day_marked_while_it_is_computed_is_computed_once_more(tmp_path: Path) -> None:
    changes = Changes(tmp_path / "changes.db")
    changes.mark([("a", "2026-01-01"), ("b", "2026-01-01")])
    taken = changes.take(10)
    changes.mark([("b", "2026-01-01")])
    changes.done(taken)
    assert [(change.point, change.day) for change in changes.take(10)] == [("b", "2026-01-01")]
    changes.close()


def test_changes_that_were_taken_and_not_done_are_taken_again(tmp_path: Path) -> None:
    """The KPI service may be killed in between."""
    changes = Changes(tmp_path / "changes.db")
    changes.mark([("a", "2026-01-01"), ("b", "2026-01-01")])
    taken = changes.take(1)
    changes.close()
    changes = Changes(tmp_path / "changes.db")
    assert changes.take(2)[:1] == taken
    changes.done(changes.take(2))
    assert len(changes) == 0
    changes.close()


def test_a_mark_that_waits_already_costs_no_write(tmp_path: Path) -> None:
    """Until somebody else writes to the file; from then on every mark is written again."""
    writer, service = Changes(tmp_path / "changes.db"), Changes(tmp_path / "changes.db")
    writer.mark([("w/a.b_v", "2026-01-01")])
    number = writer.take(1)[0].number
    writer.mark([("w/a.b_v", "2026-01-01")])
    before = (tmp_path / "changes.db-wal").stat().st_size
    writer.mark([("w/a.b_v", "2026-01-01")])
    assert (tmp_path / "changes.db-wal").stat().st_size == before
    service.done(service.take(1))
    writer.mark([("w/a.b_v", "2026-01-01")])
    assert [change.number > number for change in service.take(1)] == [True]
    writer.close()
    service.close()
