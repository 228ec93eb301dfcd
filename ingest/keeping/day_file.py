"""One county's readings of one local day in a Parquet file that never changes, with its hash and counts beside it.

What arrives after a day was written goes into the next part of that day. A part counts only when the file beside it,
`<part>.json`, stands there: that is written last, after the part was read back and found equal.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.authority.folder import write_whole
from ingest.columns import join
from ingest.keeping.files import sha256_of, sync_folder
from ingest.store import Columns, StoreRefused

SCHEMA = pa.schema([
    ("point", pa.dictionary(pa.int32(), pa.string())),
    ("t_ms", pa.int64()),
    ("value", pa.float64()),
    ("quality", pa.uint8()),
])  # fmt: skip
ROWS_PER_GROUP = 200_000


@dataclass(frozen=True)
class Part:
    """A file of the archive, as the file beside it describes it."""

    file: str
    """Its name."""
    rows: int
    points: int
    first_ms: int
    last_ms: int
    sha256: str
    made_ms: int


def parts_of(folder: Path, day: str) -> list[Part]:
    """Return the parts of a day, in the order in which they were written."""
    found = [
        msgspec.json.decode(path.read_bytes(), type=Part)
        for path in (*folder.glob(f"{day}.parquet.json"), *folder.glob(f"{day}.*.parquet.json"))
    ]
    return sorted(found, key=lambda part: _number(part.file))


def write_part(folder: Path, day: str, pieces: Iterable[Columns], now_ms: int) -> Part | None:
    """Write the rows as the next part of a day, durable and verified on return; None where there are no rows.

    Raises StoreRefused where what is read back is not what was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    number = 1 + max((_number(part.file) for part in parts_of(folder, day)), default=0)
    path = folder / (f"{day}.parquet" if number == 1 else f"{day}.{number}.parquet")
    unfinished = folder / f".{path.name}.unfinished"
    written = _Content()
    with pq.ParquetWriter(unfinished, SCHEMA, compression="zstd") as writer:
        for rows in _grouped(pieces):
            written.add(rows)
            writer.write_table(_table(rows))
    if not written.rows:
        unfinished.unlink()
        return None
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
        sha256 = sha256_of(file)
    if _content_of(unfinished).digest() != written.digest():
        raise StoreRefused(f"{unfinished}: reads back as other rows than were written. Check this disk")
    unfinished.replace(path)
    part = Part(path.name, written.rows, len(written.points), written.first_ms, written.last_ms, sha256, now_ms)
    write_whole(path.with_name(f"{path.name}.json"), msgspec.json.format(msgspec.json.encode(part)))
    sync_folder(folder)
    return part


def check_part(folder: Path, part: Part) -> None:
    """Raise StoreRefused unless the file is, byte for byte, what it was when it was verified."""
    path = folder / part.file
    try:
        with path.open("rb") as file:
            same = sha256_of(file) == part.sha256
    except OSError as error:
        raise StoreRefused(f"{path}: cannot be read ({error.strerror}). Nothing of that day was deleted") from error
    if not same:
        raise StoreRefused(f"{path}: has changed since it was written. Nothing of that day was deleted; restore it")


def read_part(path: Path) -> Iterator[Columns]:
    """Give the rows of a part in bounded pieces, in their order."""
    with pq.ParquetFile(path, read_dictionary=["point"]) as file:
        for batch in file.iter_batches(ROWS_PER_GROUP):
            point = batch.column("point")
            yield Columns(
                points=tuple(point.dictionary.to_pylist()),
                index=point.indices.to_numpy().astype(np.int32),
                t_ms=batch.column("t_ms").to_numpy(),
                value=batch.column("value").to_numpy(zero_copy_only=False).astype(np.float64),
                quality=batch.column("quality").to_numpy(),
            )


class _Content:
    """What some rows are, however they are cut into pieces."""

    def __init__(self) -> None:
        self.rows = 0
        self.points: set[str] = set()
        self.first_ms, self.last_ms = 2**62, 0
        self._digests = [hashlib.sha256() for _ in range(4)]

    def add(self, rows: Columns) -> None:
        self.rows += len(rows)
        self.points |= {rows.points[number] for number in np.unique(rows.index).tolist()}
        self.first_ms = min(self.first_ms, int(rows.t_ms.min()))
        self.last_ms = max(self.last_ms, int(rows.t_ms.max()))
        names = np.array([hash_of(name) for name in rows.points], "S16")[rows.index]
        value = np.where(np.isnan(rows.value), np.nan, rows.value)
        for digest, column in zip(self._digests, (names, rows.t_ms, value, rows.quality), strict=True):
            digest.update(np.ascontiguousarray(column).tobytes())

    def digest(self) -> bytes:
        return b"".join(digest.digest() for digest in self._digests)


def hash_of(name: str) -> bytes:
    """Return a name in sixteen characters."""
    return hashlib.sha256(name.encode()).hexdigest()[:16].encode()


def _content_of(path: Path) -> _Content:
    content = _Content()
    for rows in read_part(path):
        content.add(rows)
    return content


def _grouped(pieces: Iterable[Columns]) -> Iterator[Columns]:
    """Join small pieces, so that a row group holds many points."""
    waiting: list[Columns] = []
    for piece in pieces:
        if len(piece):
            waiting.append(piece)
        if sum(map(len, waiting)) >= ROWS_PER_GROUP:
            yield join(waiting, waiting[0].points)
            waiting = []
    if waiting:
        yield join(waiting, waiting[0].points)


def _table(rows: Columns) -> pa.Table:
    used, index = np.unique(rows.index, return_inverse=True)
    names: Sequence[str] = [rows.points[number] for number in used.tolist()]
    point = pa.DictionaryArray.from_arrays(index.astype(np.int32), pa.array(names, pa.string()))
    value = pa.array(rows.value, mask=np.isnan(rows.value))
    return pa.Table.from_arrays([point, pa.array(rows.t_ms), value, pa.array(rows.quality)], schema=SCHEMA)


def _number(file: str) -> int:
    """1 for `<day>.parquet`, 2 for `<day>.2.parquet`."""
    middle = file.removesuffix(".parquet").split(".")[1:]
    return int(middle[0]) if middle else 1
