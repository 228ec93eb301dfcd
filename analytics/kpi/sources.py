"""Where a backfill takes its readings from: the store, or Parquet files. Small values, the same on every worker."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edge.errors import BadInput
from ingest.columns import empty, join
from ingest.config import StoreSettings
from ingest.days import day_numbers, day_text
from ingest.store import Columns
from ingest.stores import open_store


class Reader(Protocol):
    """What gives readings."""

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> Columns:
        """Return the readings with start <= t < end, by point and then by time."""


@dataclass(frozen=True)
class StoreSource:
    """The centre's store."""

    settings: StoreSettings
    data_dir: Path

    @contextmanager
    def opened(self) -> Iterator[Reader]:
        """Open it for the time of a `with` block. Raises StoreError."""
        with closing(open_store(self.settings, self.data_dir)) as store:
            yield store


@dataclass(frozen=True)
class ParquetSource:
    """A folder of files `<county>/<YYYY-MM-DD>.parquet` with the columns point, t_ms, value and quality.

    What came after a day was archived stands beside it as `<YYYY-MM-DD>.2.parquet` and so on.
    """

    folder: Path
    county: str
    timezone: str

    @contextmanager
    def opened(self) -> Iterator[Reader]:
        """Give readings for the time of a `with` block."""
        yield self

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> Columns:
        """Return the readings with start <= t < end, by point and then by time. Raises BadInput."""
        edges = np.array([start_ms, end_ms - 1], np.int64)
        first, last = day_numbers(edges, self.timezone) if end_ms > start_ms else (0, -1)
        files = [
            file
            for day in range(int(first), int(last) + 1)
            for pattern in (f"{day_text(day)}.parquet", f"{day_text(day)}.*.parquet")
            for file in sorted((self.folder / self.county).glob(pattern))
        ]
        parts = [_read_file(file, points, start_ms, end_ms) for file in files]
        rows = join(parts, points) if parts else empty(points)
        order = np.lexsort((rows.t_ms, rows.index))
        return Columns(rows.points, rows.index[order], rows.t_ms[order], rows.value[order], rows.quality[order])


Source = StoreSource | ParquetSource


def _read_file(file: Path, points: Sequence[str], start_ms: int, end_ms: int) -> Columns:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(
            file,
            columns=["point", "t_ms", "value", "quality"],
            filters=(pc.field("t_ms") >= start_ms) & (pc.field("t_ms") < end_ms),
            read_dictionary=["point"],
        )
        named = table["point"].combine_chunks()
        number = {name: place for place, name in enumerate(points)}
        place_of = np.asarray([number.get(name, -1) for name in named.dictionary.to_pylist()], np.int32)
        index = place_of[named.indices.to_numpy()] if len(named) else np.zeros(0, np.int32)
    except (pa.ArrowException, OSError, KeyError, AttributeError) as error:
        raise BadInput(f"{file}: not readings in Parquet ({error}). Columns: point, t_ms, value, quality") from error
    known = np.flatnonzero(index >= 0)
    return Columns(
        tuple(points),
        index[known],
        table["t_ms"].to_numpy()[known].astype(np.int64, copy=False),
        table["value"].to_numpy()[known].astype(np.float64, copy=False),
        table["quality"].to_numpy()[known].astype(np.uint8, copy=False),
    )
