"""What the feed tells of the numbers: supply reliability and voltage by region, with bounds, target and verdict."""

import math
from collections.abc import Iterator, Mapping, Sequence

from analytics.bounds import RsBounds, Verdict
from analytics.kpi.compute import SUPPLY, VOLTAGE
from analytics.kpi.rollup import SupplyNumbers, asset_regions, by_region, by_span, supply_numbers, voltage_numbers
from analytics.voltage import MinuteCounts
from dashboards.grafana.targets import SUPPLY_TARGET_PCT, VOLTAGE_TARGET_PCT
from ingest.board import BoardRow, Value
from ingest.days import day_bounds
from ingest.register import Register
from ingest.store import Partial, Store

VERDICT_NUMBER: Mapping[Verdict, int] = {Verdict.FAIL: -1, Verdict.INDETERMINATE: 0, Verdict.PASS: 1}


def quarter_start(day: str) -> str:
    """Return the first day of the quarter that a local day lies in.

    >>> quarter_start("2026-05-18")
    '2026-04-01'
    """
    return f"{day[:4]}-{(int(day[5:7]) - 1) // 3 * 3 + 1:02d}-01"


def kpi_rows(
    store: Store, register: Register, today: str, tomorrow: str, timezone: str, *, now_ms: int
) -> Iterator[BoardRow]:
    """Yield the numbers of each region: each day of this quarter, and month and quarter as they are known now.

    The quarter's partial sums are read once. Raises StoreError.
    """
    from_day = quarter_start(today)
    regions = asset_regions(register)
    point_regions = {name: regions[point.asset] for name, point in register.points.items()}
    supply = by_region(store.read_kpi(SUPPLY, from_day, tomorrow), regions, register)
    voltage = by_region(store.read_kpi(VOLTAGE, from_day, tomorrow), point_regions, register)
    for code, partials in supply.items():
        for tags, sums, t_ms in _spans(partials, _tags(register, code), today, timezone, now_ms):
            yield from _supply_row(supply_numbers(sums), tags, t_ms)
    for code, partials in voltage.items():
        for tags, sums, t_ms in _spans(partials, _tags(register, code), today, timezone, now_ms):
            yield from _voltage_row(voltage_numbers(sums), tags, t_ms)


def _spans(
    partials: list[Partial], tags: Mapping[str, str], today: str, timezone: str, now_ms: int
) -> Iterator[tuple[Mapping[str, str], Sequence[Partial], int]]:
    """The days, then the month and the quarter so far, each with its tags and its instant."""
    for day, sums in by_span(partials, "day").items():
        yield {**tags, "span": "day"}, sums, day_bounds(day, timezone)[0]
    month = [one for one in partials if one.day[:7] == today[:7]]
    if month:
        yield {**tags, "span": "month"}, month, now_ms
    yield {**tags, "span": "quarter"}, partials, now_ms


def _tags(register: Register, code: str) -> dict[str, str]:
    region = register.regions[code]
    return {"region": code, "level": region.level, "name": region.name or code, "name_zh": region.name_zh or code}


def _supply_row(numbers: SupplyNumbers, tags: Mapping[str, str], t_ms: int) -> Iterator[BoardRow]:
    """The customers' index; the transformers' where no customers are registered. Nothing where neither is defined."""
    bounds = numbers.rs_mv if math.isnan(numbers.rs_lv.low_pct) else numbers.rs_lv
    verdict = bounds.verdict(SUPPLY_TARGET_PCT)
    if verdict is not None:
        fields = _bounds(bounds) | {"verdict": VERDICT_NUMBER[verdict], "interruptions": numbers.interruptions}
        yield BoardRow("kpi_supply", tags, fields, t_ms)


def _bounds(bounds: RsBounds) -> dict[str, Value]:
    return {
        "low_pct": float(bounds.low_pct),
        "point_pct": float(bounds.point_pct),
        "high_pct": float(bounds.high_pct),
        "coverage_pct": 100.0 * float(bounds.coverage),
        "target_pct": SUPPLY_TARGET_PCT,
    }


def _voltage_row(counts: MinuteCounts, tags: Mapping[str, str], t_ms: int) -> Iterator[BoardRow]:
    if not math.isnan(float(counts.pass_pct)):
        fields: dict[str, Value] = {
            "pass_pct": float(counts.pass_pct),
            "coverage_pct": float(counts.coverage_pct),
            "target_pct": VOLTAGE_TARGET_PCT,
        }
        yield BoardRow("kpi_voltage", tags, fields, t_ms)
