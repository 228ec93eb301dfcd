"""From the journal to the store: three fates, and what happens when the store says no."""

import dataclasses
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from support.http_peer import Answer, http_peer
from support.servers import wait_until
from support.wire import NOW_MS, make_status

from edge.wire import encode, topic
from ingest.changes import Changes
from ingest.check import Checked, check
from ingest.config import Centre, JournalSettings, StoreSettings
from ingest.handover import Handover
from ingest.journal import Journal
from ingest.rejected import Rejected
from ingest.store import Columns, RowsRefused, Store, StoreDown, StoreRefused
from ingest.store_sqlite import SqliteStore
from ingest.writer import READER, Sinks, patiently, run, write_once

TURBIDITY = "qingshui-wtp/clearwell.turbidity_ntu"
Batch = Callable[..., Checked]


@pytest.fixture
def sinks(tmp_path: Path) -> Iterator[Sinks]:
    made = Sinks(
        SqliteStore(tmp_path / "store.db"),
        Changes(tmp_path / "changes.db"),
        Rejected(tmp_path / "rejected.db"),
        timezone="Asia/Shanghai",
        chunk_rows=5,
    )
    yield made
    for sink in (made.store, made.changes, made.rejected):
        sink.close()


class Unwilling:
    """A store that answers each append with the next of its `moods` before it takes any."""

    def __init__(self, store: Store, moods: Sequence[Exception]) -> None:
        self._store = store
        self._moods = list(moods)

    def append(self, rows: Columns) -> None:
        if self._moods:
            raise self._moods.pop(0)
        self._store.append(rows)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def with_store(sinks: Sinks, *moods: Exception) -> Sinks:
    return dataclasses.replace(sinks, store=Unwilling(sinks.store, moods))


def stored(sinks: Sinks) -> list[tuple[int, float | None]]:
    rows = sinks.store.read([TURBIDITY], 0, 2**42)
    return [(t - NOW_MS, None if math.isnan(x) else x) for t, x in zip(rows.t_ms.tolist(), rows.value, strict=True)]


def test_sealed_readings_reach_the_store_and_the_cursor_follows(journal: Journal, sinks: Sinks, batch: Batch) -> None:
    journal.commit([batch(0), batch(1, t0_ms=NOW_MS + 60_000, values=(None, 0.4))])
    assert write_once(journal, sinks) == 5
    assert stored(sinks) == [(0, 0.31), (1_000, 0.52), (2_000, 7.1), (60_000, None), (61_000, 0.4)]
    assert journal.cursor(READER) == journal.newest()
    assert write_once(journal, sinks) == 0


def test_a_journal_is_written_in_bounded_chunks_whatever_it_holds(journal: Journal, sinks: Sinks, batch: Batch) -> None:
    sizes: list[int] = []

    class Counting(Unwilling):
        def append(self, rows: Columns) -> None:
            sizes.append(len(rows))
            super().append(rows)

    journal.commit([batch(seq, t0_ms=NOW_MS + 10_000 * seq) for seq in range(7)])
    assert write_once(journal, dataclasses.replace(sinks, store=Counting(sinks.store, []))) == 21
    assert sizes == [6, 6, 6, 3]
    assert len(stored(sinks)) == 21


def test_changed_days_are_marked_by_the_local_calendar(journal: Journal, sinks: Sinks, batch: Batch) -> None:
    """NOW is 2025-11-25 00:00 in Shanghai: a second earlier is the day before."""
    journal.commit([batch(0, t0_ms=NOW_MS - 1_000, values=(1.0, 2.0))])
    write_once(journal, sinks)
    changed = {(change.point, change.day) for change in sinks.changes.take(10)}
    assert changed == {(TURBIDITY, "2025-11-24"), (TURBIDITY, "2025-11-25")}


def test_a_store_that_is_down_keeps_the_cursor_where_it_is(journal: Journal, sinks: Sinks, batch: Batch) -> None:
    journal.commit([batch(0)])
    with pytest.raises(StoreDown):
        write_once(journal, with_store(sinks, StoreDown("away")))
    assert journal.cursor(READER) == 0
    assert write_once(journal, sinks) == 3


def test_readings_at_hand_are_written_and_after_a_failure_come_from_the_journal(
    journal: Journal, sinks: Sinks, batch: Batch
) -> None:
    handover = Handover()
    handover.put(journal.commit([batch(0)]))
    with pytest.raises(StoreDown):
        write_once(journal, with_store(sinks, StoreDown("away")), handover)
    handover.put(journal.commit([batch(1, t0_ms=NOW_MS + 60_000)]))
    assert [write_once(journal, sinks, handover) for _ in range(3)] == [3, 3, 0]
    assert len(stored(sinks)) == 6
    assert journal.cursor(READER) == journal.newest() == 2


def test_a_kill_between_store_and_cursor_repeats_and_changes_nothing(
    journal: Journal, sinks: Sinks, batch: Batch
) -> None:
    journal.commit([batch(0)])
    write_once(journal, sinks)
    before = stored(sinks)
    journal.rewind(READER, 0)
    assert write_once(journal, sinks) == 3
    assert stored(sinks) == before


def test_statuses_move_the_cursor_and_write_nothing(journal: Journal, sinks: Sinks) -> None:
    payload = encode(make_status())
    journal.commit([check(topic("qingshui-wtp", "status"), payload, received_ms=NOW_MS)])
    assert write_once(journal, sinks) == 0
    assert journal.cursor(READER) == journal.newest() == 1


def test_refused_rows_are_set_aside_with_their_reasons_and_the_stream_goes_on(
    journal: Journal, sinks: Sinks, batch: Batch
) -> None:
    journal.commit([batch(0), batch(1, t0_ms=NOW_MS + 60_000)])
    assert write_once(journal, with_store(sinks, RowsRefused({1: "too old for the store"}))) == 6
    (row,) = sinks.rejected.rows(10)
    assert (row.point, row.t_ms, row.value, row.reason) == (TURBIDITY, NOW_MS + 1_000, 0.52, "too old for the store")
    assert journal.cursor(READER) == journal.newest()


def test_an_entry_that_no_longer_decodes_is_set_aside_and_the_others_are_written(
    journal: Journal, sinks: Sinks, batch: Batch
) -> None:
    """A flipped bit on the disk must not stop the writer for good."""
    broken = dataclasses.replace(batch(0), payload=b'{"v":1,"site":')
    journal.commit([broken, batch(1)])
    assert write_once(journal, sinks) == 3
    (row,) = sinks.rejected.rows(10)
    assert (row.position, row.point) == (1, "qingshui-wtp")
    assert "not a batch" in row.reason


def test_the_writer_tries_for_ever_with_growing_pauses_while_the_store_is_down() -> None:
    waits: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            return False

    answers: list[Exception | None] = [*[StoreDown("away")] * 9, StoreDown("busy", 300.0), None]

    def action() -> str:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return "written"

    assert patiently(action, Stop(), jitter=lambda _, longest: longest) == "written"
    assert waits == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 300]


def test_a_store_that_refuses_for_good_stops_the_writer_and_the_journal_keeps_everything(
    tmp_path: Path, batch: Batch
) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.commit([batch(0)])
    with http_peer(lambda _: Answer(401, b'{"message":"unauthorized"}')) as peer:
        centre = centre_of(tmp_path, f"influxdb+{peer.url}/county")
        with pytest.raises(StoreRefused, match="token"):
            run(centre, threading.Event())
    assert journal.cursor(READER) == 0
    assert len(journal.read(0, 10)) == 1
    journal.close()


def test_a_running_writer_follows_the_journal_and_ends_when_told(tmp_path: Path, batch: Batch) -> None:
    journal = Journal(tmp_path / "journal.db")
    stop = threading.Event()
    writer = threading.Thread(target=run, args=(centre_of(tmp_path, "sqlite:///store.db"), stop))
    writer.start()
    try:
        journal.commit([batch(0)])
        wait_until(lambda: journal.cursor(READER) == journal.newest() > 0, 20.0, "the writer has written")
        store = SqliteStore(tmp_path / "store.db")
        assert len(store.read([TURBIDITY], 0, 2**42)) == 3
        store.close()
    finally:
        stop.set()
        writer.join(20.0)
        journal.close()
    assert not writer.is_alive()


def centre_of(folder: Path, store_url: str) -> Centre:
    return Centre(data_dir=str(folder), journal=JournalSettings(), store=StoreSettings(url=store_url))
