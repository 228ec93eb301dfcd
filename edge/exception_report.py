"""Report by exception: pass on a reading when it says something new, or when it has been silent long enough."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from edge.wire import Reading


class Deadband(NamedTuple):
    """How far a point may move, and how long it may be silent, before it is reported again."""

    absolute: float
    """In the point's unit; 0 for none."""
    percent: float
    """Of the value last reported; 0 for none."""
    max_silence_ms: int
    period_ms: int
    is_counter: bool = False
    """Where it falls, what it reached before goes out too: the deadband would swallow that for good."""


class ExceptionReport:
    """Remembers what was last reported of each point that has a deadband; the others pass."""

    def __init__(self, deadbands: Mapping[str, Deadband]) -> None:
        self._deadbands = deadbands
        self._reported: dict[str, Reading] = {}
        self._kept_back: dict[str, Reading] = {}
        """The last reading of each counter that was not reported."""

    def filter(self, readings: Iterable[Reading]) -> list[Reading]:
        """Return the readings to report. BAD ones always are: a dead device stays visible each cycle."""
        passed = []
        for reading in readings:
            band = self._deadbands.get(reading.point)
            if band is None:
                passed.append(reading)
            elif self._is_news(reading, band):
                if band.is_counter and reading.value is not None:
                    passed += self._lost_by_a_fall(reading.point, reading.value)
                passed.append(reading)
                self._reported[reading.point] = reading
            elif band.is_counter:
                self._kept_back[reading.point] = reading
        return passed

    def _lost_by_a_fall(self, point: str, value: float) -> list[Reading]:
        before = self._kept_back.pop(point, None)
        return [before] if before is not None and before.value is not None and value < before.value else []

    def _is_news(self, reading: Reading, band: Deadband) -> bool:
        last = self._reported.get(reading.point)
        if last is None or reading.value is None or last.value is None:
            return True
        if reading.quality != last.quality:
            return True
        if not 0 <= reading.sampled_ms - last.sampled_ms <= band.max_silence_ms - band.period_ms:
            return True  # the next poll would be too late, or the clock was set back and nobody knows
        moved = abs(reading.value - last.value)
        return bool(
            (band.absolute and moved >= band.absolute)
            or (band.percent and moved >= abs(last.value) * band.percent / 100)
        )
