"""A user's own time series: one row per instant, one numeric column per channel, as Parquet or CSV.

The time column is found by its type. Missing values stay missing. Names keep their case. Row numbers that a data frame
was indexed by are no channel.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
from numpy.typing import NDArray

from edge.errors import BadInput

US_PER_S = 1_000_000


@dataclass(frozen=True)
class Series:
    """A file of m channels at n rising instants."""

    time_us: NDArray[np.int64]
    """[µs since 1970-01-01], UTC where the file gives an offset, else as the file has it."""
    has_offset: bool
    names: tuple[str, ...]
    values: NDArray[np.float64]
    """Shape (n, m); NaN where nothing was read."""
    label: NDArray[np.bool_] | None

    @property
    def time_s(self) -> NDArray[np.float64]:
        """The instants. [s]"""
        return self.time_us / US_PER_S

    def iso(self, row: int) -> str:
        """The instant of a row as people write it, ending in Z where the file gives an offset."""
        text = str(np.datetime_as_string(np.datetime64(int(self.time_us[row]), "us"), unit="s"))
        return text + "Z" if self.has_offset else text

    def channel(self, name: str) -> NDArray[np.float64]:
        """One channel, shape (n,). Raises BadInput if there is none of that name."""
        if name not in self.names:
            raise BadInput(f"no numeric column {name} (there are {', '.join(self.names)}); rename the column")
        return self.values[:, self.names.index(name)]


def read_series(path: Path, label: str | None = None) -> Series:
    """Read the file; `label` names a column of yes and no that is no channel.

    Raises BadInput with the file, the place and the remedy.
    """
    table = _table(path)
    times = [f.name for f in table.schema if pa.types.is_timestamp(f.type) or pa.types.is_date(f.type)]
    if not times:
        raise BadInput(f"{path}: no column holds times; write them as 2025-06-01 08:00:00 or as Parquet timestamps")
    index = _index_columns(table)
    names = tuple(f.name for f in table.schema if f.name not in (label, *index) and _is_number(f.type))
    if not names:
        raise BadInput(f"{path}: no numeric column besides {times[0]}; give one column per channel")
    time_us = _instants(path, table, times[0])
    values = np.column_stack([_floats(table[name]) for name in names])
    has_offset = pa.types.is_timestamp(table.schema.field(times[0]).type) and table.schema.field(times[0]).type.tz
    return Series(time_us, bool(has_offset), names, values, None if label is None else _label(path, table, label))


def _table(path: Path) -> pa.Table:
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file")
    try:
        if path.suffix.lower() == ".csv":
            return pa_csv.read_csv(path)
        return pa_parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path}: not a Parquet or CSV file that can be read ({reason})") from error


def _index_columns(table: pa.Table) -> tuple[str, ...]:
    """Columns by which a data frame was indexed when it was written as Parquet."""
    described = table.schema.pandas_metadata or {}
    return tuple(name for name in described.get("index_columns", []) if isinstance(name, str))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    values = np.asarray(pc.cast(column, pa.float64()).to_numpy(), dtype=float)
    return np.where(np.isfinite(values), values, np.nan)


def _instants(path: Path, table: pa.Table, name: str) -> NDArray[np.int64]:
    column = table[name]
    if column.null_count:
        row = int(np.flatnonzero(np.asarray(pc.is_null(column)))[0])
        raise BadInput(f"{path}, row {row + 2}, {name}: the time is empty. Fill it in or drop the row")
    stamps = pc.cast(column, pa.timestamp("us", tz=getattr(column.type, "tz", None)), safe=False)
    time_us = np.asarray(pc.cast(stamps, pa.int64()).to_numpy(), dtype=np.int64)
    falls = np.flatnonzero(np.diff(time_us) <= 0)
    if len(falls):
        raise BadInput(f"{path}, row {int(falls[0]) + 3}, {name}: the time does not rise. Sort the rows, drop repeats")
    return time_us


def _label(path: Path, table: pa.Table, name: str) -> NDArray[np.bool_]:
    if name not in table.column_names:
        raise BadInput(f"{path}: no column {name} for --labels (it has {', '.join(table.column_names)})")
    column = table[name]
    if not (pa.types.is_boolean(column.type) or _is_number(column.type)):
        raise BadInput(f"{path}, {name}: labels are 0 and 1 or true and false, not {column.type}")
    values = np.asarray(pc.fill_null(pc.cast(column, pa.float64()), 0.0))
    if not np.isin(values, (0.0, 1.0)).all():
        row = int(np.flatnonzero(~np.isin(values, (0.0, 1.0)))[0])
        raise BadInput(f"{path}, row {row + 2}, {name}: {values[row]:g} is neither 0 nor 1")
    return np.asarray(values == 1.0)
