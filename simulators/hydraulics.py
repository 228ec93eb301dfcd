"""The county's water: works with a clear well and a doser, and a sewage lift station.

One step is 10 s. A pump stops with its supply, a level is the balance of what flows, chlorine is what was dosed less
what decayed on the way: at the works with the clear well's mixing, at the end of the network with the pipe's age.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simulators.county import Asset, County
from simulators.faults import Fault
from simulators.physics import Array, Power, Series, Span, hour_of_day, wander

STEP_MS = 10_000
STEP_H = STEP_MS / 3_600_000

WELL_AREA_M2, WELL_START_M, WELL_STOP_M, WELL_PUMP_M3_H = 12.0, 2.2, 3.2, 16.0
DOSE_MG_L = 0.85
CLEAR_WELL_DECAY_PER_H, NETWORK_DECAY_PER_H = 0.02, 0.09
PIPE_M3 = 14.0
SERVICE_MPA = 0.32

PIT_AREA_M2, PIT_STOP_M, PIT_START_M, PIT_LAG_M, PIT_FULL_M, PIT_PUMP_M3_H = 6.0, 0.6, 1.4, 1.8, 3.6, 24.0


def simulate_water(county: County, faults: Sequence[Fault], power: Power, span: Span) -> dict[str, dict[str, Series]]:
    """Series of every works, of the end of its network (`<works>-end`), and of every lift station."""
    series: dict[str, dict[str, Series]] = {}
    for number, works in enumerate(county.of_kind("water_works")):
        rng = np.random.default_rng([county.seed, 4, number])
        series[works.id], series[f"{works.id}-end"] = _works(rng, works, faults, power, span)
    for number, station in enumerate(county.of_kind("sewage_station")):
        rng = np.random.default_rng([county.seed, 5, number])
        series[station.id] = _lift_station(rng, station, faults, power, span)
    return series


def _works(
    rng: np.random.Generator, works: Asset, faults: Sequence[Fault], power: Power, span: Span
) -> tuple[dict[str, Series], dict[str, Series]]:
    t_ms = span.grid_ms(STEP_MS)
    hour = hour_of_day(t_ms)
    supplied = _supplied(works, power, t_ms)
    demand = _demand_m3_h(rng, hour, mean=rng.uniform(5.5, 7.0))
    may_pump = supplied & ~_during(faults, "pump_trip", works.id, t_ms)
    doses = supplied & ~_during(faults, "dosing_failure", works.id, t_ms)
    level, pumping = _clear_well(demand, may_pump)
    chlorine = _mixed_chlorine(rng, level, pumping, doses)
    flow = np.where(level > 0.05, demand, 0.0)
    pressure = np.where(supplied & (level > 0.05), SERVICE_MPA - 0.0002 * flow**2, 0.06)
    noise = rng.normal(0.0, 1.0, (6, len(t_ms)))
    since_start = _since_start_h(pumping)
    turbidity = 0.16 + np.abs(wander(rng, t_ms.shape, memory=0.999, spread=0.03)) + 0.12 * np.exp(-since_start / 0.1)
    at_works = {
        "turbidity_ntu": turbidity + 0.004 * np.abs(noise[0]),
        "free_chlorine_mg_l": np.maximum(chlorine + 0.0015 * noise[1], 0.0),
        "ph": 7.55 + wander(rng, t_ms.shape, memory=0.9995, spread=0.04) + 0.005 * noise[2],
        "conductivity_us_cm": 640.0 + wander(rng, t_ms.shape, memory=0.9995, spread=6.0) + 0.4 * noise[3],
        "water_temp_c": 9.0 + 0.6 * np.sin(2.0 * np.pi * (hour - 10.0) / 24.0) + 0.02 * noise[4],
        "flow_m3_h": np.maximum(flow + 0.03 * noise[5], 0.0),
        "level_m": level,
        "pressure_mpa": pressure + 0.001 * noise[0],
        "pump_on": pumping,
        "dose_on": doses & (pumping > 0),
    }
    arrived, age_h = _through_pipe(chlorine, flow)
    at_end = {
        "free_chlorine_mg_l": np.maximum(arrived * np.exp(-NETWORK_DECAY_PER_H * age_h) + 0.003 * noise[2], 0.0),
        "turbidity_ntu": turbidity + 0.05 + 0.004 * np.abs(noise[3]),
        "pressure_mpa": np.maximum(pressure - 0.05 - 0.0003 * flow**2, 0.0) + 0.001 * noise[4],
    }
    return _as_series(at_works, span), _as_series(at_end, span)


def _lift_station(
    rng: np.random.Generator, station: Asset, faults: Sequence[Fault], power: Power, span: Span
) -> dict[str, Series]:
    t_ms = span.grid_ms(STEP_MS)
    hour = hour_of_day(t_ms)
    may_pump = _supplied(station, power, t_ms) & ~_during(faults, "pump_trip", station.id, t_ms)
    inflow = _demand_m3_h(rng, (hour - 1.0) % 24.0, mean=rng.uniform(6.0, 8.0))
    level, first, second = _wet_well(inflow, may_pump)
    dilution = wander(rng, t_ms.shape, memory=0.9995, spread=0.08)
    run_h = [float(rng.uniform(500, 4000)) + np.cumsum(pump) * STEP_H for pump in (first, second)]
    values = {
        "level_m": level + rng.normal(0.0, 0.002, len(t_ms)),
        "flow_m3_h": (first + second) * PIT_PUMP_M3_H * (1.0 + rng.normal(0.0, 0.01, len(t_ms))),
        "pump1_on": first,
        "pump2_on": second,
        "pump1_run_h": run_h[0],
        "pump2_run_h": run_h[1],
        "ammonia_mg_l": 3.2 * np.exp(dilution) + rng.normal(0.0, 0.02, len(t_ms)),
        "cod_mg_l": 38.0 * np.exp(0.6 * dilution) + rng.normal(0.0, 0.3, len(t_ms)),
    }
    return _as_series(values, span)


def _demand_m3_h(rng: np.random.Generator, hour: Array, *, mean: float) -> Array:
    """A village's day: little at night, peaks at breakfast and at dusk."""
    shape = 0.35 + 0.9 * np.exp(-0.5 * ((hour - 7.5) / 1.3) ** 2) + 0.5 * np.exp(-0.5 * ((hour - 12.2) / 1.2) ** 2)
    shape = shape + 1.1 * np.exp(-0.5 * ((hour - 18.8) / 1.8) ** 2)
    noise = np.exp(wander(rng, hour.shape, memory=0.99, spread=0.08))
    return np.asarray(mean * shape / shape.mean() * noise)


def _clear_well(demand: Array, may_pump: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Level and well pump: the pump starts low, stops high, and only where it has supply."""
    level, on = 2.6, False
    levels, pumping = np.empty_like(demand), np.empty_like(demand)
    for step, out in enumerate(demand):
        on = bool(may_pump[step]) and (level < WELL_START_M or (on and level < WELL_STOP_M))
        balance = (WELL_PUMP_M3_H if on else 0.0) - (out if level > 0.05 else 0.0)
        level = max(level + balance * STEP_H / WELL_AREA_M2, 0.02)
        levels[step], pumping[step] = level, float(on)
    return levels, pumping


def _mixed_chlorine(rng: np.random.Generator, level: Array, pumping: Array, doses: NDArray[np.bool_]) -> Array:
    """Free chlorine of a well-mixed clear well: dosed with what is pumped in, decaying as it stands."""
    concentration = 0.62
    dosed = DOSE_MG_L * (1.0 + wander(rng, level.shape, memory=0.999, spread=0.04)) * doses
    chlorine = np.empty_like(level)
    for step, depth in enumerate(level):
        renewed = pumping[step] * WELL_PUMP_M3_H * STEP_H / max(depth * WELL_AREA_M2, 0.1)
        concentration += renewed * (dosed[step] - concentration) - CLEAR_WELL_DECAY_PER_H * STEP_H * concentration
        chlorine[step] = concentration
    return chlorine


def _through_pipe(chlorine: Array, flow: Array) -> tuple[Array, Array]:
    """What reaches the end of the network by plug flow, and how old it is. [mg/L], [h]"""
    passed_m3 = np.cumsum(np.maximum(flow, 0.05)) * STEP_H
    step = np.arange(len(flow), dtype=np.float64)
    left_at = np.interp(passed_m3 - PIPE_M3, passed_m3, step, left=0.0)
    age_h = np.where(passed_m3 > PIPE_M3, (step - left_at) * STEP_H, 2.5)
    return np.interp(left_at, step, chlorine), age_h


def _wet_well(inflow: Array, may_pump: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Level and two pumps that take turns as the leading one; the second helps when the level is high."""
    level, lead, running = 1.0, 0, [False, False]
    levels, pumps = np.empty_like(inflow), np.zeros((2, len(inflow)))
    for step, water in enumerate(inflow):
        if not may_pump[step] or level < PIT_STOP_M:
            lead, running = (1 - lead, [False, False]) if any(running) else (lead, running)
        elif level > PIT_LAG_M:
            running = [True, True]
        elif level > PIT_START_M:
            running[lead] = True
        level = min(level + (water - sum(running) * PIT_PUMP_M3_H) * STEP_H / PIT_AREA_M2, PIT_FULL_M)
        levels[step], pumps[:, step] = level, running
    return levels, pumps[0], pumps[1]


def _since_start_h(pumping: Array) -> Array:
    """Hours since the pump last started; long before the first start."""
    step = np.arange(len(pumping), dtype=np.float64)
    started = np.where(np.diff(pumping, prepend=1.0) > 0, step, -1.0)
    last = np.maximum.accumulate(started)
    return np.where(last < 0, 99.0, (step - last) * STEP_H)


def _supplied(asset: Asset, power: Power, t_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
    supplied = np.ones(len(t_ms), dtype=bool)
    for start_ms, end_ms in power.out[asset.id]:
        supplied &= ~((t_ms >= start_ms) & (t_ms < end_ms))
    return supplied


def _during(faults: Sequence[Fault], kind: str, target: str, t_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
    inside = np.zeros(len(t_ms), dtype=bool)
    for fault in faults:
        if fault.kind == kind and fault.target == target:
            inside |= (t_ms >= fault.start_ms) & (t_ms < fault.end_ms)
    return inside


def _as_series(values: Mapping[str, Array | NDArray[np.bool_]], span: Span) -> dict[str, Series]:
    return {
        name: Series(span.start_ms, STEP_MS, np.asarray(value, dtype=np.float64).round(4))
        for name, value in values.items()
    }
