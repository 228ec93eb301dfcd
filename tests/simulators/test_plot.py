"""The plot: what the director does follows from the faults."""

import pytest

from simulators.county import Size
from simulators.faults import Fault
from simulators.plot import BOOT_MS, chaos_acts, fault_acts
from simulators.scenario import Scenario, load_scenario, make_scenario, save_scenario

SIZE = Size(feeders=2, transformers=4, line_ends=1, works=1)


@pytest.fixture
def calm() -> Scenario:
    """A day on which nothing goes wrong."""
    made = make_scenario(7, SIZE, 1, before_ms=3_600_000, after_ms=3_600_000)
    return Scenario(7, SIZE, made.midnight_ms, 1, made.before_ms, made.after_ms, ())


def with_faults(scenario: Scenario, *faults: Fault) -> Scenario:
    return Scenario(7, SIZE, scenario.midnight_ms, 1, scenario.before_ms, scenario.after_ms, faults)


def test_a_long_outage_of_its_supply_empties_a_gateways_battery(calm: Scenario) -> None:
    gateway = next(gateway for gateway in calm.county().gateways if gateway.site == "feeder-1")
    start_ms, battery_ms = calm.midnight_ms, int(gateway.battery_s * 1000)
    story = with_faults(calm, Fault("transformer_outage", gateway.supply, start_ms, start_ms + 1_200_000))
    acts = [(act.at_ms - start_ms, act.verb) for act in fault_acts(story) if act.target == "feeder-1"]
    assert acts == [
        (0, "mains_off"),
        (battery_ms, "kill"),
        (1_200_000, "mains_on"),
        (1_200_000 + BOOT_MS, "start"),
    ]


def test_a_short_one_does_not(calm: Scenario) -> None:
    gateway = next(gateway for gateway in calm.county().gateways if gateway.site == "feeder-1")
    story = with_faults(calm, Fault("transformer_outage", gateway.supply, calm.midnight_ms, calm.midnight_ms + 60_000))
    assert [act.verb for act in fault_acts(story) if act.target == "feeder-1"] == ["mains_off", "mains_on"]


def test_a_lost_backhaul_is_a_cut_link_and_nothing_else(calm: Scenario) -> None:
    story = with_faults(calm, Fault("backhaul_loss", "feeder-2", calm.midnight_ms, calm.midnight_ms + 600_000))
    assert [(act.verb, act.target) for act in fault_acts(story)] == [("cut", "feeder-2"), ("restore", "feeder-2")]


def test_chaos_kills_a_gateway_ingest_and_the_broker_and_brings_each_back(calm: Scenario) -> None:
    acts = chaos_acts(calm)
    killed = [act.target for act in acts if act.verb == "kill"]
    assert {"ingest", "broker"} < set(killed)
    assert any(target.startswith("feeder") for target in killed)
    assert killed == [act.target for act in acts if act.verb == "start"]


def test_a_scenario_survives_its_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    scenario = make_scenario(7, SIZE, 2, before_ms=1_000_000, after_ms=900_000)
    save_scenario(tmp_path, scenario)
    assert load_scenario(tmp_path) == scenario
    assert scenario.before_ms == 1_020_000
    assert scenario.end_ms - scenario.midnight_ms == 2 * 86_400_000
