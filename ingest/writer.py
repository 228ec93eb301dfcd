"""From the journal to the store: read, decode, append, mark what changed, move the cursor.

At-least-once: a cut between any two steps repeats readings, which the store takes as the same ones, and never loses
one. A reading has three fates: stored, rejected (set aside with the reason), or waiting in the journal.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from edge.clock import Clock, RealClock
from ingest.changes import Changes
from ingest.config import Centre
from ingest.days import day_numbers, day_text
from ingest.decode import Chunk, as_columns, chunks
from ingest.handover import Handover
from ingest.journal import Journal
from ingest.packing import Packing
from ingest.rejected import Rejected, RejectedRow
from ingest.store import Columns, RowsRefused, Store, StoreDown
from ingest.stores import open_store

log = logging.getLogger(__name__)

READER = "store"
ENTRIES_PER_READ = 200
IDLE_S = 0.2
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 60.0

T = TypeVar("T")


@dataclass(frozen=True)
class Sinks:
    """Everything the writer writes to."""

    store: Store
    changes: Changes
    rejected: Rejected
    timezone: str
    """In which days are counted."""
    chunk_rows: int
    """Readings that go to the store at once."""


def run(centre: Centre, stop: threading.Event, handover: Handover | None = None, clock: Clock | None = None) -> None:
    """Write until `stop` is set; a store that is down is tried for ever. What `handover` holds is not read again.

    While nothing waits to be written, old hours of the store are packed.

    Raises StoreRefused where a person must act first; the journal keeps everything meanwhile.
    """
    data_dir = Path(centre.data_dir)
    with closing(Journal(data_dir / centre.journal.path)) as journal, _opened(centre, stop) as sinks:
        handover = handover or Handover()
        if sinks is None:
            return
        packing = Packing(sinks.store, centre.retention, clock or RealClock())
        while not stop.is_set():
            written = patiently(lambda: write_once(journal, sinks, handover), stop)
            if not written:
                patiently(packing.step, stop)
                stop.wait(IDLE_S)


def write_once(journal: Journal, sinks: Sinks, handover: Handover | None = None) -> int:
    """Write what follows the cursor, a bounded part of it; return how many readings it was.

    Raises StoreDown or StoreRefused: the cursor then stands where it stood.
    """
    written, changed = 0, set[tuple[str, str]]()
    position = after = journal.cursor(READER)
    for chunk in _next_chunks(journal, after, sinks.chunk_rows, handover or Handover()):
        _write_chunk(chunk, sinks)
        changed |= _changed_days(chunk.rows, sinks.timezone)
        position = chunk.position
        written += len(chunk.rows)
    if position != after:
        sinks.changes.mark(changed)
        journal.advance(READER, position)
    return written


def patiently(
    action: Callable[[], T], stop: threading.Event, *, jitter: Callable[[float, float], float] = random.uniform
) -> T | None:
    """Return what `action` returns, tried until the store is there; None if `stop` is set before that.

    Waits double up to `LONGEST_DELAY_S`, are spread at random, and are never shorter than the store asks for.
    """
    delay_s = FIRST_DELAY_S
    while not stop.is_set():
        try:
            return action()
        except StoreDown as down:
            wait_s = max(jitter(0.0, delay_s), down.retry_after_s or 0.0)
            log.warning("store down, the journal keeps the readings; next try in %.1f s: %s", wait_s, down)
            stop.wait(wait_s)
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)
    return None


@contextmanager
def _opened(centre: Centre, stop: threading.Event) -> Iterator[Sinks | None]:
    data_dir = Path(centre.data_dir)
    store = patiently(lambda: open_store(centre.store, data_dir), stop)
    if store is None:
        yield None
        return
    with (
        closing(store),
        closing(Changes(data_dir / "changes.db")) as changes,
        closing(Rejected(data_dir / "rejected.db")) as rejected,
    ):
        yield Sinks(store, changes, rejected, centre.timezone, centre.store.batch_rows)


def _next_chunks(journal: Journal, after: int, rows: int, handover: Handover) -> Iterable[Chunk]:
    """What intake has at hand, or from the journal what comes before that."""
    position, batches = handover.take(after, rows)
    if position != after:
        return [Chunk(as_columns(batches), position)]
    gap = handover.gap(after)
    return chunks(journal.read(after, ENTRIES_PER_READ if gap is None else min(gap, ENTRIES_PER_READ)), rows)


def _write_chunk(chunk: Chunk, sinks: Sinks) -> None:
    rejected = [
        RejectedRow(entry.position, entry.site, entry.received_ms, float("nan"), 0, entry.reason)
        for entry in chunk.unreadable
    ]
    try:
        sinks.store.append(chunk.rows)
    except RowsRefused as refused:
        rejected += [_rejected_row(chunk, row, reason) for row, reason in refused.reasons.items()]
    if rejected:
        log.warning("%d readings set aside in rejected.db, the first: %s", len(rejected), rejected[0].reason)
        sinks.rejected.add(rejected)


def _rejected_row(chunk: Chunk, row: int, reason: str) -> RejectedRow:
    rows = chunk.rows
    return RejectedRow(
        position=chunk.position,
        point=rows.points[rows.index[row]],
        t_ms=int(rows.t_ms[row]),
        value=float(rows.value[row]),
        quality=int(rows.quality[row]),
        reason=reason,
    )


def _changed_days(rows: Columns, timezone: str) -> set[tuple[str, str]]:
    """Return each (point, local day) that has a row."""
    if not len(rows):
        return set()
    bounds = np.array([rows.t_ms.min(), rows.t_ms.max()])
    first, last = day_numbers(bounds, timezone).tolist()
    if first == last:
        return {(rows.points[number], day_text(first)) for number in np.flatnonzero(np.bincount(rows.index)).tolist()}
    days = day_numbers(rows.t_ms, timezone)
    pairs = np.unique((rows.index.astype(np.int64) << 32) | days)
    return {(rows.points[pair >> 32], day_text(pair & 0xFFFF_FFFF)) for pair in pairs.tolist()}
