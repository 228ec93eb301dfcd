"""What goes wrong in the county, and when: a script that follows from the seed.

The targets are chosen so that each fault meets the evidence that has to explain it: a feeder trip is seen by its
powered terminals, a transformer outage darkens the gateway that it feeds, a local loss of the gateway's supply is no
interruption of anybody else, and a lost backhaul is nothing but silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulators.county import County

FaultKind = Literal[
    "feeder_trip",
    "transformer_outage",
    "planned_work",
    "undervoltage",
    "meter_silent",
    "gateway_power",
    "backhaul_loss",
    "dosing_failure",
    "pump_trip",
    "stuck_sensor",
    "chattering_sensor",
]
INTERRUPTS: tuple[FaultKind, ...] = ("feeder_trip", "transformer_outage", "planned_work")
Intervals = tuple[tuple[int, int], ...]
"""Disjoint, in order, end excluded. [ms since 1970-01-01T00:00Z]"""

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    kind: FaultKind
    target: str
    """An asset, a site (gateway_power, backhaul_loss), `site/device` (meter_silent) or a point
    (stuck_sensor, chattering_sensor)."""
    start_ms: int
    end_ms: int
    depth: float = 0.0
    """How far it pulls down, for undervoltage. [V]"""

    def covers(self, t_ms: int) -> bool:
        """Whether it lasts at that instant."""
        return self.start_ms <= t_ms < self.end_ms


def script(county: County, day_start_ms: int, days: int) -> tuple[Fault, ...]:
    """The faults of `days` days that begin at local midnight, in order of their start."""
    rng = np.random.default_rng([county.seed, 3])
    faults: list[Fault] = []
    for day in range(days):
        faults += _one_day(rng, county, day_start_ms + day * DAY_MS)
    return tuple(sorted(faults, key=lambda fault: (fault.start_ms, fault.target)))


def interruptions(county: County, faults: Sequence[Fault], asset_id: str) -> Intervals:
    """When an asset has no supply: its own outages and those of all that supply it, merged."""
    path = set(county.supply_path(asset_id))
    return merge([(f.start_ms, f.end_ms) for f in faults if f.kind in INTERRUPTS and f.target in path])


def merge(intervals: Sequence[tuple[int, int]]) -> Intervals:
    """The union of intervals; touching ones become one."""
    merged: list[tuple[int, int]] = []
    for start_ms, end_ms in sorted(intervals):
        if merged and start_ms <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end_ms))
        else:
            merged.append((start_ms, end_ms))
    return tuple(merged)


def dark_intervals(county: County, faults: Sequence[Fault], site: str) -> Intervals:
    """When a site's gateway has no mains: the supply's interruptions and faults of its own."""
    gateway = next(gateway for gateway in county.gateways if gateway.site == site)
    own = [(f.start_ms, f.end_ms) for f in faults if f.kind == "gateway_power" and f.target == site]
    return merge([*interruptions(county, faults, gateway.supply), *own])


def _one_day(rng: np.random.Generator, county: County, midnight_ms: int) -> list[Fault]:
    """Each kind once: the transformer outage on feeder A's gateway supply, the trip on B, the rest spread out."""
    feeders = [str(feeder) for feeder in rng.permutation([asset.id for asset in county.of_kind("feeder")])]
    a, b, c, d = (feeders[i % len(feeders)] for i in range(4))
    first_works, second_works = ("ww1", f"ww{county.size.works}")

    def at(kind: FaultKind, target: str, hour: float, minutes: float, depth: float = 0.0) -> Fault:
        start_ms = midnight_ms + int((hour + rng.uniform(-0.2, 0.2)) * 3600) * 1000
        return Fault(kind, target, start_ms, start_ms + int(minutes * rng.uniform(0.85, 1.15) * 60) * 1000, depth)

    return [
        at("planned_work", f"{c}-t02", 2.3, 14.0),
        at("feeder_trip", b, 6.3, 4.0),
        at("meter_silent", f"{county.site_of(d)}/t01", 7.5, 120.0),
        at("meter_silent", f"{county.site_of(a)}/t03", 8.5, 90.0),
        at("dosing_failure", first_works, 7.0, 330.0),
        at("stuck_sensor", f"{county.site_of(second_works)}/works.ph", 10.0, 330.0),
        at("backhaul_loss", county.site_of(c), 11.2, 100.0),
        at("transformer_outage", _gateway_supply(county, a), 13.6, 20.0),
        at("gateway_power", county.site_of(d), 15.0, 35.0),
        at("pump_trip", "ls1", 17.2, 130.0),
        at("undervoltage", _line_end(county, b), 19.3, 50.0, rng.uniform(17.0, 23.0)),
    ]


def _line_end(county: County, feeder: str) -> str:
    return next(asset.id for asset in county.of_kind("customer_group") if asset.id.startswith(f"{feeder}-"))


def _gateway_supply(county: County, feeder: str) -> str:
    return next(gateway.supply for gateway in county.gateways if gateway.asset == f"gw-{feeder}")
