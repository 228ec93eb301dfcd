"""Supply reliability: the worked months, the rules R1 to R13 by name (R12: `kpi/test_phases.py`)."""

import numpy as np
import pytest
from support.ledgers import DAY, FAULT, HOUR, JUNE, LIMIT, PLANNED, by_dlt, by_ieee, of

from analytics.customer_record import customer_record, load_indices
from analytics.dlt836 import dlt836
from analytics.interruptions import ledger_columns, merge_ledger
from analytics.intervals import union_intervals
from analytics.major_events import daily_saidi_min, frequent_interruptions, major_days, major_event_threshold
from analytics.reliability import (
    allowance_hours,
    equivalent_customers,
    limiting_share_off,
    period_hours,
    reliability_pct,
    roll_up_pct,
)

MONTH = of(
    [
        (10, 12, 120),
        (100, 108, 60),
        (200, 203, 200),
        (300, 303, 150),
        (400, 400 + 2 / 60, 500),
        (-2, 1, 80),
        (718, 725, 40),
    ],
    nature=[FAULT, PLANNED, FAULT, LIMIT, FAULT, FAULT, PLANNED],
    external=[0, 0, 1, 0, 0, 0, 0],
    shortage=[0, 0, 0, 1, 0, 0, 0],
)


def test_e1_dlt836_month():
    june = by_dlt(MONTH)
    assert june.customer_hours == pytest.approx(1946.6667, abs=5e-5)
    assert june.aihc1_h == pytest.approx(1.9466667, abs=5e-8)
    assert june.rs1 == pytest.approx(99.7296296, abs=5e-8)
    assert june.rs2 == pytest.approx(99.8129630, abs=5e-8)
    assert june.rs3 == pytest.approx(99.7921296, abs=5e-8)
    assert june.asai4 == pytest.approx(99.7319444, abs=5e-8)
    assert june.saidi_f_h == pytest.approx(0.9366667, abs=5e-8)
    assert june.saidi_s_h == pytest.approx(1.01)
    assert june.aitc1 == pytest.approx(1.07)
    assert june.aitc_long == pytest.approx(0.57)
    assert june.rs1 < 99.83


def test_e1_numbers_of_events_and_their_mean_durations():
    """Six begin in June: 1070 customers. Faults last 2 h, 3 h and 2 min; arranged ones 8 h, 3 h and 7 h, unclipped."""
    june = by_dlt(MONTH)
    assert june.mic == pytest.approx(1070 / 6)
    assert june.mid_f_h == pytest.approx((2 + 3 + 2 / 60) / 3)
    assert june.mid_s_h == pytest.approx(6.0)
    assert (june.maifi, june.maifi_f, june.maifi_s) == (0.5, 0.5, 0.0)
    assert june.caidi_h == pytest.approx(1946.666667 / 1070)
    assert np.isnan([june.ctaidi_h, june.caifi]).all(), "who was interrupted twice is unknown"


def test_quiet_month_has_no_means():
    quiet = by_dlt(MONTH.where(np.zeros(len(MONTH), bool)))
    assert np.isnan([quiet.mic, quiet.mid_f_h, quiet.mid_s_h, quiet.caidi_h, quiet.ctaidi_h, quiet.caifi]).all()
    assert (quiet.rs1, quiet.aitc1, quiet.maifi) == (100.0, 0.0, 0.0)


def test_e1_ieee_view():
    june = by_ieee(MONTH)
    assert june.saidi_min == pytest.approx(123.0)
    assert june.saifi == pytest.approx(0.57)
    assert june.caidi_min == pytest.approx(215.7895, abs=5e-5)
    assert june.maifi == pytest.approx(0.5)
    unplanned = by_ieee(MONTH.where(MONTH.nature == FAULT))
    assert (unplanned.saidi_min, unplanned.saifi) == (pytest.approx(50.4), pytest.approx(0.32))


@pytest.mark.parametrize(
    ("hours", "period_h", "digits", "computed"),
    [
        (13.191, 8760, 6, 99.849418),
        (7.012, 8760, 6, 99.919954),
        (38.3, 8760, 6, 99.562785),
        (18.43, 8760, 6, 99.789612),
        (10.59, 8784, 6, 99.879440),
        (3.37, 8760, 5, 99.96153),
        (4.29, 8760, 6, 99.951027),
        (12.70, 8760, 6, 99.855023),
    ],
)
def test_e2_published_pairs_of_rs_and_hours(hours, period_h, digits, computed):
    assert round(reliability_pct(hours, 1, period_h), digits) == computed


@pytest.mark.parametrize(("unavailability", "hours"), [(3.85e-4, 3.3726), (4.90e-4, 4.2924), (1.45e-3, 12.702)])
def test_e2_unavailability_to_hours(unavailability, hours):
    assert allowance_hours(100 * (1 - unavailability), 8760) == pytest.approx(hours, abs=5e-7)


SAMPLE_MINUTES = [8.17, 71.3, 30.3, 267.2, 120.0, 10.0, 40.0]
SAMPLE_CUSTOMERS = [200, 600, 25, 90, 700, 1500, 100]


def test_e5_ieee_sample_system():
    rows = [(9 * n, 9 * n + r / 60, c) for n, (r, c) in enumerate(zip(SAMPLE_MINUTES, SAMPLE_CUSTOMERS, strict=True))]
    year = by_ieee(of(rows), served=2000, end_ms=8760 * HOUR)
    assert year.saifi == pytest.approx(1.6075)
    assert year.saidi_min == pytest.approx(86.10975, abs=1e-6)
    assert year.caidi_min == pytest.approx(53.5675, abs=5e-5)
    assert year.asai_pct / 100 == pytest.approx(0.99983617, abs=5e-9)
    assert np.isnan([year.ctaidi_min, year.caifi]).all(), "who was interrupted twice is unknown"


def test_e5_with_every_customer_a_unit():
    """The events reach customers 0 to 1799 of 2000, some of them twice."""
    first = [0, 200, 800, 825, 915, 300, 0]
    units = np.concatenate([np.arange(f, f + c) for f, c in zip(first, SAMPLE_CUSTOMERS, strict=True)])
    start = np.repeat(np.arange(7) * 9 * HOUR, SAMPLE_CUSTOMERS)
    length = np.repeat(np.rint(np.array(SAMPLE_MINUTES) * 60_000).astype(np.int64), SAMPLE_CUSTOMERS)
    year = by_ieee(ledger_columns(units, start, start + length), served=2000, end_ms=8760 * HOUR)
    assert year.saidi_min == pytest.approx(86.10975, abs=1e-6)
    assert year.ctaidi_min == pytest.approx(95.6775, abs=5e-5)
    assert year.caifi == pytest.approx(1.786111, abs=5e-7)


@pytest.mark.parametrize(
    ("daily", "ddof", "alpha", "beta", "t_med"),
    [
        ([*np.exp([-2, -1, 0, 1, 2]), 0, 0], 1, 0.0, 1.581139, 52.083441),
        ([*np.exp([-2, -1, 0, 1, 2]), 0, 0], 0, 0.0, 1.414214, 34.313330),
        ([0.5, 1, 2, 4, 8, 0, 0], 1, 0.693147, 1.095962, 30.971022),
        ([0.5, 1, 2, 4, 8, 0, 0], 0, 0.693147, 0.980258, 23.191655),
    ],
)
def test_e6_major_event_threshold(daily, ddof, alpha, beta, t_med):
    threshold = major_event_threshold(daily, ddof=ddof, least_days=1)
    assert threshold.alpha == pytest.approx(alpha, abs=5e-7)
    assert threshold.beta == pytest.approx(beta, abs=5e-7)
    assert threshold.t_med == pytest.approx(t_med, abs=1e-6)
    assert (threshold.days_used, threshold.zero_days) == (5, 2)


def test_e6_a_day_of_30_9_is_not_major_and_one_of_31_0_is():
    t_med = major_event_threshold([0.5, 1, 2, 4, 8, 0, 0], least_days=1).t_med
    assert major_days([30.9, 31.0], t_med).tolist() == [False, True]


def test_too_few_days_with_interruptions_state_no_threshold():
    threshold = major_event_threshold([1.0] * 34 + [2.0, 0.0])
    assert np.isnan(threshold.t_med)
    assert not major_days([1e9], threshold.t_med).any()
    assert np.isfinite(major_event_threshold([1.0] * 35 + [2.0]).t_med)


def test_e16_limiting_four_hours_at_60_percent_is_1_6_hours():
    share = float(limiting_share_off(60, 100))
    assert 4 * share == pytest.approx(1.6)
    limited = of([(0, 4, 10)], nature=LIMIT, share_off=share)
    assert by_dlt(limited).customer_hours == pytest.approx(16.0)
    assert by_ieee(limited).saifi == 0.0, "supply was not lost"


@pytest.mark.parametrize(("days", "hours"), [(365, 14.892), (366, 14.9328), (30, 1.224), (31, 1.2648)])
def test_e16_allowance_at_the_regional_target(days, hours):
    assert allowance_hours(99.83, 24 * days) == pytest.approx(hours, abs=1e-9)


def test_r1_nested_overlapping_and_touching_records_are_one_interruption():
    ledger = of([(0, 4, 10), (1, 2, 10), (3, 5, 10), (5, 6, 10), (8, 9, 10)], unit=0)
    june = by_dlt(ledger)
    assert (june.customer_hours, june.aitc1) == (70.0, 0.02)


def test_r1_a_fault_takes_time_from_limiting_and_limiting_from_planned_work():
    ledger = of([(0, 6, 1), (1, 4, 1), (2, 3, 1)], unit=0, nature=[PLANNED, LIMIT, FAULT], shortage=[0, 1, 0])
    june = by_dlt(ledger, n_eq=1)
    assert (june.saidi_f_h, june.saidi_s_h) == (1.0, 5.0)
    assert june.rs3 == pytest.approx(100 * (1 - 4 / 720))
    assert np.isnan(june.mid_f_h), "the block has the nature of its first record"
    assert june.mid_s_h == 6.0


def test_r1_a_unit_wholly_out_while_limiting_runs_is_wholly_out():
    ledger = of([(0, 4, 1), (1, 2, 1)], unit=0, nature=[LIMIT, PLANNED], share_off=[0.25, 1.0], shortage=[1, 0])
    june = by_dlt(ledger, n_eq=1)
    assert june.customer_hours == 0.25 * 3 + 1


def test_r2_hours_are_clipped_and_the_class_is_not():
    """Ten minutes of which one lies in the period: long, and one minute of hours."""
    june = by_dlt(of([(-9 / 60, 1 / 60, 60)], unit=0))
    assert june.customer_hours == pytest.approx(1.0)
    assert june.asai4 == june.rs1


def test_r3_a_carried_in_interruption_adds_hours_and_no_count():
    june = by_dlt(of([(-1, 1, 1000)]))
    assert (june.aihc1_h, june.aitc1) == (1.0, 0.0)
    assert by_ieee(of([(-1, 1, 1000)])).saifi == 0.0


def test_r4_clip_and_start_attribution_differ_at_the_end_of_the_period():
    last = of([(718, 725, 1000)])
    assert by_dlt(last).aihc1_h == 2.0
    assert by_ieee(last).saidi_min == 7 * 60.0


def test_r6_restoration_steps_add_up_to_one_interruption_per_customer():
    """600 of 1000 are back after 2 min, 300 after an hour, 100 after two."""
    steps = of([(0, 2 / 60, 600), (0, 1, 300), (0, 2, 100)])
    june = by_ieee(steps)
    assert (june.maifi, june.saifi, june.saidi_min) == (0.6, 0.4, 30.0)
    assert by_dlt(steps).aitc1 == 1.0


def test_r7_a_gap_merges_only_where_it_is_asked_for_and_is_not_out_itself():
    ledger = of([(0, 1, 1), (1 + 4 / 60, 2, 1)], unit=0)
    apart, joined = by_dlt(ledger, n_eq=1), by_dlt(ledger, n_eq=1, merge_gap_s=300)
    assert (apart.aitc1, joined.aitc1) == (2.0, 1.0)
    assert apart.customer_hours == joined.customer_hours == pytest.approx(2 - 4 / 60)
    assert by_dlt(ledger, n_eq=1, merge_gap_s=240).aitc1 == 2.0, "only a smaller gap merges"


@pytest.mark.parametrize("end", [0, -1])
def test_r8_an_interval_that_does_not_end_after_it_starts_is_refused(end):
    with pytest.raises(ValueError, match="does not end after it starts"):
        union_intervals([0], [0], [end])


def test_r9_nobody_served_or_no_time_is_undefined():
    nobody, no_time = by_dlt(MONTH.where(np.zeros(7, bool)), n_eq=0), by_dlt(of([(0, 1, 1)]), end_ms=0)
    for index in (nobody.rs1, nobody.aihc1_h, nobody.aitc1, no_time.rs1, no_time.aihc1_h, no_time.saidi_f_h):
        assert np.isnan(index)
    quiet = by_ieee(MONTH.where(np.zeros(7, bool)))
    assert (quiet.saidi_min, quiet.saifi, quiet.asai_pct) == (0.0, 0.0, 100.0)
    assert np.isnan([quiet.caidi_min, quiet.ctaidi_min, quiet.caifi]).all()


def test_r9_more_hours_out_than_the_period_has_is_an_error_and_not_clamped():
    with pytest.raises(ValueError, match="disagree"):
        by_dlt(of([(0, 720, 1001)]))


def test_r10_a_region_is_the_sum_of_its_parts_and_not_the_mean_of_their_percentages():
    assert roll_up_pct([72, 72], [7200, 72_000]) == pytest.approx(100 * (1 - 144 / 79_200))


def test_r11_time_before_and_after_service_is_not_counted():
    """In service from 100 h to 460 h of 720: half a customer; an interruption across its start keeps its inside."""
    assert equivalent_customers([1], [100 * HOUR], [460 * HOUR], 0, JUNE) == 0.5
    ledger = of([(90, 110, 1), (10, 20, 1), (500, 600, 1), (459, 470, 1)], unit=0)
    service = {"service_from_ms": np.array([100 * HOUR]), "service_to_ms": np.array([460 * HOUR])}
    merged = merge_ledger(ledger, **service)
    june = dlt836(merged, start_ms=0, end_ms=JUNE, n_eq=0.5)
    assert june.customer_hours == 11.0
    assert june.aitc1 == 2.0, "one interruption begins while half a customer is in service"


def test_r13_three_in_sixty_days_or_five_in_a_year():
    units = [1] * 3 + [2] * 5 + [3] * 4 + [4] * 3
    days = [301, 330, 359, 1, 80, 160, 240, 320, 1, 80, 160, 240, 299, 330, 359]
    assert frequent_interruptions(units, np.array(days) * DAY, until_ms=360 * DAY).tolist() == [2, 1]


def test_exactly_180_s_is_short_and_exactly_300_s_is_momentary():
    assert by_dlt(of([(1, 1 + 180 / 3600, 1)])).asai4 == 100.0
    assert by_dlt(of([(1, 1 + 180.001 / 3600, 1)])).asai4 < 100.0
    assert by_ieee(of([(1, 1 + 300 / 3600, 1000)])).maifi == 1.0
    assert by_ieee(of([(1, 1 + 300.001 / 3600, 1000)])).saifi == 1.0


def test_an_operation_that_ends_sustained_is_no_momentary_event():
    """Two recloses within five minutes, then out for an hour; another day one reclose."""
    ledger = of([(0, 1 / 60, 1), (2 / 60, 3 / 60, 1), (4 / 60, 1, 1), (24, 24 + 1 / 60, 1)], unit=0)
    june = by_ieee(ledger, served=1)
    assert (june.maifi, june.maifi_e, june.saifi) == (3.0, 1.0, 1.0)
    record = customer_record(merge_ledger(ledger), start_ms=0, end_ms=JUNE, customers_served=1)
    assert record is not None
    assert (record.cemi(1), record.cemi(2), record.cemi(1, more_than=True)) == (1.0, 0.0, 0.0)
    assert (record.cemsmi(2), record.cemsmi(3)) == (1.0, 0.0)


def test_celid_looks_at_the_longest_and_at_the_total():
    ledger = of([(0, 5, 10), (10, 15, 10), (0, 9, 30)], unit=[0, 0, 1])
    record = customer_record(merge_ledger(ledger), start_ms=0, end_ms=JUNE, customers_served=100)
    assert record is not None
    assert (record.celid_single(8), record.celid_total(8), record.celid_total(9.5)) == (0.3, 0.4, 0.1)


def test_load_indices_of_nothing_connected_are_nan():
    assert np.isnan(load_indices([60], [100], connected_kva=0)).all()


def test_daily_saidi_belongs_to_the_day_of_the_start():
    daily = daily_saidi_min(merge_ledger(MONTH), np.arange(31) * DAY, 1000)
    assert daily.sum() == pytest.approx(123.0)
    assert daily[718 // 24] == pytest.approx(16.8)


def test_a_leap_year_has_8784_hours():
    start, end = np.array(["2024-01-01", "2025-01-01"], dtype="datetime64[ms]").astype(np.int64)
    assert period_hours(int(start), int(end)) == 8784.0
