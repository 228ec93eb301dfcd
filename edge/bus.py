"""One bus: its meters polled one after the other by a single task, which owns the line."""

import logging
from collections.abc import Callable, Sequence

from edge.clock import Clock
from edge.driver import Meter
from edge.quarantine import Quarantine
from edge.timetable import Timetable
from edge.wire import Reading

log = logging.getLogger(__name__)

Emit = Callable[[Sequence[Reading]], None]


class Bus:
    """The meters that share one line."""

    def __init__(self, url: str, meters: Sequence[Meter], phases: Sequence[float], clock: Clock) -> None:
        self.url = url
        self.meters = meters
        self.timetable = Timetable([meter.period_s for meter in meters], phases, now_ms=clock.monotonic_ms())
        self._clock = clock
        self._quarantines = [
            Quarantine(period_ms=round(meter.period_s * 1000), timeout_ms=meter.timeout_s * 1000 / clock.real_s(1.0))
            for meter in meters
        ]

    async def run(self, emit: Emit) -> None:
        """Poll until cancelled: BAD rows each cycle for a meter that is silent, nothing old ever stamped anew."""
        clock, timetable = self._clock, self.timetable
        while True:
            due_ms, device = timetable.next()
            await clock.sleep((due_ms - clock.monotonic_ms()) / 1000)
            began_ms = clock.monotonic_ms()
            try:
                emit(await self._readings(device))
            except Exception:
                log.exception(
                    "%s: a poll failed in an unforeseen way; the next one tries again", self.meters[device].name
                )
            timetable.done(began_ms=began_ms, now_ms=clock.monotonic_ms())

    async def _readings(self, device: int) -> Sequence[Reading]:
        meter, quarantine = self.meters[device], self._quarantines[device]
        was_dead = quarantine.is_dead
        if was_dead and not await self._revived(device):
            return meter.silent(self._clock.now_ms())
        readings, answered = await meter.read(self._clock)
        if answered:
            quarantine.answered()
        else:
            self._failed(quarantine)
        if quarantine.is_dead != was_dead:
            log.warning("%s %s", meter.name, "does not answer" if quarantine.is_dead else "answers again")
        return readings

    async def _revived(self, device: int) -> bool:
        """Probe a dead meter if it is time; its neighbours are tried soon if it came back."""
        quarantine = self._quarantines[device]
        if not quarantine.is_probe_due(self._clock.monotonic_ms()):
            return False
        if await self.meters[device].probe():
            for neighbour in self._quarantines:
                neighbour.hurry()
            return True
        self._failed(quarantine)
        return False

    def _failed(self, quarantine: Quarantine) -> None:
        dead = sum(other.is_dead for other in self._quarantines)
        quarantine.failed(self._clock.monotonic_ms(), dead=dead, meters=len(self.meters))
