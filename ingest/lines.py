"""Columns to InfluxDB line protocol, 3 million rows per second and core.

A line is `<quantity>,point=<full name>,site=<site> value=<float>,quality=<int>i <ms>`; BAD rows have no `value`.
Field types never change: an integer sent as `value` once would have every later float refused. Names are checked
by `ingest.columns.refusals` before they come here, so nothing in them needs escaping.
"""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest.columns import without_bad_values
from ingest.store import Columns, Partial

KPI_MEASUREMENT = "kpi_partial"
SUM_PREFIX = "sum_"
DAY_MS = 86_400_000

_QUALITIES = 256


class Lines:
    """Lines of one call, one after the other in one piece of memory."""

    def __init__(self, text: memoryview, starts: NDArray[np.int64]) -> None:
        self._text = text
        self._starts = starts
        """Where each line starts; one more entry than lines."""

    def __len__(self) -> int:
        return len(self._starts) - 1

    def text(self, first: int, last: int) -> memoryview:
        """Return lines first <= i < last, each with its line end, without copying."""
        return self._text[self._starts[first] : self._starts[last]]

    def spans(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield (first, last) of pieces of at most `size` lines."""
        for first in range(0, len(self), size):
            yield first, min(first + size, len(self))


def line_heads(points: Sequence[str]) -> pa.Array:
    """Return per point what its lines begin with."""
    return _texts([_head(point) for point in points])


def reading_lines(rows: Columns, heads: pa.Array) -> Lines:
    """Return one line per row; `heads` are those of the rows' points."""
    values = without_bad_values(rows)
    missing = np.isnan(values)
    fields = _text("value="), pc.cast(_numbers(values), pa.string())
    if missing.any():
        fields = tuple(pc.if_else(pc.is_nan(_numbers(values)), _text(""), part) for part in fields)
    tails = _tails().take(_numbers(rows.quality.astype(np.int32) + _QUALITIES * missing))
    instants = pc.cast(_numbers(rows.t_ms), pa.string())
    starts = heads.take(_numbers(rows.index))
    return _lines(pc.binary_join_element_wise(starts, *fields, tails, instants, _text("\n"), _text("")))


def partial_lines(partials: Sequence[Partial]) -> Lines:
    """Return one line per partial sum; `names` tells which of the sums belong to it when others were kept before."""
    return _lines(_texts([_partial_line(partial).encode() for partial in partials]))


def measurement(point: str) -> str:
    """Return the quantity that a point's name ends with: the measurement it is kept in."""
    return point.rsplit(".", 1)[-1]


@lru_cache(maxsize=200_000)
def _head(point: str) -> bytes:
    return f"{measurement(point)},point={point},site={point.partition('/')[0]} ".encode()


@lru_cache(maxsize=1)
def _tails() -> pa.Array:
    """By quality, then by quality where no value stands before it."""
    with_value = [b",quality=%di " % quality for quality in range(_QUALITIES)]
    return _texts(with_value + [tail.removeprefix(b",") for tail in with_value])


def _numbers(column: NDArray[Any]) -> pa.Array:
    """The column as Arrow sees it. Neither `pa.array` nor plain scalars here: they load pandas where it is at hand."""
    column = np.ascontiguousarray(column)
    return pa.Array.from_buffers(pa.from_numpy_dtype(column.dtype), len(column), [None, pa.py_buffer(column)])


@lru_cache
def _text(text: str) -> pa.Scalar:
    return _texts([text.encode()])[0]


def _texts(texts: Sequence[bytes]) -> pa.Array:
    ends = np.zeros(len(texts) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, texts), np.int32, len(texts)), out=ends[1:])
    return pa.Array.from_buffers(pa.string(), len(texts), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))])


def _lines(texts: pa.Array) -> Lines:
    _, offsets, text = texts.buffers()
    starts = np.frombuffer(offsets, np.int32, count=len(texts) + 1, offset=4 * texts.offset).astype(np.int64)
    return Lines(memoryview(text) if text is not None else memoryview(b""), starts)


def _partial_line(partial: Partial) -> str:
    day_ms = int(np.datetime64(partial.day, "ms").astype(np.int64))
    sums = "".join(f"{SUM_PREFIX}{_tag(name)}={float(value)!r}," for name, value in partial.sums.items())
    names = _escaped(json.dumps(list(partial.sums)))
    return (
        f"{KPI_MEASUREMENT},kpi={_tag(partial.kpi)},subject={_tag(partial.subject)} "
        f'{sums}names="{names}",computed_ms={partial.computed_ms}i {day_ms}\n'
    )


def _tag(text: str) -> str:
    for mark in ",= ":
        text = text.replace(mark, "\\" + mark)
    return text


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
