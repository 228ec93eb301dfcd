"""A report as a workbook: one sheet per table, numbers as numbers (16 digits), the header frozen."""

import io
from datetime import UTC, datetime

import xlsxwriter

from dashboards.report.html import period_words
from dashboards.report.model import Report
from dashboards.report.tables import Cell, Column, report_tables
from dashboards.report.words import Language, translate

ID_PROPERTY = "steppe-report"


def render_xlsx(report: Report, language: Language, report_id: str) -> bytes:
    """Return the report as an .xlsx file. The same report gives the same bytes."""
    t, name = translate(language), report.region.name_zh if language == "zh" else report.region.name
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        title = f"{name} · {t('head.title', period=period_words(report.period, language))}"
        made = datetime.fromtimestamp(report.made_ms / 1000, UTC).replace(tzinfo=None)
        book.set_properties({"title": title, "created": made})
        book.set_custom_property(ID_PROPERTY, report_id)
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1})
        formats: dict[str, xlsxwriter.format.Format] = {}
        for table in report_tables(report, language):
            sheet = book.add_worksheet(table.name)
            sheet.freeze_panes(1, 0)
            sheet.set_landscape()
            sheet.set_paper(9)  # A4
            sheet.fit_to_pages(1, 0)
            sheet.repeat_rows(0)
            for place, column in enumerate(table.columns):
                form = formats.setdefault(column.form, book.add_format({"num_format": column.form}))
                sheet.set_column(place, place, column.width, form)
                sheet.write_string(0, place, column.title, head)
            for number, row in enumerate(table.rows, start=1):
                _write_row(sheet, number, row, table.columns, formats)
    return out.getvalue()


def _write_row(
    sheet: xlsxwriter.worksheet.Worksheet,
    number: int,
    row: tuple[Cell, ...],
    columns: tuple[Column, ...],
    formats: dict[str, xlsxwriter.format.Format],
) -> None:
    for place, (cell, column) in enumerate(zip(row, columns, strict=True)):
        if isinstance(cell, str):
            sheet.write_string(number, place, cell)
        elif cell is not None:
            sheet.write_number(number, place, cell, formats[column.form])
