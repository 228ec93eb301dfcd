"""People's own tables: CSV as it leaves a spreadsheet, or Parquet, read column by column and judged row by row.

A row that cannot be used is rejected with its number and a reason, and counted; it never becomes a silent zero.
Row numbers are those a spreadsheet shows: the header is row 1.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
from numpy.typing import NDArray

from analytics.own_files.local_time import UNKNOWN_MS, instants
from edge.errors import BadInput

Mask = NDArray[np.bool_]

FLAGS = {
    "": False,
    "0": False,
    "1": True,
    "false": False,
    "true": True,
    "no": False,
    "yes": True,
    "否": False,
    "是": True,
}
MOST_EXAMPLES = 60
"""Characters of a bad cell that a reason quotes."""
SURE_LETTERS = 2
"""Letters of three bytes that make a line UTF-8 for sure."""


@dataclass(frozen=True)
class Rejection:
    """A row that was set aside."""

    row: int
    reason: str


@dataclass
class Table:
    """The columns of one file, and what is wrong with its rows so far."""

    path: Path
    columns: Mapping[str, pa.Array]
    rows: NDArray[np.int64]
    """Row number of each element."""
    rejected: list[Rejection]
    unknown: Sequence[str]
    """Columns that are not read."""
    bad: Mask = field(init=False)
    """Elements rejected so far."""

    def __post_init__(self) -> None:
        self.bad = np.zeros(len(self.rows), dtype=np.bool_)

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    def reject(self, which: Mask, reason: str, column: str = "") -> None:
        """Set elements aside; the first reason of a row stays. `{}` in the reason quotes the cell of `column`."""
        for index in np.flatnonzero(which & ~self.bad):
            cell = str(self.columns[column][int(index)])[:MOST_EXAMPLES] if column else ""
            self.rejected.append(Rejection(int(self.rows[index]), reason.format(repr(cell))))
        self.bad |= which

    def texts(self, column: str) -> pa.Array:
        """Cells as trimmed text, empty where there is none."""
        if column not in self.columns:
            return pa.nulls(len(self.rows), pa.string()).fill_null("")
        return pc.utf8_trim_whitespace(pc.fill_null(pc.cast(self.columns[column], pa.string()), ""))

    def is_empty(self, column: str) -> Mask:
        """Cells with nothing in them."""
        return _as_mask(pc.equal(self.texts(column), ""))

    def numbers(self, column: str, default: float = np.nan) -> NDArray[np.float64]:
        """Cells as numbers; empty ones are `default`, and rows with anything else are rejected."""
        if column not in self.columns:
            return np.full(len(self.rows), default)
        if not pa.types.is_string(self.columns[column].type):
            values = _as_floats(pc.cast(self.columns[column], pa.float64()))
            return np.where(np.isnan(values), default, values)
        values, wrong = _parse_numbers(self.texts(column))
        self.reject(wrong, f"{column} {{}} is not a number", column)
        return np.where(self.is_empty(column) | wrong, default, values)

    def flags(self, column: str) -> Mask:
        """Cells as yes or no; empty is no, and rows with anything else are rejected."""
        codes = self.codes(column, {text: int(value) for text, value in FLAGS.items()}, "0 or 1")
        return np.asarray(codes == 1)

    def instants(self, column: str, local: ZoneInfo, *, empty_ms: int | None = None) -> NDArray[np.int64]:
        """Cells as instants, `empty_ms` for empty ones; rows whose text names no single instant are rejected."""
        if column not in self.columns:
            return np.full(len(self.rows), UNKNOWN_MS if empty_ms is None else empty_ms, dtype=np.int64)
        read = instants(self.columns[column], local)
        empty = self.is_empty(column)
        self.reject(empty if empty_ms is None else np.zeros_like(empty), f"{column} is empty")
        self.reject(read.wrong & ~empty, f"{column} {{}} is not a time; write 2025-06-01T08:00", column)
        self.reject(read.skipped, f"{column} {{}} does not exist in {local.key}: daylight saving skips it", column)
        self.reject(read.double, f"{column} {{}} comes twice in {local.key}; write its offset", column)
        return read.ms if empty_ms is None else np.where(empty, empty_ms, read.ms)

    def codes(self, column: str, known: Mapping[str, int], wanted: str) -> NDArray[np.int8]:
        """Cells as the codes of `known` words, in any case; rows with other words are rejected."""
        texts = pc.utf8_lower(self.texts(column))
        at = pc.index_in(texts, value_set=pa.array(list(known), pa.string()))
        unknown = _as_mask(pc.is_null(at))
        self.reject(unknown, f"{column} {{}} is not {wanted}", column)
        values = np.array(list(known.values()), dtype=np.int8)
        return np.asarray(values[np.asarray(pc.fill_null(at, 0))])


def read_table(path: Path, *, needed: Sequence[str], known: Sequence[str]) -> Table:
    """Read a CSV (UTF-8, UTF-8 with BOM or GB18030, by lines if need be) or Parquet file.

    `needed` columns must be there, `known` ones may be; others are listed in `unknown`. Empty rows are skipped, and a
    row with too many or too few cells is rejected.
    """
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file")
    names, rows, rejected = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    missing = [column for column in needed if column not in names]
    if missing:
        raise BadInput(f"{path}: no column {', '.join(missing)} (it has {', '.join(names)}); name it in the first row")
    unknown = [name for name in names if name not in {*needed, *known}]
    return Table(path, names, rows, rejected, unknown)


Read = tuple[dict[str, pa.Array], NDArray[np.int64], list[Rejection]]


def _read_parquet(path: Path) -> Read:
    try:
        table = pa_parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path}: not a Parquet file that can be read ({_first_line(error)})") from error
    columns = {name.strip().lower(): table[name].combine_chunks() for name in table.column_names}
    return columns, np.arange(2, table.num_rows + 2), []


def _read_csv(path: Path) -> Read:
    content = _utf8(path)
    header, delimiter = _header(path, content)
    skipped: list[Rejection] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        reason = f"{row.actual_columns} cells where the first row has {row.expected_columns}"
        skipped.append(Rejection(int(row.number), reason))
        return "skip"

    try:
        table = pa_csv.read_csv(
            io.BytesIO(content),
            read_options=pa_csv.ReadOptions(use_threads=False, column_names=header, skip_rows=1, block_size=1 << 24),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, invalid_row_handler=skip, ignore_empty_lines=False, newlines_in_values=True
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in header}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise BadInput(f"{path}: {_first_line(error)}; look for an unpaired quotation mark") from error
    rows = _row_numbers(table.num_rows, [rejection.row for rejection in skipped])
    columns = {name: table[name].combine_chunks() for name in header}
    filled = _filled(columns, table.num_rows)
    return {name: column.filter(pa.array(filled)) for name, column in columns.items()}, rows[filled], skipped


def _utf8(path: Path) -> bytes:
    """The file's text as UTF-8 without a byte order mark, whichever of the three encodings it came in."""
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if content.startswith(b"PK\x03\x04"):
        raise BadInput(f"{path}: this is an Excel workbook; save it as CSV")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        lines = enumerate(content.split(b"\n"), 1)
        return b"\n".join(_line_as_utf8(line, f"{path}: line {number}") for number, line in lines)
    return content


def _line_as_utf8(line: bytes, where: str) -> bytes:
    """A line of a file that is not UTF-8 as a whole: GB18030, unless it was pasted in from a UTF-8 file.

    Two Chinese characters of UTF-8 that are GB18030 by chance too are rare enough; one is not.
    """
    if line.isascii():
        return line
    with suppress(UnicodeDecodeError):
        if sum(letter >= "\u0800" for letter in line.decode("utf-8")) >= SURE_LETTERS:
            return line
    try:
        return line.decode("gb18030").encode()
    except UnicodeDecodeError as error:
        raise BadInput(f"{where}: neither UTF-8 nor GB18030; save the file as UTF-8") from error


def _header(path: Path, content: bytes) -> tuple[list[str], str]:
    """The column names of the first row, and what separates the cells."""
    line = content.split(b"\n", 1)[0].decode().strip("\r")
    if not line.strip():
        raise BadInput(f"{path}: the first row is empty; it must name the columns")
    delimiter = next((mark for mark in ",\t;" if mark in line), ",")
    names = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter))]
    twice = {name for name in names if names.count(name) > 1 and name}
    if twice:
        raise BadInput(f"{path}: the column {', '.join(sorted(twice))} is there twice")
    return [name or f"(column {number})" for number, name in enumerate(names, 1)], delimiter


def _row_numbers(count: int, skipped: list[int]) -> NDArray[np.int64]:
    """Numbers of the rows that were read: all from 2 on but the skipped ones."""
    every = np.arange(2, count + len(skipped) + 2)
    return every[~np.isin(every, skipped)] if skipped else every


def _filled(columns: Mapping[str, pa.Array], count: int) -> Mask:
    """Rows with anything in them."""
    filled = np.zeros(count, dtype=np.bool_)
    for column in columns.values():
        filled |= _as_mask(pc.not_equal(column, ""))
    return filled


def _parse_numbers(texts: pa.Array) -> tuple[NDArray[np.float64], Mask]:
    """Finite numbers, and which of the texts are none (empty ones not counted)."""
    plain = _as_mask(pc.match_substring_regex(texts, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"))
    values = _as_floats(pc.cast(pc.replace_with_mask(texts, pa.array(~plain), pa.scalar("nan")), pa.float64()))
    return values, ~plain & _as_mask(pc.not_equal(texts, "")) | np.isinf(values)


def _as_mask(array: pa.Array) -> Mask:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _as_floats(array: pa.Array) -> NDArray[np.float64]:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
