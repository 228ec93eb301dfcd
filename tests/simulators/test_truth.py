"""The truth: one hour of one transformer by hand, and what an instrument shows while things happen."""

import numpy as np
import pytest

from simulators.county import County
from simulators.faults import Fault
from simulators.physics import Span
from simulators.truth import find_truth, lasting
from simulators.watches import Watch
from simulators.world import CHATTER_MS, World

HOUR_MS = 3_600_000


def test_one_transformer_out_for_one_hour(county: County, day: Span, midnight_ms: int) -> None:
    """1 h of 8 transformers × 24 h = 192 h: RS-1 = 100 × (1 − 1/192); minutes that touch it are outage minutes."""
    start_ms = midnight_ms + 10 * HOUR_MS + 30_000
    world = World(county, [Fault("transformer_outage", "f1-t02", start_ms, start_ms + HOUR_MS)], day)
    truth = find_truth(world, midnight_ms, 1)
    assert truth.transformer_hours_out == 1.0
    assert truth.rs1_pct == pytest.approx(100.0 * (1.0 - 1.0 / 192.0))
    customers = sum(unit.customers for unit in truth.units)
    out = sum(unit.customers for unit in truth.units if unit.interruptions)
    assert truth.rs1_lv_pct == pytest.approx(100.0 * (1.0 - out / (24.0 * customers)))
    minutes = {point.point: point for point in truth.voltage}
    hit = minutes["feeder-1/t02.l1.voltage_v"]
    assert (hit.outage, hit.ok + hit.over + hit.under) == (61, 1379)
    assert minutes["feeder-1/t01.l1.voltage_v"].outage == 0


def test_an_interruption_is_clipped_to_the_days_that_count(county: County, day: Span, midnight_ms: int) -> None:
    fault = Fault("feeder_trip", "f1", midnight_ms - HOUR_MS // 2, midnight_ms + HOUR_MS)
    truth = find_truth(World(county, [fault], day), midnight_ms, 1)
    assert truth.transformer_hours_out == 4.0


def test_a_terminal_with_a_battery_shows_zero_volts_and_one_without_says_nothing(
    county: County, day: Span, midnight_ms: int
) -> None:
    at_ms = midnight_ms + HOUR_MS
    world = World(county, [Fault("feeder_trip", "f1", at_ms, at_ms + 60_000)], day)
    assert world.answers("feeder-1", "t01", at_ms)
    assert world.values("feeder-1", "t01", at_ms)["l1.voltage_v"] == 0.0
    assert world.values("feeder-1", "t01", at_ms - 1)["l1.voltage_v"] > 200.0
    assert not world.answers("feeder-1", "t02", at_ms)
    assert world.answers("feeder-1", "t02", at_ms + 60_000)


def test_a_terminal_keeps_its_own_record_of_the_interruption(county: County, day: Span, midnight_ms: int) -> None:
    at_ms = midnight_ms + HOUR_MS
    world = World(county, [Fault("feeder_trip", "f1", at_ms, at_ms + 90_000)], day)
    before, during, after = (world.values("feeder-1", "t01", at_ms + step) for step in (-1000, 30_000, 91_000))
    assert before["power_fail_count"] + 1 == during["power_fail_count"] == after["power_fail_count"]
    assert before["last_power_fail_start_s"] == before["last_power_fail_end_s"] == 0xFFFFFFFF
    assert during["last_power_fail_start_s"] == after["last_power_fail_start_s"] == at_ms // 1000
    assert (during["last_power_fail_end_s"], after["last_power_fail_end_s"]) == (0xFFFFFFFF, at_ms // 1000 + 90)
    assert (during["mains_on"], after["mains_on"]) == (0.0, 1.0)
    assert after["powered_time_h"] - before["powered_time_h"] == pytest.approx(2.0 / 3600.0)


def test_a_stuck_sensor_repeats_its_value_and_the_water_goes_on(county: County, day: Span, midnight_ms: int) -> None:
    start_ms = midnight_ms + 10 * HOUR_MS
    world = World(county, [Fault("stuck_sensor", "works-1/works.ph", start_ms, start_ms + HOUR_MS)], day)
    shown = [world.values("works-1", "works", start_ms + minute * 60_000)["ph"] for minute in range(60)]
    assert len(set(shown)) == 1
    assert world.values("works-1", "works", start_ms + HOUR_MS)["ph"] != shown[0]


def test_a_chattering_sensor_shows_nothing_and_its_value_by_turns(county: County, day: Span, midnight_ms: int) -> None:
    start_ms = midnight_ms + 10 * HOUR_MS
    fault = Fault("chattering_sensor", "works-1/network_end.pressure_mpa", start_ms, start_ms + HOUR_MS)
    true, world = World(county, [], day), World(county, [fault], day)
    instants = range(start_ms - CHATTER_MS, start_ms + HOUR_MS + CHATTER_MS, CHATTER_MS)
    shown = [world.values("works-1", "network_end", t_ms)["pressure_mpa"] for t_ms in instants]
    whole = [true.values("works-1", "network_end", t_ms)["pressure_mpa"] for t_ms in instants]
    assert shown[1:-1:2] == [0.0] * 40
    assert [shown[0], *shown[2:-1:2], shown[-1]] == [whole[0], *whole[2:-1:2], whole[-1]]
    assert min(whole) > 0.0


def test_a_condition_counts_only_when_it_lasts() -> None:
    """Below 0.3 for 10 s (too short), back, below for 20 s, back for 10 s (no end yet), below for 10 s: one span."""
    watch = Watch("x L", "x", "x", "free_chlorine_mg_l", 0.3, is_high=False, on_delay_s=20.0, off_delay_s=20.0)
    t_ms = np.arange(12, dtype=np.int64) * 10_000
    values = np.array([0.5, 0.2, 0.5, 0.5, 0.2, 0.2, 0.4, 0.2, 0.5, 0.5, 0.5, 0.5])
    assert lasting(t_ms, values, watch) == [(40_000, 80_000)]
    assert lasting(t_ms, np.where(t_ms < 50_000, values, 0.5), watch) == []
