"""`steppe power voltage` on a user's own files: the worked day, a recorded year, then readings as they come."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.data import recording

from edge.errors import BadInput

DAY = ("--from", "2025-06-01", "--to", "2025-06-02")
D_POINT = ("--limits", "gb12325-220")
TEN_MINUTES = ("--from", "2025-06-01T00:00", "--to", "2025-06-01T00:10")
KEYS = [
    *("point", "phase", "minutes", "ok", "over", "under", "offscale", "outage", "invalid", "monitored"),
    *("pass_pct", "over_pct", "under_pct", "coverage_pct", "strict_pass_pct", "max_v", "max_at", "min_v", "min_at"),
]


def rows(volts, start="2025-06-01T00:00", step=timedelta(minutes=1), suffix=""):
    """Lines of a file, one per minute; None leaves the minute out."""
    first = datetime.fromisoformat(start)
    return [f"{(first + n * step).isoformat()},{v}{suffix}" for n, v in enumerate(volts) if v is not None]


@pytest.fixture
def e9(table) -> Path:
    """A day of 1300 OK, 40 over, 30 under, 45 outage, 20 missing and 5 off-scale minutes."""
    volts = [220] * 1300 + [240] * 40 + [190] * 30 + [0] * 45 + [None] * 20 + [150] * 5
    return table("v.csv", "time,voltage_v", *rows(volts))


def test_e9_day(e9, power_json):
    answer = power_json("voltage", "--readings", e9, *D_POINT, *DAY)
    assert list(answer) == ["points", "rejected", "low_voltage"]
    (point,) = answer["points"]
    assert list(point) == KEYS
    assert [point[key] for key in KEYS[2:10]] == [1440, 1300, 40, 30, 5, 45, 20, 1370]
    assert point["pass_pct"] == pytest.approx(94.890511, abs=5e-7)
    assert point["over_pct"] == pytest.approx(2.919708, abs=5e-7)
    assert point["under_pct"] == pytest.approx(2.189781, abs=5e-7)
    assert point["coverage_pct"] == pytest.approx(98.56631, abs=5e-6)
    assert point["strict_pass_pct"] == pytest.approx(94.545455, abs=5e-7)
    assert (point["max_v"], point["max_at"]) == (240.0, "2025-06-01T21:40:00+08:00")
    assert (point["min_v"], point["min_at"]) == (150.0, "2025-06-01T23:55:00+08:00")


def test_low_voltage_customers_are_listed_by_their_worst_phase_and_outages_are_none(table, power_json, run_power):
    """t1: 70 low minutes, 10 of them off scale; t2: an hour is not more than an hour; t3: out; b1: a busbar."""
    lines = [
        *rows([197] * 60 + [140] * 10 + [220] * 30, suffix=",t1,a"),
        *rows([190] * 65 + [220] * 35, suffix=",t1,b"),
        *rows([190] * 60 + [220] * 40, suffix=",t2,"),
        *rows([0] * 90 + [220] * 10, suffix=",t3,"),
        *rows([9000] * 100, suffix=",b1,"),
    ]
    points = table("p.csv", "point,class,limits", *[f"{t},D," for t in ("t1", "t2", "t3")], "b1,A,class-a-10kv")
    readings = table("v.csv", "time,voltage_v,point,phase", *lines)
    arguments = ("voltage", "--readings", readings, "--points", points, *D_POINT, *DAY)
    assert power_json(*arguments)["low_voltage"] == [{"point": "t1", "hours": pytest.approx(70 / 60)}]
    assert "Low voltage for more than an hour: t1 1.2 h\n" in run_power(*arguments).stdout


def test_an_outage_of_the_ledger_takes_its_minutes_out(e9, table, power_json):
    """The 45 dead minutes, told by a ledger: the same; and half a minute more takes a whole one."""
    exact = table("o.csv", "start,end", "2025-06-01T22:50,2025-06-01T23:35")
    longer = table("p.csv", "start,end", "2025-06-01T22:49:30,2025-06-01T23:35")
    for ledger, outage in ((exact, 45), (longer, 46)):
        (point,) = power_json("voltage", "--readings", e9, *D_POINT, "--outages", ledger, *DAY)["points"]
        assert point["outage"] == outage


def test_outages_belong_to_the_points_they_name(table, power_json, run_power):
    lines = [*rows([230.5] * 10, suffix=",t1"), *rows([231.5] * 10, suffix=",t2")]
    readings = table("v.csv", "time,voltage_v,point", *lines)
    outages = table(
        "o.csv",
        "unit,start,end",
        "t1,2025-06-01T00:02,2025-06-01T00:04",
        ",2025-06-01T00:09,",
        "t3,2025-06-01T00:00,2025-06-01T00:10",
    )
    arguments = ("voltage", "--readings", readings, *D_POINT, "--outages", outages, *TEN_MINUTES)
    assert [point["outage"] for point in power_json(*arguments)["points"]] == [3, 1]
    assert "1 outages name a unit that is no point of the readings, such as t3" in run_power(*arguments).stderr


def test_limiting_that_leaves_a_share_of_the_demand_is_no_outage_of_the_voltage(table, power_json):
    readings = table("v.csv", "time,voltage_v", *rows([230.5] * 10))
    lines = ("2025-06-01T00:00,2025-06-01T00:10,limit,0.6", "2025-06-01T00:05,2025-06-01T00:07,limit,0")
    outages = table("o.csv", "start,end,nature,allowed", *lines)
    arguments = ("voltage", "--readings", readings, *D_POINT, "--outages", outages, *TEN_MINUTES)
    assert [point["outage"] for point in power_json(*arguments)["points"]] == [2]


def test_limits_by_hand_have_no_assessment_unless_it_is_given(table, power_json):
    readings = table("v.csv", "time,voltage_v", *rows([235.4, 235.5, 198.0, 197.9, 150, 0]))
    by_hand = ("--lo", 198, "--hi", 235.4)
    (plain,) = power_json("voltage", "--readings", readings, *by_hand, *TEN_MINUTES)["points"]
    assert [plain[key] for key in ("ok", "over", "under", "offscale", "outage", "invalid")] == [2, 1, 2, 0, 1, 4]
    assessed = ("--assess-lo", 154, "--assess-hi", 264)
    (point,) = power_json("voltage", "--readings", readings, *by_hand, *assessed, *TEN_MINUTES)["points"]
    assert [point[key] for key in ("under", "offscale")] == [1, 1]


def test_recorded_year_of_a_household(power_json):
    """2007 in France: 3918 minutes were never measured, and every measured one keeps ±10 % of 230 V."""
    path = recording("household_voltage_1min_2007.parquet")
    year = ("--from", "2007-01-01", "--to", "2008-01-01")
    answer = power_json("voltage", "--readings", path, "--lo", 207, "--hi", 253, "--en50160", *year)
    (point,) = answer["points"]
    assert (point["minutes"], point["invalid"], point["ok"]) == (525_600, 3918, 521_682)
    assert (point["max_v"], point["min_v"]) == (252.14, 223.49)
    assert point["max_at"] == "2007-12-18T05:58:00+08:00"
    weeks = answer["weekly"]
    assert (len(weeks), weeks[0]["week"], weeks[0]["n"], weeks[0]["verdict"]) == (53, "2007-01-01", 1008, "PASS")
    assert weeks[-1]["verdict"] is None, "one day is no week"


def test_recorded_year_against_the_limits_of_220_v(power_json):
    path = recording("household_voltage_1min_2007.parquet")
    year = ("--from", "2007-01-01", "--to", "2008-01-01")
    (point,) = power_json("voltage", "--readings", path, *D_POINT, *year)["points"]
    volts = pq.read_table(path)["voltage_v"].to_numpy()
    assert point["over"] == int((volts > np.float32(235.4)).sum())
    assert point["pass_pct"] == pytest.approx(100 * np.mean(volts[~np.isnan(volts)] <= np.float32(235.4)))


def test_phases_are_reported_and_added_up(table, power_json):
    lines = [*rows([220.1] * 10, suffix=",t1,a"), *rows([240.1] * 5, suffix=",t1,b"), *rows([0] * 10, suffix=",t1,c")]
    points = power_json(
        "voltage", "--readings", table("v.csv", "time,voltage_v,point,phase", *lines), *D_POINT, *TEN_MINUTES
    )["points"]
    assert [(p["point"], p["phase"]) for p in points] == [("t1", "a"), ("t1", "b"), ("t1", "c"), ("t1", "all")]
    assert [p["pass_pct"] for p in points] == [100.0, 0.0, None, pytest.approx(100 * 10 / 15)]
    assert [p["coverage_pct"] for p in points] == [100.0, 50.0, None, 75.0]
    assert (points[3]["max_v"], points[3]["min_v"]) == (240.1, 220.1)


@pytest.fixture
def county(table) -> tuple[Path, Path]:
    """Four points over ten minutes: A and C pass wholly, D in nine of ten, and one D with half its readings."""
    lines = []
    for point, volts in {
        "a1": [10_300.5] * 10,
        "c1": [10_300.5] * 10,
        "d1": [220.5] * 9 + [236.0],
        "d2": [236.0] * 5,
    }.items():
        lines += rows(volts, suffix=f",{point}")
    readings = table("v.csv", "time,voltage_v,point", *lines)
    points = table(
        "points.csv",
        "point,asset,class,limits,nominal",
        "a1,s,A,class-a-10kv,",
        "c1,s,C,gb12325-10kv,",
        "d1,s,D,gb12325-220,",
        "d2,s,D,gb12325-220,",
    )
    return readings, points


def test_classes_and_composite(county, power_json):
    readings, points = county
    answer = power_json("voltage", "--readings", readings, "--points", points, *TEN_MINUTES)
    assert answer["classes"] == {"A": 100.0, "C": 100.0, "D": 90.0}
    assert (answer["composite_pct"], answer["composite_basis"], answer["verdict"]) == (97.5, "ACD", "FAIL")
    assert answer["excluded"] == ["d2"]


def test_a_class_over_months_is_the_mean_of_the_months(table, power_json):
    """31 May: 8 of 10 minutes measured pass; 1 June: all."""
    lines = [*rows([220.5] * 8 + [236.0] * 2, "2025-05-31T23:50"), *rows([220.5] * 20)]
    readings = table("v.csv", "time,voltage_v,point", *(f"{line},d1" for line in lines))
    points = table("points.csv", "point,class", "d1,D")
    span = ("--from", "2025-05-31T23:50", "--to", "2025-06-01T00:20")
    answer = power_json("voltage", "--readings", readings, "--points", points, *D_POINT, *span)
    assert answer["points"][0]["pass_pct"] == pytest.approx(100 * 28 / 30)
    assert answer["classes"] == {"D": 90.0}


def test_people_see_points_classes_and_weeks(county, run_power):
    readings, points = county
    text = run_power("voltage", "--readings", readings, "--points", points, *TEN_MINUTES, "--en50160").stdout
    assert "composite of ACD" in text
    assert "not in its class: d2" in text
    assert "EN 50160 weeks" in text


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_plot_of_duration_curves_is_written(e9, run_power, tmp_path, suffix):
    path = tmp_path / f"curve.{suffix}"
    run_power("voltage", "--readings", e9, *D_POINT, *DAY, "--plot", path)
    assert path.stat().st_size > 1000


def test_v9_repeated_readings_are_counted_and_the_last_one_used(table, power_json, run_power):
    readings = table("v.csv", "time,voltage_v", *rows([220.5, 221.5]), *rows([240.5]))
    arguments = ("voltage", "--readings", readings, *D_POINT, *TEN_MINUTES)
    (point,) = power_json(*arguments)["points"]
    assert (point["ok"], point["over"], point["invalid"]) == (1, 1, 8)
    assert "1 readings came again" in run_power(*arguments).stderr


def test_v11_a_stuck_sensor_is_invalid_and_said(table, power_json, run_power):
    readings = table("v.csv", "time,voltage_v", *rows([230.1] * 40 + [230.2] * 20))
    arguments = ("voltage", "--readings", readings, *D_POINT, "--from", "2025-06-01", "--to", "2025-06-01T01:00")
    (point,) = power_json(*arguments)["points"]
    assert (point["ok"], point["invalid"]) == (20, 40)
    assert "40 minutes show one value" in run_power(*arguments).stderr


@pytest.mark.parametrize(
    "volts", [[10_500.0, 10_480.0, 10_510.0], [10.5, 10.48, 10.51], [0.22, 0.221, 0.219], [-230, -1, -2]]
)
def test_readings_in_another_unit_are_rejected_and_never_an_outage(table, power_json, volts):
    answer = power_json("voltage", "--readings", table("v.csv", "time,voltage_v", *rows(volts)), *D_POINT, *TEN_MINUTES)
    (point,) = answer["points"]
    assert (point["invalid"], point["outage"], point["monitored"], point["pass_pct"]) == (10, 0, 0, None)
    assert [entry["row"] for entry in answer["rejected"]] == [2, 3, 4]
    assert "another unit or scale?" in answer["rejected"][0]["reason"]


def test_one_reading_in_another_unit_among_good_ones_is_named(table, power_json):
    readings = table("v.csv", "time,voltage_v", *rows([230.5, 10_500, 231.5]))
    answer = power_json("voltage", "--readings", readings, *D_POINT, *TEN_MINUTES)
    assert [(entry["row"], entry["reason"][:15]) for entry in answer["rejected"]] == [(3, "voltage_v 10500")]
    assert answer["points"][0]["ok"] == 2


def test_flagged_empty_and_unreadable_readings_are_missing(table, power_json):
    readings = table(
        "v.csv",
        "time,voltage_v,quality",
        "2025-06-01T00:00,230.5,0",
        "2025-06-01T00:01,230.5,8",
        "2025-06-01T00:02,,0",
        "2025-06-01T00:03,abc,0",
        "2025-06-01T00:04,nan,0",
        "2025-13-01T00:05,230.5,0",
        "2025-06-01T00:06:59.9,230.5,good",
    )
    answer = power_json("voltage", "--readings", readings, *D_POINT, *TEN_MINUTES)
    (point,) = answer["points"]
    assert (point["ok"], point["invalid"]) == (2, 8)
    assert [entry["row"] for entry in answer["rejected"]] == [5, 6, 7]


def test_readings_coarser_than_a_minute_are_not_filled(table, power_json):
    readings = table("v.csv", "time,voltage_v", *rows([230.5, 231.5], step=timedelta(minutes=5)))
    (point,) = power_json("voltage", "--readings", readings, *D_POINT, *TEN_MINUTES)["points"]
    assert (point["ok"], point["invalid"], point["coverage_pct"]) == (2, 8, 20.0)


def test_v7_secondary_readings_are_scaled(table, power_json):
    readings = table("v.csv", "time,voltage_v", *rows([103.5, 107.5]))
    arguments = ("voltage", "--readings", readings, "--limits", "gb12325-10kv", "--pt-ratio", 100, *TEN_MINUTES)
    (point,) = power_json(*arguments)["points"]
    assert (point["ok"], point["over"], point["max_v"]) == (1, 1, 10_750.0)


def test_parquet_with_instants_of_a_zone(tmp_path, power_json):
    times = pa.array([datetime.fromisoformat("2025-05-31T16:00:00+00:00")], pa.timestamp("ns", "UTC"))
    path = tmp_path / "v.parquet"
    pq.write_table(pa.table({"time": times, "voltage_v": pa.array([353.4], pa.float32())}), path)
    (point,) = power_json("voltage", "--readings", path, "--limits", "gb12325-380", *TEN_MINUTES)["points"]
    assert (point["ok"], point["max_at"]) == (1, "2025-06-01T00:00:00+08:00")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*D_POINT, "--lo", 198), "give --limits, or --lo and --hi, and not both"),
        (("--lo", 198), "--lo and --hi are needed together"),
        (("--lo", 240, "--hi", 200), "limits must rise"),
        (("--limits", "gb99"), "limits 'gb99' are unknown; there are gb12325-220"),
        ((), "has no limits"),
    ],
)
def test_wrong_limits_are_one_clear_line(e9, run_power, arguments, message):
    with pytest.raises(BadInput, match=message):
        run_power("voltage", "--readings", e9, *arguments, *DAY)


def test_a_file_without_readings_is_one_clear_line(table, run_power):
    with pytest.raises(BadInput, match="there are no readings"):
        run_power("voltage", "--readings", table("v.csv", "time,voltage_v"), *D_POINT, *DAY)


def test_a_point_list_with_an_unknown_class_is_refused_by_row(e9, table, run_power):
    with pytest.raises(BadInput, match="row 3: class 'E'"):
        run_power("voltage", "--readings", e9, "--points", table("p.csv", "point,class", "a,A", "b,E"), *D_POINT, *DAY)
