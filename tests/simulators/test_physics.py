"""The physics: numbers that move together."""

from dataclasses import replace

import numpy as np
import pytest

from simulators.county import County
from simulators.faults import Fault
from simulators.hydraulics import simulate_water
from simulators.physics import Series, Span, simulate_power

HOUR_MS = 3_600_000


def values(series: Series) -> np.ndarray:
    return series.values


def test_a_tripped_feeder_draws_nothing_and_lifts_its_own_far_transformer(
    county: County, day: Span, midnight_ms: int
) -> None:
    """While f1 is out its load is zero, so the line drop that its last transformer would see is gone."""
    trip = Fault("feeder_trip", "f1", midnight_ms + 19 * HOUR_MS, midnight_ms + 20 * HOUR_MS)
    calm, tripped = simulate_power(county, [], day), simulate_power(county, [trip], day)
    during = slice(20 * 60, 21 * 60)
    load = values(tripped.series["f1"]["active_power_kw"])[during]
    assert (load == 0.0).all()
    assert (values(calm.series["f1"]["active_power_kw"])[during] > 0.0).all()
    far = "f1-t04"
    lifted = values(tripped.series[far]["l1.voltage_v"])[during] - values(calm.series[far]["l1.voltage_v"])[during]
    assert lifted.mean() > 0.5


def test_voltage_falls_from_the_transformer_to_the_line_end_most_at_the_evening_peak(county: County, day: Span) -> None:
    power = simulate_power(county, [], day)
    drop = values(power.series["f1-t04"]["l1.voltage_v"]) - values(power.series["f1-t04-end"]["l1.voltage_v"])
    night, evening = drop[1 + 60 : 60 * 5].mean(), drop[60 * 20 : 60 * 21].mean()
    assert 0.0 < night < evening


def test_an_undervoltage_fault_pulls_down_its_line_end_alone(county: County, day: Span, midnight_ms: int) -> None:
    fault = Fault("undervoltage", "f1-t04-end", midnight_ms + 19 * HOUR_MS, midnight_ms + 20 * HOUR_MS, depth=20.0)
    calm, bad = simulate_power(county, [], day), simulate_power(county, [fault], day)
    during = slice(20 * 60 + 10, 20 * 60 + 50)
    end = "f1-t04-end"
    pulled = values(calm.series[end]["l1.voltage_v"])[during] - values(bad.series[end]["l1.voltage_v"])[during]
    assert (pulled > 10.0).all()
    assert (values(calm.series["f1-t04"]["l1.voltage_v"]) == values(bad.series["f1-t04"]["l1.voltage_v"])).all()


def test_low_voltages_stand_at_a_tenth_of_a_volt_and_energy_never_falls(county: County, day: Span) -> None:
    for asset, series in simulate_power(county, [], day).series.items():
        assert (np.diff(values(series["energy_kwh"])) >= 0.0).all(), asset
        volts = values(series["l1.voltage_v"])
        assert np.allclose(volts, np.round(volts, 1))


def test_chlorine_falls_while_the_doser_is_off_and_recovers_after(county: County, day: Span, midnight_ms: int) -> None:
    off = Fault("dosing_failure", "ww1", midnight_ms + 7 * HOUR_MS, midnight_ms + 12 * HOUR_MS)
    works = simulate_water(county, [off], simulate_power(county, [off], day), day)["ww1"]
    chlorine, dosing = works["free_chlorine_mg_l"], works["dose_on"]
    at = [chlorine.at(midnight_ms + hour * HOUR_MS) for hour in (7, 9, 12, 20)]
    assert at[0] > at[1] > at[2] < at[3]
    assert dosing.values[8 * 360 : 13 * 360].max() == 0.0


def test_a_level_is_the_balance_of_what_flows(county: County, day: Span) -> None:
    """Between two instants the clear well gains what the pump brings less what the village takes."""
    works = simulate_water(county, [], simulate_power(county, [], day), day)["ww1"]
    brought = works["pump_on"].values.sum() * 16.0 / 360
    taken = works["flow_m3_h"].values.sum() / 360
    gained = 12.0 * (works["level_m"].values[-1] - works["level_m"].values[0])
    assert gained == pytest.approx(brought - taken, abs=0.3)


def test_pumps_stop_with_their_supply_and_the_pit_fills(county: County, day: Span, midnight_ms: int) -> None:
    supply = county.asset("ls1").parent
    assert supply is not None
    outage = Fault("transformer_outage", supply, midnight_ms + 18 * HOUR_MS, midnight_ms + 19 * HOUR_MS)
    lift = simulate_water(county, [outage], simulate_power(county, [outage], day), day)["ls1"]
    during = slice(19 * 360 + 1, 20 * 360 - 1)
    assert lift["pump1_on"].values[during].max() == lift["pump2_on"].values[during].max() == 0.0
    level = lift["level_m"].values[during]
    assert level[-1] > level[0] + 0.5


def test_another_seed_gives_other_numbers_and_the_same_seed_the_same(county: County, day: Span) -> None:
    once, again = (simulate_power(county, [], day).series["ss1"]["l1.voltage_v"].values for _ in range(2))
    other = simulate_power(replace(county, seed=8), [], day).series["ss1"]["l1.voltage_v"].values
    assert (once == again).all()
    assert (once != other).any()
