"""The checker sees what it must: a planted loss, a double, a stranger, a changed value, a missing number."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from support.delivery import batch_for
from support.wire import STREAM, make_batch

from edge.seal import Sealed
from edge.spool import MemorySpool
from edge.wire import DroppedRange, encode
from ingest.store import Columns
from simulators.checker import Findings, History, check, gather
from simulators.ledger import RecordingSpool, Trail, read_ledger

SITE = "qingshui-wtp"
POINT = f"{SITE}/clearwell.turbidity_ntu"


def trail(seq: int, *, sealed: bool = True) -> Trail:
    """Batch `seq` with three readings, a minute after the one before."""
    batch = make_batch(seq, t0_ms=1_764_000_000_000 + seq * 60_000)
    return Trail(STREAM, seq, encode(batch), sealed)


def store(rows: Sequence[tuple[int, float]], point: str = POINT) -> Columns:
    """What a store would give back: rows of (instant, value)."""
    return Columns(
        (point,),
        np.zeros(len(rows), np.int32),
        np.array([t_ms for t_ms, _ in rows], np.int64),
        np.array([value for _, value in rows]),
        np.zeros(len(rows), np.uint8),
    )


def rows_of(*seqs: int) -> list[tuple[int, float]]:
    return [
        (1_764_000_000_000 + seq * 60_000 + row * 1000, value)
        for seq in seqs
        for row, value in enumerate((0.31, 0.52, 7.1))
    ]


@pytest.fixture
def history() -> History:
    """Batches 0 to 2 promised, batch 3 intended when the gateway was killed."""
    return gather({SITE: [trail(0), trail(1), trail(2), trail(3, sealed=False)]})


def test_all_there_is_all_right(history: History) -> None:
    assert check(history, store(rows_of(0, 1, 2)), {STREAM: [(0, 2)]}) == Findings(sealed=9, stored=9)


def test_a_batch_that_was_only_intended_may_be_there_or_not(history: History) -> None:
    assert check(history, store(rows_of(0, 1, 2, 3)), {STREAM: [(0, 3)]}).ok


def test_a_planted_loss_is_seen(history: History) -> None:
    found = check(history, store(rows_of(0, 1, 2)[:-1]))
    assert (found.lost, found.ok) == (1, False)
    assert found.examples == (f"lost {POINT} at 1764000122000",)


def test_a_reading_stored_twice_is_seen(history: History) -> None:
    assert check(history, store([*rows_of(0, 1, 2), rows_of(1)[0]])).duplicated == 1


def test_a_reading_that_nobody_made_is_seen(history: History) -> None:
    assert check(history, store([*rows_of(0, 1, 2), (1_764_000_000_001, 1.0)])).invented == 1
    assert check(history, store(rows_of(0, 1, 2), point="other-site/clearwell.turbidity_ntu")).invented == 9


def test_a_changed_value_is_seen(history: History) -> None:
    rows = rows_of(0, 1, 2)
    rows[4] = (rows[4][0], 0.5200001)
    assert check(history, store(rows)).changed == 1


def test_a_number_that_the_centre_does_not_hold_is_seen(history: History) -> None:
    assert check(history, store(rows_of(0, 1, 2)), {STREAM: [(0, 0), (2, 2)]}).unaccounted == 1


def test_a_reported_drop_is_not_a_loss_and_an_unreported_one_is() -> None:
    trails = {SITE: [trail(0), trail(1), trail(2)]}
    report = DroppedRange(STREAM, 1, 1, 3, 0, 0, "oldest")
    assert check(gather(trails, [report]), store(rows_of(0, 2)), {STREAM: [(0, 0), (2, 2)]}).ok
    assert check(gather(trails), store(rows_of(0, 2))).lost == 3


def test_rows_without_a_value_compare_by_their_quality() -> None:
    silent = make_batch(0, values=[None, 0.5])
    trails = {SITE: [Trail(STREAM, 0, encode(silent), sealed=True)]}
    rows = Columns(
        (POINT,),
        np.zeros(2, np.int32),
        np.array([silent.t0, silent.t0 + 1000]),
        np.array([np.nan, 0.5]),
        np.array([8, 0], np.uint8),
    )
    assert check(gather(trails), rows).ok
    zeroed = Columns(rows.points, rows.index, rows.t_ms, np.array([0.0, 0.5]), np.zeros(2, np.uint8))
    assert check(gather(trails), zeroed).changed == 1


def test_nothing_at_all_is_no_error() -> None:
    empty = Columns((), np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint8))
    assert check(gather({}), empty).ok


def test_the_ledger_outlives_a_kill_between_intent_and_commit(tmp_path: Path) -> None:
    """The spool fails after the intent was written: the batch is intended, not sealed; a torn last line is ignored."""

    class Failing(MemorySpool):
        def append(self, batches: Sequence[Sealed]) -> None:
            if self.next_seq == 1:
                raise OSError("killed here")
            super().append(batches)

    path = tmp_path / "ledger"
    spool = RecordingSpool(Failing(), path)
    spool.append([batch_for(spool)])
    with pytest.raises(OSError, match="killed here"):
        spool.append([batch_for(spool)])
    spool.close()
    with path.open("a") as file:
        file.write("I torn")
    trails = read_ledger(path)
    assert [(one.seq, one.sealed) for one in trails] == [(0, True), (1, False)]
    assert gather({SITE: trails}).intended.points == (POINT,)
