"""Journal entries to columns: many batches at once, 2 million readings per second and more.

What stands in the journal was checked when it came in. Here it is decoded a second time without the bounds, and only
what would put a row in another row's place is looked at again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, TypeVar

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from edge.wire import TimeMs, WireError, unpack
from ingest.journal import Entry
from ingest.store import Columns

T = TypeVar("T")
Delta = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Quality = Annotated[int, Meta(ge=0, le=255)]


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
    unreadable: tuple[Unreadable, ...]


class _Batch(msgspec.Struct):
    site: str
    t0: TimeMs
    points: msgspec.Raw
    p: list[int]
    dt: list[Delta]
    x: list[float | None]
    q: Quality | list[Quality]


_DECODER = msgspec.json.Decoder(_Batch)
_NAMES = msgspec.json.Decoder(tuple[str, ...])


def chunks(entries: Iterable[Entry], rows: int) -> Iterator[Chunk]:
    """Yield the batches among `entries` in chunks of at least `rows` readings; the last may hold fewer."""
    batches: list[_Batch] = []
    unreadable: list[Unreadable] = []
    waiting, position = 0, None
    for entry in entries:
        position = entry.position
        if entry.kind == "batch":
            try:
                batches.append(_decode(entry.payload))
                waiting += len(batches[-1].p)
            except WireError as error:
                unreadable.append(Unreadable(entry.position, entry.site, entry.received_ms, str(error)))
        if waiting >= rows:
            yield Chunk(_columns(batches), position, tuple(unreadable))
            batches, unreadable, waiting, position = [], [], 0, None
    if position is not None:
        yield Chunk(_columns(batches), position, tuple(unreadable))


def _decode(payload: bytes) -> _Batch:
    try:
        batch = _DECODER.decode(unpack(payload))
        names = _full_names(batch.site, bytes(batch.points))
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise WireError(f"not a batch: {error}") from error
    lengths = {len(batch.p), len(batch.dt), len(batch.x)} | ({len(batch.q)} if isinstance(batch.q, list) else set())
    if len(lengths) != 1 or (batch.p and not 0 <= min(batch.p) <= max(batch.p) < len(names)):
        raise WireError("columns that do not fit each other")
    return batch


def _columns(batches: Sequence[_Batch]) -> Columns:
    sizes = np.array([len(batch.p) for batch in batches], np.int64)
    points, tables, starts = _point_tables(batches)
    return Columns(
        points=points,
        index=tables[np.repeat(starts, sizes) + np.array(_flat(batch.p for batch in batches), np.int64)],
        t_ms=np.repeat(np.array([batch.t0 for batch in batches], np.int64), sizes)
        + np.array(_flat(batch.dt for batch in batches), np.int64),
        value=np.array(_flat(batch.x for batch in batches), np.float64),  # None becomes NaN
        quality=_qualities(batches, sizes),
    )


def _point_tables(batches: Sequence[_Batch]) -> tuple[tuple[str, ...], NDArray[np.int32], NDArray[np.int64]]:
    """Full names, then each point list's table of their numbers one after the other, and per batch where its starts."""
    numbers: dict[str, int] = {}
    tables: list[int] = []
    start_of: dict[tuple[str, bytes], int] = {}
    starts: list[int] = []
    for batch in batches:
        key = (batch.site, bytes(batch.points))
        if key not in start_of:
            start_of[key] = len(tables)
            tables += [numbers.setdefault(name, len(numbers)) for name in _full_names(*key)]
        starts.append(start_of[key])
    return tuple(numbers), np.array(tables, np.int32), np.array(starts, np.int64)


@lru_cache(maxsize=2_000)
def _full_names(site: str, point_list: bytes) -> tuple[str, ...]:
    """A site sends the same list again and again: it is read once."""
    return tuple(f"{site}/{name}" for name in _NAMES.decode(point_list))


def _qualities(batches: Sequence[_Batch], sizes: NDArray[np.int64]) -> NDArray[np.uint8]:
    if all(isinstance(batch.q, int) for batch in batches):
        return np.repeat(np.array([batch.q for batch in batches], np.uint8), sizes)
    return np.array(
        _flat(batch.q if isinstance(batch.q, list) else [batch.q] * len(batch.p) for batch in batches), np.uint8
    )


def _flat(columns: Iterable[Sequence[T]]) -> list[T]:
    values: list[T] = []
    for column in columns:
        values += column
    return values
