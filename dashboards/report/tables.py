"""A report as plain tables, one per sheet of the workbook: every row, numbers as numbers with their units."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

from dashboards.report.html import indicators
from dashboards.report.model import AlarmPart, DeliveryPart, Figure, Named, Report, SupplyRow, VoltagePoint
from dashboards.report.words import Language, Translate, has, translate

Cell = str | float | int | None
PERCENT_3, PERCENT_2, PERCENT_1, WHOLE, HOURS, PLAIN = "0.000", "0.00", "0.0", "#,##0", "#,##0.00", "General"
ALARM_UNITS = {"flood_pct": "%", "per_day": "1/d"}


@dataclass(frozen=True)
class Column:
    """A column's heading, number format and width."""

    title: str
    form: str = PLAIN
    width: int = 12


@dataclass(frozen=True)
class Table:
    """One sheet."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


def report_tables(report: Report, language: Language) -> list[Table]:
    """Return every table of a report."""
    t = translate(language)
    named: Callable[[Named], str] = _zh if language == "zh" else _en
    return [
        _summary(report, t),
        _supply(report, t, named),
        _days(report, t),
        _causes(report, t),
        _voltage(report, t),
        _voltage_points(report, t, named),
        _water(report, t, named),
        _sewage(report, t, named),
        _facts("alarms", "alarm", report.alarms, t),
        _facts("delivery", "delivery", report.delivery, t),
        _inspections(report, t, named),
        _targets(report, t),
        _inputs(report, t),
    ]


def _summary(report: Report, t: Translate) -> Table:
    columns = (Column(t("column.indicator"), width=44), *_figure_columns(t, PERCENT_3), _target(t), _verdict(t))
    rows = [
        (t(f"indicator.{row.key}"), *_figure(row.figure), row.figure.target, _said(row.figure, t))
        if row.figure
        else (t(f"indicator.{row.key}"), None, None, None, None, None, t("say.not_stated"))
        for row in indicators(report)
    ]
    return _table("summary", columns, rows, t)


def _supply(report: Report, t: Translate, named: Callable[[Named], str]) -> Table:
    columns = (
        Column(t("column.id")),
        Column(t("column.region"), width=28),
        Column(t("column.transformers"), PERCENT_1),
        Column(t("column.customers"), PERCENT_1),
        Column(t("column.h_each"), HOURS),
        *_figure_columns(t, PERCENT_3, t("column.rs1")),
        _target(t),
        _verdict(t),
        *_figure_columns(t, PERCENT_3, t("column.rs1_lv")),
    )
    return _table("supply", columns, [_supply_row(row, t, named) for row in _regions(report)], t)


def _regions(report: Report) -> Sequence[SupplyRow]:
    return (*report.supply.parts, report.supply.whole)


def _supply_row(row: SupplyRow, t: Translate, named: Callable[[Named], str]) -> tuple[Cell, ...]:
    sizes = row.transformers, row.customers, row.h_per_transformer
    judged = row.rs1.target, _said(row.rs1, t)
    return (row.region.code, named(row.region), *sizes, *_figure(row.rs1), *judged, *_figure(row.rs1_lv))


def _days(report: Report, t: Translate) -> Table:
    columns = Column(t("column.day")), Column(t("column.transformer_h"), HOURS, 18)
    return _table("days", columns, [(day.day, day.h) for day in report.supply.days], t)


def _causes(report: Report, t: Translate) -> Table:
    hours, error = Column(t("column.transformer_h"), HOURS, 18), Column(t("column.error"), HOURS)
    customers = Column(t("column.customer_h"), HOURS, 24)
    counts = Column(t("column.events"), WHOLE), Column(t("column.interruptions"), WHOLE, 14)
    columns = (Column(t("column.cause"), width=24), hours, error, customers, error, *counts)
    rows = [
        (t(f"cause.{c.cause}"), c.h, c.error_h, c.customer_h, c.customer_error_h, c.events, c.interruptions)
        for c in report.supply.causes
    ]
    return _table("causes", columns, rows, t)


def _voltage(report: Report, t: Translate) -> Table:
    columns = (
        Column(t("column.class"), width=34),
        Column(t("column.points"), WHOLE),
        Column(t("column.entering"), WHOLE),
        *_figure_columns(t, PERCENT_2, t("column.compliance")),
        Column(t("column.over"), PERCENT_2),
        Column(t("column.under"), PERCENT_2),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            f"{row.voltage_class} {t(f'class.{row.voltage_class}')}",
            row.points,
            row.entering,
            *_figure(row.compliance),
            row.over_pct,
            row.under_pct,
        )
        for row in report.voltage.classes
    ]
    rows.append((t("voltage.composite"), None, None, *_figure(report.voltage.composite), None, None))
    return _table("voltage", columns, rows, t)


def _voltage_points(report: Report, t: Translate, named: Callable[[Named], str]) -> Table:
    columns = (
        Column(t("column.point"), width=28),
        Column(t("column.asset"), width=28),
        Column(t("column.class")),
        *_figure_columns(t, PERCENT_2, t("column.compliance")),
        Column(t("column.over"), PERCENT_2),
        Column(t("column.under"), PERCENT_2),
        Column(t("column.entering")),
    )

    def row(point: VoltagePoint, counted: bool) -> tuple[Cell, ...]:
        enters = t("say.yes") if counted else t("say.no")
        rates = *_figure(point.compliance), point.over_pct, point.under_pct
        return (point.point, named(point.asset), point.voltage_class, *rates, enters)

    worst = [row(point, True) for point in report.voltage.worst]
    excluded = [row(point, False) for point in report.voltage.excluded]
    return _table("voltage_points", columns, [*worst, *excluded], t)


def _water(report: Report, t: Translate, named: Callable[[Named], str]) -> Table:
    columns = (
        Column(t("column.quantity"), width=32),
        Column(t("column.works"), WHOLE),
        Column(t("column.limit_low")),
        Column(t("column.limit_high")),
        Column(t("column.expected_h"), WHOLE, 14),
        Column(t("column.valid_h"), WHOLE, 14),
        *_figure_columns(t, PERCENT_2, t("column.kept")),
        Column(t("column.remark"), width=40),
    )
    rows = []
    for row in report.water.rows:
        key = f"quantity.{row.quantity}"
        name = f"{t(key) if has(key) else row.quantity} {t(f'water.{row.place}')}"
        worst = f"{named(row.worst)}: {row.worst_pct:.2f} %" if row.worst and row.worst_pct is not None else ""
        remark = worst if row.verified else f"{t('water.unverified')} {worst}".strip()
        sizes = row.works, row.limit_low, row.limit_high, row.expected_h, row.valid_h
        rows.append((name, *sizes, *_figure(row.kept), remark))
    return _table("water", columns, rows, t)


def _sewage(report: Report, t: Translate, named: Callable[[Named], str]) -> Table:
    columns = (
        Column(t("column.id")),
        Column(t("column.facility"), width=32),
        Column(t("column.days"), WHOLE),
        Column(t("column.ran_days"), WHOLE, 18),
        Column(t("column.unknown_days"), WHOLE, 18),
        Column(t("column.runs")),
    )
    answers = {True: t("say.yes"), False: t("say.no"), None: t("say.not_known")}
    rows = [
        (one.asset.code, named(one.asset), one.days, one.ran_days, one.unknown_days, answers[one.runs])
        for one in report.sewage
    ]
    return _table("sewage", columns, rows, t)


def _facts(sheet: str, words: str, part: AlarmPart | DeliveryPart | None, t: Translate) -> Table:
    columns = Column(t("column.figure"), width=44), Column(t("column.value"), PLAIN, 16), Column(t("column.unit"))
    if part is None:
        return _table(sheet, columns, [(t("say.not_stated"), None, None)], t)
    names = [field.name for field in fields(part)]
    return _table(sheet, columns, [(t(f"{words}.{name}"), getattr(part, name), _unit(name)) for name in names], t)


def _inspections(report: Report, t: Translate, named: Callable[[Named], str]) -> Table:
    columns = (
        Column(t("column.id")),
        Column(t("column.overdue"), width=32),
        Column(t("column.responsible"), width=20),
        Column(t("column.every"), WHOLE),
        Column(t("column.last")),
        Column(t("column.late"), WHOLE),
    )
    rows = [
        (one.asset.code, named(one.asset), one.responsible, one.every_days, one.last_day, one.late_days)
        for one in report.upkeep.overdue
    ]
    return _table("inspections", columns, rows, t)


def _targets(report: Report, t: Translate) -> Table:
    columns = (
        Column(t("column.indicator"), width=44),
        Column(t("column.year")),
        Column(t("column.target"), PLAIN),
        Column(t("column.source"), width=60),
        Column(t("column.verified"), width=18),
    )
    rows = [
        (
            t(f"indicator.{row.indicator}"),
            row.year,
            row.value_pct,
            row.source,
            t("say.yes" if row.verified else "say.no"),
        )
        for row in report.targets
    ]
    return _table("targets", columns, rows, t)


def _inputs(report: Report, t: Translate) -> Table:
    columns = Column(t("column.input"), width=20), Column(t("column.sha256"), width=70)
    rows = [("steppe", report.version), *((one.name, one.sha256) for one in report.inputs)]
    return _table("inputs", columns, rows, t)


def _table(name: str, columns: Iterable[Column], rows: Iterable[tuple[Cell, ...]], t: Translate) -> Table:
    return Table(t(f"sheet.{name}"), tuple(columns), tuple(rows))


def _figure_columns(t: Translate, form: str, title: str = "") -> tuple[Column, ...]:
    bounds = Column(t("column.low"), form), Column(t("column.high"), form)
    return (Column(title or t("column.value"), form, 14), *bounds, Column(t("column.coverage"), PERCENT_2))


def _figure(figure: Figure) -> tuple[Cell, ...]:
    return figure.value, figure.low, figure.high, figure.coverage


def _target(t: Translate) -> Column:
    return Column(t("column.target"))


def _verdict(t: Translate) -> Column:
    return Column(t("column.verdict"), width=18)


def _said(figure: Figure, t: Translate) -> str:
    return t(f"verdict.{figure.verdict or 'none'}")


def _unit(name: str) -> str:
    if name in ALARM_UNITS:
        return ALARM_UNITS[name]
    return {"s": "s", "pct": "%", "h": "h"}.get(name.rsplit("_", 1)[-1], "")


def _zh(named: Named) -> str:
    return named.name_zh


def _en(named: Named) -> str:
    return named.name
