"""What has changed, looked up once a second for all browsers together, and told to each.

A browser that comes back names the last event it saw and gets what changed since then: everything told here is a
state, so it misses nothing by missing events. Nothing is kept per browser but the points it asked for.
"""

import asyncio
import contextlib
import logging
import secrets
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

import anyio.to_thread
import msgspec

from analytics.alarms.audit import AuditRow
from analytics.alarms.database import AlarmDatabaseError
from dashboards.console.site import Console
from dashboards.console.texts import local_time
from dashboards.console.views.bar import Bar, bar_of
from ingest.store import Latest, StoreError

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
"""Also the beat: a page that hears nothing for three of them says that it has lost its server. [s of real time]"""
PATIENCE_S = 0.5
"""A store that takes longer is told to be away, and the beat goes on. [s of real time]"""
REST_S = 0.1
MOST_POINTS = 200
"""Points that one page may follow: more is no page that a person reads."""
NEVER = -1


@dataclass(frozen=True)
class Event:
    """One word to a browser."""

    topic: str
    """`beat`, `alarms` or `values`."""
    data: str
    id: str


@dataclass(frozen=True)
class _Seen:
    """What one look found."""

    alarms: tuple[Bar, AuditRow | None] | None
    """None where they could not be read."""
    values: dict[str, Latest] | None
    """None where the store could not be read."""


@dataclass(eq=False)
class Hub:
    """The one who looks. `run` it once; `listen` for each browser."""

    console: Console
    _epoch: str = field(default_factory=lambda: secrets.token_hex(4))
    _round: int = 0
    _wanted: Counter[str] = field(default_factory=Counter)
    _alarms: tuple[Bar, AuditRow | None] | None = None
    _alarms_round: int = 0
    _values: dict[str, Latest] = field(default_factory=dict)
    _value_rounds: dict[str, int] = field(default_factory=dict)
    _store_answers: bool = True
    _reading: "asyncio.Future[_Seen] | None" = None
    """A look that still waits for the store."""
    _unreadable: set[str] = field(default_factory=set)
    """What could not be read at the last look: told when it begins and when it ends, and not each second."""
    _turn: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self) -> None:
        """Look until cancelled; whatever goes wrong in one look, the next one comes."""
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                await self.look()
            except Exception:
                log.exception("a look at what has changed failed")
            await asyncio.sleep(max(LOOK_EVERY_S - (loop.time() - began_s), REST_S))

    async def look(self) -> None:
        """Look once, and wake every listener; a store that keeps one waiting does not hold up the beat."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(anyio.to_thread.run_sync(self._read, tuple(self._wanted)))
        reading = self._reading
        await asyncio.wait({reading}, timeout=PATIENCE_S)
        self._round += 1
        if reading.done():
            self._reading = None
            self._take(reading.result())
        else:
            self._store_answers = False
        async with self._turn:
            self._turn.notify_all()

    async def listen(self, points: Sequence[str], last_id: str = "") -> AsyncIterator[list[Event]]:
        """Yield a list of events at each look, the first one at once; `last_id` is the last event the browser saw."""
        told = self._round_of(last_id)
        with self._following(points):
            while True:
                yield list(self._news(points, told))
                told = self._round
                async with self._turn:
                    await self._turn.wait()

    @property
    def followed(self) -> int:
        """How many points are followed now, counted once per browser."""
        return self._wanted.total()

    def _take(self, seen: _Seen) -> None:
        if seen.alarms != self._alarms:
            self._alarms, self._alarms_round = seen.alarms, self._round
        self._store_answers = seen.values is not None
        for point, latest in (seen.values or {}).items():
            if _differs(self._values.get(point), latest):
                self._values[point], self._value_rounds[point] = latest, self._round

    def _news(self, points: Sequence[str], told: int) -> Iterator[Event]:
        mark = f"{self._epoch}-{self._round}"
        if told < self._alarms_round:
            bar = self._alarms[0] if self._alarms else None
            state = {"count": bar.count, "oldest": bar.oldest_ms} if bar else {"count": None, "oldest": None}
            yield Event("alarms", msgspec.json.encode(state).decode(), mark)
        changed = {p: self._values[p] for p in points if p in self._values and told < self._value_rounds[p]}
        if changed:
            rows = {point: (one.t_ms, one.value, one.quality) for point, one in changed.items()}
            yield Event("values", msgspec.json.encode(rows).decode(), mark)
        now_ms = self.console.now_ms()
        state_of_store = "" if self._store_answers else " store"
        yield Event("beat", f"{now_ms} {local_time(now_ms, self.console.zone, 'clock_second')}{state_of_store}", mark)

    def _read(self, points: Sequence[str]) -> _Seen:
        return _Seen(self._read_alarms(), self._read_values(points))

    def _read_alarms(self) -> tuple[Bar, AuditRow | None] | None:
        try:
            database = self.console.alarms()
            found = bar_of(database), next(iter(database.audit_rows(limit=1)), None)
        except (AlarmDatabaseError, sqlite3.Error) as error:
            self._tell("the alarms", error)
            return None
        self._tell("the alarms", None)
        return found

    def _read_values(self, points: Sequence[str]) -> dict[str, Latest] | None:
        if not points:
            return {}
        try:
            found = self.console.store().latest(points)
        except StoreError as error:
            self._tell("the store", error)
            return None
        self._tell("the store", None)
        return found

    def _tell(self, what: str, trouble: Exception | None) -> None:
        if trouble is not None and what not in self._unreadable:
            log.warning("%s cannot be read: %s", what, trouble)
            self._unreadable.add(what)
        elif trouble is None and what in self._unreadable:
            log.info("%s can be read again", what)
            self._unreadable.discard(what)

    def _round_of(self, last_id: str) -> int:
        """The look in which an event was told, if it was one of ours."""
        epoch, _, number = last_id.partition("-")
        is_ours = epoch == self._epoch and number.isascii() and number.isdecimal()
        return int(number) if is_ours and len(number) < 16 else NEVER

    @contextlib.contextmanager
    def _following(self, points: Sequence[str]) -> Iterator[None]:
        self._wanted.update(points)
        try:
            yield
        finally:
            self._wanted.subtract(points)
            self._wanted += Counter()
            for gone in set(points) - set(self._wanted):
                self._values.pop(gone, None)
                self._value_rounds.pop(gone, None)


def _differs(old: Latest | None, new: Latest) -> bool:
    """Whether a reading is another one; NaN is told apart by its instant."""
    return old is None or (old.t_ms, old.quality) != (new.t_ms, new.quality)
