"""Numbers of a region that the report shares with the screens: voltage classes, causes, water, sewage, villages."""

import shutil
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from analytics.kpi.causes import Cause, by_cause, cause_of, hours_by_unit
from analytics.kpi.database import InterruptionRow
from analytics.kpi.periods import read_period
from analytics.kpi.quarters import QUARTER_MS
from analytics.kpi.regions import assets_in, child_of_asset, path_of, sites_in
from analytics.kpi.rollup import unit_hours
from analytics.kpi.sewage import facilities, running_points
from analytics.kpi.targets import targets_for
from analytics.kpi.villages import Village, coverage, read_villages
from analytics.kpi.voltage_rollup import voltage_compliance
from analytics.kpi.water import water_compliance, water_points
from analytics.limit_files import load_limits
from analytics.own_files.power_rules import power_rules
from analytics.voltage_limits import VOLTAGE_LIMITS
from edge.errors import BadInput
from ingest.days import day_bounds
from ingest.register import Asset, PointEntry, Region, Register
from ingest.register_files import load_register
from ingest.store import Buckets, Partial

ZONE = "Asia/Shanghai"
HOUR_MS = 3_600_000
START_MS, END_MS = day_bounds("2025-01-01", ZONE)[0], day_bounds("2025-02-01", ZONE)[0]


def asset(name: str, kind: str, region: str, parent: str | None = None) -> tuple[Asset, ...]:
    return (Asset(name, kind, name, "", region, parent, 10, None, None, None, None),)


def point(name: str, of: str, voltage_class: str = "", limits: str = "") -> PointEntry:
    return PointEntry(name, of, voltage_class, limits, None)  # type: ignore[arg-type]


REGISTER = Register(
    regions={
        "1": Region("1", "Banner", "旗", "banner", None),
        "11": Region("11", "East", "东", "gacha", "1"),
        "12": Region("12", "West", "西", "gacha", "1"),
    },
    assets={
        "ss": asset("ss", "substation", "1"),
        "f": asset("f", "feeder", "11", "ss"),
        "t": asset("t", "transformer", "11", "f"),
        "u": asset("u", "transformer", "12", "f"),
        "ww": asset("ww", "water_works", "11", "t"),
        "ls": asset("ls", "sewage_station", "12", "u"),
    },
    points={
        entry.point: entry
        for entry in (
            point("s/bus.l1.voltage_v", "ss", "A"),
            point("s/t.l1.voltage_v", "t", "D"),
            point("s/t.l2.voltage_v", "t", "D"),
            point("w/u.l1.voltage_v", "u", "D"),
            point("ww/out.turbidity_ntu", "ww", limits="works_outlet"),
            point("ww/out.free_chlorine_mg_l", "ww", limits="works_outlet"),
            point("ww/end.free_chlorine_mg_l", "ww", limits="network_end"),
            point("ww/out.flow_m3_h", "ww"),
            point("ls/lift.pump1_on", "ls"),
            point("ls/lift.pump1_run_h", "ls"),
        )
    },
    plans=(),
)


def interruption(unit: str, start_h: float, hours: float, event: str, nature: str = "fault") -> InterruptionRow:
    start_ms = START_MS + round(start_h * HOUR_MS)
    end_ms = start_ms + round(hours * HOUR_MS)
    return InterruptionRow(unit, start_ms, end_ms, 60_000, 60_000, False, nature, event, 10, 1.0, "meter_record", ())


@dataclass
class Readings:
    """A store of quarter-hours given by hand."""

    by_point: dict[str, dict[int, float]] = field(default_factory=dict)
    """Point → quarter of the period → mean."""

    def fill(self, name: str, quarters: range, value: float) -> None:
        self.by_point.setdefault(name, {}).update(dict.fromkeys(quarters, value))

    def buckets(self, point: str, start_ms: int, end_ms: int, step_ms: int) -> Buckets:
        first, last = (start_ms - START_MS) // QUARTER_MS, (end_ms - START_MS) // QUARTER_MS
        mine = sorted((q, v) for q, v in self.by_point.get(point, {}).items() if first <= q < last)
        starts = np.array([START_MS + q * QUARTER_MS for q, _ in mine], np.int64)
        values = np.array([v for _, v in mine], np.float64)
        ones = np.ones(len(mine), np.int64)
        return Buckets(starts, values, values, values, ones, 0 * ones, np.zeros(len(mine), np.uint8))


def quiet(_: str) -> None:
    """Tell nobody."""


def minutes(name: str, day: str, **states: float) -> Partial:
    return Partial("voltage", name, day, states, 0)


def test_a_region_holds_what_stands_below_it():
    assert path_of("11", REGISTER) == ("11", "1")
    assert assets_in("11", REGISTER) == {"f", "t", "ww"}
    assert assets_in("1", REGISTER) == set(REGISTER.assets)
    assert sites_in(assets_in("11", REGISTER), REGISTER) == ("s", "ww")
    assert child_of_asset("1", REGISTER)["u"] == "12"
    assert "ss" not in child_of_asset("1", REGISTER)


def test_hand_worked_classes():
    """Point t is the sum of its phases: 190 of 200 minutes. D is the mean of 95 % and 100 %, A is 99 %."""
    days = [
        minutes("s/bus.l1.voltage_v", "2025-01-01", ok=99, over=1),
        minutes("s/t.l1.voltage_v", "2025-01-01", ok=100),
        minutes("s/t.l2.voltage_v", "2025-01-01", ok=90, under=10),
        minutes("w/u.l1.voltage_v", "2025-01-01", ok=100),
    ]
    found = voltage_compliance(days, REGISTER, set(REGISTER.assets))
    assert [(one.voltage_class, one.pct) for one in found.classes] == [("A", 99.0), ("D", 97.5)]
    assert (found.composite.pct, found.composite.basis) == (98.25, "AD")
    assert (found.low_pct, found.high_pct, found.points[0].name) == (98.25, 98.25, "s/t")


def test_minutes_without_a_reading_open_the_bounds_and_few_readings_leave_the_class():
    days = [
        minutes("s/t.l1.voltage_v", "2025-01-01", ok=95, invalid=5),
        minutes("w/u.l1.voltage_v", "2025-01-01", ok=10, invalid=90),
    ]
    found = voltage_compliance(days, REGISTER, {"t", "u"})
    [only] = found.classes
    assert (only.points, only.entering, only.pct, only.low_pct, only.high_pct) == (2, 1, 100.0, 95.0, 100.0)
    assert [p.name for p in found.points if not p.enters] == ["w/u"]


def test_a_class_is_the_mean_of_its_months():
    days = [
        minutes("s/t.l1.voltage_v", "2025-01-01", ok=90, over=10),
        minutes("s/t.l1.voltage_v", "2025-02-01", ok=1000),
    ]
    assert voltage_compliance(days, REGISTER, {"t"}).classes[0].pct == 95.0


def test_a_region_without_partials_has_no_rate_and_no_verdict():
    found = voltage_compliance([], REGISTER, {"t"})
    assert np.isnan(found.composite.pct)
    assert found.verdict(99.68) is None


@pytest.mark.parametrize(
    ("event", "nature", "cause"),
    [
        ("ss", "fault", Cause.UPSTREAM),
        ("f", "fault", Cause.FEEDER),
        ("t", "fault", Cause.TRANSFORMER),
        ("ww", "fault", Cause.BEYOND),
        ("ss", "planned", Cause.PLANNED),
        ("f", "limit", Cause.LIMIT),
    ],
)
def test_a_cause_is_where_and_how_the_supply_was_cut(event, nature, cause):
    assert cause_of(interruption("t", 0, 1, event, nature), REGISTER) is cause


def test_causes_share_the_outage_of_the_period():
    """The feeder took 2 h from both, of which u's began an hour before the period; plans took 1 h from t."""
    rows = [
        interruption("t", 0, 2, "f"),
        interruption("u", -1, 2, "f"),
        interruption("t", 50, 1, "f", "planned"),
        interruption("t", -9, 3, "ss"),
    ]
    feeder, planned = by_cause(rows, REGISTER, START_MS, END_MS)
    assert (feeder.cause, feeder.transformer_h, feeder.customer_h, feeder.interruptions) == (Cause.FEEDER, 3, 30, 1)
    assert (planned.transformer_h, planned.events) == (1, 1)
    assert feeder.transformer_error_h == pytest.approx(4 / 60)
    assert hours_by_unit(rows, [Cause.FEEDER], REGISTER, START_MS, END_MS) == {"t": 2.0, "u": 1.0}


def test_rs2_and_rs3_leave_hours_out_and_never_go_below_none():
    day = {"in_service_ms": 24 * HOUR_MS, "customer_ms": 240 * HOUR_MS, "transformer_ms": 24 * HOUR_MS}
    out = dict.fromkeys(("lost_ms", "least_ms", "most_ms"), 6 * HOUR_MS)
    units = unit_hours([Partial("supply", "t", "2025-01-01", day | out, 0)])
    assert units.rs(units.transformer).point_pct == 75.0
    assert units.rs(units.transformer, {"t": 3.0}).point_pct == 87.5
    assert units.rs(units.transformer, {"t": 9.0}).high_pct == 100.0


def test_water_counts_hours_by_their_mean_and_says_what_it_does_not_know():
    """31 days: turbidity read for one day of which one hour is above 1 NTU."""
    store = Readings()
    store.fill("ww/out.turbidity_ntu", range(96), 0.5)
    store.fill("ww/out.turbidity_ntu", range(4), 1.5)
    points = water_points(REGISTER, set(REGISTER.assets), load_limits(), date(2025, 1, 31))
    assert [(p.limit.quantity, p.place) for p in points] == [
        ("free_chlorine_mg_l", "works_outlet"),
        ("free_chlorine_mg_l", "network_end"),
        ("turbidity_ntu", "works_outlet"),
    ]
    *chlorine, turbidity = water_compliance(store, REGISTER, points, START_MS, END_MS, quiet)
    hours = turbidity.hours
    assert (hours.expected, hours.valid, hours.kept) == (744, 24, 23)
    assert hours.bounds_pct == (100 * 23 / 744, 100 * 743 / 744)
    assert [row.hours.valid for row in chlorine] == [0, 0]
    assert chlorine[1].limit.low == 0.05


def month_of(store: Readings):
    points = running_points(REGISTER, set(REGISTER.assets))
    [one] = facilities(store, points, "2025-01-01", "2025-02-01", ZONE, quiet)
    return one


def day_quarters(first: int, last: int) -> range:
    return range(first * 96, last * 96)


def test_a_facility_that_ran_on_fifteen_days_runs():
    store = Readings()
    store.fill("ls/lift.pump1_on", day_quarters(0, 15), 1.0)
    assert month_of(store).runs is True


def test_a_silent_facility_is_unknown_and_an_idle_one_is_not_running():
    silent, idle = Readings(), Readings()
    silent.fill("ls/lift.pump1_on", day_quarters(0, 10), 1.0)
    for name in ("ls/lift.pump1_on", "ls/lift.pump1_run_h"):
        idle.fill(name, day_quarters(0, 31), 0.0)
    assert (month_of(silent).runs, month_of(idle).runs) == (None, False)
    assert [(m.ran, m.unknown) for m in month_of(silent).months] == [(10, 21)]


def test_one_idle_pump_beside_an_unread_one_is_no_idle_day():
    store = Readings()
    store.fill("ls/lift.pump1_on", day_quarters(0, 31), 0.0)
    assert month_of(store).runs is None


def village(region: str, tap: int | None, sewage: str, *, waterside: bool = False) -> Village:
    return Village(region, 100, tap, sewage, waterside, "2025-01-01")


def test_villages_and_facilities_make_the_coverage():
    rows = [village("11", 90, "controlled"), village("12", None, "ls", waterside=True)]
    found = coverage(rows, REGISTER, "1", {"ls": None})
    assert found.tap_water is not None
    assert found.sewage is not None
    assert found.sewage_waterside is not None
    assert (found.tap_water.pct, found.tap_water.low_pct, found.tap_water.high_pct) == (90.0, 45.0, 95.0)
    assert (found.sewage.pct, found.sewage.low_pct, found.sewage.high_pct) == (100.0, 50.0, 100.0)
    assert found.sewage_waterside.pct is None
    assert (found.villages, found.stated) == (2, 2)


def test_a_register_without_villages_states_nothing():
    found = coverage([], REGISTER, "1", {})
    assert (found.tap_water, found.sewage, found.sewage_waterside, found.stated) == (None, None, None, 0)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("1,100,,,,,", "no gacha"),
        ("11,,,,,,", "residents"),
        ("11,100,101,,,,", "more than the 100 residents"),
        ("11,100,,nowhere,,,", "neither an id"),
        ("11,100,,,maybe,,", "none of yes, no"),
        ("11,100,,,,,\n11,100,,,,,", "twice"),
    ],
)
def test_a_wrong_row_of_villages_is_refused(tmp_path, row, says):
    header = "region,residents,tap_water_residents,sewage,waterside,as_of,source\n"
    (tmp_path / "villages.csv").write_text(header + row + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match=says):
        read_villages(tmp_path, REGISTER, ZONE)


def test_the_registers_own_targets_stand_in_place_of_the_shipped_ones(tmp_path):
    assert {name: row.value_pct for name, row in targets_for(2024, tmp_path, ZONE).items()} == {
        "reliability": 99.83,
        "composite_voltage": 99.68,
        "tap_water": 82,
        "sewage": 32,
        "sewage_waterside": 60,
    }
    own = "indicator,year,value,source\ntap_water,2025,83,county plan\ntap_water,2027,90,county plan\n"
    (tmp_path / "targets.csv").write_text(own, encoding="utf-8")
    chosen = [targets_for(year, tmp_path, ZONE)["tap_water"].value_pct for year in (2024, 2026, 2028)]
    assert chosen == [83, 83, 90]


def test_a_wrong_target_is_refused(tmp_path):
    (tmp_path / "targets.csv").write_text("indicator,year,value,source\ntap_water,2025,,plan\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"targets.csv line 2, column value"):
        targets_for(2025, tmp_path, ZONE)


@pytest.mark.parametrize("text", ["2025Q5", "2025-13", "25Q1", "Q1", "", "2025-1"])
def test_a_wrong_period_is_refused(text):
    with pytest.raises(BadInput, match="write a quarter"):
        read_period(text)


def test_periods_are_whole_local_days():
    quarter, month, year = (read_period(text) for text in ("2025Q1", "2025-12", "2024"))
    assert (quarter.from_day, quarter.to_day, quarter.days) == ("2025-01-01", "2025-04-01", 90)
    assert (month.to_day, year.days, year.length) == ("2026-01-01", 366, "year")


def test_the_sample_of_villages_fits_the_sample_register(tmp_path):
    root = Path(__file__).parents[3]
    register = load_register(root / "ingest" / "register.sample", ZONE)
    shutil.copy(root / "dashboards" / "report" / "villages.sample.csv", tmp_path / "villages.csv")
    found = coverage(read_villages(tmp_path, register, ZONE), register, "1501", {"lift-1": True})
    assert (found.stated, found.tap_water.known, found.sewage.pct) == (2, 412, 50.0)


def test_limits_that_the_power_commands_name_for_china_are_computed_by_the_service_too():
    """Class A of a register written by `class-a-10kv` once had no compliance at all."""
    named = {row.name for row in power_rules().limits if not row.name.startswith("en50160")}
    assert named <= set(VOLTAGE_LIMITS)
