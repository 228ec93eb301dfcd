"""Events in the water: the instruments of each works judged together, minute by minute.

The live readings of a works are laid into one row per minute, the last good value of each channel, and given to the
same watch that `steppe water detect` runs over a file. A row is judged when a later minute of its site has begun, or
when no live reading can belong to it any more. Both follow from the journal alone: replayed, it gives the same events.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from analytics.alarms.evaluate import LIVE_MS, instants_ms
from analytics.alarms.events import Fell, Rose, Severity
from analytics.alarms.records import Act, AlarmRecord
from analytics.alarms.sightings import Sighting
from analytics.alarms.watch import asset_of
from analytics.events import EventClass, Watch, judged
from edge.wire import Quality
from ingest.register import PointEntry, Register
from ingest.store import Columns

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MINUTE_MS = 60_000
QUALITY = (
    "turbidity_ntu",
    "free_chlorine_mg_l",
    "total_chlorine_mg_l",
    "chlorine_dioxide_mg_l",
    "ph",
    "conductivity_us_cm",
    "orp_mv",
    "toc_mg_l",
    "water_temp_c",
)
"""Quantities that tell of the water itself."""
MOTION = ("flow_m3_h", "pressure_mpa")
"""Quantities that tell of its motion, by which the others are explained."""
LEAST_QUALITY = 3
"""Fewer channels of the water are no works to be judged."""
GAP_ROWS = 1440
"""A longer silence is told to the watch as one of so many rows: by then it holds nothing open."""
LOW_CLASSES = ("sensor_fault", "operations")


@dataclass(frozen=True)
class Works:
    """The channels of one works at one site."""

    site: str
    asset: str
    points: tuple[str, ...]
    """Full names, in the order of the register."""

    @property
    def id(self) -> str:
        """Of its alarm."""
        return f"{self.site}/{self.asset}#event"

    @property
    def quantities(self) -> tuple[str, ...]:
        """What each channel measures, by which the watch knows its instrument."""
        return tuple(_quantity(point) for point in self.points)


def works_of(register: Register) -> tuple[Works, ...]:
    """Return the works of which a site reads at least `LEAST_QUALITY` channels of the water."""
    by_works: dict[tuple[str, str], list[str]] = {}
    for entry in register.points.values():
        if _is_channel(register, entry):
            by_works.setdefault((entry.point.split("/", 1)[0], entry.asset), []).append(entry.point)
    found = (Works(site, asset, tuple(points)) for (site, asset), points in by_works.items())
    return tuple(one for one in found if sum(quantity in QUALITY for quantity in one.quantities) >= LEAST_QUALITY)


class Ongoing(msgspec.Struct):
    """An event that has not closed."""

    since_ms: int
    peak: list[float]
    """Each channel's highest share so far, signed as its departure."""
    rows: int = 0
    score: float = 0.0
    said: EventClass | None = None
    """The class that was told last."""


class Kept(msgspec.Struct, frozen=True):
    """All of the state of one works, as a snapshot holds it."""

    points: tuple[str, ...]
    watch: bytes
    due_ms: int | None
    row: list[float | None]
    read_ms: list[int]
    ongoing: Ongoing | None


@dataclass(eq=False)
class WorksWatch:
    """One works' detection, with the row that is being filled."""

    works: Works
    watch: Watch = field(init=False)
    due_ms: int | None = None
    """Minute of the row that is being filled; None before the first reading. [ms since 1970-01-01T00:00Z]"""
    row: Floats = field(init=False)
    read_ms: Ints = field(init=False)
    """When each value of the row was read."""
    ongoing: Ongoing | None = None

    def __post_init__(self) -> None:
        self.watch = Watch(self.works.quantities)
        self._begin_row()

    def take(self, rows: Columns, t_ms: Ints) -> Iterator[Sighting]:
        """Take live readings of the works' site, of whatever points, in order of time."""
        numbers = {point: number for number, point in enumerate(self.works.points)}
        channel = np.array([numbers.get(point, -1) for point in rows.points], np.int64)[rows.index]
        good = (channel >= 0) & (rows.quality == Quality.GOOD) & np.isfinite(rows.value)
        minute_ms = t_ms - t_ms % MINUTE_MS
        for minute in np.unique(minute_ms).tolist():
            yield from self.advance(minute)
            for place in np.flatnonzero(good & (minute_ms == minute) & (minute == self.due_ms)).tolist():
                if t_ms[place] >= self.read_ms[channel[place]]:
                    self.row[channel[place]] = rows.value[place]
                    self.read_ms[channel[place]] = t_ms[place]

    def advance(self, minute_ms: int) -> Iterator[Sighting]:
        """Judge every row before a minute, those in which nothing was read among them."""
        if self.due_ms is None:
            self.due_ms = minute_ms
        elapsed = (minute_ms - self.due_ms) // MINUTE_MS
        if elapsed > 0:
            rows = np.full((min(elapsed, GAP_ROWS), len(self.row)), np.nan)
            rows[0] = self.row
            yield from self._judge(rows, self.due_ms)
            self.due_ms = minute_ms
            self._begin_row()

    def told(self, at_ms: int, reason: str = "") -> Sighting:
        """Return what must be told of the works as it stands: its event, or that there is none."""
        if self.ongoing is None:
            return self._sighting("quality_event", Act(Fell(at_ms), at_ms, reason=reason))
        event_class, moved = self._class()
        self.ongoing.said = event_class
        severity = Severity.LOW if event_class in LOW_CLASSES else Severity.HIGH
        kind = "sensor" if event_class == "sensor_fault" else "quality_event"
        why = self._reason(event_class, moved)
        score, since_ms = self.ongoing.score, self.ongoing.since_ms
        return self._sighting(kind, Act(Rose(at_ms, severity), at_ms, reason=why, value=score, since_ms=since_ms))

    def save(self) -> Kept:
        """All of the state, to be kept through a restart."""
        row = [None if np.isnan(value) else value for value in self.row.tolist()]
        return Kept(self.works.points, self.watch.save(), self.due_ms, row, self.read_ms.tolist(), self.ongoing)

    @classmethod
    def restore(cls, works: Works, kept: Kept) -> "WorksWatch":
        """The watch that was saved; one that begins anew where it was saved of other channels or under other rules."""
        restored = cls(works)
        if kept.points != works.points:
            return restored
        try:
            restored.watch = Watch.restore(kept.watch)
        except ValueError:
            return restored
        restored.due_ms, restored.ongoing = kept.due_ms, kept.ongoing
        restored.row = np.array(kept.row, np.float64)
        restored.read_ms = np.array(kept.read_ms, np.int64)
        return restored

    def _sighting(self, kind: str, act: Act) -> Sighting:
        return Sighting(self.works.id, self.works.asset, kind, act)

    def _begin_row(self) -> None:
        self.row = np.full(len(self.works.points), np.nan)
        self.read_ms = np.zeros(len(self.works.points), np.int64)

    def _judge(self, rows: Floats, first_ms: int) -> Iterator[Sighting]:
        """Follow the watch row by row; a row in which nothing was read neither opens nor closes anything."""
        findings = self.watch.run(rows)
        for number in np.flatnonzero(np.isfinite(rows).any(axis=1)).tolist():
            at_ms = first_ms + number * MINUTE_MS
            if findings.active[number]:
                yield from self._go_on(at_ms, float(findings.score[number]), findings.channel[number])
            elif self.ongoing is not None:
                reason = self._reason(*self._class())
                self.ongoing = None
                yield self.told(at_ms, reason)

    def _go_on(self, at_ms: int, score: float, share: Floats) -> Iterator[Sighting]:
        """Add a row to the event; the first ones look like a spike of an instrument, and may turn out to be more."""
        event = self.ongoing or Ongoing(at_ms, [0.0] * len(share))
        self.ongoing = event
        event.peak = np.where(np.abs(share) > np.abs(event.peak), share, event.peak).tolist()
        event.rows += 1
        event.score = max(event.score, score)
        if self._class()[0] != event.said:
            yield self.told(at_ms)

    def _class(self) -> tuple[EventClass, tuple[int, ...]]:
        if self.ongoing is None:
            return "unknown", ()
        return judged(np.array(self.ongoing.peak), self.ongoing.rows, self.works.quantities, self.watch.rules)

    def _reason(self, event_class: EventClass, moved: Sequence[int]) -> str:
        peak = [] if self.ongoing is None else self.ongoing.peak
        named = [f"{self.works.points[channel].split('/', 1)[1]} {peak[channel]:+.1f}" for channel in moved]
        return f"{event_class}: {', '.join(named)}" if named else event_class


class Detection:
    """The detection of every works of a register."""

    def __init__(self, works: Iterable[Works]) -> None:
        self.watches = {one.id: WorksWatch(one) for one in works}

    @property
    def ids(self) -> set[str]:
        """Of the alarms that may be raised here."""
        return set(self.watches)

    def take(self, rows: Columns, received_ms: int) -> list[Sighting]:
        """Take one site's batch; return what the works tell now."""
        t_ms = instants_ms(rows, received_ms)
        live = received_ms - t_ms <= LIVE_MS
        fresh = Columns(rows.points, rows.index[live], t_ms[live], rows.value[live], rows.quality[live])
        sites = {rows.points[number].split("/", 1)[0] for number in np.unique(fresh.index).tolist()}
        found: list[Sighting] = []
        for one in self.watches.values():
            if one.works.site in sites:
                found += one.take(fresh, fresh.t_ms)
            past_ms = received_ms - LIVE_MS
            if one.due_ms is not None:
                found += one.advance(past_ms - past_ms % MINUTE_MS)
        return found

    def differing(self, records: Iterable[AlarmRecord], *, now_ms: int) -> Iterator[Sighting]:
        """Yield the works whose alarm on record is another than what their watch says now."""
        standing = {record.id for record in records if record.alarm.condition and record.alarm.enabled}
        for one in self.watches.values():
            if (one.ongoing is not None) != (one.works.id in standing):
                yield one.told(now_ms, "the works is watched anew")

    def snapshot(self) -> str:
        """All of the state, for `restore`."""
        return msgspec.json.encode({works_id: one.save() for works_id, one in self.watches.items()}).decode()

    def restore(self, snapshot: str) -> None:
        """Take what a snapshot knows of the works that are still read the same way; others begin anew."""
        kept = msgspec.json.decode(snapshot, type=dict[str, Kept])
        for works_id in kept.keys() & self.watches.keys():
            self.watches[works_id] = WorksWatch.restore(self.watches[works_id].works, kept[works_id])


def _quantity(point: str) -> str:
    return point.rsplit(".", 1)[1]


def _is_channel(register: Register, entry: PointEntry) -> bool:
    asset = asset_of(register, entry.asset)
    return asset is not None and asset.kind == "water_works" and _quantity(entry.point) in (*QUALITY, *MOTION)
