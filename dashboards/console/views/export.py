"""Readings as files: CSV and Parquet, piece by piece in bounded memory, with progress.

A spreadsheet runs what begins with `=`, `+`, `-` or `@`; text cells that do get an apostrophe before them.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from dashboards.console.errors import Unusable
from dashboards.console.views.points_span import LONGEST_MS
from edge.wire import Quality
from ingest.columns import is_point
from ingest.days import QUARTER_MS
from ingest.store import Columns, Store

Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
MOST_POINTS = 200
BYTE_ORDER_MARK = "\ufeff"
"""Without it spreadsheets take Chinese names for another encoding."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
QUALITY_NAMES = {int(quality): quality.name.lower() for quality in Quality}
SCHEMA = pa.schema(
    [
        ("point", pa.dictionary(pa.int32(), pa.string())),
        ("time", pa.timestamp("ms", tz="UTC")),
        ("value", pa.float64()),
        ("quality", pa.dictionary(pa.int32(), pa.string())),
    ]
)


@dataclass(frozen=True)
class Wanted:
    """What is to be exported."""

    points: tuple[str, ...]
    start_ms: int
    end_ms: int


Told = Callable[[float, int], None]
"""Called after each piece with the share done [0..1] and the readings so far."""


def wanted_of(points: Sequence[str], start_ms: int, end_ms: int) -> Wanted:
    """Return what is to be exported. Raises Unusable."""
    if not points or len(points) > MOST_POINTS or not all(is_point(point) for point in points):
        raise Unusable("export.unusable.points")
    if not 0 <= start_ms < end_ms < 2**42:
        raise Unusable("points.unusable.backwards")
    if end_ms - start_ms > LONGEST_MS:
        raise Unusable("points.unusable.long")
    return Wanted(tuple(dict.fromkeys(points)), start_ms, end_ms)


def csv_of(store: Store, wanted: Wanted, zone: ZoneInfo, told: Told) -> Iterator[bytes]:
    """Yield a CSV file: point, local time with its offset, value, quality. Raises StoreError."""
    yield f"{BYTE_ORDER_MARK}point,time,value,quality\r\n".encode()
    for piece in _pieces(store, wanted, told):
        yield _csv_lines(piece, zone)


def parquet_of(store: Store, wanted: Wanted, told: Told) -> Iterator[bytes]:
    """Yield a Parquet file (zstd), one row group per piece; `time` is UTC. Raises StoreError."""
    sink = _Sink()
    with parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), SCHEMA, compression="zstd") as writer:
        for piece in _pieces(store, wanted, told):
            writer.write_table(_table(piece))
            yield sink.take()
    yield sink.take()


def table_csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield a CSV file of any table, its text cells made harmless."""
    yield BYTE_ORDER_MARK.encode() + _csv_row(headings)
    for row in rows:
        yield _csv_row(row)


def harmless(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def _pieces(store: Store, wanted: Wanted, told: Told) -> Iterator[Columns]:
    done, span_ms = 0, wanted.end_ms - wanted.start_ms
    for piece in store.stream(wanted.points, wanted.start_ms, wanted.end_ms):
        yield piece
        done += len(piece)
        within = (int(piece.t_ms[-1]) - wanted.start_ms) / span_ms
        told((int(piece.index[-1]) + within) / len(wanted.points), done)
    told(1.0, done)


def _csv_lines(piece: Columns, zone: ZoneInfo) -> bytes:
    times = _local_times(piece.t_ms, zone)
    values = ["" if value != value else repr(value) for value in piece.value.tolist()]
    qualities = [QUALITY_NAMES.get(quality, str(quality)) for quality in piece.quality.tolist()]
    points = [piece.points[number] for number in piece.index.tolist()]
    rows = zip(points, times, values, qualities, strict=True)
    return "".join(f"{point},{time},{value},{quality}\r\n" for point, time, value, quality in rows).encode()


def _local_times(t_ms: NDArray[np.int64], zone: ZoneInfo) -> list[str]:
    """ISO 8601 with the offset of each instant; zones change on a quarter-hour, so each of these is looked up once."""
    unit: Literal["ms", "s"] = "ms" if (t_ms % 1000).any() else "s"
    quarters, place = np.unique(t_ms // QUARTER_MS, return_inverse=True)
    known = [datetime.fromtimestamp(quarter * QUARTER_MS / 1000, zone) for quarter in quarters.tolist()]
    offset_ms = np.array([at.replace(tzinfo=UTC).timestamp() - at.timestamp() for at in known]) * 1000
    local = (t_ms + offset_ms.astype(np.int64)[place]).astype("datetime64[ms]")
    ends = [at.isoformat()[19:] for at in known]
    texts = np.datetime_as_string(local, unit=unit).tolist()
    return [text + ends[number] for text, number in zip(texts, place.tolist(), strict=True)]


def _table(piece: Columns) -> pa.Table:
    names = sorted(set(piece.quality.tolist()))
    place = np.searchsorted(np.array(names, np.int64), piece.quality).astype(np.int32)
    quality = pa.DictionaryArray.from_arrays(place, [QUALITY_NAMES.get(name, str(name)) for name in names])
    value = pa.array(piece.value, mask=np.isnan(piece.value))
    time = pa.array(piece.t_ms).cast(pa.timestamp("ms", tz="UTC"))
    point = pa.DictionaryArray.from_arrays(piece.index, list(piece.points))
    return pa.Table.from_arrays([point, time, value, quality], schema=SCHEMA)


def _csv_row(cells: Sequence[object]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([harmless(cell) for cell in cells])
    return line.getvalue().encode()


class _Sink(io.RawIOBase):
    """What a writer has written since it was last taken."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self._held += memoryview(data)  # type: ignore[arg-type]  # a writer gives bytes
        return len(memoryview(data))  # type: ignore[arg-type]

    def take(self) -> bytes:
        taken, self._held = bytes(self._held), bytearray()
        return taken
