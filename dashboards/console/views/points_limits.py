"""The limits of a point: what its value is held against, who says so, and how sure that is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from analytics.alarms.watch import VOLTAGE_BANDS, VOLTAGE_ON_DELAY_S
from analytics.limits import AlarmClass, Level, Setpoint
from ingest.lines import measurement
from ingest.register import PointEntry

VOLTAGE_SOURCE = "GB/T 12325-2008"
VOLTAGE_DEADBAND_V = 0.5


@dataclass(frozen=True)
class PointLimit:
    """One line on the chart."""

    level: Level
    value: float
    """In the point's unit."""
    is_high: bool
    alarm_class: AlarmClass
    on_delay_s: float
    off_delay_s: float
    deadband: float
    source: str
    note: str
    is_confirmed: bool
    """False: the number stands in no text at hand, and whoever shows it says so."""

    def is_broken_by(self, value: float) -> bool:
        """Whether a value is beyond it; NaN is not."""
        return value > self.value if self.is_high else value < self.value


def limits_of(entry: PointEntry | None, setpoints: Iterable[Setpoint]) -> tuple[PointLimit, ...]:
    """Return a point's limits, the highest first; none for a point that no register names."""
    if entry is None:
        return ()
    found = [*_of_voltage(entry), *_of_profile(entry, setpoints)]
    return tuple(sorted(found, key=lambda limit: -limit.value))


def broken(limits: Iterable[PointLimit], value: float) -> PointLimit | None:
    """Return the limit that a value is furthest beyond; None if it keeps them all."""
    beyond = [limit for limit in limits if limit.is_broken_by(value)]
    high = max((limit for limit in beyond if limit.is_high), key=lambda limit: limit.value, default=None)
    low = min((limit for limit in beyond if not limit.is_high), key=lambda limit: limit.value, default=None)
    return high or low


def _of_voltage(entry: PointEntry) -> Iterator[PointLimit]:
    if measurement(entry.point) != "voltage_v" or entry.nominal is None or entry.limits not in VOLTAGE_BANDS:
        return
    low, high = VOLTAGE_BANDS[entry.limits]
    delay_s = VOLTAGE_ON_DELAY_S
    for level, share in (("H", high), ("L", low)):
        yield PointLimit(
            level=level,  # type: ignore[arg-type]  # one of Level
            value=share * entry.nominal,
            is_high=level == "H",
            alarm_class="C",
            on_delay_s=delay_s,
            off_delay_s=delay_s,
            deadband=VOLTAGE_DEADBAND_V,
            source=VOLTAGE_SOURCE,
            note="",
            is_confirmed=True,
        )


def _of_profile(entry: PointEntry, setpoints: Iterable[Setpoint]) -> Iterator[PointLimit]:
    quantity = measurement(entry.point)
    for one in setpoints:
        if one.profile == entry.limits and one.quantity == quantity:
            yield PointLimit(
                level=one.level,
                value=one.value,
                is_high=one.is_high,
                alarm_class=one.alarm_class,
                on_delay_s=one.on_delay_s,
                off_delay_s=one.off_delay_s,
                deadband=one.deadband,
                source=one.source,
                note=one.note,
                is_confirmed=one.verified,
            )
