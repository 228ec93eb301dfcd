"""Workbook, kept reports and the command: numbers as numbers, the same bytes again, and what changed is named."""

import io
import json
from contextlib import closing
from dataclasses import replace

import openpyxl
import pytest
from click.testing import CliRunner
from support.report_county import BANNER

from analytics.kpi.database import KpiDatabase
from dashboards.report import kept
from dashboards.report.cli import report as command
from dashboards.report.model import InspectionRow, Named
from dashboards.report.words import LANGUAGES
from dashboards.report.xlsx import render_xlsx
from edge.errors import BadInput
from ingest.store import Partial
from ingest.stores import open_store

DIGITS = 1e-15
"""A workbook holds 16 digits of a number, and Excel shows 15."""


def sheets(content: bytes):
    return openpyxl.load_workbook(io.BytesIO(content))


def run(*words: object):
    return CliRunner().invoke(command, [str(word) for word in words])


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_table_is_a_sheet_with_a_frozen_header_and_unrounded_numbers(january, language):
    book = sheets(render_xlsx(january, language, "an-id"))
    assert len(book.sheetnames) == 13
    assert all(sheet.freeze_panes == "A2" for sheet in book)
    whole = list(book[book.sheetnames[1]].values)[-1]
    assert whole[:2] == (BANNER, {"zh": "阿拉坦塔拉旗", "en": "Altan Tala Banner"}[language])
    rs1 = january.supply.whole.rs1
    assert whole[5:9] == pytest.approx((rs1.value, rs1.low, rs1.high, rs1.coverage), rel=DIGITS)


def test_days_of_the_workbook_are_numbers(january):
    rows = list(sheets(render_xlsx(january, "en", "an-id"))["Outage by day"].values)
    assert [row[1] for row in rows[1:]] == pytest.approx([day.h for day in january.supply.days], rel=DIGITS)


def test_a_cell_that_looks_like_a_formula_is_text(january):
    bad = InspectionRow(Named("=1+1", "=HYPERLINK(1)", "@x"), "+cmd", 7, "", 3)
    one = replace(january, upkeep=replace(january.upkeep, overdue=(bad,)))
    [_, row] = sheets(render_xlsx(one, "en", "an-id"))["Inspections"].iter_rows()
    assert [(cell.data_type, cell.value) for cell in row[:3]] == [("s", "=1+1"), ("s", "=HYPERLINK(1)"), ("s", "+cmd")]


def test_the_same_report_gives_the_same_bytes(january):
    for language in LANGUAGES:
        for form in kept.FORMATS:
            assert kept.rendered(january, "i", language, form) == kept.rendered(january, "i", language, form)


def test_a_kept_report_comes_back_to_the_last_digit(january, tmp_path):
    manifest = kept.keep(january, tmp_path, made_by="tana")
    assert kept.kept_report(tmp_path, manifest.id) == january
    assert kept.manifests(tmp_path) == [manifest]
    assert set(manifest.inputs) >= {"register", "supply", "voltage", "readings", "alarms"}
    for name in manifest.files:
        assert kept.id_in(tmp_path / "reports" / manifest.id / name) == manifest.id


@pytest.mark.parametrize("report_id", ["../../etc", "", "nowhere", "a/b"])
def test_what_is_not_kept_is_refused(tmp_path, report_id):
    with pytest.raises(BadInput, match="not kept here"):
        kept.kept_report(tmp_path, report_id)


def test_made_listed_and_verified(own_county):
    """A page and a workbook; both verify; a touched file and a changed input are told, with exit code 1."""
    centre, out = own_county.centre_file, own_county.folder / "r.html"
    made = run("--period", "2025-01", "--region", BANNER, "--language", "en", "--out", out, centre)
    assert made.exit_code == 0, made.output
    assert "Supply reliability RS-1" in made.output
    verified = run("verify", out, centre)
    assert (verified.exit_code, "every figure comes out equal" in verified.output) == (0, True)
    data = own_county.folder / "data"
    with closing(open_store(own_county.centre.store, data)) as store, closing(KpiDatabase(data / "kpi.db")) as database:
        [old] = store.read_kpi("supply", "2025-01-02", "2025-01-03", ["s0t0"])
        store.write_kpi([Partial(old.kpi, old.subject, old.day, {**old.sums, "most_ms": 8.64e7}, 2)])
        database.mark_published(old.day)
    changed = run("verify", out, centre)
    assert changed.exit_code == 1
    assert "inputs changed since: supply" in changed.output
    assert "supply.whole.rs1.low: " in changed.output


def test_a_file_that_was_touched_is_told(own_county):
    out = own_county.folder / "r.html"
    run("--period", "2025-01", "--region", BANNER, "--out", out, own_county.centre_file)
    out.write_text(out.read_text(encoding="utf-8").replace("99.", "98."), encoding="utf-8")
    touched = run("verify", out, own_county.centre_file, "--json")
    told = json.loads(touched.output)
    assert (touched.exit_code, told["file_is_as_made"], told["changes"]) == (1, False, [])


def test_json_is_one_object_with_every_figure(own_county):
    out = own_county.folder / "r.xlsx"
    made = run("--period", "2025Q1", "--region", BANNER, "--json", "--out", out, own_county.centre_file)
    told = json.loads(made.output)
    assert told["figures"]["supply"]["whole"]["rs1"]["target"] == 99.83
    assert kept.id_in(out) == told["id"]
    listed = json.loads(run("list", "--json", own_county.centre_file).output)
    assert [one["id"] for one in listed["reports"]] == [told["id"]]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--period", "2025Q9", "--region", BANNER), "write a quarter"),
        (("--period", "2099", "--region", BANNER), "in the future"),
        (("--period", "2025-01", "--region", "nowhere"), "not in regions.csv"),
        (("--period", "2025-01", "--region", BANNER, "--out", "report.pdf"), ".html or .xlsx"),
        (("--period", "2025-01", "--region", BANNER, "--out", "/nowhere/at/all.html"), "cannot be written"),
    ],
)
def test_bad_input_is_one_line(own_county, words, says):
    result = run(*words, own_county.centre_file)
    assert isinstance(result.exception, BadInput)
    assert says in str(result.exception)
    assert "\n" not in str(result.exception)


def test_a_file_that_is_no_report_is_refused(own_county):
    other = own_county.folder / "other.html"
    other.write_text("<html></html>", encoding="utf-8")
    result = run("verify", other, own_county.centre_file)
    assert isinstance(result.exception, BadInput)


def test_help_comes_without_the_making_word():
    result = run("--help")
    assert (result.exit_code, "verify" in result.output) == (0, True)
    assert "--period" in run("make", "--help").output
