"""Read limits and set-points from CSV: the shipped files in `analytics/limits/`, and a user's own of the same form.

A row of a user's file replaces the shipped row of the same key. A bad cell is refused with file, line and column.
"""

import csv
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar, get_args

from analytics.limits import AlarmClass, Level, Limit, LimitKind, Priority, Setpoint
from edge.errors import BadInput

SHIPPED = ("gb5749_2022.csv", "gb18918_2002.csv", "dbhj_001_2020.csv", "sl310_2019.csv")

T = TypeVar("T")


def load_limits(*own: Path) -> tuple[Limit, ...]:
    """Every shipped limit, with the rows of `own` files in place of shipped ones of the same key and start.

    Raises BadInput with file, line, column and remedy.
    """
    shipped = (row for name in SHIPPED for row in _read(_shipped(name), name, _limit))
    theirs = (row for path in own for row in _read(_text(path), str(path), _limit))
    return _merged(shipped, theirs, lambda r: (*_rule(r), r.limit_kind, r.edition, r.valid_from))


def load_setpoints(*own: Path) -> tuple[Setpoint, ...]:
    """Every shipped set-point, with the rows of `own` files in place of shipped ones of the same key.

    Raises BadInput with file, line, column and remedy.
    """
    shipped = _read(_shipped("setpoints.csv"), "setpoints.csv", _setpoint)
    theirs = (row for path in own for row in _read(_text(path), str(path), _setpoint))
    return _merged(shipped, theirs, lambda r: (r.profile, r.quantity, r.level, r.alarm_class))


def _rule(row: Limit) -> tuple[str, ...]:
    return (row.standard, row.grade, row.quantity, row.place, row.condition)


def _merged(shipped: Iterable[T], own: Iterable[T], key: Callable[[T], Any]) -> tuple[T, ...]:
    return tuple({key(row): row for row in (*shipped, *own)}.values())


def _shipped(name: str) -> str:
    return (files("analytics") / "limits" / name).read_text(encoding="utf-8")


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}). Give a limits file in CSV form") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030", errors="replace")


def _read(text: str, name: str, make: Callable[["_Cells"], T]) -> list[T]:
    lines = csv.DictReader(text.splitlines())
    rows = []
    for row in lines:
        cells = _Cells(row, f"{name}, line {lines.line_num}")
        rows.append(make(cells))
    return rows


class _Cells:
    """One CSV row that knows where it stands, so that a bad cell is named."""

    def __init__(self, row: dict[str, str], place: str) -> None:
        self.row = row
        self.place = place

    def text(self, column: str) -> str:
        value = self.row.get(column)
        if value is None:
            raise BadInput(f"{self.place}: the column '{column}' is missing. Take a shipped file as the form")
        return value.strip()

    def number(self, column: str, default: float = math.nan) -> float:
        value = self.text(column)
        try:
            return float(value) if value else default
        except ValueError as error:
            raise BadInput(f"{self.place}, {column}: '{value}' is not a number. Write digits only, no unit") from error

    def day(self, column: str) -> date | None:
        value = self.text(column)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError as error:
            raise BadInput(f"{self.place}, {column}: '{value}' is not a day. Write it as 2026-03-01") from error

    def one_of(self, column: str, allowed: Sequence[str]) -> Any:
        value = self.text(column)
        if value not in allowed:
            raise BadInput(f"{self.place}, {column}: '{value}' is unknown. Use one of: {', '.join(allowed)}")
        return value

    def fail(self, reason: str) -> BadInput:
        return BadInput(f"{self.place}: {reason}")


def _limit(cells: _Cells) -> Limit:
    valid_from = cells.day("valid_from")
    if valid_from is None:
        raise cells.fail("valid_from is empty. Give the first day on which the limit counts")
    limit = Limit(
        standard=cells.text("standard"),
        edition=cells.text("edition"),
        grade=cells.text("grade"),
        quantity=cells.text("quantity"),
        place=cells.text("place"),
        condition=cells.text("condition"),
        limit_kind=cells.one_of("limit_kind", get_args(LimitKind)),
        low=cells.number("low"),
        high=cells.number("high"),
        band_from=cells.number("band_from"),
        band_to=cells.number("band_to"),
        valid_from=valid_from,
        valid_to=cells.day("valid_to"),
        amended_from=cells.day("amended_from"),
        verified=cells.one_of("verified", ("yes", "no")) == "yes",
        source=cells.text("source"),
        note=cells.text("note"),
    )
    if limit.low >= limit.high:
        raise cells.fail(f"low {limit.low:g} is not below high {limit.high:g}. Correct one of them")
    if math.isnan(limit.low) and math.isnan(limit.high) and math.isnan(limit.band_to):
        raise cells.fail("the row limits nothing. Give low, high or a band")
    if not limit.source:
        raise cells.fail("source is empty. Name the text in which the number stands")
    return limit


def _setpoint(cells: _Cells) -> Setpoint:
    setpoint = Setpoint(
        profile=cells.text("profile"),
        quantity=cells.text("quantity"),
        level=cells.one_of("level", get_args(Level)),
        value=cells.number("value"),
        alarm_class=cells.one_of("alarm_class", get_args(AlarmClass)),
        priority=cells.one_of("priority", get_args(Priority)),
        on_delay_s=cells.number("on_delay_s", 0.0),
        off_delay_s=cells.number("off_delay_s", 0.0),
        on_readings=int(cells.number("on_readings", 1)),
        off_readings=int(cells.number("off_readings", 1)),
        deadband=cells.number("deadband", 0.0),
        verified=cells.one_of("verified", ("yes", "no")) == "yes",
        source=cells.text("source"),
        note=cells.text("note"),
    )
    if math.isnan(setpoint.value) or min(setpoint.deadband, setpoint.on_delay_s, setpoint.off_delay_s) < 0:
        raise cells.fail("a set-point needs a value, and dead-band and delays of zero or more. Correct the row")
    return setpoint
