"""The figures of a report: equal to the published numbers, each with its coverage, unknown where nothing is known."""

from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from support.report_county import BANNER, ZONE

from analytics.kpi.database import KpiDatabase
from analytics.kpi.periods import read_period
from analytics.kpi.report import numbers_by
from dashboards.report.figures import make_report
from dashboards.report.sources import open_sources
from edge.errors import BadInput
from ingest.days import day_bounds
from ingest.register_files import load_register
from ingest.store import Partial, StoreError
from ingest.stores import open_store


def test_supply_equals_the_published_numbers_to_the_last_digit(centre, january):
    """`steppe analytics numbers` and the console add up the same sums."""
    register = load_register(Path(centre.register), ZONE)
    with closing(open_store(centre.store, Path(centre.data_dir))) as store:
        regions = numbers_by(store, register, "2025-01-01", "2025-02-01", "region")
    for row in (january.supply.whole, *january.supply.parts):
        mv, lv = regions[row.region.code].supply.rs_mv, regions[row.region.code].supply.rs_lv
        assert (row.rs1.low, row.rs1.value, row.rs1.high) == (mv.low_pct, mv.point_pct, mv.high_pct)
        assert (row.rs1_lv.low, row.rs1_lv.value, row.rs1_lv.high) == (lv.low_pct, lv.point_pct, lv.high_pct)
        assert row.rs1.coverage == 100 * mv.coverage


def test_voltage_equals_what_the_console_reads(centre, january):
    with open_sources(centre) as sources:
        voltage = sources.published.voltage(BANNER, "2025-01-01", "2025-02-01")
    assert january.voltage.composite.value == voltage.composite.pct
    assert [row.compliance.value for row in january.voltage.classes] == [one.pct for one in voltage.classes]


def test_causes_and_days_share_one_outage(january):
    by_cause = sum(row.h for row in january.supply.causes)
    assert by_cause == pytest.approx(january.supply.out_h)
    assert sum(day.h or 0 for day in january.supply.days) == january.supply.out_h
    assert {row.cause for row in january.supply.causes} >= {"feeder", "planned", "transformer"}


def test_every_figure_says_its_coverage(january):
    rows = [row.rs1 for row in january.supply.parts] + [row.compliance for row in january.voltage.classes]
    coverage = january.coverage
    rows += [row.kept for row in january.water.rows] + [coverage.tap_water, coverage.sewage, coverage.sewage_waterside]
    assert all(row is not None and row.coverage is not None and 0 <= row.coverage <= 100 for row in rows)
    assert all(row.low <= row.high for row in rows if row.low is not None)


def test_a_point_that_was_hardly_read_enters_no_class(january):
    [excluded] = january.voltage.excluded
    assert (excluded.point, excluded.voltage_class) == ("s1/t2", "D")


def test_a_facility_that_fell_silent_is_unknown_and_opens_the_coverage(january):
    runs = {row.asset.code: row.runs for row in january.sewage}
    assert runs == {"ls0": True, "ls1": None}
    sewage = january.coverage.sewage
    assert sewage is not None
    assert sewage.low < sewage.high


def test_water_network_end_is_read_in_part(january):
    rows = {(row.quantity, row.place): row for row in january.water.rows}
    end = rows["free_chlorine_mg_l", "network_end"]
    assert end.valid_h < end.expected_h == 2 * 31 * 24
    assert end.kept.coverage == 100 * end.valid_h / end.expected_h


def test_alarms_delivery_and_inspections(january):
    """31 alarms in 31 days, seven critical; 23 of 24 hours sent, 91 of 92 with a value; late ones counted in days."""
    alarms, delivery, upkeep = january.alarms, january.delivery, january.upkeep
    assert (alarms.alarms, alarms.per_day, alarms.critical) == (31, 1.0, 7)
    assert alarms.critical_ack_median_s == 240.0
    assert (delivery.heard, delivery.site_h, delivery.silent_site_h) == (2, 2 * 31 * 24, 2 * 31)
    assert delivery.received_pct == 100 * 23 / 24
    assert [(row.asset.code, row.late_days) for row in upkeep.overdue] == [("s1t1", 17)]
    assert upkeep.inspected == 10


def test_a_sumu_has_its_own_report(centre, make):
    one = make(centre, region="150101")
    assert (one.region.name_zh, one.to.code) == ("洪戈尔镇", BANNER)
    assert one.supply.whole.transformers == 3
    assert {row.asset.code for row in one.sewage} == {"ls0"}
    assert {row.voltage_class for row in one.voltage.classes} == {"C", "D"}


def test_a_quarter_of_which_one_month_is_computed_says_so(centre, make):
    one = make(centre, period="2025Q1", now_ms=day_bounds("2025-03-01", ZONE)[0])
    assert (one.until_day, one.days_computed, one.supply.period_h) == ("2025-03-01", 31, 31 * 24)
    assert one.supply.days[-1].h is None


def test_a_period_without_numbers_knows_nothing_and_judges_nothing(centre, make):
    one = make(centre, period="2024-06")
    assert one.days_computed == 0
    for figure in (one.supply.whole.rs1, one.voltage.composite, *(row.kept for row in one.water.rows)):
        assert (figure.value, figure.verdict) == (None, None)


def test_what_the_register_does_not_state_is_not_stated(own_county, make):
    (own_county.folder / "register" / "villages.csv").unlink()
    one = make(own_county.centre)
    assert (one.coverage.tap_water, one.coverage.sewage, one.coverage.stated) == (None, None, 0)


def test_a_centre_without_alarms_and_journal_still_reports(own_county, make):
    for name in ("alarms.db", "journal.db"):
        (own_county.folder / "data" / name).unlink()
    one = make(own_county.centre)
    assert (one.alarms, one.delivery) == (None, None)
    assert one.upkeep.overdue[0].last_day == ""


@pytest.mark.parametrize(
    ("region", "period", "says"),
    [
        ("77", "2025-01", "region '77': not in regions.csv"),
        (BANNER, "2025Q2", "in the future"),
        (BANNER, "2025-02", "began today"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(centre, make, region, period, says):
    with pytest.raises(BadInput, match=says) as refused:
        make(centre, region=region, period=period, now_ms=day_bounds("2025-02-01", ZONE)[0] + 1)
    assert "\n" not in str(refused.value)


def test_a_centre_without_numbers_says_what_makes_them(own_county, make):
    (own_county.folder / "data" / "kpi.db").unlink()
    with pytest.raises(BadInput, match="steppe analytics run"):
        make(own_county.centre)


def test_a_store_that_is_away_is_one_line(own_county, make):
    away = msgspec.structs.replace(own_county.centre.store, url="influxdb+http://127.0.0.1:9/steppe")
    with pytest.raises((BadInput, StoreError)) as refused:
        make(msgspec.structs.replace(own_county.centre, store=away))
    assert isinstance(refused.value, BadInput)


def test_a_later_judgement_changes_the_digest_of_what_it_changed(own_county, make):
    """The store's sums of one day are written anew: the digest of `supply` differs, that of `readings` does not."""
    before = {one.name: one.sha256 for one in make(own_county.centre).inputs}
    data = own_county.folder / "data"
    with closing(open_store(own_county.centre.store, data)) as store, closing(KpiDatabase(data / "kpi.db")) as database:
        [old] = store.read_kpi("supply", "2025-01-02", "2025-01-03", ["s0t0"])
        store.write_kpi([Partial(old.kpi, old.subject, old.day, {**old.sums, "least_ms": 0.0, "most_ms": 9e6}, 2)])
        database.mark_published(old.day)
    after = {one.name: one.sha256 for one in make(own_county.centre).inputs}
    assert {name for name in before if before[name] != after[name]} == {"supply"}


def test_progress_is_told_point_by_point(centre):
    told = []
    with open_sources(centre) as sources:
        make_report(
            sources,
            BANNER,
            read_period("2025-01"),
            now_ms=day_bounds("2025-02-03", ZONE)[0],
            progress=lambda what, done, of: told.append((what, done, of)),
        )
    assert told[-1] == ("readings", 10, 10)
