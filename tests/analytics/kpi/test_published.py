"""What screens and reports ask of the published numbers: sums, events, questions and witnesses."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from support.tiny_centre import START_MS, TinyCentre, tiny_columns
from support.tiny_county import TinyCounty

from analytics.bounds import RsBounds
from analytics.kpi.database import InterruptionRow, Judgement
from analytics.kpi.day_sums import UnitSums
from analytics.kpi.deciding import deciding
from analytics.kpi.ledger import ledger_events, rejected, said_of
from analytics.kpi.model import make_model
from analytics.kpi.published import KeptSums, Published, unit_hours
from analytics.kpi.regions import assets_in
from analytics.kpi.rollup import supply_numbers
from analytics.kpi.rollup import unit_hours as hours_of_partials
from analytics.kpi.testimony import Said, hear_witnesses, witnesses_near
from analytics.kpi.unknown_times import unknown_times
from analytics.kpi.voltage_rollup import over_months, voltage_compliance
from ingest.columns import take
from ingest.store import Partial, StoreDown

DAY_MS, H_MS, MINUTE_MS = 86_400_000, 3_600_000, 60_000
AFTER_MS = START_MS + 3 * DAY_MS + H_MS
WEEK = ("2026-06-01", "2026-06-08")
MakeCentre = Callable[..., TinyCentre]


@pytest.fixture
def centre(make_centre: MakeCentre, county: TinyCounty) -> TinyCentre:
    """Three days heard whole: feeder 1 out over the first midnight, transformer a4 on the second morning."""
    made = make_centre()
    made.arrive(tiny_columns(county, np.ones((6, 3 * 1440 + 1), np.bool_)))
    made.service().step(AFTER_MS)
    return made


def published(centre: TinyCentre) -> Published:
    return Published(centre.store, centre.database, centre.register, KeptSums())


def row(asset: str, start_min: float, end_min: float, *, above: str = "f1", nature: str = "fault") -> InterruptionRow:
    span = round(start_min * MINUTE_MS), round(end_min * MINUTE_MS)
    return InterruptionRow(
        asset, *span, 30_000, 60_000, False, nature, above, customers=10, confidence=0.95, evidence="terminal",
        witnesses=(),
    )  # fmt: skip


def test_kept_sums_give_the_numbers_of_the_partials_to_the_last_digit(centre: TinyCentre) -> None:
    ours = published(centre)
    partials = [p for p in centre.supply() if p.day < WEEK[1]]
    for _ in range(2):
        hours, theirs = unit_hours(ours.sums("1501", *WEEK)), hours_of_partials(partials)
        assert hours.rs(hours.customers) == theirs.rs(theirs.customers) == supply_numbers(partials).rs_lv
    assert list(ours.sums_of_parts("1501", *WEEK)) == ["150101"]
    assert ours.sums("nowhere", *WEEK).subjects == ()


def test_sums_are_made_ready_a_day_at_a_time(centre: TinyCentre) -> None:
    """Whoever asks while a year is read waits for the day that is being read, and for no more."""
    ours, asked = published(centre), []

    class Listening:
        def read_kpi(self, kpi: str, from_day: str, to_day: str) -> list[Partial]:
            asked.append((from_day, to_day))
            return centre.store.read_kpi(kpi, from_day, to_day)

    replace(ours, store=Listening()).warm([WEEK])  # type: ignore[arg-type]
    assert len(asked) == 2 * 7
    assert {to_day for from_day, to_day in asked if from_day == "2026-06-03"} == {"2026-06-04"}
    assert ours.sums("1501", *WEEK).subjects == published(centre).sums("1501", *WEEK).subjects
    assert len(asked) == 2 * 7


def test_a_day_published_anew_is_read_anew(centre: TinyCentre, county: TinyCounty) -> None:
    """A judgement takes an interruption away: the next question after the next step has the new number."""
    ours = published(centre)
    before = unit_hours(ours.sums("1501", *WEEK))
    [event] = [e for e in ours.events("1501", *WEEK) if e.asset == "a4"]
    span = (event.start_ms, event.end_ms) * 2
    centre.database.judge(Judgement("a4", "reject", *span, "A. Bat", AFTER_MS, "lights were on"))
    assert unit_hours(ours.sums("1501", *WEEK)).rs(before.customers) == before.rs(before.customers)
    centre.service().step(AFTER_MS)
    after = unit_hours(ours.sums("1501", *WEEK))
    assert after.rs(after.customers).high_pct > before.rs(before.customers).high_pct
    assert [e.asset for e in ours.events("1501", *WEEK)] == ["a1"]


def test_days_add_up_to_the_span(centre: TinyCentre) -> None:
    ours = published(centre)
    days = ours.sums_by_day("1501", *WEEK)
    assert sorted(days) == ["2026-06-01", "2026-06-02", "2026-06-03", "2026-06-04"]
    total = dict(zip(ours.sums("1501", *WEEK).subjects, ours.sums("1501", *WEEK).columns["lost_ms"], strict=True))
    for name, lost_ms in total.items():
        parts = [dict(zip(d.subjects, d.columns["lost_ms"], strict=True)).get(name, 0) for d in days.values()]
        assert sum(parts) == lost_ms


def test_units_that_go_out_together_are_one_event_of_what_supplies_them() -> None:
    """Two transformers within 90 s are one event of 20 customers; the third, two minutes later, is one of its own."""
    one, other = ledger_events([row("t1", 0, 60), row("t2", 1, 61), row("t3", 3, 30)])
    assert (one.start_ms, one.end_ms, len(one.rows), len(other.rows)) == (0, 61 * MINUTE_MS, 2, 1)
    assert one.customers(lambda r: float(r.customers)) == 20.0
    hours = one.customer_h(lambda r: float(r.customers))
    assert (hours.low, hours.point, hours.high) == pytest.approx((20 * 58.5 / 60, 20.0, 20 * 61.5 / 60))
    assert len(ledger_events([row("t1", 0, 60), row("t1", 60, 70, nature="planned")])) == 2


def test_people_speak_of_an_event_and_take_one_away() -> None:
    [event] = ledger_events([row("t1", 0, 60)])

    def word(verdict: str, asset: str, start_min: int) -> Judgement:
        span = (start_min * MINUTE_MS, (start_min + 60) * MINUTE_MS)
        return Judgement(asset, verdict, *span, *span, "B. Tuya", 0, "seen")  # type: ignore[arg-type]

    words = [word("confirm", "f1", 0), word("reject", "f1", 60), word("reject", "t1", 0)]
    assert said_of(event, words) == [words[0]]
    assert rejected(words, 0, 2 * H_MS) == words[1:]
    assert rejected([*words, word("confirm", "f1", 60)], 0, 2 * H_MS) == [words[2]]


def test_one_answer_is_enough_where_its_doubt_covers_the_miss(centre: TinyCentre) -> None:
    """1 000 customer-hours, target 99 %: 8 h surely out, 4 h and 1 h in doubt; the 4 h decide, the 1 h does not."""
    doubt = {"a3": (8 * H_MS, 12 * H_MS), "a4": (0, H_MS)}
    columns = {
        "least_ms": np.array([low for low, _ in doubt.values()], np.int64),
        "most_ms": np.array([high for _, high in doubt.values()], np.int64),
    }
    bounds = RsBounds(98.7, 98.9, 99.2, 0.99, 1000.0)
    found = deciding({"2026-06-02": UnitSums(tuple(doubt), columns)}, {"a3": 1, "a4": 1}, bounds, 99.0, centre.register)
    assert [(q.asset, q.unresolved_h) for q in found.questions] == [("a3", 4.0), ("a4", 1.0)]
    assert found.enough == 1
    heaviest = found.questions[0]
    assert (heaviest.if_supplied.low_pct, heaviest.if_out.high_pct) == pytest.approx((99.1, 98.8))
    assert (heaviest.if_supplied.verdict(99.0), heaviest.if_out.verdict(99.0)) == ("PASS", "FAIL")


def test_witnesses_stand_here_below_above_and_beside(centre: TinyCentre) -> None:
    """a1 is a feeder below a0, a2 the other one; a3 and a5 hang on a1."""
    near = {w.device: w.relation for w in witnesses_near(centre.register, "a1")}
    assert near == {"site/m1": "here", "site/m3": "below", "site/m5": "below", "site/m2": "beside"}
    assert {w.relation for w in witnesses_near(centre.register, "a3") if w.device == "site/m1"} == {"above"}


def test_a_meter_tells_of_its_life_its_silence_and_its_own_record(centre: TinyCentre) -> None:
    """a4 is out from 10:00 to 10:30: its meter is silent, then shows the failure it kept; its neighbour lives on."""
    start_ms = START_MS + DAY_MS + 10 * H_MS
    out, window = (start_ms, start_ms + H_MS // 2), (start_ms - H_MS, start_ms + 2 * H_MS)
    near = witnesses_near(centre.register, "a4")
    told = hear_witnesses(centre.database, centre.register, near, ("2026-06-02", "2026-06-02"), window, out)
    by_device = {t.witness.device: t for t in told}
    meter = by_device["site/m4"]
    assert [s.said for s in meter.stretches] == [Said.ALIVE, Said.SILENT, Said.ON_RECORD, Said.ALIVE]
    assert meter.stretches[2] == meter.record
    assert meter.record is not None
    assert (meter.record.start_ms, meter.record.end_ms) == pytest.approx(out, abs=1000)
    assert (meter.alive_before_ms, meter.failures_counted) == (start_ms - MINUTE_MS, 1)
    assert by_device["site/m6"].alive_throughout
    assert meter.stretches[0].start_ms == window[0]
    assert meter.stretches[-1].end_ms == window[1]


def test_an_end_that_lies_ahead_is_no_record(make_centre: MakeCentre, county: TinyCounty) -> None:
    """Some meters fill the end with ones while a failure lasts: read as a time, that is the year 2106."""
    centre = make_centre("ahead")
    rows = tiny_columns(county, np.ones((6, 3 * 1440 + 1), np.bool_))
    ends = np.array([name.endswith("last_power_fail_end_s") for name in rows.points])[rows.index]
    centre.arrive(replace(rows, value=np.where(ends, float(2**32 - 1), rows.value)))
    centre.service().step(AFTER_MS)
    start_ms = START_MS + DAY_MS + 10 * H_MS
    out, window = (start_ms, start_ms + H_MS // 2), (start_ms - H_MS, start_ms + 2 * H_MS)
    near = witnesses_near(centre.register, "a4")
    told = hear_witnesses(centre.database, centre.register, near, ("2026-06-02", "2026-06-02"), window, out)
    assert {one.record for one in told} == {None}


def test_a_device_that_says_nothing_is_silent_from_end_to_end(make_centre: MakeCentre, county: TinyCounty) -> None:
    centre = make_centre("silent")
    rows = tiny_columns(county, np.ones((6, 3 * 1440 + 1), np.bool_))
    centre.arrive(take(rows, rows.index // 5 != 3))
    centre.service().step(AFTER_MS)
    [meter] = [w for w in witnesses_near(centre.register, "a4") if w.relation == "here"]
    window = (START_MS + DAY_MS, START_MS + DAY_MS + H_MS)
    [told] = hear_witnesses(centre.database, centre.register, [meter], ("2026-06-02", "2026-06-02"), window, window)
    assert [(s.said, s.start_ms, s.end_ms) for s in told.stretches] == [(Said.SILENT, *window)]
    assert (told.alive_before_ms, told.alive_after_ms, told.record) == (None, None, None)


def test_what_nobody_heard_is_unknown_from_the_last_word_to_the_next(
    make_centre: MakeCentre, county: TinyCounty
) -> None:
    """The meter of a3 keeps no record of 12:00 to 13:00 on the third day: its transformer is unknown for so long."""
    centre = make_centre("unheard")
    rows = tiny_columns(county, np.ones((6, 3 * 1440 + 1), np.bool_))
    noon_ms = START_MS + 2 * DAY_MS + 12 * H_MS
    voltage = np.array([name.endswith("voltage_v") for name in rows.points])[rows.index]
    silent = (rows.index // 5 == 2) & (rows.t_ms > noon_ms) & (rows.t_ms < noon_ms + H_MS)
    centre.arrive(take(rows, voltage & ~silent))
    centre.service().step(AFTER_MS)
    model = make_model(centre.register, "1501")
    heard = centre.database.days_around(model.device_names, "2026-06-03")
    day = (START_MS + 2 * DAY_MS, START_MS + 3 * DAY_MS)
    longest = unknown_times(model, heard, [], {"a3"}, *day)[0]
    assert (longest.start_ms, longest.end_ms, longest.units) == (noon_ms, noon_ms + H_MS, ("a3",))
    assert longest.taken_for == "unexplained"


def test_voltage_is_worked_out_again_only_after_a_day_was_published_anew(centre: TinyCentre) -> None:
    ours = published(centre)
    first = ours.voltage("1501", *WEEK)
    assert ours.voltage("1501", *WEEK) is first
    partials = centre.store.read_kpi("voltage", *WEEK)
    theirs = voltage_compliance(partials, centre.register, assets_in("1501", centre.register))
    assert (first.low_pct, first.composite.pct, first.high_pct) == (
        theirs.low_pct, theirs.composite.pct, theirs.high_pct,
    )  # fmt: skip
    assert over_months([first]) == (first.low_pct, first.composite.pct, first.high_pct)
    centre.database.mark_published("2026-06-02")
    again = ours.voltage("1501", *WEEK)
    assert again is not first
    assert again.composite == first.composite


class DownStore:
    """A store that answers nothing."""

    def read_kpi(self, *_: object) -> list[Partial]:
        raise StoreDown("no answer")


def test_while_the_store_is_down_numbers_that_were_read_stand_in_and_say_so(centre: TinyCentre) -> None:
    """A day published anew cannot be read: the old one is shown as behind, until the store is back."""
    kept, register = KeptSums(), centre.register
    up = Published(centre.store, centre.database, register, kept)
    down = Published(DownStore(), centre.database, register, kept)  # type: ignore[arg-type]
    with pytest.raises(StoreDown):
        down.sums("1501", *WEEK)
    before = up.sums("1501", *WEEK).columns["lost_ms"].tolist()
    assert (down.sums("1501", *WEEK).columns["lost_ms"].tolist(), kept.is_behind) == (before, False)
    centre.database.mark_published("2026-06-02")
    assert (down.sums("1501", *WEEK).columns["lost_ms"].tolist(), kept.is_behind) == (before, True)
    assert (up.sums("1501", *WEEK).columns["lost_ms"].tolist(), kept.is_behind) == (before, False)
