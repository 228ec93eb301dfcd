"""The virtual county in motion: what each instrument says at each instant, or that it says nothing."""

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulators.county import County, Device, Gateway
from simulators.faults import Fault, Intervals
from simulators.hydraulics import simulate_water
from simulators.physics import Series, Span, simulate_power

NOT_YET = float(0xFFFFFFFF)
"""What a terminal's power-fail record holds before the first failure."""
CHATTER_MS = 45_000
"""A sensor with a poor contact shows 0 for so long, then its value for so long: longer than water is polled. [ms]"""
DEAD_ON_BATTERY = ("voltage_v", "current_a", "active_power_kw", "frequency_hz")


@dataclass(frozen=True)
class PowerRecord:
    """What a terminal has kept of its own supply up to an instant."""

    fail_count: int
    powered_h: float
    last_start_s: float
    last_end_s: float
    mains_on: bool


class World:
    """A county with its faults over a span of time."""

    def __init__(self, county: County, faults: Sequence[Fault], span: Span) -> None:
        self.county = county
        self.faults = tuple(faults)
        self.span = span
        self.power = simulate_power(county, faults, span)
        self.series: dict[str, Mapping[str, Series]] = {
            **self.power.series,
            **simulate_water(county, faults, self.power, span),
        }
        self._devices = {(gateway.site, device.name): device for gateway, device in county.devices()}
        self._stuck = {fault.target: fault for fault in faults if fault.kind == "stuck_sensor"}
        self._chattering = {fault.target: fault for fault in faults if fault.kind == "chattering_sensor"}
        self._counted = _starting_counters(county)

    def device(self, site: str, name: str) -> Device:
        """The device of that name at a site."""
        return self._devices[site, name]

    def out(self, asset_id: str) -> Intervals:
        """When an asset has no supply."""
        return self.power.out[asset_id]

    def energised(self, asset_id: str, t_ms: int) -> bool:
        """Whether an asset has supply at an instant."""
        return not any(start_ms <= t_ms < end_ms for start_ms, end_ms in self.power.out[asset_id])

    def answers(self, site: str, name: str, t_ms: int) -> bool:
        """Whether a device says anything: it has supply or a battery, and nothing has silenced it."""
        device = self._devices[site, name]
        if any(f.kind == "meter_silent" and f.target == f"{site}/{name}" and f.covers(t_ms) for f in self.faults):
            return False
        return device.backup or self.energised(device.asset, t_ms)

    def values(self, site: str, name: str, t_ms: int) -> dict[str, float]:
        """What a device shows, by profile point, in the point's unit."""
        device = self._devices[site, name]
        if device.profile != "simulated_terminal":
            return self._water_values(site, device, t_ms)
        shown = {point: series.at(t_ms) for point, series in self.series[device.asset].items()}
        record = self.power_record(site, device, t_ms)
        if not record.mains_on:
            shown |= {point: 0.0 for point in shown if point.rsplit(".", 1)[-1] in DEAD_ON_BATTERY}
        return shown | {
            "power_fail_count": float(record.fail_count),
            "powered_time_h": record.powered_h,
            "last_power_fail_start_s": record.last_start_s,
            "last_power_fail_end_s": record.last_end_s,
            "mains_on": float(record.mains_on),
        }

    def power_record(self, site: str, device: Device, t_ms: int) -> PowerRecord:
        """The terminal's counters at an instant."""
        count, powered_h = self._counted[site, device.name]
        begun = [interval for interval in self.power.out[device.asset] if interval[0] <= t_ms]
        ended = [interval for interval in begun if interval[1] <= t_ms]
        out_ms = sum(min(end_ms, t_ms) - start_ms for start_ms, end_ms in begun if start_ms >= self.span.start_ms)
        return PowerRecord(
            fail_count=count + len(begun),
            powered_h=powered_h + (t_ms - self.span.start_ms - out_ms) / 3_600_000,
            last_start_s=float(begun[-1][0] // 1000) if begun else NOT_YET,
            last_end_s=float(ended[-1][1] // 1000) if ended else NOT_YET,
            mains_on=len(begun) == len(ended),
        )

    def _water_values(self, site: str, device: Device, t_ms: int) -> dict[str, float]:
        source = f"{device.asset}-end" if device.role == "network_end" else device.asset
        shown = {}
        for point, series in self.series[source].items():
            name = f"{site}/{device.name}.{point}"
            fault = self._stuck.get(name)
            shown[point] = series.at(fault.start_ms if fault is not None and fault.covers(t_ms) else t_ms)
            if name in self._chattering and _has_no_contact(self._chattering[name], t_ms):
                shown[point] = 0.0
        return shown


def gateway_is_dark(dark: Intervals, gateway: Gateway, t_ms: int) -> bool:
    """Whether a gateway's battery has run out since it lost its mains."""
    index = bisect.bisect_right([start_ms for start_ms, _ in dark], t_ms) - 1
    return index >= 0 and dark[index][0] + gateway.battery_s * 1000 <= t_ms < dark[index][1]


def _has_no_contact(fault: Fault, t_ms: int) -> bool:
    return fault.covers(t_ms) and (t_ms - fault.start_ms) // CHATTER_MS % 2 == 0


def _starting_counters(county: County) -> dict[tuple[str, str], tuple[int, float]]:
    """Each terminal's past: how often it has lost supply, and how long it had it. [count], [h]"""
    rng = np.random.default_rng([county.seed, 6])
    return {
        (gateway.site, device.name): (int(rng.integers(0, 40)), float(rng.uniform(2_000, 30_000)))
        for gateway, device in county.devices()
    }
