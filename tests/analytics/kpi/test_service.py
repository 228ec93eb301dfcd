"""The KPI service against the truth of a tiny county: late, replayed, interrupted, judged."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from support.tiny_centre import START_MS, TinyCentre, tiny_columns
from support.tiny_county import TinyCounty

from analytics.kpi.database import InterruptionRow, Judgement
from analytics.kpi.rollup import asset_regions, by_region, by_span, supply_numbers, voltage_numbers
from ingest.columns import take
from ingest.store import Partial
from ingest.store_sqlite import SqliteStore

DAY_MS, H_MS = 86_400_000, 3_600_000
AFTER_MS = START_MS + 3 * DAY_MS + H_MS
MakeCentre = Callable[..., TinyCentre]


class Killed(Exception):
    """The process ends here."""


class DyingStore:
    """A store whose user is killed at its nth write of partial sums."""

    def __init__(self, store: SqliteStore, writes: int) -> None:
        self._store, self._writes = store, writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write_kpi(self, partials: Sequence[Partial]) -> None:
        if self._writes == 0:
            raise Killed
        self._writes -= 1
        self._store.write_kpi(partials)


def everything(county: TinyCounty) -> np.ndarray:
    return np.ones((6, 3 * 1440 + 1), np.bool_)


def sums(partials: list[Partial]) -> dict[tuple[str, str], dict[str, float]]:
    return {(p.subject, p.day): dict(p.sums) for p in partials}


def true_rs(county: TinyCounty) -> float:
    customers = county.topology.customers
    out = sum(county.outage_ms(a, 0, 3 * DAY_MS) * customers[a] for a in range(7))
    return float(100 * (1 - out / (3 * DAY_MS * customers.sum())))


def test_three_days_give_the_truth_through_meters_own_records(make_centre: MakeCentre, county: TinyCounty) -> None:
    """Records are true to a second: each of the three edges of an outage is known that well."""
    centre = make_centre()
    centre.arrive(tiny_columns(county, everything(county)))
    centre.service().step(AFTER_MS)
    numbers = supply_numbers([p for p in centre.supply() if p.day < "2026-06-04"])
    assert numbers.rs_lv.low_pct <= true_rs(county) <= numbers.rs_lv.high_pct
    assert numbers.rs_lv.high_pct - numbers.rs_lv.low_pct < 0.005
    assert numbers.rs_lv.point_pct == pytest.approx(true_rs(county), abs=0.002)


def test_the_order_of_arrival_does_not_matter(make_centre: MakeCentre, county: TinyCounty) -> None:
    """All at once, or the second day last and each device by itself: the same sums, bit for bit."""
    rows = tiny_columns(county, everything(county))
    at_once, in_bits = make_centre("at_once"), make_centre("in_bits")
    at_once.arrive(rows)
    at_once.service().step(AFTER_MS)
    late = (rows.t_ms >= START_MS + DAY_MS) & (rows.t_ms < START_MS + 2 * DAY_MS)
    for part in (~late, late & (rows.index % 2 == 0), late & (rows.index % 2 == 1)):
        in_bits.arrive(take(rows, part))
        in_bits.service().step(AFTER_MS)
    assert sums(at_once.supply()) == sums(in_bits.supply())


def test_a_late_reading_corrects_the_day_before_and_the_correction_is_visible(
    make_centre: MakeCentre, county: TinyCounty
) -> None:
    """Meters of feeder 1 are silent from 23:00; what they say at 01:00 the next day explains the evening before."""
    centre = make_centre()
    rows = tiny_columns(county, everything(county))
    early = rows.t_ms < START_MS + DAY_MS
    centre.arrive(take(rows, early))
    centre.service().step(START_MS + DAY_MS + H_MS // 4)
    before = sums(centre.supply())["a3", "2026-06-01"]
    assert before["lost_ms"] == 0
    assert before["most_ms"] >= H_MS
    centre.arrive(take(rows, ~early))
    centre.service().step(AFTER_MS)
    after = sums(centre.supply())["a3", "2026-06-01"]
    assert after["lost_ms"] == pytest.approx(H_MS, abs=2000)
    told = [c for c in centre.database.corrections() if (c.subject, c.day, c.sum) == ("a3", "2026-06-01", "lost_ms")]
    assert [(c.old, c.new) for c in told] == [(0.0, after["lost_ms"])]
    assert "readings of 2026-06-02 from site/m" in told[0].why


def test_computing_again_writes_nothing_and_corrects_nothing(make_centre: MakeCentre, county: TinyCounty) -> None:
    centre = make_centre()
    rows = tiny_columns(county, everything(county))
    centre.arrive(rows)
    centre.service().step(AFTER_MS)
    centre.arrive(rows)
    assert centre.service().step(AFTER_MS) == 0
    assert centre.database.corrections() == []


def test_marks_stay_until_everything_is_published(make_centre: MakeCentre, county: TinyCounty) -> None:
    """A service killed while it computes leaves the marks; the next one finishes, and comes to the same sums."""

    centre, calm = make_centre(), make_centre("calm")
    rows = tiny_columns(county, everything(county))
    for one in (centre, calm):
        one.arrive(rows)
    calm.service().step(AFTER_MS)
    for writes in (0, 1, 2):
        with pytest.raises(Killed):
            centre.service(DyingStore(centre.store, writes)).step(AFTER_MS)
        assert len(centre.changes) > 0
    centre.service().step(AFTER_MS)
    assert len(centre.changes) == 0
    assert sums(centre.supply()) == sums(calm.supply())
    assert centre.database.corrections() == []


def test_today_grows_as_time_passes(make_centre: MakeCentre, county: TinyCounty) -> None:
    """What nobody speaks of is in service and unresolved, not absent."""
    centre = make_centre()
    rows = tiny_columns(county, everything(county))
    centre.arrive(take(rows, rows.t_ms < START_MS + 2 * H_MS))
    service = centre.service()
    service.step(START_MS + 2 * H_MS)
    first = sums(centre.supply())["a3", "2026-06-01"]
    service.step(START_MS + 5 * H_MS)
    second = sums(centre.supply())["a3", "2026-06-01"]
    assert (first["in_service_ms"], second["in_service_ms"]) == (2 * H_MS, 5 * H_MS)
    assert second["open_ms"] - first["open_ms"] == pytest.approx(3 * H_MS, abs=60_000)


def test_days_that_nobody_marked_are_closed_as_unresolved(make_centre: MakeCentre, county: TinyCounty) -> None:
    """Two silent days between a word and the next step: each day has its own sums."""
    centre = make_centre()
    rows = tiny_columns(county, everything(county))
    service = centre.service()
    centre.arrive(take(rows, rows.t_ms < START_MS + 2 * H_MS))
    service.step(START_MS + 2 * H_MS)
    service.step(START_MS + 2 * DAY_MS + H_MS)
    held = sums(centre.supply())
    assert held["a3", "2026-06-01"]["in_service_ms"] == DAY_MS
    assert held["a3", "2026-06-02"]["open_ms"] == DAY_MS


def test_a_person_has_the_last_word_and_recomputation_keeps_it(make_centre: MakeCentre, county: TinyCounty) -> None:
    centre = make_centre()
    rows = tiny_columns(county, everything(county))
    centre.arrive(rows)
    centre.service().step(AFTER_MS)
    [row] = [r for r in centre.database.interruptions("2026-06-02", "2026-06-03") if r.asset == "a4"]
    assert (row.evidence, row.event_asset, row.customers) == ("meter_record", "a4", 17)
    assert row.witnesses[0][0] == "site/m4"
    said = Judgement("a4", "reject", row.start_ms, row.end_ms, row.start_ms, row.end_ms, "A. Bat", AFTER_MS, "on site")
    centre.database.judge(said)
    centre.service().step(AFTER_MS)
    assert sums(centre.supply())["a4", "2026-06-02"]["lost_ms"] < 2 * H_MS
    [told] = [
        c for c in centre.database.corrections() if c.sum == "lost_ms" and c.subject == "a4" and c.day == "2026-06-02"
    ]
    assert told.why == "reject by A. Bat: on site"
    centre.arrive(rows)
    centre.service().step(AFTER_MS)
    assert [r for r in centre.database.interruptions("2026-06-02", "2026-06-03") if r.asset == "a4"] == []
    assert centre.database.judgements() == [said]


def test_a_confirmed_interruption_is_certain_and_a_second_person_has_the_last_word(
    make_centre: MakeCentre, county: TinyCounty
) -> None:
    """One rejects it, another confirms it: it stands as inferred, by a person and for certain; both are on record."""
    centre = make_centre()
    centre.arrive(tiny_columns(county, everything(county)))
    centre.service().step(AFTER_MS)

    def of_a4() -> list[InterruptionRow]:
        return [r for r in centre.database.interruptions("2026-06-02", "2026-06-03") if r.asset == "a4"]

    [row] = of_a4()
    span = (row.start_ms, row.end_ms) * 2
    centre.database.judge(Judgement("a4", "reject", *span, "A. Bat", AFTER_MS, "lights were on"))
    centre.service().step(AFTER_MS + H_MS)
    assert of_a4() == []
    centre.database.judge(Judgement("a4", "confirm", *span, "B. Tuya", AFTER_MS, "switch log"))
    centre.service().step(AFTER_MS + 2 * H_MS)
    [confirmed] = of_a4()
    assert (confirmed.start_ms, confirmed.end_ms) == pytest.approx((row.start_ms, row.end_ms), abs=1000)
    assert (confirmed.evidence, confirmed.confidence) == ("person", 1.0)
    assert [one.who for one in centre.database.judgements()] == ["A. Bat", "B. Tuya"]
    whys = {c.why for c in centre.database.corrections()}
    assert {"reject by A. Bat: lights were on", "confirm by B. Tuya: switch log"} <= whys


def test_a_corrected_interruption_lasts_as_long_as_the_person_says(make_centre: MakeCentre, county: TinyCounty) -> None:
    centre = make_centre()
    centre.arrive(tiny_columns(county, everything(county)))
    centre.service().step(AFTER_MS)
    [row] = [r for r in centre.database.interruptions("2026-06-02", "2026-06-03") if r.asset == "a4"]
    twenty_min = row.start_ms + 20 * 60_000
    said = Judgement(
        "a4", "correct", row.start_ms, row.end_ms, row.start_ms, twenty_min, "A. Bat", AFTER_MS, "log book"
    )
    before = sums(centre.supply())["a4", "2026-06-02"]
    centre.database.judge(said)
    centre.service().step(AFTER_MS)
    after = sums(centre.supply())["a4", "2026-06-02"]
    assert before["fault_ms"] - after["fault_ms"] == pytest.approx(10 * 60_000, abs=1500)
    [row] = [r for r in centre.database.interruptions("2026-06-02", "2026-06-03") if r.asset == "a4"]
    assert (row.end_ms, row.evidence, row.confidence) == (pytest.approx(twenty_min, abs=1000), "person", 1.0)


def test_rollups_are_sums_of_partials(make_centre: MakeCentre, county: TinyCounty) -> None:
    """R10: a region's month is the sum of its units' days, whatever way they are grouped on the way."""
    centre = make_centre()
    centre.arrive(tiny_columns(county, everything(county)))
    centre.service().step(AFTER_MS)
    partials = centre.supply()
    regions = by_region(partials, asset_regions(centre.register), centre.register)
    assert set(regions) == {"1501", "150101"}
    assert supply_numbers(regions["1501"]) == supply_numbers(partials)
    assert set(by_span(partials, "month")) == {"2026-06"}
    days = [supply_numbers(of_day).rs_lv for of_day in by_span(partials, "day").values()]
    mean = np.average([day.high_pct for day in days], weights=[day.customer_h for day in days])
    assert supply_numbers(partials).rs_lv.high_pct == pytest.approx(mean, abs=1e-12)


def test_o5_an_index_is_flagged_where_the_edges_are_a_tenth_of_it(make_centre: MakeCentre, county: TinyCounty) -> None:
    """Records true to a second leave nothing to flag; 150 minutes with 30 s of doubt at each edge is 0.7 %."""
    centre = make_centre()
    centre.arrive(tiny_columns(county, everything(county)))
    centre.service().step(AFTER_MS)
    numbers = supply_numbers(centre.supply())
    assert 0 < numbers.edge_share < 0.01
    assert not numbers.edges_are_uncertain


def test_voltage_of_a_point_leaves_the_outage_out(make_centre: MakeCentre, county: TinyCounty) -> None:
    """On day 2 transformer a4 is out for half an hour: 30 minutes, and the one in which power came back."""
    centre = make_centre()
    centre.arrive(tiny_columns(county, everything(county)))
    centre.service().step(AFTER_MS)
    [day] = centre.store.read_kpi("voltage", "2026-06-02", "2026-06-03", ["site/m4.voltage_v"])
    counts = voltage_numbers([day])
    assert (int(counts.outage), int(counts.ok)) == (31, 1409)
    assert float(counts.pass_pct) == 100.0
