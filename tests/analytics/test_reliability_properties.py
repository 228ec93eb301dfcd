"""What must always hold of supply reliability, whatever the ledger."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ledgers import FAULT, HOUR, JUNE, LIMIT, PLANNED, by_dlt, by_ieee

from analytics.dlt836 import dlt836
from analytics.interruptions import Ledger, ledger_columns, merge_ledger
from analytics.intervals import clip_intervals, union_intervals
from analytics.reliability import Nature

rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-50, 800), st.integers(1, 200), st.sampled_from([FAULT, LIMIT, PLANNED])),
    max_size=12,
)


def drawn(events: list[tuple[int, int, int, Nature]]) -> Ledger:
    """Units 0 to 3 of 1, 2, 3 and 4 customers; hours from 0 h, some outside the month."""
    columns = np.array(events, dtype=np.int64).reshape(-1, 4).T
    unit, start, length, nature = columns
    flags = {"external": start % 2 == 0, "shortage": (nature == LIMIT) & (start % 3 == 0)}
    return ledger_columns(unit, start * HOUR, (start + length) * HOUR, customers=unit + 1.0, nature=nature, **flags)


@given(rows)
def test_rs_lies_between_0_and_100_and_its_variants_above_it(events):
    june = by_dlt(drawn(events), n_eq=10)
    assert 0 <= june.rs1 <= min(june.rs2, june.rs3, june.asai4) <= 100


@given(rows, st.integers(0, 3), st.integers(0, 700), st.integers(1, 100))
def test_another_interruption_never_raises_rs(events, unit, start, length):
    more = [*events, (unit, start, length, FAULT)]
    assert by_dlt(drawn(more), n_eq=10).rs1 <= by_dlt(drawn(events), n_eq=10).rs1 + 1e-9


@given(rows, st.integers(1, 719))
def test_splitting_the_period_gives_the_weighted_mean(events, cut):
    merged = merge_ledger(drawn(events))
    parts = [dlt836(merged, start_ms=a * HOUR, end_ms=b * HOUR, n_eq=10) for a, b in [(0, cut), (cut, 720), (0, 720)]]
    first, second, whole = parts
    assert whole.rs1 * 720 == pytest.approx(first.rs1 * cut + second.rs1 * (720 - cut))
    assert whole.aitc1 == pytest.approx(first.aitc1 + second.aitc1)


@given(rows)
def test_union_is_idempotent(events):
    ledger = drawn(events)
    once = union_intervals(ledger.unit, ledger.start_ms, ledger.end_ms)
    twice = union_intervals(once.unit, once.start_ms, once.end_ms)
    assert all(np.array_equal(a, b) for a, b in zip(vars(once).values(), vars(twice).values(), strict=True))


@given(rows)
def test_union_keeps_every_hour_and_invents_none(events):
    """Against a grid of hours."""
    ledger = drawn(events)
    grid = np.zeros((4, 1100), dtype=bool)
    for unit, start, end in zip(ledger.unit, ledger.start_ms // HOUR, ledger.end_ms // HOUR, strict=True):
        grid[unit, start + 50 : end + 50] = True
    union = clip_intervals(union_intervals(ledger.unit, ledger.start_ms, ledger.end_ms), 0, JUNE)
    hours = np.bincount(union.unit, weights=(union.end_ms - union.start_ms) / HOUR, minlength=4)
    assert hours.tolist() == grid[:, 50:770].sum(axis=1).tolist()
    assert by_dlt(ledger, n_eq=10).customer_hours == pytest.approx(float(hours @ np.arange(1, 5)))


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_events_is_irrelevant(events, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    a, b = by_dlt(drawn(events), n_eq=10), by_dlt(drawn(shuffled), n_eq=10)
    assert list(vars(a).values()) == pytest.approx(list(vars(b).values()), nan_ok=True)


@given(rows)
def test_saidi_is_saifi_times_caidi(events):
    june = by_ieee(drawn(events), served=10)
    if june.saifi > 0:
        assert june.saidi_min == pytest.approx(june.saifi * june.caidi_min)
    else:
        assert np.isnan(june.caidi_min)


@given(rows)
def test_fault_and_arranged_hours_add_up(events):
    june = by_dlt(drawn(events), n_eq=10)
    assert june.saidi_f_h + june.saidi_s_h == pytest.approx(june.aihc1_h)
    assert june.maifi + june.aitc_long == pytest.approx(june.aitc1)


@given(rows)
def test_a_record_given_twice_counts_once(events):
    once, twice = by_dlt(drawn(events), n_eq=10), by_dlt(drawn(events * 2), n_eq=10)
    assert list(vars(once).values()) == pytest.approx(list(vars(twice).values()), nan_ok=True)


@given(rows)
def test_one_nature_alone_gives_the_plain_union(events):
    """With one nature nothing is shared out, so the customer-hours are those of the union."""
    ledger = replace(drawn(events), nature=np.zeros(len(events), dtype=np.int8))
    union = clip_intervals(union_intervals(ledger.unit, ledger.start_ms, ledger.end_ms), 0, JUNE)
    hours = ((union.end_ms - union.start_ms) / HOUR * (union.unit + 1)).sum()
    assert by_dlt(ledger, n_eq=10).customer_hours == pytest.approx(float(hours))
