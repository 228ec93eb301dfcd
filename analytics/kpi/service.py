"""The KPI service: keeps every number up to date with what the store holds, however late it came.

Takes the store writer's marks, hears the marked devices again, and computes every day that they touch: the day itself,
and the days of a silence that it ended. Time passing touches today. A mark is let go of only when everything it
touched is published, and a published day that comes out the same is not written again: a kill at any line costs
repeated work and nothing else. A register that changed is taken up between two rounds.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from analytics.kpi.compute import compute_day, hear_day, next_day, publish
from analytics.kpi.database import JUDGED, Judgement, KpiDatabase
from analytics.kpi.model import CountyModel, counties, device_name, make_model
from analytics.kpi.register_watch import RegisterWatch
from edge.clock import Clock
from ingest.changes import Change, Changes
from ingest.config import Centre
from ingest.days import day_bounds, day_numbers, day_text
from ingest.register import Register
from ingest.store import Store, StoreDown

log = logging.getLogger(__name__)

MARKS_PER_STEP = 50_000
PERIOD_S = 300.0
REST_PER_WORK = 3.0
"""After a step that took t the service rests at least this times t: it shares the machine with ingest."""
PASSING = "time passes"


class KpiService:
    """One centre's numbers; `step` does everything there is to do."""

    def __init__(
        self, store: Store, changes: Changes, database: KpiDatabase, register: Register, timezone: str
    ) -> None:
        self._store, self._changes, self._database = store, changes, database
        self._timezone = timezone
        self._models = {county: make_model(register, county) for county in counties(register)}

    def step(self, now_ms: int) -> int:
        """Bring every number up to date; return how many partial sums were written. Raises StoreError."""
        taken = self._changes.take(MARKS_PER_STEP)
        judgements = self._database.judgements()
        written = 0
        for county, model in self._models.items():
            reasons = self._touched_days(model, self._hear(model, taken), judgements, now_ms)
            for day in sorted(reasons):
                written += self._publish_day(model, day, judgements, now_ms, reasons[day])
            self._database.remember(f"computed up to: {county}", self._today(now_ms))
        self._database.remember(JUDGED, str(len(judgements)))
        self._changes.done(taken)
        return written

    def _hear(self, model: CountyModel, taken: Sequence[Change]) -> dict[str, set[str]]:
        """Hear the devices again whose days are marked; return the marked days, each with the devices concerned."""
        marked: dict[str, set[str]] = defaultdict(set)
        for change in taken:
            if change.point in model.points:
                marked[change.day].add(device_name(change.point))
            elif change.point in model.voltage_points:
                marked[change.day] |= set()
        for day, devices in marked.items():
            self._database.save_days(hear_day(self._store, model, sorted(devices), day, self._timezone))
        return marked

    def _touched_days(
        self, model: CountyModel, marked: dict[str, set[str]], judgements: Sequence[Judgement], now_ms: int
    ) -> dict[str, str]:
        """Every day to compute, each with the reason."""
        today = self._today(now_ms)
        reasons: dict[str, str] = {}
        since = self._database.recall(f"computed up to: {model.county}")
        for day in _days(min(since or today, today), today):
            reasons[day] = PASSING
        new = judgements[self._database.counted_judgements() :]
        for judgement in new:
            for day in self._days_of(judgement):
                reasons[day] = f"{judgement.verdict} by {judgement.who}: {judgement.why}"
        for day, devices in marked.items():
            for touched in self._days_of_silences(day, devices):
                reasons[touched] = f"readings of {day} from {_some(devices)}"
        return {day: why for day, why in reasons.items() if day <= today}

    def _publish_day(self, model: CountyModel, day: str, judgements: Sequence[Judgement], now_ms: int, why: str) -> int:
        heard = self._database.days_around(model.device_names, day)
        result = compute_day(self._store, model, heard, judgements, day, self._timezone, now_ms)
        closed_ms = day_bounds(day, self._timezone)[1]
        return publish(self._store, self._database, result, now_ms=now_ms, closed_ms=closed_ms, why=why)

    def _days_of_silences(self, day: str, devices: Iterable[str]) -> set[str]:
        """The day, and the days of the silences around it that its readings may explain."""
        days = {day}
        for device in devices:
            days |= set(_days(*self._database.neighbours(device, day)))
        return days

    def _days_of(self, judgement: Judgement) -> list[str]:
        instants = (judgement.was_start_ms, judgement.was_end_ms, judgement.start_ms, judgement.end_ms)
        return _days(self._today(min(instants)), self._today(max(instants)))

    def _today(self, now_ms: int) -> str:
        return day_text(int(day_numbers(np.array([now_ms], np.int64), self._timezone)[0]))


async def run(centre: Centre, store: Store, clock: Clock, stop: asyncio.Event, *, period_s: float = PERIOD_S) -> None:
    """Keep the numbers up to date until `stop` is set; a store that is down is tried again at the next period.

    Raises BadInput where the register cannot be loaded at the start, StoreRefused where a person must act first.
    """
    data_dir = Path(centre.data_dir)
    watch = RegisterWatch(Path(centre.register), centre.timezone)
    with closing(Changes(data_dir / "changes.db")) as changes, closing(KpiDatabase(data_dir / "kpi.db")) as database:
        service = KpiService(store, changes, database, watch.register, centre.timezone)
        while not stop.is_set():
            began_ms = clock.monotonic_ms()
            if await asyncio.to_thread(watch.look):
                service = KpiService(store, changes, database, watch.register, centre.timezone)
            try:
                written = await asyncio.to_thread(service.step, clock.now_ms())
                log.info("%d partial sums written", written)
            except StoreDown as down:
                log.warning("store down, the marks stay: %s", down)
            spent_s = (clock.monotonic_ms() - began_ms) / 1000
            await _rest(clock, stop, max(period_s, REST_PER_WORK * spent_s))


async def _rest(clock: Clock, stop: asyncio.Event, seconds: float) -> None:
    resting = {asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(stop.wait())}
    _, pending = await asyncio.wait(resting, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


def _days(first: str, last: str) -> list[str]:
    """Every day from the first to the last, both included."""
    days, day = [], first
    while day <= last:
        days.append(day)
        day = next_day(day)
    return days


def _some(devices: Iterable[str], shown: int = 3) -> str:
    names = sorted(devices)
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
