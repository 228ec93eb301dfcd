"""A point's trend: smallest, largest and mean of each step, and what is known of the data behind it.

A gap stays a gap: where nothing came for longer than twice what was promised, the line ends, and the strip says why.
A BAD reading is never drawn as a value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dashboards.console.views.points_span import Window
from edge.wire import PointInfo, Quality
from ingest.store import Buckets, Store

State = Literal["good", "uncertain", "partly", "bad", "none", "future"]
"""Of the data in a stretch of time: `partly` misses some readings, `bad` holds only such without a value."""
SLACK = 0.02
"""Share of a step's readings that may be missing, beside one reading: a clock that drifts is no loss."""
UNKNOWN_PACE_STEPS = 3
"""Of a point that promised nothing, so many empty steps in a row are a gap."""


@dataclass(frozen=True)
class Stretch:
    """A time in which the data were of one state."""

    start_ms: int
    end_ms: int
    state: State
    missing: float
    """Share of the promised readings that did not come, or came without a value. [0..1]"""


@dataclass(frozen=True)
class Trend:
    """One point over a window; `t_ms`, `low`, `high`, `mean` have one entry per step with a value or per gap."""

    start_ms: int
    end_ms: int
    step_ms: int
    t_ms: tuple[int, ...]
    """Middle of each step. [ms since 1970-01-01T00:00Z]"""
    low: tuple[float | None, ...]
    """Smallest reading of the step, exactly; None where the line is interrupted."""
    high: tuple[float | None, ...]
    mean: tuple[float | None, ...]
    strip: tuple[Stretch, ...]
    """The whole window without a hole, for the strip below the line."""
    valued: int
    """Readings with a value."""
    bad: int
    """Readings that came without one."""
    expected: float | None
    """What was promised up to now; None if nothing was. [readings]"""
    good_share: float | None
    """Share of the promised readings that came with a value; None where nothing was promised. [0..1]"""


def read_trend(store: Store, point: str, window: Window, pace_ms: float | None, *, now_ms: int) -> Trend:
    """Return a point's trend. `pace_ms` is its `pace_of`. Raises StoreDown or StoreRefused."""
    until_ms = max(min(window.end_ms, now_ms), window.start_ms)
    found = store.buckets(point, window.start_ms, until_ms, window.step_ms)
    return trend_of(found, window, pace_ms, now_ms=now_ms)


def trend_of(found: Buckets, window: Window, pace_ms: float | None, *, now_ms: int) -> Trend:
    """Return the trend of a window's buckets."""
    until_ms = max(min(window.end_ms, now_ms), window.start_ms)
    strip = tuple(_merged(_stretches(found, window, until_ms, pace_ms)))
    gaps = [stretch.start_ms for stretch in strip if stretch.state in ("bad", "none")]
    rows = sorted([*_values(found, window.step_ms), *((start_ms, None, None, None) for start_ms in gaps)])
    valued, expected = int(found.valued.sum()), (until_ms - window.start_ms) / pace_ms if pace_ms else None
    return Trend(
        window.start_ms,
        window.end_ms,
        window.step_ms,
        t_ms=tuple(row[0] for row in rows),
        low=tuple(row[1] for row in rows),
        high=tuple(row[2] for row in rows),
        mean=tuple(row[3] for row in rows),
        strip=strip,
        valued=valued,
        bad=int(found.bad.sum()),
        expected=expected,
        good_share=min(valued / expected, 1.0) if expected else None,
    )


def pace_of(info: PointInfo | None) -> float | None:
    """Return the longest time between two readings that a site promised of a point; None for no promise. [ms]"""
    if info is None:
        return None
    pause_s = info.max_silence_s if info.by_exception else info.period_s
    return None if pause_s is None else pause_s * 1000


def _values(found: Buckets, step_ms: int) -> Iterator[tuple[int, float | None, float | None, float | None]]:
    held = found.valued > 0
    middle = found.start_ms[held] + step_ms // 2
    columns = (middle, found.low[held], found.high[held], found.mean[held])
    yield from zip(*(column.tolist() for column in columns), strict=True)


def _stretches(found: Buckets, window: Window, until_ms: int, pace_ms: float | None) -> Iterator[Stretch]:
    """Step by step, with the empty steps between: silence that lasted is a gap, a pause within the promise is not."""
    patience_ms = UNKNOWN_PACE_STEPS * window.step_ms if pace_ms is None else 2 * pace_ms
    at_ms = window.start_ms
    for number, start_ms in enumerate(found.start_ms.tolist()):
        end_ms = min(start_ms + window.step_ms, until_ms)
        step = _of_step(found, number, start_ms, end_ms, pace_ms)
        if start_ms - at_ms > patience_ms:
            yield Stretch(at_ms, start_ms, "none", 1.0)
            at_ms = start_ms
        yield Stretch(at_ms, end_ms, step.state, step.missing)
        at_ms = end_ms
    if until_ms - at_ms > patience_ms:
        yield Stretch(at_ms, until_ms, "none", 1.0)
        at_ms = until_ms
    if at_ms < window.end_ms:
        yield Stretch(at_ms, window.end_ms, "future", 0.0)


def _of_step(found: Buckets, number: int, start_ms: int, end_ms: int, pace_ms: float | None) -> Stretch:
    valued, bad, worst = int(found.valued[number]), int(found.bad[number]), int(found.worst[number])
    missing = _missing(valued, bad, end_ms - start_ms, pace_ms)
    if not valued:
        return Stretch(start_ms, end_ms, "bad", 1.0)
    if missing:
        return Stretch(start_ms, end_ms, "partly", missing)
    if Quality.GOOD < worst < Quality.BAD_NO_ANSWER:
        return Stretch(start_ms, end_ms, "uncertain", 0.0)
    return Stretch(start_ms, end_ms, "good", 0.0)


def _missing(valued: int, bad: int, length_ms: int, pace_ms: float | None) -> float:
    """Share of a step's readings without a value; BAD ones count wherever they are, absent ones beyond the slack."""
    promised = valued + bad if pace_ms is None else max(length_ms / pace_ms, valued + bad)
    absent = promised - valued - bad
    lost = bad + (absent if absent > 1 + SLACK * promised else 0.0)
    return lost / promised if promised else 0.0


def _merged(stretches: Iterator[Stretch]) -> Iterator[Stretch]:
    """Neighbours of one state as one; of `partly`, those that miss about as much."""
    held: Stretch | None = None
    for stretch in stretches:
        if held and held.state == stretch.state and round(held.missing, 1) == round(stretch.missing, 1):
            held = Stretch(held.start_ms, stretch.end_ms, held.state, held.missing)
            continue
        if held:
            yield held
        held = stretch
    if held:
        yield held
