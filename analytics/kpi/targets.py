"""What a region must reach, as rows with their source: shipped, or the register's own `targets.csv` in their place.

The targets of supply and voltage are those of `power_rules.toml`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal, get_args

from analytics.own_files.power_rules import power_rules
from edge.errors import BadInput
from ingest.register_csv import Problem, Row, read_rows

Indicator = Literal["reliability", "composite_voltage", "tap_water", "sewage", "sewage_waterside"]
OWN_FILE = "targets.csv"
COLUMNS = ("indicator", "year", "value", "source"), ("verified",)
RURAL = "Inner Mongolia, rural"


@dataclass(frozen=True)
class Target:
    """One indicator's target."""

    indicator: Indicator
    year: int
    """To be reached by the end of this year."""
    value_pct: float
    source: str
    verified: bool
    """Whether the number was read in its source."""


def targets_for(year: int, register_folder: Path, timezone: str) -> Mapping[Indicator, Target]:
    """Return each indicator's target: of the latest year up to `year`, else of the first year after it.

    A row of the register's own file stands in place of the shipped one of its indicator and year. Raises BadInput.
    """
    own = register_folder / OWN_FILE
    rows = [*_of_power(), *_shipped(), *(_read(own, timezone) if own.exists() else ())]
    by_key = {(row.indicator, row.year): row for row in rows}
    chosen: dict[Indicator, Target] = {}
    for row in sorted(by_key.values(), key=lambda row: (row.year <= year, row.year if row.year <= year else -row.year)):
        chosen[row.indicator] = row
    return chosen


def _of_power() -> Iterable[Target]:
    for row in power_rules().targets:
        if row.region == RURAL:
            yield Target(row.indicator, row.year, row.value, row.source, row.verified)


def _shipped() -> list[Target]:
    with as_file(files("analytics.kpi").joinpath("targets.csv")) as path:
        return _read(path, "UTC")


def _read(path: Path, timezone: str) -> list[Target]:
    problems: list[Problem] = []
    rows = [_target(row) for row in read_rows(path, *COLUMNS, timezone, problems)]
    if problems:
        raise BadInput(f"{path}: {problems[0]}")
    return [row for row in rows if row is not None]


def _target(row: Row) -> Target | None:
    indicators: tuple[Indicator, ...] = get_args(Indicator)
    indicator, year = row.choice("indicator", indicators), row.whole("year", low=2000)
    value, verified = row.number("value", low=0, high=100), row.choice("verified", ("yes", "no"), required=False)
    source = row.text("source", required=True)
    if year is None or value is None:
        row.refuse("year" if year is None else "value", "empty. Fill it in")
    if not row.is_good or indicator is None or year is None or value is None:
        return None
    return Target(indicator, year, value, source, verified == "yes")
