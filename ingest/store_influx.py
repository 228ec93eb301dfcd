"""InfluxDB 1.8 and 2.x as the store: line protocol in, InfluxQL out.

Measurement = quantity, tags `point` (full name) and `site`, fields `value` (float) and `quality` (integer); a BAD row
has no `value`, and whatever an earlier row left there is masked on reading. Partial sums stand in a measurement of
their own, one row per local day at its midnight in UTC. InfluxDB appends and fsyncs its log before it answers 204.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest import influx_tables
from ingest.columns import (
    FIRST_BAD,
    check_buckets,
    is_point,
    join,
    partial_refusals,
    refusals,
    slots,
    take,
    taken,
)
from ingest.influx_link import InfluxLink, LinesRefused
from ingest.lines import (
    DAY_MS,
    KPI_MEASUREMENT,
    Lines,
    line_heads,
    measurement,
    partial_lines,
    reading_lines,
)
from ingest.store import Buckets, Columns, Latest, Partial, RowsRefused, StoreHealth, StoreRefused

LINES_PER_REQUEST = 10_000
"""As fast as 5 000 with two connections, and 40 % less of our own time; from 20 000 on the server is slower."""
CONNECTIONS = 2
POINTS_PER_QUERY = 200
ROWS_PER_PIECE = 50_000
TIMEOUT_S = 30.0
HOUR_MS = 3_600_000
ROW_SUMS = "count(quality) AS rows, max(quality) AS worst"
VALUE_SUMS = "min(value) AS low, max(value) AS high, mean(value) AS mean, count(value) AS valued"


class InfluxStore:
    """Readings and partial sums in one bucket. Threads of a process may share it."""

    def __init__(self, url: str, bucket: str, *, org: str = "", token: str | None = None) -> None:
        """Prepare the connections; the first call opens them."""
        pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own pool keeps 20 MiB more and is no faster here
        self._link = InfluxLink(url, bucket, org=org, token=token, connections=CONNECTIONS, timeout_s=TIMEOUT_S)
        self._lanes = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="influxdb")

    def append(self, rows: Columns) -> None:
        """Keep `rows`, durable on return. Raises StoreDown, StoreRefused, or RowsRefused (the others are stored)."""
        reasons = refusals(rows)
        wanted = taken(rows, reasons)
        numbers = wanted[np.argsort(rows.index[wanted], kind="stable")]
        lanes, heads = _split_between_points(rows.index[numbers], numbers, CONNECTIONS), line_heads(rows.points)
        for refused in self._lanes.map(lambda lane: self._send_rows(rows, lane, heads), lanes):
            reasons |= refused
        if reasons:
            raise RowsRefused(dict(sorted(reasons.items())))

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> Columns:
        """Return the readings with start <= t < end, by point and then by time. Unknown points have none."""
        parts = [
            influx_tables.columns(self._link.query(_select(group, start_ms, end_ms)), points)
            for group in _by_measurement(points)
        ]
        rows = join(parts, points)
        return take(rows, np.lexsort((rows.t_ms, rows.index)))

    def stream(self, points: Sequence[str], start_ms: int, end_ms: int) -> Iterator[Columns]:
        """Yield the same readings piece by piece, in bounded memory, in the same order."""
        for point in points:
            if is_point(point):
                yield from self._stream_one(points, point, start_ms, end_ms)

    def buckets(self, point: str, start_ms: int, end_ms: int, step_ms: int) -> Buckets:
        """Return the readings with start <= t < end summed up in steps that count from `start_ms`.

        A value that an earlier row left under a BAD one must not count. To filter by quality takes twice the time, so
        it is done only where such a value is found.
        """
        check_buckets(start_ms, end_ms, step_ms)
        if not is_point(point) or end_ms <= start_ms:
            return influx_tables.buckets(b"")
        source, steps = _source(point, start_ms, end_ms), _steps(start_ms, step_ms)
        found = influx_tables.buckets(self._link.query(f"SELECT {ROW_SUMS}, {VALUE_SUMS} {source} {steps}"))
        has_bad = len(found) > 0 and int(found.worst.max()) >= FIRST_BAD
        if has_bad and self._link.query(f"SELECT count(value) {source} AND quality >= {FIRST_BAD}"):
            values = self._link.query(f"SELECT {VALUE_SUMS} {source} AND quality < {FIRST_BAD} {steps}")
            return influx_tables.with_values(found, values)
        return found

    def latest(self, points: Sequence[str]) -> dict[str, Latest]:
        """Return the newest reading of each point that has one."""
        newest: dict[str, Latest] = {}
        for group in _by_measurement(points):
            found = self._link.query(f"{_select(group)} ORDER BY time DESC LIMIT 1")
            rows = influx_tables.columns(found, points)
            for i, t_ms, value, quality in zip(rows.index, rows.t_ms, rows.value, rows.quality, strict=True):
                newest[points[i]] = Latest(int(t_ms), float(value), int(quality))
        return newest

    def points(self) -> list[str]:
        """Return every point that has a reading, sorted."""
        found = self._link.query('SHOW TAG VALUES WITH KEY = "point"')
        return sorted(set(influx_tables.table(found)["value"].to_pylist())) if found else []

    def coverage(self, points: Sequence[str], start_ms: int, end_ms: int, period_ms: int) -> NDArray[np.float64]:
        """Return per point the share of the period's slots that hold a reading that is not BAD. [0..1]"""
        expected = slots(start_ms, end_ms, period_ms)
        held = np.zeros(len(points))
        number = {point: i for i, point in enumerate(points)}
        for group in _by_measurement(points) if expected else ():
            found = self._link.query(_count_slots(group, start_ms, end_ms, period_ms))
            table = influx_tables.table(found) if found else None
            for tags, count in zip(table["tags"].to_pylist(), table["count"].to_pylist(), strict=True) if table else ():
                held[number[tags.removeprefix("point=")]] = count
        return held / max(expected, 1)

    def write_kpi(self, partials: Sequence[Partial]) -> None:
        """Keep `partials`, durable on return; an earlier one of the same (kpi, subject, day) is replaced."""
        reasons = partial_refusals(partials)
        numbers = [number for number in range(len(partials)) if number not in reasons]
        lines = partial_lines([partials[number] for number in numbers])
        for first, last in lines.spans(LINES_PER_REQUEST):
            reasons |= {numbers[line]: why for line, why in self._send(lines, first, last).items()}
        if reasons:
            raise RowsRefused(reasons)

    def read_kpi(self, kpi: str, from_day: str, to_day: str, subjects: Sequence[str] | None = None) -> list[Partial]:
        """Return the partial sums with from_day <= day < to_day, by subject and day; all subjects if None."""
        span = _between(_day_ms(from_day), _day_ms(to_day))
        found = self._link.query(f"SELECT * FROM {KPI_MEASUREMENT} WHERE kpi = {_quoted(kpi)} AND {span}")  # noqa: S608
        wanted = None if subjects is None else set(subjects)
        partials = [influx_tables.partial(row) for row in influx_tables.table(found).to_pylist()] if found else []
        chosen = [partial for partial in partials if wanted is None or partial.subject in wanted]
        return sorted(chosen, key=lambda partial: (partial.subject, partial.day))

    def kpis(self) -> list[str]:
        """Return every kpi of which there are partial sums, sorted."""
        found = self._link.query(f'SHOW TAG VALUES FROM {KPI_MEASUREMENT} WITH KEY = "kpi"')
        return sorted(set(influx_tables.table(found)["value"].to_pylist())) if found else []

    def first_hour_ms(self) -> int | None:
        """Return the start of the oldest reading's hour, None for an empty store. [ms since 1970-01-01T00:00Z]"""
        oldest: list[int] = []
        for quantity in {measurement(point) for point in self.points()}:
            found = self._link.query(f'SELECT first(quality) FROM "{quantity}"')  # noqa: S608 - the end of a point
            oldest += influx_tables.table(found)["time"].to_pylist() if found else []
        return min((t_ms - t_ms % HOUR_MS for t_ms in oldest), default=None)

    def pack(self, before_ms: int) -> bool:
        """Do nothing: InfluxDB compresses by itself."""
        return False

    def forget(self, rows: Columns) -> int:
        """Refuse: InfluxDB deletes by time, and would take what arrived since the rows were read with it."""
        raise StoreRefused(
            "InfluxDB cannot delete only what was archived. Let the bucket's own retention do it: longer than "
            "archive_after_days, and look at 'steppe centre archive' before it is shortened"
        )

    def health(self) -> StoreHealth:
        """Return what answers, and how much it holds. Raises StoreDown or StoreRefused."""
        product = f"InfluxDB {self._link.version()}"
        return StoreHealth(product, f"{self._link.url} {self._link.bucket}", None, len(self.points()))

    def close(self) -> None:
        """Close the connections."""
        self._lanes.shutdown()
        self._link.close()

    def _send_rows(self, rows: Columns, numbers: NDArray[np.intp], heads: pa.Array) -> dict[int, str]:
        """Send these rows in order, piece by piece; return row number → why it was refused."""
        reasons: dict[int, str] = {}
        for first in range(0, len(numbers), LINES_PER_REQUEST):
            piece = numbers[first : first + LINES_PER_REQUEST]
            lines = reading_lines(take(rows, piece), heads)
            reasons |= {int(piece[line]): why for line, why in self._send(lines, 0, len(lines)).items()}
        return reasons

    def _send(self, lines: Lines, first: int, last: int) -> dict[int, str]:
        """Send lines first <= i < last; where the server refuses some, halve until they are found."""
        try:
            self._link.write(lines.text(first, last))
        except LinesRefused as refused:
            if last - first in (1, refused.dropped):
                return dict.fromkeys(range(first, last), str(refused))
            middle = (first + last) // 2
            return self._send(lines, first, middle) | self._send(lines, middle, last)
        return {}

    def _stream_one(self, points: Sequence[str], point: str, start_ms: int, end_ms: int) -> Iterator[Columns]:
        while start_ms < end_ms:
            found = self._link.query(f"{_select([point], start_ms, end_ms)} LIMIT {ROWS_PER_PIECE}")
            rows = influx_tables.columns(found, points)
            if len(rows):
                yield rows
            if len(rows) < ROWS_PER_PIECE:
                return
            start_ms = int(rows.t_ms[-1]) + 1


def _split_between_points(index: NDArray[np.int32], numbers: NDArray[np.intp], parts: int) -> list[NDArray[np.intp]]:
    """Cut rows that are sorted by point into about equal parts, each point in one: so its rows stay in order."""
    cuts = [
        int(np.searchsorted(index, index[len(index) * part // parts]))
        for part in range(1, parts)
        if len(index) >= parts
    ]
    return [lane for lane in np.split(numbers, cuts) if len(lane)]


def _by_measurement(points: Sequence[str]) -> Iterator[list[str]]:
    """Yield the valid points in groups that one query can ask for."""
    groups: dict[str, list[str]] = defaultdict(list)
    for point in dict.fromkeys(points):
        if is_point(point):
            groups[measurement(point)].append(point)
    for group in groups.values():
        for first in range(0, len(group), POINTS_PER_QUERY):
            yield group[first : first + POINTS_PER_QUERY]


def _select(group: Sequence[str], start_ms: int | None = None, end_ms: int | None = None) -> str:
    span = "" if start_ms is None or end_ms is None else f" AND {_between(start_ms, end_ms)}"
    return f'SELECT quality, value FROM "{measurement(group[0])}" WHERE {_any_of(group)}{span} GROUP BY point'  # noqa: S608


def _count_slots(group: Sequence[str], start_ms: int, end_ms: int, period_ms: int) -> str:
    slots_held = (
        f'SELECT count(quality) AS held FROM "{measurement(group[0])}" '  # noqa: S608
        f"WHERE {_any_of(group)} AND quality < {FIRST_BAD} AND {_between(start_ms, end_ms)} "
        f"GROUP BY point, time({period_ms}ms, {start_ms % period_ms}ms) fill(none)"
    )
    return f"SELECT count(held) FROM ({slots_held}) WHERE {_between(start_ms, end_ms)} GROUP BY point"  # noqa: S608


def _source(point: str, start_ms: int, end_ms: int) -> str:
    return f'FROM "{measurement(point)}" WHERE {_any_of([point])} AND {_between(start_ms, end_ms)}'


def _steps(start_ms: int, step_ms: int) -> str:
    return f"GROUP BY time({step_ms}ms, {start_ms % step_ms}ms) fill(none)"


def _any_of(group: Sequence[str]) -> str:
    return "(" + " OR ".join(f"point = {_quoted(point)}" for point in group) + ")"


def _between(start_ms: int, end_ms: int) -> str:
    return f"time >= {start_ms}ms AND time < {end_ms}ms"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _day_ms(day: str) -> int:
    return int(np.datetime64(day, "D").astype(np.int64)) * DAY_MS
