"""Progress is read from files that others are writing."""

from pathlib import Path

from simulators.child import LEDGER_FILE
from simulators.county_files import site_folder
from simulators.physics import Span
from simulators.progress import ProgressReader


def test_lines_are_counted_once_and_a_half_line_waits_for_its_end(tmp_path: Path) -> None:
    place = site_folder(tmp_path, "feeder-1")
    place.mkdir(parents=True)
    reader = ProgressReader(tmp_path, ["feeder-1", "feeder-2"], tmp_path / "journal.db", Span(0, 1))
    assert reader.read().made == 0
    ledger = place / LEDGER_FILE
    ledger.write_text("I ab 0 5 eA==\nS ab 0 5\nI ab 1 7 eA", encoding="ascii")
    progress = reader.read()
    assert (progress.made, progress.sealed, progress.waiting) == (5, 5, 1)
    with ledger.open("a", encoding="ascii") as file:
        file.write("==\nS ab 1 7\n")
    progress = reader.read()
    assert (progress.made, progress.sealed, progress.waiting) == (12, 12, 2)
    reader.close()
