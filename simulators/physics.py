"""The county's electricity: loads, voltages along the feeders, and what each meter would show.

One array entry per minute. Numbers move together: a load draws current, current drops voltage along the line, the
substation's tap changer answers, a feeder that trips unloads its neighbours. Interruptions are kept as exact
intervals beside the arrays, so that a meter loses supply at the second and not at the minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from simulators.county import Asset, County
from simulators.faults import Fault, Intervals, interruptions

Array = NDArray[np.float64]
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
LOCAL_OFFSET_H = 8.0

SECTION_KM = (1.5, 3.5)
"""Line between one transformer and the next."""
LINE_R_OHM_KM, LINE_X_OHM_KM = 0.46, 0.37
POWER_FACTOR = 0.92
TRANSFORMER_IMPEDANCE_PU = 0.035
TAP_STEPS = np.array([-0.05, -0.025, 0.0, 0.025, 0.05])
HEAD_TARGET_V = 226.0
BUS_TARGET_V, BUS_DEADBAND_V, BUS_TAP_V = 10_330.0, 130.0, 125.0


@dataclass(frozen=True)
class Span:
    """The simulated time, end excluded."""

    start_ms: int
    end_ms: int

    def grid_ms(self, step_ms: int) -> NDArray[np.int64]:
        """The first instant of each step. [ms since 1970-01-01T00:00Z]"""
        return np.arange(self.start_ms, self.end_ms, step_ms, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Series:
    """A quantity that holds each of its values for one step."""

    start_ms: int
    step_ms: int
    values: Array

    def at(self, t_ms: int) -> float:
        """The value in force at an instant; the first or last one outside the simulated time."""
        step = (t_ms - self.start_ms) // self.step_ms
        return float(self.values[min(max(step, 0), len(self.values) - 1)])


@dataclass(frozen=True, eq=False)
class Power:
    """The electricity of a span: series per asset, and when each asset had no supply."""

    out: Mapping[str, Intervals]
    series: Mapping[str, Mapping[str, Series]]
    """Asset → profile point → series, as long as the asset has supply."""


def hour_of_day(t_ms: NDArray[np.int64]) -> Array:
    """Local hour, with its fraction. [h]"""
    return (t_ms / HOUR_MS + LOCAL_OFFSET_H) % 24.0


def wander(rng: np.random.Generator, shape: tuple[int, ...], *, memory: float, spread: float) -> Array:
    """Slow noise around 0 along the last axis, standard deviation `spread`, correlation `memory` from step to step."""
    white = rng.normal(0.0, spread * np.sqrt(1.0 - memory**2), shape)
    return np.asarray(lfilter([1.0], [1.0, -memory], white, axis=-1), dtype=np.float64)


def simulate_power(county: County, faults: Sequence[Fault], span: Span) -> Power:
    """Loads and voltages of every substation, feeder, transformer and line end."""
    out = {asset.id: interruptions(county, faults, asset.id) for asset in county.assets}
    t_ms = span.grid_ms(MINUTE_MS)
    rng = np.random.default_rng([county.seed, 2])
    feeders = county.of_kind("feeder")
    loads = {feeder.id: _demand_kw(rng, county.children(feeder.id, "transformer"), t_ms) for feeder in feeders}
    for feeder in feeders:
        for row, transformer in enumerate(county.children(feeder.id, "transformer")):
            loads[feeder.id][row, touched(out[transformer.id], t_ms)] = 0.0
    total_kw = sum((load.sum(axis=0) for load in loads.values()), np.zeros(len(t_ms)))
    bus_v = _bus_v(rng, total_kw, t_ms)
    series = {"ss1": _switchgear(rng, bus_v, total_kw, span)}
    for feeder in feeders:
        series[feeder.id] = _switchgear(rng, bus_v, loads[feeder.id].sum(axis=0), span)
        series |= _along_feeder(rng, county, feeder, loads[feeder.id], bus_v, faults, span)
    return Power(out, series)


def touched(out: Intervals, t_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The minutes that overlap an interruption, by whatever little."""
    mask = np.zeros(len(t_ms), dtype=bool)
    for start_ms, end_ms in out:
        mask |= (t_ms < end_ms) & (t_ms + MINUTE_MS > start_ms)
    return mask


def _demand_kw(rng: np.random.Generator, transformers: Sequence[Asset], t_ms: NDArray[np.int64]) -> Array:
    """Household days with a morning and an evening peak; one transformer irrigates, one has solar roofs."""
    hour = hour_of_day(t_ms)
    household = 0.2 + 0.2 * _bump(hour, 7.3, 1.1) + 0.12 * _bump(hour, 12.3, 1.2) + 0.5 * _bump(hour, 19.6, 1.9)
    shape = np.tile(household, (len(transformers), 1))
    shape[1] = 0.15 + 0.55 * _plateau(hour, 8.5, 17.0)
    shape[-2] -= 0.62 * _bump(hour, 12.8, 1.9)
    kva = np.array([asset.kva or 100.0 for asset in transformers])
    peak = rng.uniform(0.5, 0.75, len(transformers))
    noise = np.exp(wander(rng, shape.shape, memory=0.95, spread=0.07))
    return np.asarray((kva * peak)[:, None] * shape * noise)


def _bus_v(rng: np.random.Generator, total_kw: Array, t_ms: NDArray[np.int64]) -> Array:
    """The 10 kV busbar behind a tap changer that moves when the voltage leaves its band."""
    source = 10_420.0 + wander(rng, (len(t_ms),), memory=0.995, spread=45.0)
    untapped = source - 190.0 * total_kw / max(float(total_kw.max()), 1.0)
    bus, tap = np.empty_like(untapped), 0
    for minute, volts in enumerate(untapped):
        error = volts + tap * BUS_TAP_V - BUS_TARGET_V
        tap -= int(error > BUS_DEADBAND_V) - int(error < -BUS_DEADBAND_V)
        bus[minute] = volts + tap * BUS_TAP_V
    return bus


def _along_feeder(
    rng: np.random.Generator,
    county: County,
    feeder: Asset,
    load_kw: Array,
    bus_v: Array,
    faults: Sequence[Fault],
    span: Span,
) -> dict[str, dict[str, Series]]:
    """Voltages at each transformer and line end of one feeder, from the substation outwards."""
    transformers = county.children(feeder.id, "transformer")
    km = rng.uniform(*SECTION_KM, len(transformers))
    downstream_w = 1000.0 * load_kw[::-1].cumsum(axis=0)[::-1]
    reactance = LINE_R_OHM_KM + LINE_X_OHM_KM * np.tan(np.arccos(POWER_FACTOR))
    mv_v = bus_v - np.cumsum(km[:, None] * reactance * downstream_w, axis=0) / 10_000.0
    series: dict[str, dict[str, Series]] = {}
    for row, transformer in enumerate(transformers):
        share = rng.dirichlet([60.0, 60.0, 60.0])
        phases_v = _phases_v(mv_v[row], load_kw[row], transformer.kva or 100.0, share)
        series[transformer.id] = _terminal(rng, phases_v, load_kw[row], share, span)
        for end in county.children(transformer.id, "customer_group"):
            series[end.id] = _line_end(rng, end, phases_v[0], load_kw[row] * share[0], faults, span)
    return series


def _phases_v(mv_v: Array, load_kw: Array, kva: float, share: Array) -> Array:
    """Low-voltage phase voltages behind the fixed tap that suits the place. shape (3, minutes)"""
    loading = 3.0 * share[:, None] * load_kw / kva
    lv_v = mv_v * (400.0 / 10_000.0 / np.sqrt(3.0)) * (1.0 - TRANSFORMER_IMPEDANCE_PU * loading)
    tap = TAP_STEPS[np.argmin(np.abs(np.median(lv_v) * (1.0 + TAP_STEPS) - HEAD_TARGET_V))]
    return np.asarray(lv_v * (1.0 + tap))


def _line_end(
    rng: np.random.Generator, end: Asset, phase_v: Array, phase_kw: Array, faults: Sequence[Fault], span: Span
) -> dict[str, Series]:
    """One phase at the far end: the line's own drop, and a bad joint's where a fault says so."""
    drop_v = rng.uniform(9.0, 13.0) * phase_kw / max(float(phase_kw.max()), 1.0)
    t_ms = span.grid_ms(MINUTE_MS)
    for fault in faults:
        if fault.kind == "undervoltage" and fault.target == end.id:
            inside = (t_ms >= fault.start_ms) & (t_ms < fault.end_ms)
            through = (t_ms - fault.start_ms) / max(fault.end_ms - fault.start_ms, 1)
            drop_v = drop_v + np.where(inside, fault.depth * np.sin(np.pi * np.clip(through, 0.0, 1.0)) ** 0.5, 0.0)
    volts = phase_v - drop_v + rng.normal(0.0, 0.25, len(t_ms))
    current_a = 0.3 * phase_kw * 1000.0 / (np.maximum(phase_v, 1.0) * POWER_FACTOR)
    return {
        "l1.voltage_v": _series(span, np.round(volts, 1)),
        "l1.current_a": _series(span, np.round(current_a, 2)),
        "energy_kwh": _energy(rng, 0.3 * phase_kw, span),
    }


def _terminal(rng: np.random.Generator, phases_v: Array, load_kw: Array, share: Array, span: Span) -> dict[str, Series]:
    """What a transformer's terminal shows."""
    volts = np.round(phases_v + rng.normal(0.0, 0.2, phases_v.shape), 1)
    amps = np.round(share[:, None] * load_kw * 1000.0 / (phases_v * POWER_FACTOR), 2)
    return _three_phases(volts, amps, span) | _power_and_energy(rng, load_kw, span)


def _switchgear(rng: np.random.Generator, bus_v: Array, load_kw: Array, span: Span) -> dict[str, Series]:
    """Line voltages and currents at 10 kV."""
    volts = np.round(bus_v + rng.normal(0.0, 4.0, (3, len(bus_v))), 0)
    amps = np.round(np.tile(load_kw * 1000.0 / (np.sqrt(3.0) * bus_v * POWER_FACTOR), (3, 1)), 2)
    return _three_phases(volts, amps, span) | _power_and_energy(rng, load_kw, span)


def _three_phases(volts: Array, amps: Array, span: Span) -> dict[str, Series]:
    phases = {f"l{p + 1}.voltage_v": _series(span, volts[p]) for p in range(3)}
    return phases | {f"l{p + 1}.current_a": _series(span, amps[p]) for p in range(3)}


def _power_and_energy(rng: np.random.Generator, load_kw: Array, span: Span) -> dict[str, Series]:
    frequency = np.round(50.0 + wander(rng, load_kw.shape, memory=0.9, spread=0.015), 3)
    return {
        "active_power_kw": _series(span, np.round(load_kw, 2)),
        "frequency_hz": _series(span, frequency),
        "energy_kwh": _energy(rng, load_kw, span),
    }


def _energy(rng: np.random.Generator, load_kw: Array, span: Span) -> Series:
    """A register that only ever rises; energy fed back is not counted."""
    first_kwh = float(rng.uniform(1_000, 90_000))
    return _series(span, first_kwh + np.cumsum(np.maximum(load_kw, 0.0)) / 60.0)


def _series(span: Span, values: Array) -> Series:
    return Series(span.start_ms, MINUTE_MS, np.asarray(values, dtype=np.float64))


def _bump(hour: Array, centre_h: float, width_h: float) -> Array:
    """A bell around an hour of the day, across midnight too."""
    away = (hour - centre_h + 12.0) % 24.0 - 12.0
    return np.asarray(np.exp(-0.5 * (away / width_h) ** 2))


def _plateau(hour: Array, from_h: float, to_h: float) -> Array:
    """About 1 between two hours of the day, with soft shoulders."""
    return np.asarray(1.0 / (1.0 + np.exp(-(hour - from_h) / 0.4)) / (1.0 + np.exp((hour - to_h) / 0.4)))
