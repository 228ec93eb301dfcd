"""Columns to InfluxDB line protocol, 3 million rows per second and core.

A line is `<quantity>,point=<full name>,site=<site> value=<float>,quality=<int>i <ms>`; BAD rows have no `value`.
Field types never change: an integer sent as `value` once would have every later float refused. Names are checked
by `ingest.columns.refusals` before they come here, so nothing in them needs escaping.
"""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache

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


def reading_lines(rows: Columns) -> Lines:
    """Return one line per row."""
    values = without_bad_values(rows)
    missing = np.isnan(values)
    texts = pc.cast(pa.array(values), pa.string())
    if missing.any():
        texts = pc.if_else(pa.array(missing), "", texts)
    heads = _heads(rows.points).take(pa.array(rows.index * 2 + missing))
    tails = _tails().take(pa.array(rows.quality.astype(np.int32) + _QUALITIES * missing))
    instants = pc.cast(pa.array(rows.t_ms), pa.string())
    return _lines(pc.binary_join_element_wise(heads, texts, tails, instants, "\n", ""))


def partial_lines(partials: Sequence[Partial]) -> Lines:
    """Return one line per partial sum; `names` tells which of the sums belong to it when others were kept before."""
    return _lines(pa.array([_partial_line(partial) for partial in partials], pa.string()))


def measurement(point: str) -> str:
    """Return the quantity that a point's name ends with: the measurement it is kept in."""
    return point.rsplit(".", 1)[-1]


def _heads(points: tuple[str, ...]) -> pa.Array:
    """Per point two beginnings of a line: one that a value follows, one that no value follows."""
    return pa.array([head for point in points for head in _heads_of(point)], pa.string())


@lru_cache(maxsize=200_000)
def _heads_of(point: str) -> tuple[str, str]:
    tags = f"{measurement(point)},point={point},site={point.partition('/')[0]} "
    return tags + "value=", tags


@lru_cache(maxsize=1)
def _tails() -> pa.Array:
    """By quality, then by quality where no value stands before it."""
    with_value = [f",quality={quality}i " for quality in range(_QUALITIES)]
    return pa.array(with_value + [tail.removeprefix(",") for tail in with_value], pa.string())


def _lines(texts: pa.Array) -> Lines:
    _, offsets, text = texts.buffers()
    starts = np.frombuffer(offsets, np.int32, count=len(texts) + 1, offset=4 * texts.offset).astype(np.int64)
    return Lines(memoryview(text) if text is not None else memoryview(b""), starts)


def _partial_line(partial: Partial) -> str:
    day_ms = int(np.datetime64(partial.day, "ms").astype(np.int64))
    sums = "".join(f"{SUM_PREFIX}{_tag(name)}={float(value)!r}," for name, value in partial.sums.items())
    names = _text(json.dumps(list(partial.sums)))
    return (
        f"{KPI_MEASUREMENT},kpi={_tag(partial.kpi)},subject={_tag(partial.subject)} "
        f'{sums}names="{names}",computed_ms={partial.computed_ms}i {day_ms}\n'
    )


def _tag(text: str) -> str:
    for mark in ",= ":
        text = text.replace(mark, "\\" + mark)
    return text


def _text(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
