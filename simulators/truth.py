"""What really happened, from the physics itself: the other side of every verdict.

Nothing here has passed a meter, a gateway or a formula of `analytics`. Values are taken as the registers would hold
them, because no road can carry more than its first instrument shows.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.county import Device
from simulators.county_files import VOLTAGE_POINTS, read_points
from simulators.faults import DAY_MS, INTERRUPTS, FaultKind
from simulators.physics import MINUTE_MS, Array, touched
from simulators.registers import shown
from simulators.watches import Watch, stuck_name, watches_of
from simulators.world import World

LIMITS_V = {
    "gb12325-220": (198.0, 235.4),
    "gb12325-10kv": (9_300.0, 10_700.0),
    "class-a-10kv": (10_000.0, 10_700.0),
}


class Interruption(msgspec.Struct, frozen=True):
    """One unit without supply, as it was."""

    start_ms: int
    end_ms: int
    kind: FaultKind


class UnitTruth(msgspec.Struct, frozen=True):
    """One unit whose supply is reported."""

    asset: str
    customers: int
    """Customers directly at it."""
    is_transformer: bool
    interruptions: list[Interruption]


class VoltageTruth(msgspec.Struct, frozen=True):
    """Minutes of one point on one local day. [min]"""

    point: str
    day: int
    """Days since the first."""
    ok: int
    over: int
    under: int
    outage: int
    changes: int
    """How often the state changes from one minute to the next."""

    @property
    def pass_pct(self) -> float:
        """Share of supplied minutes within limits. [%]"""
        monitored = self.ok + self.over + self.under
        return 100.0 * self.ok / monitored if monitored else float("nan")


class AlarmTruth(msgspec.Struct, frozen=True):
    """A condition that lasted longer than its on-delay."""

    watch: str
    start_ms: int
    end_ms: int


class Truth(msgspec.Struct, frozen=True):
    """All that a run is judged by."""

    start_ms: int
    days: int
    units: list[UnitTruth]
    transformer_hours_out: float
    """[transformer-hours]"""
    rs1_pct: float
    """Every transformer counts once, as medium-voltage figures do. [%]"""
    rs1_lv_pct: float
    """Every customer counts once. [%]"""
    voltage: list[VoltageTruth]
    alarms: list[AlarmTruth]


def find_truth(world: World, start_ms: int, days: int) -> Truth:
    """The truth of `days` days from local midnight `start_ms`."""
    end_ms = start_ms + days * DAY_MS
    units = [_unit(world, asset.id, start_ms, end_ms) for asset in world.county.assets if asset.customers > 0]
    transformers = [unit for unit in units if unit.is_transformer]
    hours = sum(_hours(unit) for unit in transformers)
    customers = sum(unit.customers for unit in units)
    customer_hours = sum(_hours(unit) * unit.customers for unit in units)
    return Truth(
        start_ms=start_ms,
        days=days,
        units=units,
        transformer_hours_out=hours,
        rs1_pct=100.0 * (1.0 - hours / (24.0 * days * len(transformers))),
        rs1_lv_pct=100.0 * (1.0 - customer_hours / (24.0 * days * customers)),
        voltage=list(_voltage(world, start_ms, days)),
        alarms=list(_alarms(world, start_ms, end_ms)),
    )


def write_truth(truth: Truth, path: Path) -> None:
    """Keep the truth as one JSON file."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(truth)))


def _unit(world: World, asset_id: str, start_ms: int, end_ms: int) -> UnitTruth:
    asset = world.county.asset(asset_id)
    interruptions = [
        Interruption(max(first, start_ms), min(last, end_ms), _kind(world, asset_id, first))
        for first, last in world.out(asset_id)
        if first < end_ms and last > start_ms
    ]
    return UnitTruth(asset_id, asset.customers, asset.kind == "transformer", interruptions)


def _kind(world: World, asset_id: str, start_ms: int) -> FaultKind:
    path = set(world.county.supply_path(asset_id))
    return next(f.kind for f in world.faults if f.kind in INTERRUPTS and f.target in path and f.covers(start_ms))


def _hours(unit: UnitTruth) -> float:
    return sum(one.end_ms - one.start_ms for one in unit.interruptions) / 3_600_000


def _voltage(world: World, start_ms: int, days: int) -> Iterator[VoltageTruth]:
    for gateway, device in world.county.devices():
        if device.role not in VOLTAGE_POINTS:
            continue
        lo, hi = LIMITS_V[VOLTAGE_POINTS[device.role][1]]
        for point in read_points(device):
            if point.name.endswith("voltage_v"):
                series = world.series[device.asset][point.name]
                held = np.array([shown(point, float(value)) for value in series.values])
                name = f"{gateway.site}/{device.name}.{point.name}"
                for day in range(days):
                    yield _voltage_day(world, device, name, held, lo, hi, start_ms, day)


def _voltage_day(
    world: World, device: Device, name: str, held: Array, lo: float, hi: float, start_ms: int, day: int
) -> VoltageTruth:
    first = (start_ms + day * DAY_MS - world.span.start_ms) // MINUTE_MS
    minutes = held[first : first + DAY_MS // MINUTE_MS]
    t_ms = start_ms + day * DAY_MS + np.arange(len(minutes), dtype=np.int64) * MINUTE_MS
    state = np.select([touched(world.out(device.asset), t_ms), minutes > hi, minutes < lo], [3, 1, 2], 0)
    ok, over, under, outage = (int(n) for n in np.bincount(state, minlength=4))
    return VoltageTruth(name, day, ok, over, under, outage, int(np.count_nonzero(np.diff(state))))


def _alarms(world: World, start_ms: int, end_ms: int) -> Iterator[AlarmTruth]:
    for watch in watches_of(world.county):
        series = world.series[watch.series][watch.quantity]
        t_ms = series.start_ms + np.arange(len(series.values), dtype=np.int64) * series.step_ms
        for first, last in lasting(t_ms, series.values, watch):
            if first < end_ms and last > start_ms:
                yield AlarmTruth(watch.name, first, last)
    for fault in world.faults:
        if fault.kind == "stuck_sensor" and fault.start_ms < end_ms:
            yield AlarmTruth(stuck_name(fault.target), fault.start_ms, fault.end_ms)


def lasting(t_ms: NDArray[np.int64], values: Array, watch: Watch) -> Sequence[tuple[int, int]]:
    """The spans of a condition: it begins with a stretch of the on-delay, and ends with one of the off-delay."""
    edges = np.flatnonzero(np.diff(watch.beyond(values).astype(np.int8), prepend=0, append=0))
    spans: list[tuple[int, int]] = []
    for first, after in edges.reshape(-1, 2):
        start_ms, end_ms = int(t_ms[first]), int(t_ms[min(after, len(t_ms) - 1)])
        if spans and start_ms - spans[-1][1] < watch.off_delay_s * 1000:
            spans[-1] = (spans[-1][0], end_ms)
        elif end_ms - start_ms >= watch.on_delay_s * 1000:
            spans.append((start_ms, end_ms))
    return spans
