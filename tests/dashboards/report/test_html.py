"""The A4 page: every figure as it is, both languages, no scripts, nothing from elsewhere, names harmless."""

import doctest
import re
from dataclasses import replace

import pytest

from analytics.kpi.periods import read_period
from dashboards.report import html, numerals
from dashboards.report.draw import day_chart, scale_of, verdict_bar
from dashboards.report.html import period_words, render_html
from dashboards.report.model import DayOutage, Figure, Named
from dashboards.report.numerals import rounded
from dashboards.report.words import LANGUAGES, catalogue


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_the_figures(january, language):
    page = render_html(january, language, "an-id")
    whole = january.supply.whole.rs1
    for text in (rounded(whole.value, 3), rounded(whole.low, 3), rounded(january.voltage.composite.value, 2), "an-id"):
        assert text in page
    assert {"zh": "阿拉坦塔拉旗", "en": "Altan Tala Banner"}[language] in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(january, language):
    page = render_html(january, language, "an-id")
    assert re.findall(r"<script|<link|<img|<iframe|\bon\w+=|https?://|url\((?!#h\))", page) == []


def test_the_chinese_page_has_no_english_sentences(january):
    page = render_html(january, "zh", "an-id").replace("steppe report verify", "")
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert re.findall(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", text) == []


def test_a_name_from_the_register_is_text(january):
    bad = Named("1501", "<script>alert(1)</script>", "<b>旗</b>")
    page = render_html(replace(january, region=bad), "en", "an-id")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_report_of_nothing_is_a_page_too(centre, make):
    nothing = make(centre, period="2024-06")
    for language in LANGUAGES:
        assert "–" in render_html(nothing, language, "an-id")
    assert "Supply reliability is not known" in render_html(nothing, "en", "an-id")


def test_a_running_period_is_called_provisional(centre, make):
    page = render_html(make(centre, period="2025Q1"), "en", "an-id")
    assert "Provisional: the period ends on 2025-03-31." in page
    assert "2 of 33 days are not computed" in page


def test_every_word_stands_in_both_languages():
    assert all(set(words) == {"zh", "en"} and all(words.values()) for words in catalogue().values())


def test_numbers_are_rounded_half_to_even_and_verdicts_are_not(january):
    """99.8296 shows as 99.830 and still misses 99.83 (GB/T 8170)."""
    assert [rounded(value, 1) for value in (0.25, 0.35, 2.5e-7)] == ["0.2", "0.4", "0.0"]
    figure = Figure(99.8296, 99.8296, 99.8296, 100.0, 99.83, "FAIL")
    page = render_html(
        replace(january, supply=replace(january.supply, whole=replace(january.supply.whole, rs1=figure))), "en", "i"
    )
    assert "99.830" in page


def test_a_bar_is_dark_as_far_as_it_misses_its_target():
    figure = Figure(50.0, 40.0, 60.0, 90.0, 55.0, "INDETERMINATE")
    drawn = str(verdict_bar(figure, scale_of([figure])))
    dark, light = re.findall(r'width="([\d.]+)" height="10" fill="#(?:222|9b9fa1)"', drawn)
    assert float(dark) == pytest.approx(3 * float(light), abs=0.1)


def test_a_day_that_is_not_computed_is_hatched():
    drawn = str(day_chart([DayOutage("2025-01-01", None), DayOutage("2025-01-02", 2.0)], 1.0))
    assert drawn.count("url(#h)") == 1


@pytest.mark.parametrize(
    ("period", "words"),
    [
        ("2025Q4", ("2025 年第四季度", "Q4 2025")),
        ("2025-06", ("2025 年 6 月", "June 2025")),
        ("2025", ("2025 年", "2025")),
    ],
)
def test_periods_in_words(period, words):
    assert tuple(period_words(read_period(period), language) for language in LANGUAGES) == words


@pytest.mark.parametrize("module", [numerals, html])
def test_the_examples_in_the_docstrings_run(module):
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
