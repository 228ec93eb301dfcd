"""One sealed batch as arrays, judged on the way: 2 million readings per second.

The rules are those of `edge.wire.Batch` and `edge.wire_rules.check_rows`; here whole columns are looked at, and
`check_rows` has the word where such a look finds something wrong. A site sends the same point list again and again, so
a list is read once: matching every name again would take as long as the rest of the batch.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from edge.wire import (
    MAX_ROWS,
    VERSION,
    Batch,
    BootId,
    Delta,
    PointName,
    Quality,
    SiteName,
    StreamId,
    TimeMs,
    UInt,
    WireError,
    decode,
    unpack,
)
from edge.wire_rules import check_rows

FIRST_BAD = int(Quality.BAD_NO_ANSWER)


@dataclass(frozen=True, eq=False, slots=True)
class BatchRows:
    """The readings of one batch; all arrays have one entry per row."""

    points: tuple[str, ...]
    """Full names, such as `qingshui-wtp/clearwell.turbidity_ntu`."""
    index: NDArray[np.int32]
    """Per row: which of `points`."""
    t_ms: NDArray[np.int64]
    """Per row: when it was sampled. [ms since 1970-01-01T00:00Z]"""
    value: NDArray[np.float64]
    """Per row: NaN exactly where quality is BAD."""
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.t_ms)


@dataclass(frozen=True, eq=False, slots=True)
class ReadBatch:
    """A batch: its key, and its readings."""

    site: str
    stream: str
    seq: int
    boot: str
    rows: BatchRows


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    """`edge.wire.Batch` with the point list left as the text it is."""

    v: Literal[1]
    site: SiteName
    stream: StreamId
    seq: UInt
    boot: BootId
    t0: TimeMs
    points: msgspec.Raw
    p: Annotated[list[UInt], Meta(min_length=1, max_length=MAX_ROWS)]
    dt: Annotated[list[Delta], Meta(max_length=MAX_ROWS)]
    x: Annotated[list[float | None], Meta(max_length=MAX_ROWS)]
    q: Quality | Annotated[list[Quality], Meta(max_length=MAX_ROWS)]


_BATCH = msgspec.json.Decoder(_Batch)
_NAMES = msgspec.json.Decoder(Annotated[tuple[PointName, ...], Meta(min_length=1, max_length=MAX_ROWS)])


def read_batch(payload: bytes) -> ReadBatch:
    """Return the batch. Raises WireError with the reason, whatever the bytes; the instants are not judged."""
    try:
        batch = _BATCH.decode(unpack(payload))
        names = _full_names(batch.site, bytes(batch.points))
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"not a batch of version {VERSION}: {error}"[:500]) from error
    if not len(batch.p) == len(batch.dt) == len(batch.x):
        _raise_reason(payload)
    rows = BatchRows(
        points=names,
        index=np.array(batch.p, np.int64).astype(np.int32),
        t_ms=np.array(batch.dt, np.int64) + batch.t0,
        value=np.array(batch.x, np.float64),  # None becomes NaN, which JSON has not
        quality=_qualities(batch.q, len(batch.p)),
    )
    if max(batch.p) >= len(names) or not _consistent(rows):
        _raise_reason(payload)
    return ReadBatch(batch.site, batch.stream, batch.seq, batch.boot, rows)


@lru_cache(maxsize=2_000)
def _full_names(site: str, point_list: bytes) -> tuple[str, ...]:
    names = _NAMES.decode(point_list)
    if len(set(names)) != len(names):
        raise WireError("the point list repeats a name")
    return tuple(f"{site}/{name}" for name in names)


def _qualities(q: Quality | list[Quality], rows: int) -> NDArray[np.uint8]:
    return np.array(q, np.uint8) if isinstance(q, list) else np.full(rows, q, np.uint8)


def _consistent(rows: BatchRows) -> bool:
    """Whether each row has a finite value or is BAD, and not both."""
    if len(rows.quality) != len(rows):
        return False
    empty, bad = np.isnan(rows.value), rows.quality >= FIRST_BAD
    return bool((empty == bad).all() and (np.isfinite(rows.value) | bad).all())


def _raise_reason(payload: bytes) -> None:
    """Let the contract itself say what is wrong."""
    check_rows(decode(payload, Batch))
    raise AssertionError("a batch that the wire contract takes was refused")
