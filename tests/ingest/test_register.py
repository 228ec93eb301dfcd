"""The register: three encodings, every rule broken once, and a unit that moves between feeders."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ConfigError
from ingest.network import (
    Network,
    assets_in_region,
    equivalent_customers,
    equivalent_customers_below,
    network_at,
)
from ingest.register import Asset, Register
from ingest.register_files import load_register, read_register

SAMPLE = Path(__file__).resolve().parents[2] / "ingest" / "register.sample"
SHANGHAI = "Asia/Shanghai"
MOVE_MS = 1_772_326_800_000  # 2026-03-01 09:00 in Shanghai: transformer t2 goes from feeder f1 to f2
HOUR_MS = 3_600_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample register, to be spoilt."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "register"))


@pytest.fixture
def spoil(folder: Path) -> Callable[[str, str, str], str]:
    """Replace a text in one file of the register, and return what loading it says then."""

    def spoil_one(file: str, old: str, new: str) -> str:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ConfigError) as refused:
            load_register(folder, SHANGHAI)
        return str(refused.value)

    return spoil_one


def test_the_sample_loads_with_its_chinese_names() -> None:
    register = load_register(SAMPLE, SHANGHAI)
    assert register.regions["15010101"].name_zh == "乌兰嘎查"
    assert register.assets["t1"][0].name_zh == "乌兰1号变压器"
    assert register.points["ulaan/line_end.l1.voltage_v"].nominal == 220.0
    assert [plan.nature for plan in register.plans] == ["planned", "limit"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_spreadsheets_save_in_three_encodings_and_all_are_read(folder: Path, encoding: str) -> None:
    for file in folder.iterdir():
        text = file.read_text(encoding="utf-8")
        file.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert load_register(folder, SHANGHAI) == load_register(SAMPLE, SHANGHAI)


def test_times_without_an_offset_are_in_the_time_zone_of_the_register() -> None:
    """2026-03-01 09:00 in Shanghai is 01:00 UTC."""
    assert load_register(SAMPLE, SHANGHAI).assets["t2"][1].in_service_from_ms == MOVE_MS
    assert load_register(SAMPLE, "UTC").assets["t2"][1].in_service_from_ms == MOVE_MS + 8 * HOUR_MS


@pytest.mark.parametrize(
    "text", ["2026/3/1 9:00", "2026-03-01T09:00:00", "2026-03-01T01:00:00Z", "2026-03-01 02:00+01:00"]
)
def test_times_are_read_as_spreadsheets_and_programs_write_them(folder: Path, text: str) -> None:
    plans = folder / "plans.csv"
    plans.write_text(f"asset,start,end,nature\nf1,{text},2026-04-01,planned\n", encoding="utf-8")
    assert load_register(folder, SHANGHAI).plans[0].start_ms == MOVE_MS


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("regions.csv", "code,", "cod,", "regions.csv line 1, column code: the column is missing"),
        ("regions.csv", "level,", "level,colour,", "line 1, column colour: unknown column"),
        ("regions.csv", "15010102,", "15010101,", "line 6, column code: '15010101' stands in line 5 already"),
        ("regions.csv", "gacha,150101", "gacha,999", "line 5, column parent: unknown region '999'"),
        ("regions.csv", "sumu,1501", "sumu,15010101", "'15010101' is not of a higher level than sumu"),
        ("regions.csv", "gacha", "village", "line 5, column level: 'village' is none of league, banner, sumu, gacha"),
        ("assets.csv", "t1,transformer", "t 1,transformer", "line 5, column id: 't 1' holds a blank"),
        ("assets.csv", "t1,transformer", ",transformer", "line 5, column id: empty"),
        ("assets.csv", "feeder", "feeeder", "line 3, column kind: 'feeeder' is none of substation, feeder"),
        ("assets.csv", ",86,", ",-86,", "line 5, column customers: -86 is not between 0 and inf"),
        ("assets.csv", ",86,", ",86.5,", "line 5, column customers: 86.5 is not a whole number"),
        ("assets.csv", ",86,", ",inf,", "line 5, column customers: inf is not between 0 and inf"),
        ("assets.csv", ",86,", ",many,", "line 5, column customers: 'many' is not a number"),
        ("assets.csv", "122.2804", "222.2804", "line 5, column lon: 222.2804 is not between -180 and 180"),
        ("assets.csv", "2012-06-01", "2012-13-01", "line 2, column in_service_from: '2012-13-01' is not a time"),
        ("assets.csv", "2012-06-01,2026", "2027-06-01,2026", "line 6, column in_service_to: not after the beginning"),
        (
            "assets.csv",
            "2026-03-01 09:00,,",
            "2026-02-01 09:00,,",
            "line 7, column in_service_from: 't2' is in service twice",
        ),
        ("assets.csv", "15010101,f1", "15010109,f1", "line 5, column region: unknown region '15010109'"),
        ("assets.csv", "15010101,f1", "15010101,f9", "line 5, column parent: unknown asset 'f9'"),
        ("assets.csv", "1501,,0", "1501,t1,0", "column parent: 'ss1' would supply itself through 't1'"),
        (
            "assets.csv",
            "ss1,0,mv,,2015-09-15,",
            "ss1,0,mv,,2015-09-15,2016-01-01",
            "'f2' is not in service at that time",
        ),
        ("assets.csv", "2027-12-31", "31.12.2027", "column contract_until: '31.12.2027' is not a date"),
        ("assets.csv", "365,,", "365,,,extra", "assets.csv line 8: more cells than the header has"),
        (
            "points.csv",
            "ulaan/line_end.l1",
            "line_end.l1",
            "line 2, column point: 'line_end.l1.voltage_v' is not <site>/",
        ),
        (
            "points.csv",
            "l2.voltage_v",
            "l1.voltage_v",
            "column point: 'ulaan/line_end.l1.voltage_v' stands in line 2 already",
        ),
        ("points.csv", ",m1,", ",m9,", "line 2, column asset: unknown asset 'm9'"),
        ("points.csv", ",D,", ",E,", "line 2, column class: 'E' is none of A, B, C, D"),
        ("plans.csv", "f1,", "f9,", "line 2, column asset: unknown asset 'f9'"),
        ("plans.csv", "2026-04-12 14:30", "2026-04-12 07:30", "line 2, column end: not after the beginning"),
        ("plans.csv", "planned", "unplanned", "line 2, column nature: 'unplanned' is none of planned, limit"),
        ("plans.csv", "2026-04-12 08:00", "soon", "line 2, column start: 'soon' is not a time. Write 2026-01-31"),
        ("plans.csv", "2026-04-12 08:00", '"2026-04-12" 08:00', "line 2: not CSV"),
    ],
)
def test_a_bad_cell_is_refused_with_file_line_column_and_remedy(
    spoil: Callable[[str, str, str], str], file: str, old: str, new: str, message: str
) -> None:
    said = spoil(file, old, new)
    assert message in said
    assert "\n" not in said


def test_a_missing_file_and_an_empty_one_are_named(folder: Path) -> None:
    (folder / "plans.csv").unlink()
    (folder / "points.csv").write_bytes(b"")
    _, problems = read_register(folder, SHANGHAI)
    assert [str(problem).split(".")[0] for problem in problems] == ["points", "plans"]
    assert "no header" in str(problems[0])
    assert "cannot be read" in str(problems[1])


def test_bytes_of_no_known_encoding_are_named_with_their_line(folder: Path) -> None:
    (folder / "plans.csv").write_bytes(b"asset,start,end,nature\n\xff\xff\n")
    _, problems = read_register(folder, SHANGHAI)
    assert str(problems[0]).startswith("plans.csv line 2: neither UTF-8 nor GB18030")


def test_every_problem_is_found_in_one_reading_and_the_good_rows_stay(folder: Path) -> None:
    assets = folder / "assets.csv"
    assets.write_text(assets.read_text(encoding="utf-8").replace(",86,", ",x,").replace("m1,meter", "m1,metre"))
    register, problems = read_register(folder, SHANGHAI)
    assert [problem.column for problem in problems if problem.file == "assets.csv"][:2] == ["customers", "kind"]
    assert "ss1" in register.assets
    with pytest.raises(ConfigError, match="more problems"):
        load_register(folder, SHANGHAI)


@given(st.binary(max_size=300))
def test_whatever_stands_in_a_file_ends_in_problems_and_never_in_a_crash(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = Path(shutil.copytree(SAMPLE, tmp_path_factory.mktemp("fuzz") / "register"))
    (folder / "assets.csv").write_bytes((SAMPLE / "assets.csv").read_bytes()[:400] + data)
    read_register(folder, SHANGHAI)


def network(t_ms: int) -> Network:
    return network_at(load_register(SAMPLE, SHANGHAI), t_ms)


def test_the_supply_path_goes_up_to_the_source() -> None:
    assert [asset.id for asset in network(MOVE_MS).supply_path("m1")] == ["m1", "t1", "f1", "ss1"]
    assert network(MOVE_MS).supply_path("no-such-asset") == ()


def test_a_unit_that_moves_is_counted_with_the_feeder_that_supplies_it_then() -> None:
    """86 + 1 + 1 customers stay on f1; the 54 of t2 move."""
    before, after = network(MOVE_MS - 1), network(MOVE_MS)
    assert (before.customers_below("f1"), before.customers_below("f2")) == (142, 0)
    assert (after.customers_below("f1"), after.customers_below("f2")) == (88, 54)
    assert before.customers_below("ss1") == after.customers_below("ss1") == 142


def test_a_subtree_lists_each_asset_before_what_it_supplies() -> None:
    found = [asset.id for asset in network(MOVE_MS).subtree("f1")]
    assert found == ["f1", "t1", "m1", "qingshui-wtp", "lift-1", "gw-1"]
    assert [asset.id for asset in network(MOVE_MS).children("ss1")] == ["f1", "f2"]


def test_before_the_first_day_in_service_there_is_nothing() -> None:
    assert network(0).subtree("ss1") == ()


def test_equivalent_customers_weight_each_by_its_time_in_service() -> None:
    """Half of the period on each feeder: 88 + 27 and 27; the whole does not notice the move."""
    register = load_register(SAMPLE, SHANGHAI)
    start, end = MOVE_MS - HOUR_MS, MOVE_MS + HOUR_MS
    assert equivalent_customers_below(register, "f1", start, end) == pytest.approx(115.0)
    assert equivalent_customers_below(register, "f2", start, end) == pytest.approx(27.0)
    assert equivalent_customers(register, start, end) == pytest.approx(142.0)
    with pytest.raises(ValueError, match="must end after"):
        equivalent_customers(register, end, start)


def test_a_region_holds_the_assets_of_the_regions_within_it() -> None:
    register = load_register(SAMPLE, SHANGHAI)
    now = network_at(register, MOVE_MS)
    assert {asset.id for asset in assets_in_region(now, register, "15010102")} == {"t2"}
    assert len(assets_in_region(now, register, "15")) == len(now.assets)


stays = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50), st.integers(0, 100)), min_size=1, max_size=8)


@given(stays, st.integers(0, 60), st.integers(1, 60))
def test_equivalent_customers_of_a_feeder_are_those_of_everything_below_it(
    entries: list[tuple[int, int, int]], start: int, length: int
) -> None:
    """Whatever comes and goes, the substation's sum is the sum over all units."""
    units = {
        f"t{i}": (_asset(f"t{i}", "ss", customers, first, first + span),)
        for i, (first, span, customers) in enumerate(entries)
    }
    register = Register({}, {"ss": (_asset("ss", None, 0, None, None),), **units}, {}, ())
    whole = equivalent_customers(register, start, start + length)
    assert equivalent_customers_below(register, "ss", start, start + length) == pytest.approx(whole)


def _asset(name: str, parent: str | None, customers: int, first: int | None, last: int | None) -> Asset:
    return Asset(name, "transformer", "", "", "", parent, customers, "lv", None, first, last)
