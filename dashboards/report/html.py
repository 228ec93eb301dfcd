"""A report as one HTML file for A4: its style and drawings inside, no scripts, nothing from elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup

from analytics.kpi.periods import Period
from dashboards.report import draw, numerals
from dashboards.report.model import Figure, Named, Report
from dashboards.report.words import Language, Translate, has, translate

TEMPLATES = Path(__file__).with_name("templates")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
CHINESE = "一二三四"
SHOWN = 8
"""Rows of a list of troubles; the workbook has all of them."""


@dataclass(frozen=True)
class Indicator:
    """A row of the summary."""

    key: str
    figure: Figure | None
    decimals: int


def render_html(report: Report, language: Language, report_id: str) -> str:
    """Return the report as a page. The same report gives the same page."""
    t = translate(language)
    return _template().render(
        report=report,
        report_id=report_id,
        lang={"zh": "zh-CN", "en": "en"}[language],
        t=t,
        has=has,
        name=_names(language),
        css=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - a file of ours
        period=period_words(report.period, language),
        shown=SHOWN,
        last_day=_day_before(report.until_day),
        period_end=_day_before(report.period.to_day),
        elapsed=(date.fromisoformat(report.until_day) - date.fromisoformat(report.period.from_day)).days,
        made=datetime.fromtimestamp(report.made_ms / 1000, ZoneInfo(report.timezone)).strftime("%Y-%m-%d %H:%M"),
        indicators=indicators(report),
        sentences=sentences(report, t),
        scale=draw.scale_of([row.rs1 for row in (*report.supply.parts, report.supply.whole)]),
        draw=draw,
        n=numerals,
    )


def period_words(period: Period, language: Language) -> str:
    """Return a period as people say it.

    >>> from analytics.kpi.periods import read_period
    >>> period_words(read_period("2025Q1"), "zh"), period_words(read_period("2025-06"), "en")
    ('2025 年第一季度', 'June 2025')
    """
    month = int(period.from_day[5:7])
    quarter = (month + 2) // 3
    number = quarter if period.length == "quarter" else month
    words = {"year": period.year, "number": number, "month": MONTHS[month - 1], "chinese": CHINESE[quarter - 1]}
    return translate(language)(f"period.{period.length}", **words)


def indicators(report: Report) -> tuple[Indicator, ...]:
    """Return the rows of the summary."""
    coverage = report.coverage
    return (
        Indicator("reliability", report.supply.whole.rs1, 3),
        Indicator("composite_voltage", report.voltage.composite, 2),
        Indicator("tap_water", coverage.tap_water, 1),
        Indicator("sewage", coverage.sewage, 1),
        Indicator("sewage_waterside", coverage.sewage_waterside, 1),
    )


def sentences(report: Report, t: Translate) -> list[str]:
    """Return what the summary says in words."""
    said = [_of_supply(report, t), *_of_heaviest_day(report, t), *_of_voltage(report, t)]
    unknown = sum(facility.runs is None for facility in report.sewage)
    if unknown and report.coverage.sewage is not None:
        said.append(t("say.facilities_open", count=unknown))
    coverage = report.coverage
    if coverage.stated:
        as_of = coverage.as_of or t("say.not_stated")
        said.append(t("say.coverage_stated", stated=coverage.stated, villages=coverage.villages, as_of=as_of))
    else:
        said.append(t("say.coverage_missing"))
    return said


def _of_supply(report: Report, t: Translate) -> str:
    rs1, hours = report.supply.whole.rs1, report.supply.period_h
    if rs1.low is None or rs1.high is None or rs1.target is None or rs1.verdict is None:
        return t("say.none_rs")
    key = {"PASS": "say.pass_rs", "FAIL": "say.fail_rs", "INDETERMINATE": "say.open_rs"}[rs1.verdict]
    least, most, allowed = (numerals.rounded((100 - pct) / 100 * hours, 2) for pct in (rs1.high, rs1.low, rs1.target))
    return t(key, least=least, most=most, allowed=allowed)


def _of_heaviest_day(report: Report, t: Translate) -> list[str]:
    known = [(day.h, day.day) for day in report.supply.days if day.h]
    if not known:
        return []
    h, day = max(known)
    share = numerals.rounded(100 * h / report.supply.out_h)
    return [t("say.heaviest", day=day, h=numerals.hours(h), share=share)]


def _of_voltage(report: Report, t: Translate) -> list[str]:
    keys = {"PASS": "say.voltage_pass", "FAIL": "say.voltage_fail", "INDETERMINATE": "say.voltage_open"}
    verdict = report.voltage.composite.verdict
    return [] if verdict is None else [t(keys[verdict])]


def _names(language: Language) -> Callable[[Named], str]:
    return lambda named: named.name_zh if language == "zh" else named.name


def _day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html")
