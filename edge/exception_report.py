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


class ExceptionReport:
    """Remembers what was last reported of each point that has a deadband; the others pass."""

    def __init__(self, deadbands: Mapping[str, Deadband]) -> None:
        self._deadbands = deadbands
        self._reported: dict[str, Reading] = {}

    def filter(self, readings: Iterable[Reading]) -> list[Reading]:
        """Return the readings to report. BAD ones always are: a dead device stays visible each cycle."""
        passed = [reading for reading in readings if self._is_news(reading)]
        self._reported.update((reading.point, reading) for reading in passed if reading.point in self._deadbands)
        return passed

    def _is_news(self, reading: Reading) -> bool:
        band, last = self._deadbands.get(reading.point), self._reported.get(reading.point)
        if band is None or last is None or reading.value is None or last.value is None:
            return True
        if reading.quality != last.quality:
            return True
        if reading.sampled_ms - last.sampled_ms + band.period_ms > band.max_silence_ms:
            return True  # the next poll would be too late
        moved = abs(reading.value - last.value)
        return bool(
            (band.absolute and moved >= band.absolute)
            or (band.percent and moved >= abs(last.value) * band.percent / 100)
        )
