"""Counters that fall: wrapped, reset, exchanged or misread. Which of them, the readings after it tell."""

import logging
from collections.abc import Iterable, Sequence

import msgspec

from edge.wire import Quality, Reading

log = logging.getLogger(__name__)


class CounterWatch:
    """Remembers how high each counter stood, and marks the one reading that stands lower than the one before."""

    def __init__(self, counters: Iterable[str]) -> None:
        self._stood: dict[str, float] = dict.fromkeys(counters, float("-inf"))

    def judged(self, readings: Sequence[Reading]) -> Sequence[Reading]:
        """Return `readings` with what fell marked UNCERTAIN_RANGE; its value stays as the meter shows it."""
        stood = self._stood
        fallen = {}
        for place, reading in enumerate(readings):
            if reading.point in stood and (value := reading.value) is not None:
                if value < stood[reading.point]:
                    fallen[place] = self._doubted(reading)
                stood[reading.point] = value
        return [fallen.get(place, reading) for place, reading in enumerate(readings)] if fallen else readings

    def _doubted(self, reading: Reading) -> Reading:
        log.warning(
            "%s fell from %s to %s: it has wrapped, was reset or was misread",
            reading.point,
            self._stood[reading.point],
            reading.value,
        )
        return msgspec.structs.replace(reading, quality=Quality(reading.quality | Quality.UNCERTAIN_RANGE))
