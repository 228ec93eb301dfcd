"""`steppe power reliability` on a user's own files: worked months, then everything that people write in ledgers."""

import time
from pathlib import Path

import numpy as np
import pytest

from edge.errors import BadInput

JUNE = ("--from", "2025-06-01", "--to", "2025-07-01")
HEADER = "unit,customers,start,end,nature,external,shortage,allowed,cause"
E1 = (
    HEADER,
    ",120,2025-06-01T10:00,2025-06-01T12:00,fault,0,0,,F1",
    ",60,2025-06-05T04:00,2025-06-05T12:00,planned,0,0,,P1",
    ",200,2025-06-09T08:00,2025-06-09T11:00,fault,1,0,,X1",
    ",150,2025-06-13T12:00,2025-06-13T15:00,limit,0,1,0,L1",
    ",500,2025-06-17T16:00,2025-06-17T16:02,fault,0,0,,M1",
    ",80,2025-05-31T22:00,2025-06-01T01:00,fault,0,0,,S1",
    ",40,2025-06-30T22:00,2025-07-01T05:00,planned,0,0,,S2",
)


def test_e1_month(table, power_json):
    june = power_json("reliability", "--ledger", table("l.csv", *E1), "--served", 1000, *JUNE)
    assert list(june) == [
        "period_h", "n_eq", "customer_hours", "rs1", "rs2", "rs3", "asai4", "aihc1_h", "aitc1",
        "saidi_f_h", "saidi_s_h", "ieee", "bounds", "rejected", "frequent", "regions",
    ]  # fmt: skip
    assert (june["period_h"], june["n_eq"], june["rejected"]) == (720.0, 1000.0, [])
    assert june["customer_hours"] == pytest.approx(1946.6667, abs=5e-5)
    assert june["rs1"] == pytest.approx(99.7296296, abs=5e-8)
    assert june["rs2"] == pytest.approx(99.8129630, abs=5e-8)
    assert june["rs3"] == pytest.approx(99.7921296, abs=5e-8)
    assert june["asai4"] == pytest.approx(99.7319444, abs=5e-8)
    assert (june["aitc1"], june["saidi_s_h"]) == (pytest.approx(1.07), pytest.approx(1.01))
    ieee = june["ieee"]
    assert (ieee["saidi_min"], ieee["saifi"], ieee["maifi"]) == (123.0, pytest.approx(0.57), 0.5)
    assert ieee["caidi_min"] == pytest.approx(215.7895, abs=5e-5)
    assert [ieee[key] for key in ("ctaidi_min", "caifi", "cemi", "celid")] == [None] * 4
    bounds = june["bounds"]
    assert bounds["low"] == bounds["point"] == bounds["high"] == june["rs1"]
    assert (bounds["coverage"], bounds["verdict"], bounds["target"]) == (1.0, "FAIL", 99.83)


def test_the_other_standard_judges_asai(table, power_json):
    june = power_json("reliability", "--ledger", table("l.csv", *E1), "--served", 1000, *JUNE, "--standard", "ieee1366")
    assert june["bounds"]["point"] == june["ieee"]["asai_pct"] == pytest.approx(100 * (1 - 123 / 60 / 720))


def test_units_weigh_by_time_in_service_and_are_merged(table, power_json):
    """B is in service for half of June. A: nested and touching records are one; B: the record before service is cut."""
    units = table("u.csv", "unit,customers,in_service_from", "A,100,", "B,50,2025-06-16")
    ledger = table(
        "l.csv",
        "unit,start,end,nature",
        "A,2025-06-02T00:00,2025-06-02T04:00,planned",
        "A,2025-06-02T01:00,2025-06-02T02:00,fault",
        "A,2025-06-02T04:00,2025-06-02T05:00,fault",
        "B,2025-06-15T22:00,2025-06-16T03:00,fault",
        "B,2025-06-20T00:00,2025-06-20T01:00,fault",
        "C,2025-06-20T00:00,2025-06-20T01:00,fault",
    )
    june = power_json("reliability", "--ledger", ledger, "--units", units, *JUNE)
    assert june["n_eq"] == 125.0
    assert june["customer_hours"] == 100 * 5 + 50 * (3 + 1)
    assert june["saidi_f_h"] * 125 == pytest.approx(100 * 2 + 50 * 4)
    assert june["aitc1"] == (100 + 50) / 125
    assert june["rejected"] == [{"row": 7, "reason": "unit 'C' is not among the units"}]
    assert june["ieee"]["cemi"]["1"] == pytest.approx(150 / 125)
    assert june["ieee"]["ctaidi_min"] == pytest.approx((100 * 300 + 50 * 60) / 150)


def test_a_unit_has_its_own_customers_and_a_record_at_most_these(table, power_json, run_power):
    """No number: all 100; 40: a part of the unit; 500: an error, said and not counted."""
    units = table("u.csv", "unit,customers", "A,100")
    ledger = table(
        "l.csv",
        "unit,customers,start,end",
        "A,,2025-06-02T00:00,2025-06-02T01:00",
        "A,40,2025-06-03T00:00,2025-06-03T01:00",
        "A,500,2025-06-04T00:00,2025-06-04T01:00",
    )
    arguments = ("reliability", "--ledger", ledger, "--units", units, *JUNE)
    assert power_json(*arguments)["customer_hours"] == 100 + 40 + 100
    assert "1 records name more customers than their unit has" in run_power(*arguments).stderr


def test_regions_are_sums_over_their_units_and_load_weighs_by_kva(table, power_json, run_power):
    """East: A and half a month of B, 100·5 + 50·4 h of 125·720. Partly out, A loses that part of its kVA."""
    units = table("u.csv", "unit,customers,kva,in_service_from,region", "A,100,400,,East", "B,50,200,2025-06-16,East",
                  "C,10,50,,")  # fmt: skip
    ledger = table(
        "l.csv",
        "unit,customers,start,end",
        "A,,2025-06-02T00:00,2025-06-02T05:00",
        "B,,2025-06-20T00:00,2025-06-20T04:00",
        "A,25,2025-06-21T00:00,2025-06-21T01:00",
    )
    june = power_json("reliability", "--ledger", ledger, "--units", units, *JUNE)
    nowhere, east = june["regions"]
    assert (nowhere["region"], nowhere["rs1"], nowhere["customer_hours"]) == ("", 100.0, 0.0)
    assert (east["region"], east["n_eq"], east["customer_hours"]) == ("East", 125.0, 725.0)
    assert east["rs1"] == pytest.approx(100 * (1 - 725 / (125 * 720)))
    assert june["ieee"]["asifi"] == pytest.approx((400 + 200 + 100) / (400 + 100 + 50))
    assert june["ieee"]["asidi_min"] == pytest.approx((400 * 300 + 200 * 240 + 100 * 60) / 550)
    text = run_power("reliability", "--ledger", ledger, "--units", units, *JUNE).stdout
    assert "East 125.0 725.00 99.194 5.80" in " ".join(text.split())


@pytest.mark.parametrize("kva", ["", "400"])
def test_load_indices_of_unknown_load_are_undefined(table, power_json, kva):
    """A unit without kVA, or an event without a unit."""
    units = table("u.csv", "unit,customers,kva", f"A,100,{kva}")
    row = "A,2025-06-02T00:00,2025-06-02T05:00," if not kva else ",2025-06-02T00:00,2025-06-02T05:00,5"
    ledger = table("l.csv", "unit,start,end,customers", row)
    ieee = power_json("reliability", "--ledger", ledger, "--units", units, *JUNE)["ieee"]
    assert (ieee["asifi"], ieee["asidi_min"]) == (None, None)


def test_quiet_month_has_full_reliability_and_undefined_durations(table, power_json):
    june = power_json("reliability", "--ledger", table("l.csv", HEADER), "--served", 1000, *JUNE)
    assert (june["rs1"], june["ieee"]["saidi_min"], june["ieee"]["caidi_min"]) == (100.0, 0.0, None)
    assert june["bounds"]["verdict"] == "PASS"


def test_no_units_at_all_is_undefined(table, power_json):
    units, ledger = table("u.csv", "unit"), table("l.csv", "unit,start,end")
    june = power_json("reliability", "--ledger", ledger, "--units", units, *JUNE)
    assert [june[key] for key in ("rs1", "aihc1_h", "aitc1")] == [None] * 3
    assert june["bounds"]["verdict"] is None


def test_r5_open_interruption_lasts_to_the_end_of_the_period(table, power_json, run_power):
    ledger = table("l.csv", "unit,start,end", "A,2025-06-30T22:00,", "B,2025-07-03T00:00,")
    june = power_json("reliability", "--ledger", ledger, "--served", 10, *JUNE)
    assert (june["customer_hours"], june["ieee"]["saidi_min"], june["rejected"]) == (2.0, 12.0, [])
    assert "1 interruptions have no end" in run_power("reliability", "--ledger", ledger, "--served", 10, *JUNE).stderr


def test_r8_reversed_and_empty_intervals_are_rejected_by_row(table, power_json):
    ledger = table(
        "l.csv",
        "unit,start,end",
        "A,2025-06-02T02:00,2025-06-02T01:00",
        "A,2025-06-02T02:00,2025-06-02T02:00",
        "A,2025-06-02T02:00,2025-06-02T03:00",
    )
    june = power_json("reliability", "--ledger", ledger, "--served", 10, *JUNE)
    assert june["customer_hours"] == 1.0
    assert june["rejected"] == [
        {"row": 2, "reason": "ends before it starts"},
        {"row": 3, "reason": "ends when it starts: no duration"},
    ]


def test_limiting_leaves_the_allowed_share_supplied(table, power_json):
    ledger = table("l.csv", HEADER, ",100,2025-06-02T00:00,2025-06-02T04:00,limit,0,1,0.6,")
    june = power_json("reliability", "--ledger", ledger, "--served", 100, *JUNE)
    assert june["customer_hours"] == pytest.approx(160.0)
    assert (june["rs3"], june["ieee"]["saifi"]) == (100.0, 0.0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A,1,2025-06-31,2025-07-02,fault,,,,", "start '2025-06-31' is not a time"),
        ("A,1,soon,2025-06-02,fault,,,,", "start 'soon' is not a time"),
        ("A,1,,2025-06-02,fault,,,,", "start is empty"),
        ("A,x,2025-06-01,2025-06-02,fault,,,,", "customers 'x' is not a number"),
        ("A,-3,2025-06-01,2025-06-02,fault,,,,", "customers '-3' is not above 0"),
        ("A,0,2025-06-01,2025-06-02,fault,,,,", "customers '0' is not above 0"),
        (",,2025-06-01,2025-06-02,fault,,,,", "neither unit nor customers"),
        ("A,11,2025-06-01,2025-06-02,fault,,,,", "customers '11' is more than the 10 served"),
        ("A,1,2025-06-01,2025-06-02,storm,,,,", "nature 'storm' is not fault, planned or limit"),
        ("A,1,2025-06-01,2025-06-02,fault,maybe,,,", "external 'maybe' is not 0 or 1"),
        ("A,1,2025-06-01,2025-06-02,limit,,,60,", "allowed '60' is not a share"),
        ("A,1,2025-06-01,2025-06-02,limit,,,nan,", "allowed 'nan' is not a number"),
        ("A,1,2025-06-01", "3 cells where the first row has 9"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_with_its_number_and_reason(table, power_json, row, reason):
    ledger = table("l.csv", HEADER, "B,1,2025-06-03T00:00,2025-06-03T01:00,fault,,,,", "", row)
    june = power_json("reliability", "--ledger", ledger, "--served", 10, *JUNE)
    assert [(entry["row"], entry["reason"].startswith(reason)) for entry in june["rejected"]] == [(4, True)]
    assert june["customer_hours"] == 1.0


def test_records_outside_the_period_are_no_fault_of_the_row(table, power_json, run_power):
    ledger = table("l.csv", "unit,start,end", "A,2025-05-02T02:00,2025-05-02T03:00", "A,2025-07-01,2025-07-02")
    june = power_json("reliability", "--ledger", ledger, "--served", 10, *JUNE)
    assert (june["rs1"], june["rejected"]) == (100.0, [])
    said = run_power("reliability", "--ledger", ledger, "--served", 10, *JUNE).stderr
    assert "2 records lie outside the period" in said


def test_a_row_given_twice_is_told_and_counts_once_where_the_unit_is_known(table, power_json, run_power):
    """Without a unit nobody knows whether it is the same event: each counts."""
    rows = ["A,1,2025-06-02T02:00,2025-06-02T03:00"] * 2 + [",3,2025-06-04T02:00,2025-06-04T03:00"] * 3
    arguments = ("reliability", "--ledger", table("l.csv", "unit,customers,start,end", *rows), "--served", 10, *JUNE)
    june = power_json(*arguments)
    assert (june["customer_hours"], june["aitc1"]) == (1.0 + 9.0, 1.0)
    assert "3 rows repeat an earlier one word for word" in run_power(*arguments).stderr


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_spreadsheets_come_in_three_encodings(table, power_json, encoding):
    ledger = table(
        "l.csv", "unit,start,end,nature,cause", "台区一,2025/6/2 2:00,2025/6/2 3:30,故障,雷击", encoding=encoding
    )
    units = table("u.csv", "unit", "台区一", encoding=encoding)
    june = power_json("reliability", "--ledger", ledger, "--units", units, *JUNE)
    assert (june["customer_hours"], june["rejected"]) == (1.5, [])


def test_encodings_may_differ_between_files_and_between_the_rows_of_one(table, power_json, tmp_path):
    """Units in UTF-8; a ledger in GB18030 into which somebody pasted a row of UTF-8."""
    units = table("u.csv", "unit", "台区一", "台区二", encoding="utf-8-sig")
    ledger = tmp_path / "l.csv"
    lines = [("unit,start,end,原因", "gb18030"), ("台区一,2025-06-02T00:00,2025-06-02T01:00,雷击", "gb18030")]
    lines += [("台区二,2025-06-03T00:00,2025-06-03T02:00,雷击", "utf-8"), ("x,2025-06-03,2025-06-04,", "ascii")]
    ledger.write_bytes(b"".join(f"{line}\r\n".encode(encoding) for line, encoding in lines))
    june = power_json("reliability", "--ledger", ledger, "--units", units, *JUNE)
    assert june["customer_hours"] == 3.0
    assert june["rejected"] == [{"row": 4, "reason": "unit 'x' is not among the units"}]


@pytest.mark.parametrize(
    ("first", "after", "hours"),
    [("2024-02-01", "2024-03-01", 696), ("2025-02-01", "2025-03-01", 672), ("2025-01-01", "2025-04-01", 2160)],
)
def test_periods_have_their_calendar_hours(table, power_json, first, after, hours):
    """February of a leap year and of another, and a quarter: one customer of ten out for the first day."""
    ledger = table("l.csv", "unit,start,end", f"A,{first},{first[:8]}02")
    period = power_json("reliability", "--ledger", ledger, "--served", 10, "--from", first, "--to", after)
    assert (period["period_h"], period["customer_hours"]) == (hours, 24.0)
    assert period["rs1"] == pytest.approx(100 * (1 - 2.4 / hours))


def test_offsets_are_kept_and_mixed_with_local_times(table, power_json):
    ledger = table(
        "l.csv",
        "unit,start,end",
        "A,2025-06-01T18:00Z,2025-06-02T02:00:00+08:00",
        "B,2025-06-02T00:00,2025-06-01T17:00:00.000Z",
        "C,2025-06-02 00:00:00+0800,2025-06-01T19:00+0100",
        "D,2025-06-30T23:00,2025-06-30 24:00",
    )
    june = power_json("reliability", "--ledger", ledger, "--served", 10, *JUNE)
    assert june["customer_hours"] == pytest.approx(0 + 1 + 2 + 1)
    assert june["rejected"] == [{"row": 2, "reason": "ends when it starts: no duration"}]


def test_a_zone_with_daylight_saving_has_months_of_real_hours_and_times_that_are_none(table, power_json):
    ledger = table(
        "l.csv",
        "unit,start,end",
        "A,2025-03-30T01:00,2025-03-30T03:00",
        "A,2025-03-30T02:30,2025-03-30T04:00",
        "A,2025-10-26T02:30,2025-10-26T04:00",
        "A,2025-10-26T02:30+02:00,2025-10-26T02:30+01:00",
    )
    zone = ("--served", 1, "--timezone", "Europe/Paris")
    march = power_json("reliability", "--ledger", ledger, *zone, "--from", "2025-03-01", "--to", "2025-04-01")
    october = power_json("reliability", "--ledger", ledger, *zone, "--from", "2025-10-01", "--to", "2025-11-01")
    assert (march["period_h"], march["customer_hours"]) == (743.0, 1.0)
    assert (october["period_h"], october["customer_hours"]) == (745.0, 1.0)
    assert [entry["row"] for entry in march["rejected"]] == [3, 4]
    assert "daylight saving skips it" in march["rejected"][0]["reason"]
    assert "write its offset" in march["rejected"][1]["reason"]


def test_a_leap_year_has_8784_hours(table, power_json):
    year = ("--from", "2024-01-01", "--to", "2025-01-01")
    ledger = table("l.csv", "customers,start,end", "1,2024-02-29T00:00,2024-02-29T10:35:24")
    assert power_json("reliability", "--ledger", ledger, "--served", 1, *year)["period_h"] == 8784.0
    assert power_json("reliability", "--ledger", ledger, "--served", 1, *year)["rs1"] == pytest.approx(
        99.879440, abs=5e-7
    )


def test_causes_that_do_not_count_are_left_out_and_named(table, power_json, run_power):
    ledger = table(
        "l.csv",
        "unit,start,end,cause",
        "A,2025-06-02,2025-06-03,arrears",
        "B,2025-06-02,2025-06-03,欠费停电",
        "C,2025-06-02T00:00,2025-06-02T00:01,auto_reclose",
    )
    arguments = ("reliability", "--ledger", ledger, "--served", 10, *JUNE)
    assert power_json(*arguments)["customer_hours"] == pytest.approx(1 / 60)
    assert power_json(*arguments, "--edition", "2012")["customer_hours"] == 0.0
    assert "1 records with the cause arrears are not counted" in run_power(*arguments).stderr


def test_extra_columns_are_named_once_on_stderr(table, run_power):
    ledger = table("l.csv", "unit,start,end,weather", "A,2025-06-02,2025-06-03,rain", "B,2025-06-02,2025-06-03,rain")
    result = run_power("reliability", "--ledger", ledger, "--served", 10, *JUNE, "--json")
    assert result.stderr.count("weather") == 1


def test_people_see_the_target_what_is_left_of_the_year_and_what_used_it(table, run_power):
    text = run_power("reliability", "--ledger", table("l.csv", *E1), "--served", 1000, *JUNE).stdout
    lines = {line.strip().split("  ")[0]: " ".join(line.split()) for line in text.splitlines()}
    assert lines["RS-1, every interruption"] == "RS-1, every interruption 99.730 %"
    assert lines["target of RS-1"] == "target of RS-1 99.830 %"
    assert lines["allowance"] == "allowance 14.892 h per customer"
    assert lines["left"] == "left 12.785 h per customer"
    assert lines["X1"] == "X1 0.600 28% of use"


def test_the_allowance_of_the_other_standard_is_used_up_by_what_it_counts(table, run_power):
    """Limiting to 60 % is no interruption of IEEE 1366, and 2 min are momentary: an hour for 60 of 100 is left."""
    rows = (
        "100,2025-06-02T00:00,2025-06-02T04:00,limit,0.6,short of coal",
        "60,2025-06-02T00:00,2025-06-02T01:00,fault,,wind",
        "40,2025-06-02T00:00,2025-06-02T00:02,fault,,recloser",
    )
    ledger = table("l.csv", "customers,start,end,nature,allowed,cause", *rows)
    text = run_power("reliability", "--ledger", ledger, "--served", 100, *JUNE, "--standard", "ieee1366").stdout
    words = " ".join(text.split())
    assert "used, by this ledger 0.600 h per customer left 14.292 h per customer wind 0.600 100% of use" in words
    assert "coal" not in words


def test_r4_r7_both_attributions_and_the_merge_gap_are_stated(table, run_power):
    arguments = ("reliability", "--ledger", table("l.csv", *E1), "--served", 1000, *JUNE)
    clipped = " ".join(run_power(*arguments, "--merge-gap-s", 300).stdout.split())
    whole = " ".join(run_power(*arguments, "--standard", "ieee1366").stdout.split())
    assert "hours clipped to the period" in clipped
    assert "merged under 300 s apart" in clipped
    assert "hours whole in the period of the start" in whole


def test_r13_units_interrupted_too_often_are_named(table, power_json, run_power):
    rows = [
        f"{unit},2025-06-{day:02}T00:00,2025-06-{day:02}T01:00"
        for unit, day in (("A", 1), ("A", 2), ("B", 1), ("A", 9))
    ]
    arguments = ("reliability", "--ledger", table("l.csv", "unit,start,end", *rows), "--served", 10, *JUNE)
    assert power_json(*arguments)["frequent"] == ["A"]
    text = run_power(*arguments).stdout
    assert "3 times in 60 days or 5 times in a year: A\n" in text


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_plot_of_the_days_is_written(table, run_power, tmp_path, suffix):
    path = tmp_path / f"june.{suffix}"
    run_power("reliability", "--ledger", table("l.csv", *E1), "--served", 1000, *JUNE, "--plot", path)
    assert path.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--served", 10, "--from", "2025-07-01", "--to", "2025-06-01"), "--to must lie after --from"),
        (("--served", 10, "--from", "June", "--to", "2025-07-01"), "--from: 'June' is not a date"),
        (("--from", "2025-06-01", "--to", "2025-07-01"), "give --units or --served"),
        (("--served", 10, *JUNE, "--timezone", "Mars/Olympus"), "time zone 'Mars/Olympus' is unknown"),
        (("--served", 10, *JUNE, "--plot", "june.pdf"), "must end in .svg or .png"),
        (("--units", "absent.csv", *JUNE), "absent.csv: there is no such file"),
    ],
)
def test_wrong_use_is_one_clear_line(table, run_power, arguments, message):
    ledger = table("l.csv", "unit,start,end", "A,2025-06-02,2025-06-03")
    with pytest.raises(BadInput, match=message) as raised:
        run_power("reliability", "--ledger", ledger, *arguments)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the first row is empty"),
        (b"unit,stop\nA,1\n", "no column start"),
        (b"start,end\n2025-06-01,2025-06-02\n", "neither a column unit nor customers"),
        (b"unit,start,start\n", "the column start is there twice"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"unit,start,end\nA,\xff\xff\xff,1\n", "line 2: neither UTF-8 nor GB18030"),
    ],
)
def test_a_file_that_is_no_ledger_is_one_clear_line(tmp_path, run_power, content, message):
    path = tmp_path / "l.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=message) as raised:
        run_power("reliability", "--ledger", path, "--served", 10, *JUNE)
    assert "\n" not in str(raised.value)


def test_more_hours_out_than_there_are_is_one_clear_line(table, run_power):
    ledger = table("l.csv", "customers,start,end", *["10,2025-06-01,2025-07-01"] * 2)
    with pytest.raises(BadInput, match="disagree"):
        run_power("reliability", "--ledger", ledger, "--served", 10, *JUNE)


def test_a_million_rows_with_one_bad_take_seconds_and_name_it(tmp_path: Path, power_json):
    rng = np.random.default_rng(1)
    minutes = rng.integers(0, 29 * 1440, 1_000_000)
    start = np.datetime64("2025-06-01T00:00", "m") + minutes
    end = start + rng.integers(1, 600, len(minutes))
    units = rng.integers(0, 100_000, len(minutes))
    lines = [f"T{u},{s},{e},fault" for u, s, e in zip(units, start, end, strict=True)]
    lines[654_321] = "T1,2025-06-31T00:00,2025-06-31T01:00,fault"
    path = tmp_path / "l.csv"
    path.write_text("\n".join(["unit,start,end,nature", *lines]))
    began_s = time.process_time()
    june = power_json("reliability", "--ledger", path, "--served", 100_000, *JUNE)
    assert time.process_time() - began_s < 60, "of this process alone: others may keep the machine busy"
    assert [entry["row"] for entry in june["rejected"]] == [654_323]
    assert 0 < june["rs1"] < 100
