"""County-months with a known truth, to hold the evidence's bounds against: `make bench`.

Event by event, not minute by minute: faults, planned work, limiting and reclosings on feeders and transformers with
steps of restoration; terminals and customers' meters with registers of their own; and meters, modems and gateways that
fail by themselves. The inference is the product's own, from readings to bounds.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.runs import Devices, Float, Readings
from analytics.spans import Int, Spans, covering, join, spans, union
from analytics.topology import FEEDER, SERVICE, SUBSTATION, TRANSFORMER, Topology, simple_topology

MINUTE_MS, H_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
START_MS = 1_780_000_000_000
MONTH_MS = 30 * DAY_MS
LATE_MS = 5 * DAY_MS
"""What arrives in this time after the month still explains its silences. [ms]"""
FEEDERS, PER_FEEDER, CUSTOMERS_PER_TRANSFORMER = 20, 10, 300
METERS_PER_TRANSFORMER = 2
"""Customers' meters that are read every hour, with their own record of failures."""
POLL_MS = {"terminal": 15 * MINUTE_MS, "meter": H_MS, "mains": 15 * MINUTE_MS, "head": 5 * MINUTE_MS}
RECORD_ERROR_MS = 10_000
MAX_CLOCK_OFFSET_MS = 8_000
POWERED_STEP_MS = 3600
BACKUP_MS = 10 * MINUTE_MS
WITHOUT_REGISTERS = 0.05
"""Share of terminals that count and record nothing."""
SINGLE_MISSES = 0.01
"""Share of polls of a meter that fail alone."""
WITH_BACKUP = 0.25
"""Share of terminals that answer on their own for a while, reading 0 V."""


class Rates(NamedTuple):
    """How often things happen, per month and asset, and how long they take at the median. [h]"""

    feeder_fault: tuple[float, float] = (0.25, 1.2)
    feeder_reclosing: tuple[float, float] = (1.5, 10 / 3600)
    feeder_planned: tuple[float, float] = (0.10, 4.0)
    feeder_limit: tuple[float, float] = (0.05, 1.5)
    transformer_fault: tuple[float, float] = (0.06, 2.5)
    transformer_planned: tuple[float, float] = (0.04, 3.0)
    service_fault: tuple[float, float] = (0.05, 5.0)
    """A customer's own fuse: not an interruption of the transformer."""


TYPICAL = Rates()


@dataclass(frozen=True, eq=False)
class CountyMonth:
    """One simulated month: the truth, and what came of it."""

    topology: Topology
    devices: Devices
    readings: Readings
    outages: Spans
    """True outages of feeders and transformers, disjoint, keyed by asset."""
    terminal_of: Int
    """Per transformer, in the order of assets: the device that a naive method would look at."""
    missing: float
    """Share of due readings that did not come although the device had supply. [0..1]"""
    start_ms: int = START_MS
    end_ms: int = START_MS + MONTH_MS

    def true_rs_pct(self) -> float:
        """RS-1 by customers, as it was. [%]"""
        inside = np.minimum(self.outages.end_ms, self.end_ms) - np.maximum(self.outages.start_ms, self.start_ms)
        out = float(np.maximum(inside, 0) @ self.topology.customers[self.outages.key])
        return 100 * (1 - out / float(self.topology.customers.sum() * (self.end_ms - self.start_ms)))


def simulate_month(seed: int, *, missing: float = 0.05, rates: Rates = TYPICAL) -> CountyMonth:
    """Return the county-month of a seed; about `missing` of its readings are lost on the way."""
    rng = np.random.default_rng([seed, 4])
    topology = _network(rng)
    transformers = np.flatnonzero(topology.kind == TRANSFORMER)
    outages = _outages(rng, topology, transformers, rates)
    devices, terminal_of = _fleet(topology, transformers)
    lost_supply = _device_outages(rng, devices, topology, outages, rates)
    heard_never = _failures_on_the_way(rng, devices, topology, outages, missing)
    parts, due, came = [], 0, 0
    for device in range(len(devices.asset)):
        rows, counted = _device_readings(rng, device, devices, topology, lost_supply, heard_never)
        parts.append(rows)
        due, came = due + counted[0], came + counted[1]
    readings = Readings(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return CountyMonth(topology, devices, readings, outages, terminal_of, 1 - came / due)


def _network(rng: np.random.Generator) -> Topology:
    """A substation, its feeders, their transformers, and the customers' meters that are read."""
    transformers = FEEDERS * PER_FEEDER
    feeder = 1 + np.arange(FEEDERS)
    transformer = 1 + FEEDERS + np.arange(transformers)
    parent = [-1, *[0] * FEEDERS, *np.repeat(feeder, PER_FEEDER), *np.repeat(transformer, METERS_PER_TRANSFORMER)]
    kind = [SUBSTATION, *[FEEDER] * FEEDERS, *[TRANSFORMER] * transformers]
    kind += [SERVICE] * (transformers * METERS_PER_TRANSFORMER)
    customers = np.zeros(len(parent), np.int64)
    share = rng.lognormal(0.0, 0.5, transformers)
    customers[transformer] = np.maximum(share / share.sum() * transformers * CUSTOMERS_PER_TRANSFORMER, 1).round()
    return simple_topology([int(p) for p in parent], customers.tolist(), kind)


def _outages(rng: np.random.Generator, topology: Topology, transformers: Int, rates: Rates) -> Spans:
    found = [
        _on_feeders(rng, topology, transformers, rates.feeder_fault, steps=True),
        _on_feeders(rng, topology, transformers, rates.feeder_reclosing, steps=False),
        _on_feeders(rng, topology, transformers, rates.feeder_planned, steps=True),
        _on_feeders(rng, topology, transformers, rates.feeder_limit, steps=False),
        _events(rng, transformers, rates.transformer_fault),
        _events(rng, transformers, rates.transformer_planned),
    ]
    return union(join(*found))


def _events(rng: np.random.Generator, assets: Int, rate: tuple[float, float]) -> Spans:
    """Events of assets over the month and the days around it."""
    per_month, median_h = rate
    reach_ms = MONTH_MS + 2 * LATE_MS
    count = rng.poisson(per_month * reach_ms / MONTH_MS, len(assets))
    asset = np.repeat(assets, count)
    start = START_MS - LATE_MS + rng.integers(0, reach_ms, len(asset))
    length = np.maximum(rng.lognormal(np.log(median_h * H_MS), 0.8, len(asset)), 1000).astype(np.int64)
    return spans(asset, start, start + length)


def _on_feeders(
    rng: np.random.Generator, topology: Topology, transformers: Int, rate: tuple[float, float], *, steps: bool
) -> Spans:
    """Events of feeders, and as they reach their transformers; restored in steps, the far end last."""
    events = _events(rng, 1 + np.arange(FEEDERS), rate)
    event, transformer = np.nonzero(events.key[:, None] == topology.parent[transformers][None, :])
    whole = events.end_ms - events.start_ms
    done = np.sort(rng.uniform(0.3, 1.0, (len(whole), 3)), axis=1) if steps else np.ones((len(whole), 3))
    length = np.maximum(whole[:, None] * done, 1000).astype(np.int64)
    section = (transformer % PER_FEEDER) // 4
    start = events.start_ms[event]
    return join(
        spans(transformers[transformer], start, start + length[event, section]),
        spans(events.key, events.start_ms, events.start_ms + length[:, 0]),
    )


def _fleet(topology: Topology, transformers: Int) -> tuple[Devices, Int]:
    """A terminal at each transformer, customers' meters, two gateways per feeder, feeder heads."""
    meters = np.flatnonzero(topology.kind == SERVICE)
    gateways = transformers.reshape(FEEDERS, 2, -1)[:, :, 2].reshape(-1)
    heads = np.flatnonzero(topology.kind == FEEDER)
    asset = np.concatenate([transformers, meters, gateways, heads])
    role = np.repeat(list(POLL_MS), [len(transformers), len(meters), len(gateways), len(heads)])
    home = np.where(topology.kind[asset] == SERVICE, topology.parent[asset], asset)
    substation_way = 2 * FEEDERS
    poll_ms = np.array([POLL_MS[name] for name in role])
    devices = Devices(
        asset=asset,
        max_gap_ms=poll_ms * 3 // 2,
        backhaul=np.where(role == "head", substation_way, (home - transformers[0]) // (PER_FEEDER // 2)),
        on_change=role == "mains",
        max_power_kw=np.full(len(asset), np.nan),
        log_error_ms=np.full(len(asset), RECORD_ERROR_MS, np.int64),
        powered_time_step_ms=np.full(len(asset), POWERED_STEP_MS, np.int64),
    )
    return devices, np.arange(len(transformers))


def _device_outages(
    rng: np.random.Generator, devices: Devices, topology: Topology, outages: Spans, rates: Rates
) -> list[tuple[Int, Int]]:
    """Per device the starts and ends of its own losses of supply: its transformer's, and its own fuse's."""
    is_meter = topology.kind[devices.asset] == SERVICE
    home = np.where(is_meter, topology.parent[devices.asset], devices.asset)
    fuses = _events(rng, np.flatnonzero(is_meter), rates.service_fault)
    found = []
    for device in range(len(home)):
        mine = outages.key == home[device]
        own = fuses.key == device
        both = union(
            spans(
                np.zeros(int(mine.sum() + own.sum()), np.int64),
                np.concatenate([outages.start_ms[mine], fuses.start_ms[own]]),
                np.concatenate([outages.end_ms[mine], fuses.end_ms[own]]),
            )
        )
        found.append((both.start_ms, both.end_ms))
    return found


def _failures_on_the_way(
    rng: np.random.Generator, devices: Devices, topology: Topology, outages: Spans, missing: float
) -> Spans:
    """When nothing of a device arrives: its own communication, its gateway's failures, its gateway without supply."""
    count = len(devices.asset)
    gateways = np.flatnonzero(devices.on_change)
    own = _silences(rng, np.arange(count), share=0.4 * missing, median_h=4.0)
    broken = _silences(rng, np.arange(len(gateways)), share=0.4 * missing, median_h=6.0)
    fed_by = devices.asset[gateways]
    powerless = [
        spans(np.full(int(m.sum()), g), outages.start_ms[m] + _battery_ms(rng), outages.end_ms[m] + 2 * MINUTE_MS)
        for g, m in enumerate(outages.key == asset for asset in fed_by)
    ]
    silent = join(broken, *powerless)
    follower, gateway = np.nonzero(devices.backhaul[:, None] == devices.backhaul[gateways][None, :])
    order = np.argsort(silent.key, kind="stable")
    first = np.searchsorted(silent.key[order], gateway, side="left")
    number = np.searchsorted(silent.key[order], gateway, side="right") - first
    device = np.repeat(follower, number)
    row = order[np.arange(len(device)) - np.repeat(np.cumsum(number) - number, number) + np.repeat(first, number)]
    return union(join(own, Spans(device, silent.start_ms[row], silent.end_ms[row])))


def _battery_ms(rng: np.random.Generator) -> int:
    return int(rng.integers(3 * MINUTE_MS, 7 * MINUTE_MS))


def _silences(rng: np.random.Generator, key: NDArray[np.integer], *, share: float, median_h: float) -> Spans:
    """Failures that together take about `share` of the time."""
    mean_h = median_h * float(np.exp(0.8**2 / 2))
    return _events(rng, np.asarray(key, np.int64), (share * MONTH_MS / H_MS / mean_h, median_h))


def _device_readings(
    rng: np.random.Generator,
    device: int,
    devices: Devices,
    topology: Topology,
    lost: list[tuple[Int, Int]],
    silent: Spans,
) -> tuple[tuple[NDArray[np.generic], ...], tuple[int, int]]:
    """One device's readings as columns of `Readings`; and how many were due with supply, and how many of them came."""
    begun, ended = lost[device]
    senses_mains = bool(devices.on_change[device])
    t_ms = _polls(rng, int(devices.max_gap_ms[device]) * 2 // 3)
    if senses_mains:
        t_ms = np.unique(np.concatenate([t_ms, begun, ended]))
    over = np.searchsorted(ended, t_ms, side="right")
    count = np.searchsorted(begun, t_ms, side="right")
    has_supply = count == over
    answers_on = _answers_on_ms(rng, device, devices, topology)
    since_loss = t_ms - np.append(begun, 0)[np.maximum(count - 1, 0)]
    answers = has_supply | (since_loss < answers_on)
    misses = np.zeros(len(t_ms), np.bool_) if senses_mains else rng.random(len(t_ms)) < SINGLE_MISSES
    heard = answers & ~misses & (covering(silent, np.full(len(t_ms), device), t_ms) < 0)
    in_month = (t_ms >= START_MS) & (t_ms < START_MS + MONTH_MS) & has_supply
    rows = _columns(rng, device, devices, (begun, ended), (t_ms, over, count, has_supply), heard)
    return rows, (int(in_month.sum()), int((in_month & heard).sum()))


def _answers_on_ms(rng: np.random.Generator, device: int, devices: Devices, topology: Topology) -> int:
    """How long a device goes on answering without the supply it watches: a feeder head, always."""
    if topology.kind[devices.asset[device]] == FEEDER:
        return MONTH_MS
    return BACKUP_MS if devices.on_change[device] or rng.random() < WITH_BACKUP else 0


def _columns(
    rng: np.random.Generator,
    device: int,
    devices: Devices,
    lost: tuple[Int, Int],
    at: tuple[Int, Int, Int, NDArray[np.bool_]],
    heard: NDArray[np.bool_],
) -> tuple[NDArray[np.generic], ...]:
    begun, ended = lost
    t_ms, over, count, has_supply = (column[heard] for column in at)
    senses_mains = bool(devices.on_change[device])
    nothing = np.full(len(t_ms), np.nan)
    supplied = np.where(has_supply, 1.0, 0.0)
    is_head = device >= len(devices.asset) - FEEDERS
    offset_ms = int(rng.integers(-MAX_CLOCK_OFFSET_MS, MAX_CLOCK_OFFSET_MS))
    registers: list[Float] = [nothing] * 4
    if not senses_mains and not is_head and rng.random() >= WITHOUT_REGISTERS:
        last = np.maximum(over - 1, 0)
        start = np.where(over > 0, np.append(begun, 0)[last] + offset_ms, np.nan)
        end = np.where(over > 0, np.append(ended, 0)[last] + offset_ms, np.nan)
        away = np.concatenate(([0], np.cumsum(ended - begun)))[over]
        running = np.where(has_supply, 0, t_ms - np.append(begun, 0)[np.maximum(count - 1, 0)])
        powered = np.floor((t_ms - START_MS + LATE_MS - away - running) / POWERED_STEP_MS) * POWERED_STEP_MS
        registers = [count.astype(np.float64), powered, np.floor(start / 1000) * 1000, np.floor(end / 1000) * 1000]
    number = np.full(len(t_ms), device, np.int64)
    volts, mains = (nothing, supplied) if senses_mains else (supplied, nothing)
    return number, t_ms, volts, nothing, mains, nothing, *registers


def _polls(rng: np.random.Generator, poll_ms: int) -> Int:
    first = START_MS - LATE_MS + int(rng.integers(0, poll_ms))
    return np.arange(first, START_MS + MONTH_MS + LATE_MS, poll_ms)
