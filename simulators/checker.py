"""Was anything lost, doubled, invented or changed? Sets of keys (point, instant), compared for millions at once.

`History` is what the ledgers saw at the gateways, `ingest.store.Columns` is what the store gives back. Both become
sorted arrays of one integer key per reading, and every question is a difference of sets.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.wire import Batch, DroppedRange, decode
from ingest.store import Columns
from simulators.ledger import Trail

Keys = NDArray[np.int64]
SHOWN = 5
"""Examples that a finding names."""
BAD_FROM = 8


@dataclass(frozen=True, eq=False)
class Readings:
    """Readings as columns."""

    points: tuple[str, ...]
    index: NDArray[np.int32]
    t_ms: Keys
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.t_ms)


@dataclass(frozen=True, eq=False)
class History:
    """What left the meters and reached the spools."""

    intended: Readings
    """All that a spool was ever asked to keep."""
    sealed: NDArray[np.bool_]
    """Per reading: whether its batch is promised and no policy has reported it dropped."""
    batches: Mapping[str, NDArray[np.int64]]
    """Stream → sequence numbers promised and not reported dropped, sorted."""


@dataclass(frozen=True)
class Findings:
    """The verdict of one comparison; all of it zero is what the road promises."""

    sealed: int
    stored: int
    lost: int = 0
    """Sealed, not reported dropped, and not in the store."""
    duplicated: int = 0
    """In the store more than once."""
    invented: int = 0
    """In the store, and never intended."""
    changed: int = 0
    """In the store with another value or quality."""
    unaccounted: int = 0
    """Sealed batch numbers that the centre neither holds nor was told of."""
    examples: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether every promise held."""
        return not (self.lost or self.duplicated or self.invented or self.changed or self.unaccounted)


def gather(ledgers: Mapping[str, Sequence[Trail]], dropped: Iterable[DroppedRange] = ()) -> History:
    """Make the history of all sites' ledgers; `dropped` is what the centre was told that policies let go."""
    gone = _ranges(dropped)
    points: dict[str, int] = {}
    columns: list[tuple[NDArray[np.int32], Keys, NDArray[np.float64], NDArray[np.uint8]]] = []
    sealed: list[NDArray[np.bool_]] = []
    batches: dict[str, list[int]] = {}
    for site, trails in ledgers.items():
        for trail in trails:
            rows = _columns(site, decode(trail.payload, Batch), points)
            kept = trail.sealed and not _within(gone.get(trail.stream, ()), trail.seq)
            columns.append(rows)
            sealed.append(np.full(len(rows[0]), kept))
            if kept:
                batches.setdefault(trail.stream, []).append(trail.seq)
    index, t_ms, value, quality = _stack(columns)
    return History(
        Readings(tuple(points), index, t_ms, value, quality),
        np.concatenate(sealed) if sealed else np.zeros(0, dtype=bool),
        {stream: np.unique(np.array(seqs, dtype=np.int64)) for stream, seqs in batches.items()},
    )


def check(history: History, stored: Columns, held: Mapping[str, Sequence[tuple[int, int]]] | None = None) -> Findings:
    """Compare history and store; `held` gives per stream the ranges of numbers that the centre holds, ends included."""
    names = {name: number for number, name in enumerate(dict.fromkeys((*history.intended.points, *stored.points)))}
    intended = _keys(names, history.intended.points, history.intended.index, history.intended.t_ms)
    present = _keys(names, stored.points, stored.index, stored.t_ms)
    unique, first, counts = np.unique(present, return_index=True, return_counts=True)
    promised, asked = _distinct(intended[history.sealed]), _distinct(intended)
    lost = promised[~_is_in(promised, unique)]
    invented = unique[~_is_in(unique, asked)]
    changed = _changed(history, intended, stored, unique, first)
    unaccounted = _unaccounted(history.batches, held) if held is not None else []
    return Findings(
        sealed=len(promised),
        stored=len(unique),
        lost=len(lost),
        duplicated=int((counts - 1).sum()),
        invented=len(invented),
        changed=len(changed),
        unaccounted=len(unaccounted),
        examples=(
            *_name("lost", lost, list(names)),
            *_name("duplicated", unique[counts > 1], list(names)),
            *_name("invented", invented, list(names)),
            *_name("changed", changed, list(names)),
            *(f"unaccounted {stream} {seq}" for stream, seq in unaccounted[:SHOWN]),
        ),
    )


def _columns(
    site: str, batch: Batch, points: dict[str, int]
) -> tuple[NDArray[np.int32], Keys, NDArray[np.float64], NDArray[np.uint8]]:
    """One batch as columns, its points numbered in `points` by their full names."""
    numbers = np.array([points.setdefault(f"{site}/{name}", len(points)) for name in batch.points], dtype=np.int32)
    quality = np.asarray(batch.q if isinstance(batch.q, list) else [batch.q] * len(batch.p), dtype=np.uint8)
    value = np.array([np.nan if x is None else x for x in batch.x], dtype=np.float64)
    return numbers[batch.p], batch.t0 + np.asarray(batch.dt, dtype=np.int64), value, quality


def _stack(
    columns: Sequence[tuple[NDArray[np.int32], Keys, NDArray[np.float64], NDArray[np.uint8]]],
) -> tuple[NDArray[np.int32], Keys, NDArray[np.float64], NDArray[np.uint8]]:
    if not columns:
        return np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint8)
    index, t_ms, value, quality = zip(*columns, strict=True)
    return np.concatenate(index), np.concatenate(t_ms), np.concatenate(value), np.concatenate(quality)


def _keys(names: Mapping[str, int], points: Sequence[str], index: NDArray[np.int32], t_ms: Keys) -> Keys:
    """One integer per reading: the instant, then the point. 2^17 points, and instants until the year 4199."""
    if len(names) >= 1 << 17:
        raise ValueError(f"{len(names)} points, the checker takes {1 << 17}")
    numbers = np.array([names[point] for point in points], dtype=np.int64)
    return np.asarray((t_ms << 17) | numbers[index]) if len(points) else np.zeros(0, np.int64)


def _changed(history: History, intended: Keys, stored: Columns, unique: Keys, first: NDArray[np.intp]) -> Keys:
    """Stored keys whose value and quality were intended by nobody; a key may have been intended more than once."""
    here = _is_in(intended, unique)
    row = first[np.searchsorted(unique, intended[here])]
    ours, theirs = history.intended, stored
    bad = theirs.quality[row] >= BAD_FROM
    same = (ours.quality[here] == theirs.quality[row]) & (bad | (ours.value[here] == theirs.value[row]))
    differing, right = _distinct(intended[here][~same]), _distinct(intended[here][same])
    return np.asarray(differing[~_is_in(differing, right)])


def _distinct(keys: Keys) -> Keys:
    """Each key once, sorted. (A third of the time of `np.unique`, which hashes.)"""
    ordered = np.sort(keys)
    return np.asarray(ordered[np.diff(ordered, prepend=ordered[:1] - 1) != 0])


def _is_in(keys: Keys, ordered: Keys) -> NDArray[np.bool_]:
    """Per key: whether it is one of the `ordered` ones."""
    if not len(ordered):
        return np.zeros(len(keys), dtype=bool)
    place = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    return np.asarray(ordered[place] == keys)


def _unaccounted(
    batches: Mapping[str, NDArray[np.int64]], held: Mapping[str, Sequence[tuple[int, int]]]
) -> list[tuple[str, int]]:
    return [
        (stream, int(seq)) for stream, seqs in batches.items() for seq in seqs if not _within(held.get(stream, ()), seq)
    ]


def _ranges(dropped: Iterable[DroppedRange]) -> dict[str, list[tuple[int, int]]]:
    ranges: dict[str, list[tuple[int, int]]] = {}
    for gap in dropped:
        ranges.setdefault(gap.stream, []).append((gap.first_seq, gap.last_seq))
    return ranges


def _within(ranges: Sequence[tuple[int, int]], seq: int) -> bool:
    return any(first <= seq <= last for first, last in ranges)


def _name(what: str, keys: Keys, names: Sequence[str]) -> list[str]:
    return [f"{what} {names[int(key) & ((1 << 17) - 1)]} at {int(key) >> 17}" for key in keys[:SHOWN]]
