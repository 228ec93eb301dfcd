"""What must always hold of the evidence, in small counties simulated at random."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.tiny_county import MINUTE_MS, Meter, TinyCounty, make_tiny_county

from analytics.evidence import SupplyEvidence, infer_supply
from analytics.runs import find_runs

MINUTES = 120
SINGLE_READINGS_MS = MINUTES + 1
"""A reading between two silences stands for its own millisecond, one within a run for none."""
meters = st.builds(Meter, counts=st.booleans(), records=st.booleans(), clocks=st.booleans(), backed_up=st.booleans())
outages = st.tuples(st.integers(0, 6), st.integers(0, 700), st.integers(10, 200)).map(
    lambda o: (o[0], o[1], o[1] + o[2])
)


@st.composite
def counties(draw: st.DrawFn) -> TinyCounty:
    """Seven assets; outages last at least 100 s, longer than the method's resolution."""
    fleet = draw(st.lists(meters, min_size=6, max_size=6))
    drawn = draw(st.lists(outages, max_size=4))
    return make_tiny_county(fleet, apart(drawn), minutes=MINUTES)


def apart(drawn: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Outages, and the pauses between them, longer than the resolution: drop those that nearly touch another."""
    kept: list[tuple[int, int, int]] = []
    for one in sorted(drawn, key=lambda o: o[1]):
        if all(one[1] > other[2] + 10 for other in kept):
            kept.append(one)
    return kept


def silences(draw: st.DrawFn, devices: int) -> NDArray[np.bool_]:
    """Which polls get through: stretches of silence per device, and single misses."""
    heard = np.ones((devices, MINUTES + 1), np.bool_)
    for device, first, length in draw(
        st.lists(st.tuples(st.integers(0, devices - 1), st.integers(0, MINUTES), st.integers(1, 60)), max_size=12)
    ):
        heard[device, first : first + length] = False
    return heard


def infer(county: TinyCounty, heard: NDArray[np.bool_], start_ms: int = 0, end_ms: int = 0) -> SupplyEvidence:
    runs = find_runs(county.readings(heard), county.devices)
    return infer_supply(runs, county.devices, county.topology, start_ms, end_ms or MINUTES * MINUTE_MS)


@settings(max_examples=300, deadline=None)
@given(st.data(), counties())
def test_the_bounds_of_every_unit_contain_the_truth(data: st.DataObject, county: TinyCounty) -> None:
    evidence = infer(county, silences(data.draw, 6))
    truth = [county.outage_ms(asset, evidence.start_ms, evidence.end_ms) for asset in evidence.units.asset]
    assert np.all(evidence.time.least_ms <= truth)
    assert np.all(truth <= evidence.time.most_ms)
    assert np.all(evidence.time.consistent)


@settings(max_examples=100, deadline=None)
@given(st.data(), counties(), st.integers(0, 50), st.integers(51, MINUTES))
def test_the_bounds_contain_the_truth_of_any_part_of_the_time(
    data: st.DataObject, county: TinyCounty, first: int, last: int
) -> None:
    """A period may cut through outages and silences; what was heard outside it still counts."""
    evidence = infer(county, silences(data.draw, 6), first * MINUTE_MS, last * MINUTE_MS)
    truth = [county.outage_ms(asset, evidence.start_ms, evidence.end_ms) for asset in evidence.units.asset]
    assert np.all(evidence.time.least_ms <= truth)
    assert np.all(truth <= evidence.time.most_ms)


@settings(max_examples=200, deadline=None)
@given(st.data(), counties())
def test_more_data_never_widens_the_bounds(data: st.DataObject, county: TinyCounty) -> None:
    little = silences(data.draw, 6)
    more = little | ~silences(data.draw, 6)
    before, after = infer(county, little).time, infer(county, more).time
    assert np.all(after.least_ms >= before.least_ms - SINGLE_READINGS_MS)
    assert np.all(after.most_ms <= before.most_ms + SINGLE_READINGS_MS)


@settings(max_examples=100, deadline=None)
@given(st.data(), counties())
def test_expected_outage_lies_within_the_bounds(data: st.DataObject, county: TinyCounty) -> None:
    time = infer(county, silences(data.draw, 6)).time
    assert np.all(time.least_ms <= time.expected_ms)
    assert np.all(time.expected_ms <= time.most_ms)
