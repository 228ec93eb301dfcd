"""A CSV file as people keep it in a spreadsheet: rows that say where they stand when something is wrong with them."""

import csv
import io
import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

ENCODINGS = ("utf-8-sig", "gb18030")
LOCAL_TIME = re.compile(
    r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?(Z|[+-]\d{2}:?\d{2})?$"
)

C = TypeVar("C", bound=str)


@dataclass(frozen=True)
class Problem:
    """One thing a person must change."""

    file: str
    line: int
    """As the spreadsheet shows it; 1 is the header."""
    column: str
    """Empty where the row as a whole, or the file, is meant."""
    what: str
    """What is wrong, and what to do."""

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        return f"{self.file} line {self.line}{column}: {self.what}"


class Row:
    """One row; each wrong cell adds a problem and reads as a harmless value."""

    def __init__(self, file: str, line: int, cells: dict[str, str], problems: list[Problem], timezone: str) -> None:
        self.file = file
        self.line = line
        self._cells = cells
        self._problems = problems
        self._before = len(problems)
        self._timezone = timezone

    @property
    def is_good(self) -> bool:
        """Whether no cell that was read so far is wrong."""
        return len(self._problems) == self._before

    def refuse(self, column: str, what: str) -> None:
        """Note that a cell is wrong: what, and what to do."""
        self._problems.append(Problem(self.file, self.line, column, what))

    def text(self, column: str, *, required: bool = False) -> str:
        """Return a cell's text without blanks around it."""
        value = self._cells.get(column, "").strip()
        if required and not value:
            self.refuse(column, "empty. Fill it in")
        return value

    def name(self, column: str, *, required: bool = False) -> str | None:
        """Return a code or id, None where the cell is empty."""
        value = self.text(column, required=required)
        if re.search(r"""[\s,"'=\\]""", value):
            self.refuse(column, f"{value!r} holds a blank or one of , \" ' = \\. Use letters, digits, - and _")
        return value or None

    def choice(self, column: str, allowed: Collection[C], *, required: bool = True) -> C | None:
        """Return one of the `allowed` words, None where the cell is empty."""
        value = self.text(column, required=required)
        for word in allowed:
            if value == word:
                return word
        if value:
            self.refuse(column, f"{value!r} is none of {', '.join(filter(None, allowed))}. Correct the word")
        return None

    def number(self, column: str, *, low: float = float("-inf"), high: float = float("inf")) -> float | None:
        """Return a number between `low` and `high`, None where the cell is empty."""
        value = self.text(column)
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            self.refuse(column, f"{value!r} is not a number. Write digits, with a point for decimals")
            return None
        if not (low <= number <= high and math.isfinite(number)):
            self.refuse(column, f"{value} is not between {low:g} and {high:g}. Correct the number")
            return None
        return number

    def whole(self, column: str, *, low: int = 0) -> int | None:
        """Return a whole number from `low` on, None where the cell is empty."""
        number = self.number(column, low=low)
        if number is not None and number != int(number):
            self.refuse(column, f"{number} is not a whole number. Correct it")
            return None
        return None if number is None else int(number)

    def instant(self, column: str, *, required: bool = False) -> int | None:
        """Return an instant, without an offset in the register's time zone. [ms since 1970-01-01T00:00Z]"""
        value = self.text(column, required=required)
        if not value:
            return None
        try:
            return _instant_ms(value, self._timezone)
        except (ValueError, OverflowError):
            self.refuse(column, f"{value!r} is not a time. Write 2026-01-31 or 2026-01-31 08:00")
            return None

    def day(self, column: str) -> str:
        """Return a date as `YYYY-MM-DD`, empty where the cell is."""
        value = self.text(column)
        if not value:
            return ""
        try:
            return date(*(int(part) for part in re.split("[-/]", value))).isoformat()
        except (ValueError, TypeError):
            self.refuse(column, f"{value!r} is not a date. Write 2026-01-31")
            return ""


def read_rows(
    path: Path, required: Sequence[str], optional: Sequence[str], timezone: str, problems: list[Problem]
) -> Iterator[Row]:
    """Yield the rows of a file in UTF-8 (with or without BOM) or GB18030; what is wrong goes to `problems`."""
    text = _text(path, problems)
    if text is None:
        return
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
                if not _header_fits(path, header, required, optional, problems):
                    return
            elif len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                problems.append(
                    _problem(path, lines.line_num, "more cells than the header has. Quote texts with commas")
                )
            else:
                yield Row(path.name, lines.line_num, dict(zip(header, cells, strict=False)), problems, timezone)
    except csv.Error as error:
        problems.append(_problem(path, lines.line_num, f"not CSV ({error}). Save the sheet again as CSV"))
    if header is None:
        problems.append(_problem(path, 1, f"no header. The first line names the columns: {', '.join(required)}"))


def _text(path: Path, problems: list[Problem]) -> str | None:
    try:
        data = path.read_bytes()
    except OSError as error:
        problems.append(_problem(path, 1, f"cannot be read ({error.strerror}). Put the file into {path.parent}"))
        return None
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            where = data[: error.start].count(b"\n") + 1
    problems.append(_problem(path, where, "neither UTF-8 nor GB18030. Save the sheet as 'CSV UTF-8'"))
    return None


def _header_fits(
    path: Path, header: Sequence[str], required: Sequence[str], optional: Sequence[str], problems: list[Problem]
) -> bool:
    found = len(problems)
    known = [*required, *optional]
    for column in required:
        if column not in header:
            problems.append(Problem(path.name, 1, column, "the column is missing. Add it to the header"))
    for column in header:
        if column not in known:
            problems.append(Problem(path.name, 1, column, f"unknown column. Known are {', '.join(known)}"))
        elif header.count(column) > 1:
            problems.append(Problem(path.name, 1, column, "the column stands there twice. Keep one"))
    return len(problems) == found


def _problem(path: Path, line: int, what: str) -> Problem:
    return Problem(path.name, line, "", what)


def _instant_ms(text: str, timezone: str) -> int:
    """Raises ValueError where `text` is no time that exists."""
    found = LOCAL_TIME.match(text)
    if found is None:
        raise ValueError(text)
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    local = datetime(year, month, day, hour, minute, second, tzinfo=ZoneInfo(timezone))
    offset = found[7]
    if offset is not None:
        local = local.replace(tzinfo=datetime.strptime(offset, "%z").tzinfo)
    return int(local.timestamp()) * 1000
