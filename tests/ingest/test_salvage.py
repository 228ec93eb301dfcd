"""A damaged journal: set aside under a stated rule, and nothing that can be read is lost."""

import random

import pytest
from support.wire import NOW_MS, STREAM

from edge.wire import Ack
from ingest.journal import Journal
from ingest.journal_file import PAGE_BYTES, JournalDamaged
from ingest.salvage import heal

SITE = "qingshui-wtp"


@pytest.fixture
def filled(journal_path, batch):
    """A journal of 120 batches, of which the store has passed 100, with everything in the file itself."""
    journal = Journal(journal_path)
    for seq in range(0, 120, 20):
        values = [random.Random(seq).random() for _ in range(200)]
        journal.commit([batch(number, values=values) for number in range(seq, seq + 20)])
    journal.cursor("store")
    journal.advance("store", 100)
    journal.close()
    return journal_path


def overwrite(path, page):
    with path.open("r+b") as file:
        file.seek(page * PAGE_BYTES)
        file.write(b"\xff" * PAGE_BYTES)


def test_a_sound_journal_is_left_alone(filled):
    before = filled.read_bytes()
    assert heal(filled, now_ms=NOW_MS) is None
    assert filled.read_bytes() == before


def test_a_journal_that_is_not_there_yet_is_sound(journal_path):
    assert heal(journal_path, now_ms=NOW_MS) is None


def test_a_broken_page_costs_only_its_own_entries(filled, batch):
    pages = filled.stat().st_size // PAGE_BYTES
    overwrite(filled, pages - 10)
    salvaged = heal(filled, now_ms=NOW_MS)
    assert 0 < salvaged.lost < 30
    assert salvaged.saved + salvaged.lost == 120
    assert salvaged.aside.name == f"journal.db.damaged-{NOW_MS}"
    assert salvaged.aside.exists()
    journal = Journal(filled)
    assert len(journal.read(0, 1000)) == salvaged.saved
    assert journal.cursor("store") == 100
    assert journal.ack(SITE) == Ack(STREAM, 119), "what was acknowledged stays acknowledged"
    journal.commit([batch(120)])
    assert journal.read(120, 10)[0].position == 121, "positions go on, so no reader misses or repeats"
    journal.close()


def test_whatever_page_breaks_the_next_start_works(filled, batch):
    """Each page in turn, in a copy: header, roots, leaves, freelist. Nothing crashes, positions go on."""
    whole = filled.read_bytes()
    for page in range(len(whole) // PAGE_BYTES):
        filled.write_bytes(whole)
        overwrite(filled, page)
        salvaged = heal(filled, now_ms=NOW_MS + page)
        assert salvaged is not None
        journal = Journal(filled)
        assert len(journal.read(0, 1000)) == salvaged.saved
        assert journal.commit([batch(1000)]).kept == 1
        journal.close()
        assert heal(filled, now_ms=NOW_MS) is None


def test_a_file_that_is_no_database_is_set_aside(journal_path):
    journal_path.write_bytes(b"\x00garbage" * 5000)
    salvaged = heal(journal_path, now_ms=NOW_MS)
    assert (salvaged.saved, salvaged.aside.read_bytes()[:8]) == (0, b"\x00garbage")
    Journal(journal_path).close()


def test_a_crash_before_the_swap_is_finished_by_the_next_start(filled):
    """The new file is complete and has its last name but one: the next start only moves the two files."""
    overwrite(filled, 3)
    expected = heal(filled, now_ms=NOW_MS)
    filled.rename(filled.with_name("journal.db.saved"))
    expected.aside.rename(filled)
    assert heal(filled, now_ms=NOW_MS + 1) is None
    journal = Journal(filled)
    assert len(journal.read(0, 1000)) == expected.saved
    journal.close()
    assert filled.with_name(f"journal.db.damaged-{NOW_MS + 1}").exists()


def test_damage_under_a_running_process_is_named(filled, batch):
    """The process that meets it ends with a clear error; it does not go on acknowledging."""
    for page in range(filled.stat().st_size // PAGE_BYTES):
        overwrite(filled, page)
    with pytest.raises(JournalDamaged, match="Start ingest again"):
        Journal(filled).commit([batch(120)])
