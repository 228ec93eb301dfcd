"""The file of rejected rows: each once, the newest ones, in bounded space."""

from contextlib import closing
from pathlib import Path

from ingest.rejected import Rejected, RejectedRow


def row(position: int) -> RejectedRow:
    """A reading of a gateway that believes to be in 1970, in a store that keeps two years."""
    return RejectedRow(position, "head/meter.voltage_v", position * 60_000, 230.0, 0, "points beyond retention policy")


def test_a_row_that_is_added_again_is_kept_once(tmp_path: Path) -> None:
    with closing(Rejected(tmp_path / "rejected.db")) as rejected:
        rejected.add([row(1), row(2)])
        rejected.add([row(2)])
        assert rejected.rows(10) == [row(2), row(1)]


def test_a_gateway_with_a_wrong_clock_fills_no_disk(tmp_path: Path) -> None:
    """Each reading is rejected, for months: the oldest ones go, a tenth at once, also after a new start."""
    for start in range(0, 100, 50):
        with closing(Rejected(tmp_path / "rejected.db", most_rows=20)) as rejected:
            for position in range(start, start + 50):
                rejected.add([row(position)])
                assert len(rejected) <= 20
            assert rejected.rows(18) == [row(position) for position in range(start + 49, start + 31, -1)]


def test_the_same_rows_again_push_nothing_out(tmp_path: Path) -> None:
    with closing(Rejected(tmp_path / "rejected.db", most_rows=20)) as rejected:
        for _ in range(10):
            rejected.add([row(position) for position in range(15)])
        assert len(rejected) == 15
