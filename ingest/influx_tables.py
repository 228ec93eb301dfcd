"""InfluxDB's CSV answers as the store's own columns."""

import io
import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from ingest.columns import empty, without_bad_values
from ingest.lines import SUM_PREFIX
from ingest.store import Buckets, Columns, Partial


def table(found: bytes) -> pa.Table:
    """Return a CSV table whose names stay text even where they look like numbers."""
    names = dict.fromkeys(("tags", "kpi", "subject", "names", "value"), pa.string())
    return csv.read_csv(io.BytesIO(found), convert_options=csv.ConvertOptions(column_types=names))


def columns(found: bytes, points: Sequence[str]) -> Columns:
    """Return the rows of a CSV table with the columns tags, time, quality and value."""
    if not found:
        return empty(points)
    types = {
        "tags": pa.dictionary(pa.int32(), pa.string()),
        "time": pa.int64(),
        "quality": pa.uint8(),
        "value": pa.float64(),
    }
    found_rows = _read(found, types).combine_chunks()
    number = {f"point={point}": i for i, point in enumerate(points)}
    tags = found_rows["tags"].unify_dictionaries().combine_chunks()
    numbers = np.array([number[tag] for tag in tags.dictionary.to_pylist()], np.int32)
    rows = Columns(
        points=tuple(points),
        index=numbers[tags.indices.to_numpy()],
        t_ms=found_rows["time"].to_numpy(),
        value=found_rows["value"].to_numpy(),
        quality=pc.fill_null(found_rows["quality"], 0).to_numpy(),
    )
    return Columns(rows.points, rows.index, rows.t_ms, without_bad_values(rows), rows.quality)


def buckets(found: bytes) -> Buckets:
    """Return the steps of a CSV table with the columns time, rows, worst, low, high, mean and valued."""
    start_ms, rows, worst, low, high, mean, valued = _numbers(
        found, "time", "rows", "worst", "low", "high", "mean", "valued"
    )
    held = np.nan_to_num(valued).astype(np.int64)
    bad = rows.astype(np.int64) - held
    return Buckets(start_ms.astype(np.int64), low, high, mean, held, bad, worst.astype(np.uint8))


def with_values(found: Buckets, values: bytes) -> Buckets:
    """Return the steps with the sums of another table, asked for a moment later, in place of their own."""
    start_ms, *sums = _numbers(values, "time", "low", "high", "mean", "valued")
    known = np.isin(start_ms, found.start_ms)
    place = np.searchsorted(found.start_ms, start_ms[known])
    low, high, mean = (_placed(column[known], place, len(found), np.nan) for column in sums[:3])
    valued = _placed(sums[3][known], place, len(found), 0.0).astype(np.int64)
    bad = np.maximum(found.valued + found.bad - valued, 0)
    return Buckets(found.start_ms, low, high, mean, valued, bad, found.worst)


def partial(row: dict[str, object]) -> Partial:
    """Return one row of the measurement of partial sums."""
    names = json.loads(str(row["names"]))
    sums = {name: float(str(row[SUM_PREFIX + name])) for name in names}
    day = str(np.datetime64(int(str(row["time"])), "ms").astype("datetime64[D]"))
    return Partial(str(row["kpi"]), str(row["subject"]), day, sums, int(str(row["computed_ms"])))


def _numbers(found: bytes, *names: str) -> list[NDArray[np.float64]]:
    """Return columns of a CSV table as floats; instants in ms are exact in them."""
    if not found:
        return [np.zeros(0) for _ in names]
    rows = _read(found, dict.fromkeys(names, pa.float64()))
    return [rows[name].to_numpy() for name in names]


def _read(found: bytes, types: Mapping[str, pa.DataType]) -> pa.Table:
    """Return the columns that `types` names."""
    options = csv.ConvertOptions(column_types=types, include_columns=list(types))
    return csv.read_csv(io.BytesIO(found), convert_options=options)


def _placed(
    column: NDArray[np.float64], place: NDArray[np.intp], length: int, empty_value: float
) -> NDArray[np.float64]:
    placed = np.full(length, empty_value)
    placed[place] = column
    return placed
