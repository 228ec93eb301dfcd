"""The journal: what is committed is durable, kept once, and what the ack says."""

import resource
import sqlite3
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import NOW_MS, STREAM, batch_payload, make_status

from edge.wire import Ack, DroppedRange, encode, topic
from ingest.check import check
from ingest.journal import HELD_BACK, Journal
from ingest.journal_file import JournalDamaged, JournalError, JournalFull, JournalLock, JournalLocked

SITE = "qingshui-wtp"
OTHER_STREAM = "ab12" * 8
DAY_MS = 86_400_000
BIG = {"values": [0.123456] * 10_000, "t0_ms": NOW_MS - 10_000_000}
"""A payload of some 200 kB."""


def status(received_ms=NOW_MS, **changes):
    return check(topic(SITE, "status"), encode(make_status(**changes)), received_ms=received_ms)


def test_a_batch_is_kept_as_received_and_acknowledged(journal, batch):
    """Batch 0, committed: position 1, the same bytes, and an ack up to 0."""
    committed = journal.commit([batch(0)])
    assert (committed.kept, committed.repeated, committed.streams) == (1, 0, ((SITE, STREAM),))
    [entry] = journal.read(0, 10)
    assert (entry.position, entry.kind, entry.site) == (1, "batch", SITE)
    assert entry.payload == batch_payload(0)
    assert journal.ack(SITE) == Ack(STREAM, 0)


def test_the_same_batch_again_is_counted_and_not_kept(journal, batch):
    assert journal.commit([batch(0), batch(0)]).repeated == 1
    again = journal.commit([batch(0)])
    assert (again.kept, again.repeated, len(journal.read(0, 10))) == (0, 1, 1)
    assert again.streams == ((SITE, STREAM),), "its ack may be what was lost, so it is sent again"


def test_batches_out_of_order_are_acknowledged_as_ranges(journal, batch):
    """The live lane goes first: 7 and 8 are held before 0 to 2 arrive, then 3 to 6 fill the gap."""
    journal.commit([batch(7), batch(8)])
    assert journal.ack(SITE) == Ack(STREAM, -1, [(7, 8)])
    journal.commit([batch(seq) for seq in range(3)])
    assert journal.ack(SITE) == Ack(STREAM, 2, [(7, 8)])
    journal.commit([batch(seq) for seq in (5, 3, 4, 6)])
    assert journal.ack(SITE) == Ack(STREAM, 8)


def test_what_a_site_dropped_is_no_longer_waited_for(journal, batch):
    journal.commit([batch(0), batch(4)])
    gone = DroppedRange(STREAM, 1, 3, 9, NOW_MS, NOW_MS, "oldest")
    journal.commit([status(stream=STREAM, dropped=[gone])])
    assert journal.ack(SITE) == Ack(STREAM, 4)
    assert journal.commit([batch(2)]).kept == 1, "a batch that comes after all is kept"


def test_a_status_asks_for_the_acks_of_all_streams_it_names(journal):
    """The loss of an earlier stream is taken note of too; the ack of the present stream goes last and is retained."""
    gone = DroppedRange(OTHER_STREAM, 0, 3, 9, NOW_MS, NOW_MS, "damaged")
    committed = journal.commit([status(stream=STREAM, dropped=[gone])])
    assert committed.streams == ((SITE, OTHER_STREAM), (SITE, STREAM))
    assert journal.ack(SITE, OTHER_STREAM) == Ack(OTHER_STREAM, 3)
    assert journal.ack(SITE, STREAM) == Ack(STREAM, -1)


def test_a_replaced_disk_starts_a_stream_of_its_own(journal, batch):
    journal.commit([batch(0), batch(1)])
    journal.commit([batch(0, stream=OTHER_STREAM, received_ms=NOW_MS + 9_000)])
    assert journal.ack(SITE) == Ack(OTHER_STREAM, 0)
    assert journal.ack(SITE, STREAM) == Ack(STREAM, 1)


def test_a_site_that_sent_nothing_has_no_ack(journal):
    assert journal.ack("nowhere") is None


def test_an_ack_stays_short_when_a_spool_was_thinned(journal, batch):
    """Every second batch of 1 000 is held: the lowest and the highest ranges are listed, nothing that is not held."""
    journal.commit([batch(seq) for seq in range(1, 1001, 2)])
    ack = journal.ack(SITE)
    assert (ack.upto, len(ack.also)) == (-1, 200)
    assert ack.covers(1)
    assert ack.covers(999)
    assert not any(ack.covers(seq) for seq in range(0, 1001, 2))


def test_a_status_that_is_sent_again_is_kept_once(journal):
    """On each connection the broker repeats what is retained, and after a crash what was not acknowledged."""
    birth, beat = status(at_ms=NOW_MS), status(at_ms=NOW_MS + 60_000)
    assert journal.commit([birth, beat]).kept == 2
    assert journal.commit([birth, beat, beat]).kept == 0


def test_a_committed_batch_survives_the_process(journal, journal_path, batch):
    journal.commit([batch(0)])
    reader = Journal(journal_path)
    assert reader.ack(SITE) == Ack(STREAM, 0)
    assert reader.commit([batch(0), batch(1)]).kept == 1
    reader.close()


def test_each_reader_has_a_cursor_of_its_own(journal, journal_path, batch):
    journal.commit([batch(seq) for seq in range(5)])
    assert journal.cursor("store") == 0
    journal.advance("store", 3)
    again = Journal(journal_path)
    assert (again.cursor("store"), again.cursor("alarms")) == (3, 0)
    assert [entry.position for entry in again.read(3, 10)] == [4, 5]
    again.close()


def test_only_what_every_reader_passed_and_is_old_enough_goes(journal, batch):
    journal.commit([batch(seq, received_ms=NOW_MS + 1_000 * (seq + 5)) for seq in range(10)])
    assert journal.prune(NOW_MS + 60_000) == 0, "nobody has read anything"
    journal.cursor("store")
    journal.advance("store", 8)
    journal.advance("alarms", 6)
    assert journal.prune(NOW_MS + 8_000) == 3, "batches 0 to 2 were received before that"
    assert journal.prune(NOW_MS + 60_000) == 3, "the alarms have passed position 6"
    journal.forget_reader("alarms")
    assert journal.prune(NOW_MS + 60_000) == 2
    assert [entry.position for entry in journal.read(0, 10)] == [9, 10]
    assert journal.ack(SITE) == Ack(STREAM, 9), "what was received is remembered for good"


def test_a_reader_goes_back_to_an_instant(journal, batch):
    journal.commit([batch(seq, received_ms=NOW_MS + 1_000 * (seq + 5)) for seq in range(10)])
    journal.cursor("store")
    journal.advance("store", 10)
    assert journal.rewind("store", NOW_MS + 12_000) == 3
    assert journal.cursor("store") == 7
    assert journal.rewind("store", 0) == 10


def test_a_reader_at_work_does_not_undo_a_rewind(journal, journal_path, batch):
    """The writer has read 0 to 9 and is storing them when somebody asks for a replay: the replay wins."""
    journal.commit([batch(seq) for seq in range(10)])
    writer = Journal(journal_path)
    writer.advance("store", 5)
    assert writer.cursor("store") == 5
    journal.rewind("store", 0)
    writer.advance("store", 10)
    assert writer.cursor("store") == 0
    writer.advance("store", 10)
    assert writer.cursor("store") == 10
    writer.close()


def test_a_full_journal_refuses_and_keeps_what_it_has(journal_path, batch):
    journal = Journal(journal_path, max_bytes=1_500_000)
    for seq in range(3):
        journal.commit([batch(seq, **BIG)])
    with pytest.raises(JournalFull, match="raise max_mb"):
        journal.commit([batch(seq, **BIG) for seq in range(3, 10)])
    assert journal.ack(SITE) == Ack(STREAM, 2)
    assert len(journal.read(0, 10)) == 3
    assert journal.size_bytes() <= 1_500_000
    journal.close()


def test_a_full_journal_lets_passed_entries_go_before_it_refuses(journal_path, batch):
    """A store that has them all must not be the reason to refuse what is new."""
    journal = Journal(journal_path, max_bytes=2_000_000)
    journal.cursor("store")
    for seq in range(60):
        journal.commit([batch(seq, **BIG)])
        journal.advance("store", journal.newest())
    assert journal.ack(SITE) == Ack(STREAM, 59)
    assert journal.size_bytes() <= 2_000_000
    journal.close()


def test_a_failed_commit_leaves_nothing_behind(journal_path, batch):
    """Not the payload, not the number, not the count: the same batch is new when there is room again."""
    journal = Journal(journal_path, max_bytes=1_500_000)
    with pytest.raises(JournalFull):
        journal.commit([batch(seq, **BIG) for seq in range(10)])
    assert journal.ack(SITE) is None
    assert journal.commit([batch(0)]).kept == 1
    journal.close()


@pytest.fixture
def cramped_disk():
    """No file may grow beyond 2.5 MB: what a disk without room does to a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_refuses_a_write_costs_only_that_commit(journal_path, batch, cramped_disk):
    """What was committed before is there, and the next commit that fits is taken."""
    journal = Journal(journal_path)
    journal.commit([batch(0)])
    with pytest.raises(JournalError, match=r"Check the disk|Free disk space"):
        journal.commit([batch(seq, **BIG) for seq in range(1, 20)])
    assert journal.ack(SITE) == Ack(STREAM, 0)
    assert journal.commit([batch(1)]).kept == 1
    journal.close()
    again = Journal(journal_path)
    assert [entry.payload for entry in again.read(0, 10)] == [batch_payload(0), batch_payload(1)]
    again.close()


def test_one_process_commits(journal_path):
    lock = JournalLock(journal_path)
    with pytest.raises(JournalLocked, match="another ingest process"):
        JournalLock(journal_path)
    lock.release()
    JournalLock(journal_path).release()


def test_a_broken_file_is_named_as_such(journal_path):
    journal_path.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(JournalDamaged, match="sets the file aside"):
        Journal(journal_path)


def test_readers_follow_while_the_writer_writes(journal_path, batch):
    """A reader in another thread sees every batch once and in order, whatever the interleaving."""
    seen: list[int] = []
    done = threading.Event()

    def follow() -> None:
        reader = Journal(journal_path)
        while not done.is_set() or reader.newest() > (seen[-1] if seen else 0):
            seen.extend(entry.position for entry in reader.read(seen[-1] if seen else 0, 7))
        reader.close()

    journal = Journal(journal_path)
    thread = threading.Thread(target=follow)
    thread.start()
    for seq in range(0, 200, 5):
        journal.commit([batch(number) for number in range(seq, seq + 5)])
    done.set()
    thread.join(30)
    journal.close()
    assert seen == list(range(1, 201))


def test_the_writer_waits_for_another_process_that_advances(journal, journal_path, batch):
    """A reader holds the write lock for a moment: commit waits instead of failing."""
    other = sqlite3.connect(journal_path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.2, other.execute, ["COMMIT"])
    release.start()
    assert journal.commit([batch(0)]).kept == 1
    release.join()
    other.close()


arrivals = st.lists(st.lists(st.tuples(st.integers(0, 12), st.sampled_from([STREAM, OTHER_STREAM])), max_size=6))


@given(arrivals)
def test_any_order_and_repetition_gives_the_same_ack_and_content(tmp_path_factory, groups):
    """Against a model: the set of what was sent. Each group is one commit."""
    path = tmp_path_factory.mktemp("any") / "journal.db"
    journal = Journal(path)
    kept = 0
    for group in groups:
        messages = [
            check(topic(SITE, "batch"), batch_payload(seq, stream=stream), received_ms=NOW_MS + 5_000)
            for seq, stream in group
        ]
        kept += journal.commit(messages).kept
    sent = {one for group in groups for one in group}
    assert kept == len(sent)
    assert {entry.payload for entry in journal.read(0, 1000)} == {batch_payload(n, stream=s) for n, s in sent}
    assert len(journal.read(0, 1000)) == len(sent)
    for stream in {stream for _, stream in sent}:
        ack = journal.ack(SITE, stream)
        assert {seq for seq in range(20) if ack.covers(seq)} == {number for number, name in sent if name == stream}
        assert ack.upto == -1 or (not ack.covers(ack.upto + 1) and ack.covers(0))
    journal.close()


def test_a_reader_that_holds_much_back_beyond_keep_days_is_told_of_once(journal, batch, caplog):
    """The alarm service was switched off for good; the store has read everything."""
    journal.commit([batch(seq) for seq in range(HELD_BACK + 2)])
    journal.advance("alarms", 1)
    journal.advance("store", HELD_BACK + 2)
    assert [journal.prune(NOW_MS + DAY_MS) for _ in range(3)] == [1, 0, 0]
    assert [record.getMessage().split(": ")[1] for record in caplog.records] == [
        "old entries are kept for 'alarms'; start it, or see 'steppe ingest readers'"
    ]
    journal.forget_reader("alarms")
    assert journal.prune(NOW_MS + DAY_MS) == HELD_BACK + 1
