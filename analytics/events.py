"""From scores to events: when one opens and closes, what it is, and which channels say so.

An event that has closed is followed by a time of settling, in which instruments come back: what starts then belongs to
the event before. Missing rows neither open nor close anything.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.channels import first_beliefs, kind_of
from analytics.detect import Detector
from analytics.detect_settings import Settings
from analytics.signals import true_runs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

EventClass = Literal["sensor_fault", "operations", "water_quality", "hydraulic_burst", "dosing_failure", "unknown"]

FOLLOWS_CHLORINE = ("chlorine", "redox", "ph")
HYDRAULIC = ("flow", "pressure")
ALL_AT_ONCE = 0.8
SPIKE_ROWS = 2


@dataclass(frozen=True)
class Rules:
    """When an event opens and closes. Chosen on one season whose labelled events were known."""

    open_score: float = 8.25
    open_rows: int = 2
    """Rows in a row at or above `open_score` that open an event; the first row below it closes it."""
    settle_rows: int = 60
    warmup_rows: int = 1440
    """Rows that are learned from before anything opens."""


@dataclass(frozen=True)
class Findings:
    """What was found in n rows of m channels."""

    score: Floats
    channel: Floats
    """Shape (n, m): each channel's share of the score, signed as its departure."""
    active: Bools
    """Shape (n,): whether the row lies in an event."""


@dataclass(frozen=True)
class Event:
    """One stretch of rows that were not like the others."""

    start_row: int
    end_row: int
    """Last row of the event."""
    event_class: EventClass
    score: float
    """Highest score in the event."""
    channels: tuple[tuple[str, float], ...]
    """Channels that moved, with their highest share, signed as their departure; the strongest first."""


class Watch:
    """Event detection on one station's channels, row by row, with all of its state."""

    def __init__(self, names: Sequence[str], settings: Settings | None = None, rules: Rules | None = None) -> None:
        self.names = tuple(names)
        self.rules = rules or Rules()
        self.detector = Detector(len(self.names), settings, *first_beliefs(self.names))
        self._above = 0
        self._silent = 0
        self._closed_row = -self.rules.settle_rows
        self._settling = False

    def run(self, values: ArrayLike) -> Findings:
        """Score rows in order, learn from them, and say in which of them an event is on.

        `values` has shape (n, m), one row per minute, NaN where nothing was read.

        Examples
        --------
        >>> x = np.random.default_rng(7).normal(size=(3000, 2))
        >>> x[2900:2920] += 40
        >>> np.flatnonzero(Watch(["ph", "turbidity_ntu"]).run(x).active)[[0, -1]]
        array([2901, 2919])
        """
        rows = np.array(values, dtype=float, ndmin=2)
        first = self.detector.rows
        scores = self.detector.run(rows)
        silent = ~np.isfinite(rows).any(axis=1)
        steps = zip(range(first, first + len(rows)), scores.score.tolist(), silent.tolist(), strict=True)
        return Findings(scores.score, scores.channel, np.array([self.judge(*step) for step in steps], dtype=bool))

    def judge(self, row: int, score: float, silent: bool) -> bool:
        """Whether a row lies in an event, given its score and whether nothing was read in it; rows come in order."""
        self._silent = self._silent + 1 if silent else 0
        if silent and self._silent <= self.rules.settle_rows:
            return False
        if score >= self.rules.open_score:
            self._above += 1
        else:
            if self._above >= self.rules.open_rows:
                self._closed_row = row
            self._above = 0
        if self._above == self.rules.open_rows:
            self._settling = row - self._closed_row < self.rules.settle_rows
        return self._above >= self.rules.open_rows and not self._settling and row >= self.rules.warmup_rows

    def save(self) -> bytes:
        """All of the state, to be kept through a restart."""
        own = {"names": self.names, "above": self._above, "silent": self._silent}
        own |= {"closed_row": self._closed_row, "settling": self._settling}
        target = io.BytesIO()
        detector = np.frombuffer(self.detector.save(), dtype=np.uint8)
        np.savez(target, allow_pickle=False, detector=detector, watch=np.array(json.dumps(own)))
        return target.getvalue()

    @classmethod
    def restore(cls, saved: bytes, settings: Settings | None = None, rules: Rules | None = None) -> "Watch":
        """The watch that was saved, to go on with the next row. Raises ValueError if it had other settings."""
        with np.load(io.BytesIO(saved), allow_pickle=False) as state:
            own = json.loads(str(state["watch"]))
            watch = cls(own["names"], settings, rules)
            watch.detector = Detector.restore(state["detector"].tobytes(), settings)
        watch._above, watch._silent = own["above"], own["silent"]
        watch._closed_row, watch._settling = own["closed_row"], own["settling"]
        return watch


def events_of(findings: Findings, names: Sequence[str], rules: Rules | None = None) -> tuple[Event, ...]:
    """The events in order of time, each with its class and the channels that moved.

    Parameters
    ----------
    findings : Findings
        Of n rows.
    names : sequence of str
        The channels' names; what they measure is read from them.
    """
    runs = zip(*true_runs(findings.active), strict=True)
    return tuple(_event(findings, names, rules or Rules(), start, end) for start, end in runs)


def judged(peak: Floats, rows: int, names: Sequence[str], rules: Rules) -> tuple[EventClass, tuple[int, ...]]:
    """What an event is, and the numbers of the channels that moved, the strongest first.

    Parameters
    ----------
    peak : ndarray, shape (m,)
        Each channel's highest share in the event, signed as its departure.
    rows : int
        Length of the event.
    names : sequence of str
        The channels' names; what they measure is read from them.
    rules : Rules
        A channel has moved from half the opening score on.

    Examples
    --------
    >>> judged(np.array([4.5, 0.1, -9.0]), 20, ["ph", "flow_m3_h", "conductivity_us_cm"], Rules())
    ('water_quality', (2, 0))
    """
    strongest_first = np.argsort(-np.abs(peak), kind="stable").tolist()
    moved = tuple(channel for channel in strongest_first if abs(peak[channel]) >= rules.open_score / 2)
    kinds = [kind_of(name).name for name in names]
    quality = sum(kind not in HYDRAULIC for kind in kinds)
    return classify([(kinds[channel], float(peak[channel])) for channel in moved], rows, quality), moved


def classify(moved: Sequence[tuple[str, float]], rows: int, quality_channels: int) -> EventClass:
    """What an event is, by which kinds of channels moved, in which direction, and for how long.

    Parameters
    ----------
    moved : sequence of (kind, signed score)
    rows : int
        Length of the event.
    quality_channels : int
        Channels of the station that measure the water and not its motion.

    Notes
    -----
    In this order: flow up and pressure down is a burst; chlorine down with nothing but redox and pH is the dosing;
    all quality channels at once are the sample's flow; flow alone is operations; one channel alone is its sensor; two
    or more are the water.

    Examples
    --------
    >>> classify([("chlorine", -9.0), ("turbidity", 12.0)], 20, 5)
    'water_quality'
    >>> classify([("conductivity", -9.0)], 20, 5)
    'sensor_fault'
    """
    signs = {(kind, score > 0) for kind, score in moved}
    kinds = {kind for kind, _ in moved}
    quality = [kind for kind, _ in moved if kind not in HYDRAULIC]
    if ("flow", True) in signs and ("pressure", False) in signs:
        return "hydraulic_burst"
    if not moved:
        return "unknown"
    if not quality:
        return "operations"
    if len(quality) >= 3 and len(quality) >= ALL_AT_ONCE * quality_channels:
        return "operations"
    less_chlorine = ("chlorine", False) in signs and ("chlorine", True) not in signs
    if less_chlorine and kinds <= {*FOLLOWS_CHLORINE, *HYDRAULIC} and rows > SPIKE_ROWS:
        return "dosing_failure"
    return "sensor_fault" if len(quality) == 1 or rows <= SPIKE_ROWS else "water_quality"


def _event(findings: Findings, names: Sequence[str], rules: Rules, start: int, end: int) -> Event:
    shares = findings.channel[start:end]
    peak = np.take_along_axis(shares, np.abs(shares).argmax(axis=0)[None, :], axis=0)[0]
    event_class, order = judged(peak, int(end - start), names, rules)
    return Event(
        start_row=int(start),
        end_row=int(end) - 1,
        event_class=event_class,
        score=float(findings.score[start:end].max()),
        channels=tuple((names[c], float(peak[c])) for c in order),
    )
