"""Rules O1 to O15, each worked by hand on a network of one substation, two feeders and their transformers.

Time runs in minutes; a meter is read once a minute, and 90 s without a word are silence.
"""

from dataclasses import replace

import numpy as np
import pytest

from analytics.bounds import Verdict, rs_bounds, rs_from_totals
from analytics.evidence import SupplyEvidence, infer_supply
from analytics.inferred import METER_RECORD, SILENCE, TERMINAL, Inferred, Plans, infer_interruptions
from analytics.live_path import LOST_ABOVE, UNKNOWN
from analytics.reliability import Nature
from analytics.runs import Devices, Readings, find_runs, simple_devices
from analytics.sampled import garwood, sampled_saidi
from analytics.silence import BACKHAUL, COMMUNICATION, PROBABLE_OUTAGE, UNEXPLAINED
from analytics.supply_states import SupplyState, supply_states
from analytics.topology import FEEDER, SERVICE, SUBSTATION, TRANSFORMER, Topology, simple_topology

MIN = 60_000
HOUR = 60 * MIN
DAY = 24 * HOUR

# 0 substation; 1, 2 feeders; 3 to 7 transformers of feeder 1; 8, 9 of feeder 2
PARENT = [-1, 0, 0, 1, 1, 1, 1, 1, 2, 2]
KIND = [SUBSTATION, FEEDER, FEEDER, *[TRANSFORMER] * 7]
CUSTOMERS = [0, 0, 0, 10, 20, 30, 40, 50, 60, 70]
NETWORK = simple_topology(PARENT, CUSTOMERS, KIND)


def says(device: int, minutes: range | list[int], volts: float = 1.0, **registers: float) -> Readings:
    """One device's readings at these minutes; registers hold the same value in all of them."""
    count = len(minutes)

    def column(name: str) -> np.ndarray:
        return np.full(count, registers.get(name, np.nan))

    return Readings(
        np.full(count, device, np.int64),
        np.asarray(minutes, np.int64) * MIN,
        np.full(count, volts),
        column("current_a"),
        column("mains_on"),
        column("energy_kwh"),
        column("fail_count"),
        column("powered_ms"),
        column("fail_start_ms"),
        column("fail_end_ms"),
    )


def together(*parts: Readings) -> Readings:
    every = {name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])}
    order = np.lexsort((every["t_ms"], every["device"]))
    return Readings(**{name: column[order] for name, column in every.items()})


def infer(readings: Readings, devices: Devices, topology: Topology = NETWORK, minutes: int = 120) -> SupplyEvidence:
    return infer_supply(find_runs(readings, devices), devices, topology, 0, minutes * MIN)


def minutes_of(evidence: SupplyEvidence, asset: int) -> tuple[float, float]:
    """Least and most outage of an asset. [min]"""
    [unit] = np.flatnonzero(evidence.units.asset == asset)
    return evidence.time.least_ms[unit] / MIN, evidence.time.most_ms[unit] / MIN


def silence_of(evidence: SupplyEvidence, asset: int) -> list[int]:
    unit = np.flatnonzero(evidence.units.asset == asset)
    mine = np.isin(evidence.pieces.unit, unit) & (evidence.pieces.state == UNKNOWN)
    return evidence.silence[mine].tolist()


def ledger(evidence: SupplyEvidence, topology: Topology = NETWORK, **plans: list[int]) -> Inferred:
    if not plans:
        return infer_interruptions(evidence, topology)
    return infer_interruptions(evidence, topology, Plans(*(np.asarray(column, np.int64) for column in plans.values())))


ALL_DAY, WITH_A_GAP = range(121), [*range(31), *range(61, 121)]
ONE_PER_TRANSFORMER = simple_devices([3, 4, 5, 6, 7, 8, 9])


def test_o1_silence_of_one_meter_alone_is_neither_outage_nor_supply() -> None:
    """Minutes 30 to 61 are unknown: up to 31 minutes may be an outage, none of it must."""
    evidence = infer(
        together(says(0, WITH_A_GAP), *(says(device, ALL_DAY) for device in range(1, 7))), ONE_PER_TRANSFORMER
    )
    assert minutes_of(evidence, 3) == (0, 31)
    assert silence_of(evidence, 3) == [UNEXPLAINED]
    assert len(ledger(evidence)) == 0


def test_o1_silence_with_most_siblings_is_probably_an_outage_yet_the_bounds_wait_for_proof() -> None:
    """Three of five transformers of feeder 1 are silent, feeder 2 lives, and the modem brings the other two."""
    evidence = infer(
        together(*(says(d, WITH_A_GAP if d < 5 else ALL_DAY) for d in range(7))),
        simple_devices([3, 4, 5, 6, 7, 8, 9], backhaul=[0, 0, 0, 0, 0, 1, 0]),
    )
    assert silence_of(evidence, 3) == [PROBABLE_OUTAGE]
    assert minutes_of(evidence, 3) == (0, 31)
    rows = ledger(evidence)
    assert (rows.evidence == SILENCE).all()
    assert (rows.confidence == 0.8).all()
    assert len(rows) == 5


def test_o1_five_meters_that_say_they_lost_their_supply_make_their_silent_siblings_probably_out() -> None:
    """Six meters of one transformer; five gasp (read 0 V on their last charge) at minute 31, the sixth falls silent."""
    topology = simple_topology([-1, 0, *[1] * 6], [0, 0, *[1] * 6], [FEEDER, TRANSFORMER, *[SERVICE] * 6])
    devices = simple_devices(list(range(2, 8)))
    gasping = [together(says(d, WITH_A_GAP), says(d, [31], 0.0)) for d in range(5)]
    evidence = infer(together(*gasping, says(5, WITH_A_GAP)), devices, topology)
    assert silence_of(evidence, 7) == [PROBABLE_OUTAGE]


def test_every_minute_of_a_unit_has_one_of_five_states_and_silence_is_never_no_supply() -> None:
    """Transformer 3 over 6 min: normal, at its limits, low, high, 0 V, then silent."""
    volts = np.array([220.0, 198.0, 197.9, 235.5, 0.0, np.nan])
    readings = together(*(says(0, [minute], volts[minute] / 220) for minute in range(5)))
    evidence = infer(readings, simple_devices([3]), simple_topology([-1, 0, 0, 1], [0, 0, 0, 10], KIND[:4]), minutes=6)
    [states] = supply_states(evidence, [volts], 198.0, 235.4)
    names = [SupplyState(state).name for state in states]
    assert names == ["NORMAL", "NORMAL", "LOW", "HIGH", "NO_SUPPLY", "NO_DATA"]


def test_o2_meters_silent_below_a_living_terminal_have_a_communication_fault() -> None:
    topology = simple_topology([-1, 0, 1, 1, 1], [0, 0, 5, 6, 7], [FEEDER, TRANSFORMER, SERVICE, SERVICE, SERVICE])
    devices = simple_devices([1, 2, 3, 4])
    evidence = infer(together(says(0, ALL_DAY), *(says(d, WITH_A_GAP) for d in (1, 2, 3))), devices, topology)
    assert silence_of(evidence, 2) == silence_of(evidence, 3) == [COMMUNICATION]
    assert minutes_of(evidence, 1) == (0, 0)
    assert len(ledger(evidence, topology)) == 0


def test_o3_unrelated_parents_silent_behind_one_backhaul_are_not_out() -> None:
    """Transformers of both feeders hang on one base station: all of them silent is no data, flagged."""
    evidence = infer(
        together(*(says(d, WITH_A_GAP) for d in range(6)), says(6, ALL_DAY)),
        simple_devices([3, 4, 5, 6, 7, 8, 9], backhaul=[0, 0, 0, 0, 0, 0, 1]),
    )
    assert [silence_of(evidence, asset) for asset in (3, 7, 8)] == [[BACKHAUL]] * 3
    assert len(ledger(evidence)) == 0


def test_o4_all_transformers_of_a_feeder_within_90_s_are_one_feeder_event() -> None:
    rows = ledger(infer(terminals_dead(delay_min=[0, 0, 1, 1, 1]), ONE_PER_TRANSFORMER))
    assert rows.event_asset.tolist() == [1] * 5
    assert len(set(rows.event.tolist())) == 1


def test_o4_a_feeder_with_one_transformer_alive_has_transformer_events() -> None:
    rows = ledger(infer(terminals_dead(delay_min=[0, 0, 1, 1]), ONE_PER_TRANSFORMER))
    assert rows.event_asset.tolist() == [3, 4, 5, 6]
    assert len(set(rows.event.tolist())) == 4


def test_o4_transformers_that_follow_after_90_s_are_not_one_event() -> None:
    rows = ledger(infer(terminals_dead(delay_min=[0, 0, 0, 0, 10]), ONE_PER_TRANSFORMER))
    assert rows.event_asset.tolist() == [3, 4, 5, 6, 7]


def terminals_dead(delay_min: list[int]) -> Readings:
    """Terminals on their own supply: 0 V from minute 30 (later by the delay) to 60, alive otherwise."""
    dead = [range(30 + delay, 61) for delay in delay_min]
    parts = [
        together(says(d, range(30 + delay_min[d])), says(d, dead[d], 0.0), says(d, range(61, 121)))
        for d in range(len(dead))
    ]
    return together(*parts, *(says(d, ALL_DAY) for d in range(len(dead), 7)))


def test_o5_edges_lie_in_the_middle_between_two_words_with_their_half_width() -> None:
    """Alive at minute 29, dead at 30: it began at 29.5 ± 0.5. Dead at 60, alive at 61: it ended at 60.5 ± 0.5."""
    rows = ledger(infer(terminals_dead([0]), ONE_PER_TRANSFORMER))
    assert (rows.start_ms[0] / MIN, rows.start_error_ms[0] / MIN) == (29.5, 0.5)
    assert (rows.end_ms[0] / MIN, rows.end_error_ms[0] / MIN) == (60.5, 0.5)
    assert rows.evidence[0] == TERMINAL


def test_o5_the_meters_own_record_beats_the_middle() -> None:
    """Silent from 30 to 61; its record says 35:00 to 50:00, true to a second."""
    readings = together(
        says(0, range(31), fail_count=4.0),
        says(0, range(61, 121), fail_count=5.0, fail_start_ms=35.0 * MIN, fail_end_ms=50.0 * MIN),
    )
    rows = ledger(infer(readings, ONE_PER_TRANSFORMER))
    [row] = np.flatnonzero(rows.unit == 0)
    assert (rows.start_ms[row] / MIN, rows.end_ms[row] / MIN) == (35, 50)
    assert rows.start_error_ms[row] == rows.end_error_ms[row] == 1000
    assert rows.evidence[row] == METER_RECORD


def test_o6_a_unit_stays_out_until_it_is_heard_for_a_day_at_most() -> None:
    """The feeder's terminal is dead from minute 30 to 60 and alive then; transformer 3 is never heard again."""
    devices = simple_devices([1, 3, 4])
    feeder = together(says(0, range(30)), says(0, range(30, 61), 0.0), says(0, range(61, 2881)))
    readings = together(feeder, says(1, range(30)), says(2, [*range(30), *range(61, 2881)]))
    evidence = infer(readings, devices, minutes=2880)
    [unit] = np.flatnonzero(evidence.units.asset == 3)
    assert evidence.time.lost_ms[unit] == 30 * MIN
    held_min = (evidence.time.valued_ms[unit]) / MIN
    assert held_min == pytest.approx(24 * 60, abs=2)
    assert evidence.time.by_rate_ms[unit] / MIN == pytest.approx(2880 - 61 - 24 * 60, abs=2)


def test_o7_customers_are_those_of_the_register_not_those_who_spoke() -> None:
    """The feeder's own terminal alone tells of the outage: all five transformers are out, 150 customers."""
    devices = simple_devices([1])
    readings = together(says(0, range(30)), says(0, range(30, 61), 0.0), says(0, range(61, 121)))
    evidence = infer(readings, devices)
    rows = ledger(evidence)
    assert rows.customers.tolist() == [10, 20, 30, 40, 50]
    assert set(evidence.pieces.state[evidence.pieces.state > 1]) == {LOST_ABOVE}


def test_o7_a_unit_that_moved_counts_where_it_was_at_the_time() -> None:
    """Transformer 3 moves from feeder 1 to feeder 2 at minute 50: feeder 1 is dead from 30 to 60, for it until 50."""
    topology = Topology(
        asset=np.array([0, 1, 2, 3, 3]),
        parent=np.array([-1, 0, 0, 1, 2]),
        from_ms=np.array([0, 0, 0, 0, 50 * MIN]),
        to_ms=np.array([2 * DAY, 2 * DAY, 2 * DAY, 50 * MIN, 2 * DAY]),
        customers=np.array([0, 0, 0, 10, 12]),
        kind=np.array([SUBSTATION, FEEDER, FEEDER, TRANSFORMER, TRANSFORMER], np.int8),
        may_backfeed=np.zeros(5, np.bool_),
    )
    devices = simple_devices([1, 2])
    readings = together(says(0, range(30)), says(0, range(30, 61), 0.0), says(0, range(61, 121)), says(1, ALL_DAY))
    evidence = infer(readings, devices, topology)
    assert (evidence.time.lost_ms / MIN).tolist() == [20, 0]
    assert evidence.units.customers.tolist() == [10, 12]


def test_o8_an_interruption_half_covered_by_a_plan_is_planned_and_the_excess_is_a_fault() -> None:
    """Out from 29.5 to 60.5, planned from 25 to 50: 20.5 of 31 minutes are covered, 10.5 run over."""
    evidence = infer(terminals_dead([0]), ONE_PER_TRANSFORMER)
    rows = ledger(evidence, asset=[1], start=[25 * MIN], end=[50 * MIN], nature=[int(Nature.PLANNED)])
    assert rows.nature.tolist() == [Nature.PLANNED, Nature.FAULT]
    assert (rows.start_ms / MIN).tolist() == [29.5, 50]
    assert (rows.end_ms / MIN).tolist() == [50, 60.5]


def test_o8_less_than_half_covered_is_a_fault() -> None:
    evidence = infer(terminals_dead([0]), ONE_PER_TRANSFORMER)
    rows = ledger(evidence, asset=[1], start=[0], end=[40 * MIN], nature=[int(Nature.PLANNED)])
    assert rows.nature.tolist() == [Nature.FAULT]


def test_o9_a_sample_stands_for_its_stratum_and_strata_weigh_by_customers() -> None:
    """300 customers of whom 1 in 2 sensors is out 20 min, 100 whose one sensor is out 30 min: 7.5 + 7.5 min."""
    reporting = ([0, 0, 1], [0, 0, 0], [HOUR] * 3)
    out = ([0, 1], [0, 0], [20 * MIN, 30 * MIN])
    estimate = sampled_saidi([300, 100], reporting, out, start_ms=0, end_ms=HOUR)
    assert estimate.saidi_min == pytest.approx(15.0)
    assert estimate.low_min <= 15.0 <= estimate.high_min
    assert estimate.watched == 1.0


def test_o9_nobody_watched_is_undefined_not_zero() -> None:
    assert np.isnan(sampled_saidi([300], ([], [], []), ([], [], []), start_ms=0, end_ms=HOUR).saidi_min)


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.688879), (2, 0.242209, 7.224688), (10, 4.795389, 18.390356)]
)
def test_e16_garwood_intervals(count: int, low: float, high: float) -> None:
    assert garwood(count) == pytest.approx((low, high), abs=5e-7)


def test_e8_bounds_with_much_unobserved_are_indeterminate() -> None:
    rs = rs_from_totals(out_h=900, unresolved_h=3600, customers=1000, period_h=720)
    assert (round(rs.low_pct, 7), round(rs.point_pct, 7), round(rs.high_pct, 7)) == (99.375, 99.8743719, 99.875)
    assert rs.coverage == 0.995
    assert rs.verdict(99.83) is Verdict.INDETERMINATE


def test_e8_bounds_with_little_unobserved_pass() -> None:
    rs = rs_from_totals(out_h=900, unresolved_h=200, customers=1000, period_h=720)
    assert (round(rs.low_pct, 7), round(rs.point_pct, 7)) == (99.8472222, 99.8749653)
    assert rs.verdict(99.83) is Verdict.PASS


def test_o10_the_verdict_is_made_on_unrounded_numbers() -> None:
    """99.8299999 shows as 99.830 and is below 99.83."""
    rs = rs_from_totals(out_h=0.1700001, unresolved_h=0, customers=100, period_h=1)
    assert round(rs.low_pct, 3) == 99.83
    assert rs.verdict(99.83) is Verdict.FAIL


def test_o10_nothing_in_service_is_undefined_and_has_no_verdict() -> None:
    rs = rs_bounds([], [], [], [], [])
    assert np.isnan(rs.low_pct)
    assert rs.verdict(99.83) is None


def test_o11_one_living_meter_answers_for_its_whole_supply_path() -> None:
    """A customer's meter lives through the terminal's silence: transformer and feeder were energised."""
    topology = simple_topology([-1, 0, 1], [0, 40, 1], [FEEDER, TRANSFORMER, SERVICE])
    evidence = infer(together(says(0, WITH_A_GAP), says(1, ALL_DAY)), simple_devices([1, 2]), topology)
    assert minutes_of(evidence, 1) == (0, 0)


def test_o11_a_feeder_that_lives_does_not_answer_for_a_silent_transformer() -> None:
    evidence = infer(together(says(0, ALL_DAY), says(1, WITH_A_GAP)), simple_devices([1, 3]))
    assert minutes_of(evidence, 3) == (0, 31)


def test_o11_life_below_an_asset_that_may_be_backfed_proves_nothing_above_it() -> None:
    topology = simple_topology([-1, 0, 1], [0, 40, 1], [FEEDER, TRANSFORMER, SERVICE], [False, False, True])
    evidence = infer(together(says(0, WITH_A_GAP), says(1, ALL_DAY)), simple_devices([1, 2]), topology)
    assert minutes_of(evidence, 1) == (0, 31)
    assert minutes_of(evidence, 2) == (0, 0)


def test_o11_a_current_is_life_where_no_voltage_is_read() -> None:
    readings = says(0, ALL_DAY, np.nan, current_a=3.0)
    assert minutes_of(infer(readings, simple_devices([3])), 3) == (0, 0)


def test_o12_an_unchanged_failure_counter_proves_supply_through_the_silence() -> None:
    evidence = infer(says(0, WITH_A_GAP, fail_count=7.0), simple_devices([3]))
    assert minutes_of(evidence, 3) == (0, 0)


def test_o12_an_unchanged_record_of_the_last_failure_proves_supply_where_nothing_counts() -> None:
    evidence = infer(says(0, WITH_A_GAP, fail_start_ms=-9.0e6, fail_end_ms=-8.0e6), simple_devices([3]))
    assert minutes_of(evidence, 3) == (0, 0)


def test_o12_an_advanced_counter_without_a_record_proves_only_that_something_happened() -> None:
    readings = together(says(0, range(31), fail_count=7.0), says(0, range(61, 121), fail_count=8.0))
    assert minutes_of(infer(readings, simple_devices([3])), 3) == (0, 31)


def test_o12_powered_time_bounds_the_outage_from_both_sides() -> None:
    """31 minutes of silence, 11 of them under power by the meter's clock: 20 minutes out, to 3.6 s twice."""
    readings = together(says(0, [30], powered_ms=100.0 * HOUR), says(0, [61], powered_ms=100.0 * HOUR + 11 * MIN))
    evidence = infer_supply(find_runs(readings, simple_devices([3])), simple_devices([3]), NETWORK, 30 * MIN, 61 * MIN)
    assert minutes_of(evidence, 3) == pytest.approx((20, 20), abs=0.13)


def test_o12_energy_bounds_the_outage_from_above() -> None:
    """10 kWh through a meter that carries 60 kW at most took ten minutes of the 31 at least."""
    devices = replace(simple_devices([3]), max_power_kw=np.array([60.0]))
    readings = together(says(0, range(31), energy_kwh=500.0), says(0, range(61, 121), energy_kwh=510.0))
    assert minutes_of(infer(readings, devices), 3) == (0, 21)


def test_o12_a_counter_that_went_backwards_says_nothing() -> None:
    """The meter was replaced in the silence."""
    readings = together(says(0, range(31), fail_count=7.0), says(0, range(61, 121), fail_count=0.0))
    assert minutes_of(infer(readings, simple_devices([3])), 3) == (0, 31)


def test_o12_a_moved_counter_breaks_a_run_of_good_readings() -> None:
    """Readings a minute apart, the counter moves between two of them: up to one minute was out."""
    readings = together(says(0, range(40), fail_count=1.0), says(0, range(40, 121), fail_count=2.0))
    assert minutes_of(infer(readings, simple_devices([3])), 3) == (0, 1)


def test_o13_a_gateways_mains_record_is_true_to_the_instant() -> None:
    """Mains present to 29:40, lost until 55:10, both told when they happened."""
    devices = replace(simple_devices([3]), on_change=np.array([True]))
    lost = together(says(0, range(30, 55), np.nan, mains_on=0.0), at(0, 29 * MIN + 40_000, mains_on=0.0))
    back = together(says(0, range(56, 121), np.nan, mains_on=1.0), at(0, 55 * MIN + 10_000, mains_on=1.0))
    evidence = infer(together(says(0, range(30), np.nan, mains_on=1.0), lost, back), devices)
    least, most = minutes_of(evidence, 3)
    assert least == pytest.approx(24 + 20 / 60, abs=1e-3)
    assert most == pytest.approx(25.5, abs=1e-3)


def test_o13_a_gateway_that_stops_without_that_record_is_no_data() -> None:
    devices = replace(simple_devices([3]), on_change=np.array([True]))
    readings = says(0, WITH_A_GAP, np.nan, mains_on=1.0)
    evidence = infer(readings, devices)
    assert minutes_of(evidence, 3) == (0, 31)
    assert len(ledger(evidence)) == 0


def at(device: int, t_ms: int, **registers: float) -> Readings:
    return replace(says(device, [0], np.nan, **registers), t_ms=np.array([t_ms]))


def test_o14_nothing_is_assumed_between_two_good_readings_one_poll_apart() -> None:
    evidence = infer(says(0, ALL_DAY), simple_devices([3]))
    assert minutes_of(evidence, 3) == (0, 0)
    assert evidence.resolution_ms == 90_000


def test_o15_bounds_add_up_over_units_by_their_customers() -> None:
    """Transformer 3 (10 customers): 31 of 120 minutes unknown. The rest of feeder 1 and all of feeder 2 live."""
    evidence = infer(
        together(says(0, WITH_A_GAP), *(says(device, ALL_DAY) for device in range(1, 7))), ONE_PER_TRANSFORMER
    )
    rs = evidence.rs()
    assert rs.high_pct == 100.0
    assert rs.low_pct == pytest.approx(100 * (1 - 31 * 10 / (120 * 280)), abs=1e-9)
    assert evidence.rs("mv").low_pct == pytest.approx(100 * (1 - 31 / (120 * 7)), abs=1e-9)
    assert evidence.rs(of=evidence.units.asset == 3).coverage == pytest.approx(1 - 31 / 120)


def test_o15_the_point_follows_the_units_own_outage_rate() -> None:
    """Dead in 10 of the 89 minutes known, 31 unknown: 10 + 31 · 11/89, the edges valued as half a minute each."""
    heard = together(says(0, range(10)), says(0, range(10, 21), 0.0), says(0, [*range(21, 31), *range(62, 121)]))
    evidence = infer(heard, simple_devices([3]))
    [unit] = np.flatnonzero(evidence.units.asset == 3)
    assert evidence.time.expected_ms[unit] / MIN == pytest.approx(11 + 32 * 11 / 88, abs=0.01)


def test_a_terminal_behind_its_own_blown_fuse_does_not_put_the_transformer_out() -> None:
    """It reads 0 V while a customer's meter below lives: life wins, and the conflict is told."""
    topology = simple_topology([-1, 0, 1], [0, 40, 1], [FEEDER, TRANSFORMER, SERVICE])
    fuse = together(says(0, range(30)), says(0, range(30, 61), 0.0), says(0, range(61, 121)))
    evidence = infer(together(fuse, says(1, ALL_DAY)), simple_devices([1, 2]), topology)
    assert minutes_of(evidence, 1) == (0, 0)
    assert evidence.conflicts_ms[0] == 30 * MIN
