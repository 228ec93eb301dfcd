"""A recording of a real instrument: one instant and some values per row, from CSV or Parquet."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from edge.errors import BadInput

TimeUnit = Literal["ms", "s", "min", "h", "d"]
MS_OF_UNIT: Mapping[TimeUnit, float] = {"ms": 1.0, "s": 1e3, "min": 6e4, "h": 3.6e6, "d": 8.64e7}


@dataclass(frozen=True, eq=False)
class Recording:
    """Columns of a file, in order of time."""

    t_ms: NDArray[np.int64]
    """[ms since 1970-01-01T00:00Z]; instants without a time zone are taken as they stand."""
    columns: Mapping[str, NDArray[np.float64]]
    """NaN where the file has no value."""
    period_ms: int
    """The usual distance between two rows: how long a row is shown."""

    def between(self, start_ms: int | None, end_ms: int | None) -> "Recording":
        """The rows with start <= t < end."""
        keep = np.ones(len(self.t_ms), dtype=bool)
        if start_ms is not None:
            keep &= self.t_ms >= start_ms
        if end_ms is not None:
            keep &= self.t_ms < end_ms
        columns = {name: values[keep] for name, values in self.columns.items()}
        return Recording(self.t_ms[keep], columns, self.period_ms)

    def value(self, column: str, now_ms: int) -> float | None:
        """What the instrument shows at an instant: the last row's value for one period, then nothing."""
        row = int(np.searchsorted(self.t_ms, now_ms, side="right")) - 1
        if row < 0 or now_ms - self.t_ms[row] >= self.period_ms:
            return None
        value = float(self.columns[column][row])
        return None if np.isnan(value) else value


def load_recording(
    path: Path, *, time_column: str | None = None, columns: Sequence[str] = (), time_unit: TimeUnit = "s"
) -> Recording:
    """Read a CSV or Parquet file; the time column is the one of type timestamp, or one of numbers in `time_unit`.

    Raises BadInput.
    """
    table = _read(path)
    time_name = time_column or _time_column(path, table)
    names = list(columns) or [
        field.name for field in table.schema if field.name != time_name and _is_number(field.type)
    ]
    for name in [time_name, *names]:
        if name not in table.column_names:
            raise BadInput(f"{path}: there is no column {name!r}. The file has {', '.join(table.column_names)}")
    order = pc.sort_indices(table, sort_keys=[(time_name, "ascending")])
    table = table.take(order)
    t_ms = _instants_ms(path, table.column(time_name), MS_OF_UNIT[time_unit])
    if len(t_ms) < 2:
        raise BadInput(f"{path}: {len(t_ms)} rows, a recording needs two at least")
    values = {name: _numbers(path, name, table.column(name)) for name in names}
    return Recording(t_ms, values, int(np.median(np.diff(t_ms))))


def default_point_name(column: str) -> str:
    """A column's name as a point name."""
    return re.sub(r"[^a-z0-9_.]+", "_", column.lower()).strip("._") or "value"


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path) if path.suffix == ".parquet" else csv.read_csv(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise BadInput(f"{path}: cannot be read ({error}). Give a CSV or Parquet file with a header") from error


def _time_column(path: Path, table: pa.Table) -> str:
    times = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    if not times:
        raise BadInput(f"{path}: no column of type timestamp. Name the time column with --time")
    return str(times[0])


def _instants_ms(path: Path, column: pa.ChunkedArray, unit_ms: float) -> NDArray[np.int64]:
    if column.null_count:
        raise BadInput(f"{path}: {column.null_count} rows without an instant. Remove them or fill them in")
    try:
        stamps = column.cast(pa.timestamp("ms")) if pa.types.is_timestamp(column.type) else column.cast(pa.float64())
    except pa.ArrowInvalid as error:
        raise BadInput(f"{path}: the time column cannot be read as instants ({error})") from error
    if pa.types.is_timestamp(stamps.type):
        return np.asarray(stamps.cast(pa.int64()).to_numpy(), dtype=np.int64)
    return np.asarray(np.round(stamps.to_numpy() * unit_ms), dtype=np.int64)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _numbers(path: Path, name: str, column: pa.ChunkedArray) -> NDArray[np.float64]:
    try:
        return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    except pa.ArrowInvalid as error:
        raise BadInput(f"{path}: column {name!r} holds no numbers ({error})") from error
