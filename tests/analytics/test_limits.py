"""Limits: every shipped row against the standard's own table, and the rules of choosing among them."""

import math
from datetime import date
from pathlib import Path

import pytest

from analytics.limit_files import load_limits, load_setpoints
from analytics.limits import Grant, Limit, ammonia_limit_mg_l, in_force, profile_names, setpoints_of
from edge.errors import BadInput

LIMITS = load_limits()
SETPOINTS = load_setpoints()
DAY = date(2026, 1, 15)
AMENDED = date(2026, 3, 1)

NONE = math.nan
NOT_SEEN = ("chlorite_mg_l", "chlorate_mg_l")
"""Rows whose number stands in no text at hand."""

DRINKING_WATER = {
    # GB 5749-2022 table 1: quantity, condition, place -> low, high
    ("turbidity_ntu", "", "any"): (NONE, 1),
    ("turbidity_ntu", "small_supply", "any"): (NONE, 3),
    ("ph", "", "any"): (6.5, 8.5),
    ("colour_pcu", "", "any"): (NONE, 15),
    ("tds_mg_l", "", "any"): (NONE, 1000),
    ("total_hardness_mg_l", "", "any"): (NONE, 450),
    ("codmn_mg_l", "", "any"): (NONE, 3),
    ("ammonia_mg_l", "", "any"): (NONE, 0.5),
    ("nitrate_mg_l", "", "any"): (NONE, 10),
    ("nitrate_mg_l", "small_supply", "any"): (NONE, 20),
    ("fluoride_mg_l", "", "any"): (NONE, 1.0),
    ("fluoride_mg_l", "small_supply", "any"): (NONE, 1.2),
    ("total_bacteria_cfu_ml", "", "any"): (NONE, 100),
    ("total_bacteria_cfu_ml", "small_supply", "any"): (NONE, 500),
    ("chloride_mg_l", "", "any"): (NONE, 250),
    ("sulphate_mg_l", "", "any"): (NONE, 250),
    ("iron_mg_l", "", "any"): (NONE, 0.3),
    ("manganese_mg_l", "", "any"): (NONE, 0.1),
    ("aluminium_mg_l", "", "any"): (NONE, 0.2),
    ("chlorite_mg_l", "", "any"): (NONE, 0.7),
    ("chlorate_mg_l", "", "any"): (NONE, 0.7),
    ("bromate_mg_l", "", "any"): (NONE, 0.01),
    # table 2: disinfectants
    ("free_chlorine_mg_l", "", "works_outlet"): (0.3, 2),
    ("free_chlorine_mg_l", "", "network_end"): (0.05, 2),
    ("free_chlorine_contact_min", "", "works_outlet"): (30, NONE),
    ("total_chlorine_mg_l", "", "works_outlet"): (0.5, 3),
    ("total_chlorine_mg_l", "", "network_end"): (0.05, 3),
    ("total_chlorine_contact_min", "", "works_outlet"): (120, NONE),
    ("chlorine_dioxide_mg_l", "", "works_outlet"): (0.1, 0.8),
    ("chlorine_dioxide_mg_l", "", "network_end"): (0.02, 0.8),
    ("chlorine_dioxide_contact_min", "", "works_outlet"): (30, NONE),
    ("ozone_mg_l", "", "works_outlet"): (NONE, 0.3),
    ("ozone_mg_l", "", "network_end"): (0.02, 0.3),
    ("ozone_contact_min", "", "works_outlet"): (12, NONE),
}

SEWAGE = {
    # GB 18918-2002 table 1, daily: quantity, condition -> classes 1A, 1B, 2, 3
    ("cod_mg_l", ""): (50, 60, 100, 120),
    ("bod5_mg_l", ""): (10, 20, 30, 60),
    ("suspended_solids_mg_l", ""): (10, 20, 30, 50),
    ("animal_vegetable_oil_mg_l", ""): (1, 3, 5, 20),
    ("petroleum_mg_l", ""): (1, 3, 5, 15),
    ("anionic_surfactant_mg_l", ""): (0.5, 1, 2, 5),
    ("total_nitrogen_mg_l", ""): (15, 20, None, None),
    ("ammonia_mg_l", "warm"): (5, 8, 25, None),
    ("ammonia_mg_l", "cold"): (8, 15, 30, None),
    ("total_phosphorus_mg_l", "built_before_2006"): (1, 1.5, 3, 5),
    ("total_phosphorus_mg_l", "built_from_2006"): (0.5, 1, 3, 5),
    ("colour_dilution", ""): (30, 30, 40, 50),
    ("ph", ""): (9, 9, 9, 9),
    ("faecal_coliform_per_l", ""): (1e3, 1e4, 1e4, None),
}

RURAL_SEWAGE = {
    # DBHJ/001-2020, classes 1, 2, 3: general knowledge, unverified
    ("cod_mg_l", ""): (60, 100, 120),
    ("suspended_solids_mg_l", ""): (20, 30, 50),
    ("ammonia_mg_l", "warm"): (8, 15, 25),
    ("ammonia_mg_l", "cold"): (15, 20, 30),
    ("total_nitrogen_mg_l", ""): (20, None, None),
    ("total_phosphorus_mg_l", ""): (1.5, 3, 5),
    ("animal_vegetable_oil_mg_l", ""): (3, 5, 20),
    ("ph", ""): (9, 9, 9),
}

SETPOINT_TABLE = {
    # profile, quantity, level, class -> value, on-delay min, dead-band
    ("works_outlet", "turbidity_ntu", "H", "O"): (0.5, 15, 0.05),
    ("works_outlet", "turbidity_ntu", "H", "C"): (1.0, 15, 0.1),
    ("works_outlet", "turbidity_ntu", "HH", "O"): (3.0, 15, 0.3),
    ("works_outlet_small", "turbidity_ntu", "H", "C"): (3.0, 15, 0.3),
    ("works_outlet", "free_chlorine_mg_l", "LL", "O"): (0.2, 5, 0.02),
    ("works_outlet", "free_chlorine_mg_l", "L", "C"): (0.3, 15, 0.02),
    ("works_outlet", "free_chlorine_mg_l", "H", "O"): (1.5, 15, 0.02),
    ("works_outlet", "free_chlorine_mg_l", "HH", "C"): (2.0, 5, 0.02),
    ("network_end", "free_chlorine_mg_l", "LL", "O"): (0.02, 30, 0.01),
    ("network_end", "free_chlorine_mg_l", "L", "C"): (0.05, 30, 0.01),
    ("network_pressure", "pressure_mpa", "P", "O"): (0.02, 0, 0.005),
    ("network_pressure", "pressure_mpa", "LL", "O"): (0.05, 2, 0.005),
    ("network_pressure", "pressure_mpa", "L", "O"): (0.10, 5, 0.005),
    ("network_pressure", "pressure_mpa", "H", "O"): (0.40, 10, 0.005),
    ("network_pressure", "pressure_mpa", "HH", "O"): (0.60, 1, 0.005),
    ("clear_well", "level_pct", "LL", "O"): (10, 1, 5),
    ("clear_well", "level_pct", "HH", "O"): (95, 1, 5),
    ("works_outlet", "inactivation_ratio", "LL", "C"): (1.0, 15, 0.05),
}


def graded(table, grades):
    return {(*key, grade): high for key, highs in table.items() for grade, high in zip(grades, highs, strict=True)}


def source(row: Limit) -> str:
    return f"{row.standard} {row.edition} {row.grade} {row.quantity} {row.condition} {row.place} — {row.source}"


@pytest.mark.parametrize("row", [r for r in LIMITS if r.standard == "GB 5749-2022"], ids=source)
def test_drinking_water_row_says_what_the_standard_says(row):
    low, high = DRINKING_WATER[(row.quantity, row.condition, row.place)]
    assert (row.low, row.high) == pytest.approx((low, high), nan_ok=True)
    assert row.valid_from == date(2023, 4, 1)
    assert row.verified == (row.condition != "small_supply" and row.quantity not in NOT_SEEN)


@pytest.mark.parametrize("row", [r for r in LIMITS if r.edition == "2002"], ids=source)
def test_sewage_works_row_says_what_the_standard_says(row):
    assert row.high == graded(SEWAGE, ("1A", "1B", "2", "3"))[(row.quantity, row.condition, row.grade)]
    assert row.limit_kind == "daily"
    assert (row.low == 6) == (row.quantity == "ph")


@pytest.mark.parametrize("row", [r for r in LIMITS if r.edition == "2025-24"], ids=source)
def test_single_measurement_row_is_a_band_and_breaks_nothing(row):
    """The amendment's numbers are not known, only 1.2 to 2 times the daily value."""
    daily = graded(SEWAGE, ("1A", "1B", "2", "3"))[(row.quantity, row.condition, row.grade)]
    assert (row.band_from, row.band_to) == pytest.approx((1.2 * daily, 2 * daily))
    assert row.limit_kind == "single"
    assert row.valid_from == AMENDED
    assert not row.verified
    assert not row.broken_by(1e9)


@pytest.mark.parametrize("row", [r for r in LIMITS if r.standard.startswith("DBHJ")], ids=source)
def test_rural_sewage_row_is_unverified(row):
    assert row.high == graded(RURAL_SEWAGE, ("1", "2", "3"))[(row.quantity, row.condition, row.grade)]
    assert row.marked(DAY) == "limit to be confirmed"


@pytest.mark.parametrize("row", [r for r in LIMITS if r.standard.startswith("SL")], ids=source)
def test_service_head_row(row):
    assert row.low == {"storeys_1": 5, "storeys_2": 10, "storeys_3": 13.5, "hydrant": 10}[row.grade]


def test_every_row_of_the_tables_is_shipped():
    def shipped(standard, edition):
        return [r for r in LIMITS if (r.standard, r.edition) == (standard, edition)]

    def present(table):
        return sum(high is not None for highs in table.values() for high in highs)

    assert len(shipped("GB 5749-2022", "2022")) == len(DRINKING_WATER)
    assert len(shipped("GB 18918-2002", "2002")) == present(SEWAGE)
    assert len(shipped("DBHJ/001-2020", "2020")) == present(RURAL_SEWAGE)


@pytest.mark.parametrize(("key", "expected"), SETPOINT_TABLE.items(), ids=lambda v: "-".join(map(str, v)))
def test_setpoint_says_what_the_plant_table_says(key, expected):
    profile, quantity, level, alarm_class = key
    (found,) = (
        s for s in setpoints_of(SETPOINTS, profile, quantity) if (s.level, s.alarm_class) == (level, alarm_class)
    )
    assert (found.value, found.on_delay_s / 60, found.deadband) == pytest.approx(expected)


@pytest.mark.parametrize(
    "row", SETPOINTS, ids=lambda s: f"{s.profile} {s.quantity} {s.level}{s.alarm_class} — {s.source}"
)
def test_setpoint_has_a_source_and_a_priority_that_fits(row):
    assert row.source
    assert row.priority == "critical" or row.level not in ("P",)
    assert (
        row.priority in {"C": ("high", "critical"), "O": ("medium", "high", "critical"), "A": ("low",)}[row.alarm_class]
    )


def test_setpoints_of_one_quantity_are_in_order_of_height():
    for profile in profile_names(SETPOINTS):
        for quantity in {s.quantity for s in SETPOINTS if s.profile == profile}:
            rows = setpoints_of(SETPOINTS, profile, quantity)
            lows = [s.value for level in ("P", "LL", "L") for s in rows if s.level == level]
            highs = [s.value for level in ("H", "HH") for s in rows if s.level == level and s.alarm_class != "A"]
            assert lows == sorted(lows)
            assert max(lows, default=-math.inf) < min(highs, default=math.inf)
            assert highs[-1:] == ([max(highs)] if highs else [])


def test_small_supply_is_relaxed_only_under_a_dated_grant():
    def turbidity(grant, day=DAY):
        rows = in_force(LIMITS, day, standard="GB 5749-2022", place="works_outlet", grant=grant)
        return next(r.high for r in rows if r.quantity == "turbidity_ntu")

    grant = Grant("county health office 2025-7", date(2025, 7, 1), date(2026, 6, 30))
    assert turbidity(None) == 1
    assert turbidity(grant) == 3
    assert turbidity(grant, date(2026, 7, 1)) == 1


def test_single_measurement_limits_appear_with_the_amendment():
    def kinds(day):
        rows = in_force(LIMITS, day, standard="GB 18918-2002", grade="1A")
        return {r.limit_kind for r in rows if r.quantity == "cod_mg_l"}

    assert kinds(date(2026, 2, 28)) == {"daily"}
    assert kinds(AMENDED) == {"daily", "single"}


def test_daily_limit_is_marked_from_the_amendment_on():
    (cod,) = (r for r in LIMITS if r.edition == "2002" and r.quantity == "cod_mg_l" and r.grade == "1A")
    assert cod.marked(date(2026, 2, 28)) == ""
    assert cod.marked(AMENDED) == "amended 2026-03-01, check"


def test_ammonia_limit_follows_the_water_temperature():
    assert ammonia_limit_mg_l(5, 8, [12.0, 12.1, math.nan]).tolist() == [8, 5, 5]


def test_missing_value_breaks_no_limit():
    (ph,) = (r for r in LIMITS if r.standard == "GB 5749-2022" and r.quantity == "ph")
    assert ph.broken_by([6.4, 6.5, 8.5, 8.6, math.nan]).tolist() == [True, False, False, True, False]


HEADER = (
    "standard,edition,grade,quantity,place,limit_kind,condition,low,high,band_from,band_to,"
    "valid_from,valid_to,amended_from,verified,source,note\n"
)
GOOD = "GB 5749-2022,2022,,turbidity_ntu,any,single,,,0.8,,,2023-04-01,,,yes,county order 12,\n"


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_own_row_replaces_the_shipped_one(tmp_path):
    limits = load_limits(own(tmp_path, HEADER + GOOD))
    (row,) = (r for r in limits if r.quantity == "turbidity_ntu" and not r.condition)
    assert (row.high, row.source) == (0.8, "county order 12")
    assert len(limits) == len(LIMITS)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (GOOD.replace(",0.8,", ",0.8 NTU,"), "line 2, high: '0.8 NTU' is not a number"),
        (GOOD.replace("2023-04-01", "1 April"), "line 2, valid_from: '1 April' is not a day"),
        (GOOD.replace("2023-04-01", ""), "valid_from is empty"),
        (GOOD.replace("single", "weekly"), "limit_kind: 'weekly' is unknown"),
        (GOOD.replace(",0.8,", ",,"), "limits nothing"),
        (GOOD.replace(",,0.8,", ",2,0.8,"), "is not below"),
        (GOOD.replace("county order 12", ""), "source is empty"),
    ],
)
def test_bad_row_is_refused_with_its_place(tmp_path, broken, told):
    with pytest.raises(BadInput, match=told):
        load_limits(own(tmp_path, HEADER + broken))


def test_missing_column_and_missing_file_are_told(tmp_path):
    with pytest.raises(BadInput, match="column 'valid_from' is missing"):
        load_limits(own(tmp_path, HEADER.replace("valid_from,", "") + GOOD))
    with pytest.raises(BadInput, match="cannot be read"):
        load_limits(tmp_path / "absent.csv")
