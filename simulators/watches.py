"""The conditions on water that the demo watches for, each with its level and delays."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.county import County
from simulators.physics import Array


@dataclass(frozen=True)
class Watch:
    """A level that a value must not stay beyond."""

    name: str
    """Point and level, such as `works-1/works.free_chlorine_mg_l L`."""
    point: str
    series: str
    """Where the physics keep the value."""
    quantity: str
    level: float
    is_high: bool
    on_delay_s: float
    off_delay_s: float

    def beyond(self, values: Array) -> NDArray[np.bool_]:
        """Per value: whether it is beyond the level."""
        return np.asarray(values > self.level if self.is_high else values < self.level)


def watches_of(county: County) -> Iterator[Watch]:
    """Every watch of a county: chlorine and turbidity that leave a works, pressure at the end, a wet well's level."""
    for gateway, device in county.devices():
        place = f"{gateway.site}/{device.name}"
        if device.role == "works":
            yield _watch(place, device.asset, "free_chlorine_mg_l", 0.3, 900.0, 900.0)
            yield _watch(place, device.asset, "turbidity_ntu", 1.0, 900.0, 1800.0, is_high=True)
        elif device.role == "network_end":
            yield _watch(place, f"{device.asset}-end", "free_chlorine_mg_l", 0.05, 1800.0, 1800.0)
            yield _watch(place, f"{device.asset}-end", "pressure_mpa", 0.1, 300.0, 300.0)
        elif device.role == "lift":
            yield _watch(place, device.asset, "level_m", 2.2, 60.0, 60.0, is_high=True)


def flat_line_points_of(county: County) -> list[str]:
    """The points looked at for a sensor that is stuck: what never stands still on its own."""
    return [
        f"{gateway.site}/{device.name}.{quantity}"
        for gateway, device in county.devices()
        if device.role == "works"
        for quantity in ("ph", "conductivity_us_cm", "turbidity_ntu")
    ]


def stuck_name(point: str) -> str:
    """What a stuck sensor's alarm is called."""
    return f"{point} stuck"


def _watch(
    place: str,
    series: str,
    quantity: str,
    level: float,
    on_delay_s: float,
    off_delay_s: float,
    *,
    is_high: bool = False,
) -> Watch:
    point = f"{place}.{quantity}"
    name = f"{point} {'H' if is_high else 'L'}"
    return Watch(name, point, series, quantity, level, is_high, on_delay_s, off_delay_s)
