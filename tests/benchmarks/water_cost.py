"""Signals and detection: a day of ten thousand points, and a station's year; then how well events are found.

The detector's figures are of one recorded season: whole, in pieces begun cold, and disturbed. What the shipped first
beliefs (`analytics.channels`) were taken from is printed too: the strays of that season, its labels unused.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from benchmarks.table import Row
from numpy.typing import NDArray
from support.data import DATA

from analytics.events import Watch
from analytics.scoring import DetectionScores, detection_scores
from analytics.series_files import Series, read_series
from analytics.signals import beyond, delayed

MINUTES, POINTS = 1440, 10_000
RESOLUTION = np.array([0.1, 0.01, 0.01, 1, 1, 0.001, 0.001, 1, 1])
"""Of the recorded instruments, channel by channel."""


@dataclass(frozen=True)
class Season:
    """A season as the detector gets it."""

    name: str
    values: NDArray[np.float64]
    label: NDArray[np.bool_]


def measure() -> Iterator[Row]:
    """Speed first; the detector's figures where the recording is at hand."""
    yield from _signals()
    path = DATA / "gecco2018_train.parquet"
    if not path.exists():
        return
    series = read_series(path, "EVENT")
    yield from _whole(series)
    for season in _seasons(series):
        yield from _quality(season.name, _scores(Watch(series.names), season))


def _signals() -> Iterator[Row]:
    values = np.random.default_rng(1).normal(size=(MINUTES, POINTS))
    times = np.arange(MINUTES) * 60.0
    began = time.perf_counter()
    high = beyond(values, 1.0, 0.2)
    between = time.perf_counter()
    delayed(high, times, on_delay_s=120, off_delay_s=300)
    ended = time.perf_counter()
    yield Row("dead-band, 1440 × 10 000", values.size / (between - began) / 1e6, "M samples/s", "at least 20")
    yield Row("on and off delay, the same", values.size / (ended - between) / 1e6, "M samples/s", "at least 20")


def _whole(series: Series) -> Iterator[Row]:
    watch = Watch(series.names)
    began = time.process_time()
    scores = _scores(watch, Season("season", series.values, _label(series)))
    spent = time.process_time() - began
    yield Row("detection, CPU per point-year", spent / series.values.size * 525_600, "s", "9 channels, 1 min")
    yield from _quality("season, begun cold", scores)
    for c, name in enumerate(series.names):
        usual, tail = watch.detector.usual[:, c].mean(), watch.detector.tail[:, c].mean()
        yield Row(f"  {name}: usual stray at the end", usual, "spreads", f"tail {tail:.2f}")


def _seasons(series: Series) -> Iterator[Season]:
    """The season in halves, in another order, backwards, and with instruments that drift or read coarsely."""
    x, label = series.values, _label(series)
    half = len(x) // 2
    rng = np.random.default_rng(5)
    drift = np.nanstd(x, axis=0) * np.cumsum(rng.normal(size=x.shape), axis=0) / np.sqrt(len(x))
    scale = 1 + 0.2 * rng.normal(size=x.shape[1])
    yield Season("first half", x[:half], label[:half])
    yield Season("second half, begun cold", x[half:], label[half:])
    yield Season("second half before the first", np.roll(x, -half, axis=0), np.roll(label, -half))
    yield Season("backwards", x[::-1], label[::-1])
    yield Season("drifting and rescaled", np.round((x * scale + 2 * drift) / RESOLUTION) * RESOLUTION, label)
    yield Season("twice as coarse", np.round(x / (2 * RESOLUTION)) * 2 * RESOLUTION, label)


def _label(series: Series) -> NDArray[np.bool_]:
    assert series.label is not None
    return series.label


def _scores(watch: Watch, season: Season) -> DetectionScores:
    active = watch.run(season.values).active
    return detection_scores(active, season.label, np.arange(len(active)) * 60.0)


def _quality(name: str, scores: DetectionScores) -> Iterator[Row]:
    found = f"{scores.events_found}/{scores.events} events, {scores.false_per_day:.2f} false a day"
    yield Row(f"{name}: F1", scores.f1, "", f"{found}, delay {scores.median_delay_min:.0f} min")
