"""From intake to writer past the disk: only what follows without a gap, bounded; a stuck writer holds nobody up."""

import time
from collections.abc import Callable

from support.wire import NOW_MS, make_status

from edge.wire import encode, topic
from ingest.check import Checked, check
from ingest.handover import Handover
from ingest.journal import Journal

Batch = Callable[..., Checked]


def status(at_ms: int) -> Checked:
    return check(topic("qingshui-wtp", "status"), encode(make_status(at_ms=at_ms)), received_ms=NOW_MS)


def test_what_was_committed_is_taken_in_order_up_to_the_readings_asked_for(journal: Journal, batch: Batch) -> None:
    handover = Handover()
    handover.put(journal.commit([batch(0), status(NOW_MS), batch(1)]))
    handover.put(journal.commit([batch(2)]))
    position, batches = handover.take(0, 6)
    assert (position, [len(rows) for rows in batches]) == (3, [3, 3])
    assert handover.take(position, 6)[0] == journal.newest() == 4
    assert handover.take(4, 6) == (4, [])


def test_a_repeated_batch_is_handed_over_once(journal: Journal, batch: Batch) -> None:
    handover = Handover()
    handover.put(journal.commit([batch(0), batch(0), batch(1)]))
    handover.put(journal.commit([batch(1)]))
    position, batches = handover.take(0, 100)
    assert (position, len(batches)) == (2, 2)


def test_what_finds_no_room_leaves_a_gap_for_the_journal(journal: Journal, batch: Batch) -> None:
    handover = Handover(max_readings=6)
    handover.put(journal.commit([batch(seq) for seq in range(4)]))
    assert handover.room() == 0
    assert handover.take(0, 100)[0] == 2
    handover.put(journal.commit([batch(4)]))
    assert handover.take(2, 100) == (2, []), "entries 3 and 4 come first, from the journal"
    assert handover.gap(2) == 2
    assert handover.take(4, 100)[0] == 5


def test_what_the_writer_has_passed_by_another_way_is_let_go(journal: Journal, batch: Batch) -> None:
    handover = Handover(max_readings=6)
    handover.put(journal.commit([batch(0), batch(1)]))
    assert handover.gap(2) is None
    assert handover.room() == 6


def test_a_writer_that_takes_nothing_is_waited_for_once(journal: Journal, batch: Batch) -> None:
    handover = Handover(max_readings=3)
    handover.put(journal.commit([batch(0)]))
    handover.wait_for_room(0.01)
    began_s = time.monotonic()
    handover.wait_for_room(60.0)
    assert time.monotonic() - began_s < 30.0, "its store is down: the journal goes on"
