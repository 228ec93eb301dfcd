"""Faults: intervals as they add up, and a script that follows from the seed."""

from hypothesis import given
from hypothesis import strategies as st

from simulators.county import County
from simulators.county_maker import make_county
from simulators.faults import Fault, dark_intervals, interruptions, merge, script
from simulators.world import gateway_is_dark

intervals = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 50)).map(lambda one: (one[0], one[0] + one[1])))


def test_overlapping_and_touching_intervals_become_one() -> None:
    assert merge([(5, 7), (0, 3), (3, 4), (6, 9)]) == ((0, 4), (5, 9))


@given(intervals)
def test_merging_keeps_exactly_the_instants_that_were_covered(several: list[tuple[int, int]]) -> None:
    before = {t for start, end in several for t in range(start, end)}
    after = [t for start, end in merge(several) for t in range(start, end)]
    assert sorted(before) == after


def test_a_transformer_is_out_while_its_feeder_is(county: County) -> None:
    faults = [Fault("feeder_trip", "f1", 1000, 2000), Fault("transformer_outage", "f1-t02", 1500, 3000)]
    assert interruptions(county, faults, "f1-t01") == ((1000, 2000),)
    assert interruptions(county, faults, "f1-t02") == ((1000, 3000),)
    assert interruptions(county, faults, "f2-t01") == ()


def test_a_gateway_without_mains_of_its_own_interrupts_nobody(county: County) -> None:
    faults = [Fault("gateway_power", "feeder-1", 1000, 900_000)]
    assert dark_intervals(county, faults, "feeder-1") == ((1000, 900_000),)
    assert all(interruptions(county, faults, asset.id) == () for asset in county.assets)


def test_a_gateway_goes_dark_when_its_battery_is_empty_and_not_before(county: County) -> None:
    gateway = next(gateway for gateway in county.gateways if gateway.site == "feeder-1")
    battery_ms = int(gateway.battery_s * 1000)
    dark = ((1000, 1000 + battery_ms + 60_000),)
    assert not gateway_is_dark(dark, gateway, 1000 + battery_ms - 1)
    assert gateway_is_dark(dark, gateway, 1000 + battery_ms)
    assert not gateway_is_dark(dark, gateway, 1000 + battery_ms + 60_000)


def test_the_script_follows_from_the_seed_and_holds_every_kind(midnight_ms: int) -> None:
    county = make_county(7)
    faults = script(county, midnight_ms, 1)
    assert faults == script(county, midnight_ms, 1)
    assert len({fault.kind for fault in faults}) == 10
    assert all(midnight_ms <= fault.start_ms < fault.end_ms <= midnight_ms + 86_400_000 for fault in faults)
