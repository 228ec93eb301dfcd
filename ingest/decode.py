"""Journal entries to columns: the readings of many batches at once, as a store takes them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.wire import WireError
from ingest.batch import BatchRows, read_batch
from ingest.columns import empty
from ingest.journal import Entry
from ingest.store import Columns


@dataclass(frozen=True)
class Unreadable:
    """A journal entry that is not a batch, although it once passed the check."""

    position: int
    site: str
    received_ms: int
    reason: str


@dataclass(frozen=True)
class Chunk:
    """The readings of some consecutive journal entries."""

    rows: Columns
    position: int
    """Of the last entry in it."""
    unreadable: tuple[Unreadable, ...] = ()


def chunks(entries: Iterable[Entry], rows: int) -> Iterator[Chunk]:
    """Yield the batches among `entries` in chunks of at least `rows` readings; the last may hold fewer."""
    batches: list[BatchRows] = []
    unreadable: list[Unreadable] = []
    waiting, position = 0, None
    for entry in entries:
        position = entry.position
        if entry.kind == "batch":
            try:
                batches.append(read_batch(entry.payload).rows)
                waiting += len(batches[-1])
            except WireError as error:
                unreadable.append(Unreadable(entry.position, entry.site, entry.received_ms, str(error)))
        if waiting >= rows:
            yield Chunk(as_columns(batches), position, tuple(unreadable))
            batches, unreadable, waiting, position = [], [], 0, None
    if position is not None:
        yield Chunk(as_columns(batches), position, tuple(unreadable))


def as_columns(batches: Sequence[BatchRows]) -> Columns:
    """Return the readings of `batches` one after the other, each point once in the list of names."""
    if not batches:
        return empty()
    numbers: dict[str, int] = {}
    tables: dict[tuple[str, ...], NDArray[np.int32]] = {}
    for points in dict.fromkeys(batch.points for batch in batches):
        tables[points] = np.array([numbers.setdefault(name, len(numbers)) for name in points], np.int32)
    return Columns(
        points=tuple(numbers),
        index=np.concatenate([tables[batch.points][batch.index] for batch in batches]),
        t_ms=np.concatenate([batch.t_ms for batch in batches]),
        value=np.concatenate([batch.value for batch in batches]),
        quality=np.concatenate([batch.quality for batch in batches]),
    )
