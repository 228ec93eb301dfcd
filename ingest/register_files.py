"""Read the register: four CSV files that people keep in spreadsheets, checked row by row and against each other.

Times without an offset are in the register's time zone. `ingest/register.sample/` shows every column.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar, get_args

from edge.errors import ConfigError
from ingest.columns import is_point
from ingest.register import (
    ASSET_KINDS,
    Asset,
    PhaseRule,
    Plan,
    PlanNature,
    PointEntry,
    Region,
    RegionLevel,
    Register,
    SupplyLevel,
    VoltageClass,
    span_ms,
)
from ingest.register_checks import check_assets, check_plans, check_points, check_regions
from ingest.register_csv import Problem, Row, read_rows

REGION_COLUMNS = (("code", "name", "level"), ("name_zh", "parent"))
ASSET_COLUMNS = (
    ("id", "kind", "region"),
    (
        *("name", "name_zh", "parent", "customers", "level", "kva", "in_service_from", "in_service_to", "lat", "lon"),
        *("owner", "responsible", "phone", "deputy_phone", "method", "inspection_days", "contract_until"),
        "phase_rule",
    ),
)
POINT_COLUMNS = (("point", "asset"), ("class", "limits", "nominal"))
PLAN_COLUMNS = (("asset", "start", "end", "nature"), ("notice_id", "reason"))
REGION_LEVELS: tuple[RegionLevel, ...] = get_args(RegionLevel)
SUPPLY_LEVELS: tuple[SupplyLevel, ...] = get_args(SupplyLevel)
VOLTAGE_CLASSES: tuple[VoltageClass, ...] = get_args(VoltageClass)
PHASE_RULES: tuple[PhaseRule, ...] = get_args(PhaseRule)
NATURES: tuple[PlanNature, ...] = get_args(PlanNature)

E = TypeVar("E", Region, Asset, PointEntry, Plan)
Numbered = list[tuple[Row, E]]
"""Entries, each with the row it came from."""


def load_register(folder: Path, timezone: str) -> Register:
    """Return the register in `folder`. Raises ConfigError with the first bad cell and how many more there are."""
    register, problems = read_register(folder, timezone)
    if problems:
        more = f" ({len(problems) - 1} more problems)" if len(problems) > 1 else ""
        raise ConfigError(f"{folder}: {problems[0]}{more}")
    return register


def read_register(folder: Path, timezone: str) -> tuple[Register, list[Problem]]:
    """Return what can be used of the register in `folder`, and everything that is wrong with it."""
    problems: list[Problem] = []

    def rows(name: str, columns: tuple[tuple[str, ...], tuple[str, ...]]) -> Iterable[Row]:
        return read_rows(folder / name, *columns, timezone, problems)

    regions = _good((row, _region(row)) for row in rows("regions.csv", REGION_COLUMNS))
    assets = _good((row, _asset(row)) for row in rows("assets.csv", ASSET_COLUMNS))
    points = _good((row, _point(row)) for row in rows("points.csv", POINT_COLUMNS))
    plans = _good((row, _plan(row)) for row in rows("plans.csv", PLAN_COLUMNS))
    check_regions(regions)
    check_assets(assets, {region.code for _, region in regions})
    ids = {asset.id for _, asset in assets}
    check_points(points, ids)
    check_plans(plans, ids)
    register = Register(
        regions={region.code: region for _, region in regions},
        assets=_stays(asset for _, asset in assets),
        points={point.point: point for _, point in points},
        plans=tuple(plan for _, plan in plans),
    )
    return register, problems


def _good(entries: Iterable[tuple[Row, E]]) -> Numbered[E]:
    return [(row, entry) for row, entry in entries if row.is_good]


def _stays(assets: Iterable[Asset]) -> dict[str, tuple[Asset, ...]]:
    """Each asset's entries by date; the assets in the order of the file."""
    stays: dict[str, list[Asset]] = {}
    for asset in assets:
        stays.setdefault(asset.id, []).append(asset)
    return {name: tuple(sorted(entries, key=span_ms)) for name, entries in stays.items()}


def _region(row: Row) -> Region:
    return Region(
        code=row.name("code", required=True) or "",
        name=row.text("name", required=True),
        name_zh=row.text("name_zh"),
        level=row.choice("level", REGION_LEVELS) or "gacha",
        parent=row.name("parent"),
    )


def _asset(row: Row) -> Asset:
    asset = Asset(
        id=row.name("id", required=True) or "",
        kind=row.choice("kind", ASSET_KINDS) or "meter",
        name=row.text("name"),
        name_zh=row.text("name_zh"),
        region=row.name("region", required=True) or "",
        parent=row.name("parent"),
        customers=row.whole("customers") or 0,
        level=row.choice("level", SUPPLY_LEVELS, required=False),
        kva=row.number("kva", low=0),
        in_service_from_ms=row.instant("in_service_from"),
        in_service_to_ms=row.instant("in_service_to"),
        lat=row.number("lat", low=-90, high=90),
        lon=row.number("lon", low=-180, high=180),
        owner=row.text("owner"),
        responsible=row.text("responsible"),
        phone=row.text("phone"),
        deputy_phone=row.text("deputy_phone"),
        method=row.text("method"),
        inspection_days=row.whole("inspection_days", low=1),
        contract_until=row.day("contract_until"),
        phase_rule=row.choice("phase_rule", PHASE_RULES, required=False) or "all",
    )
    _check_order(row, asset.in_service_from_ms, asset.in_service_to_ms, "in_service_to")
    return asset


def _point(row: Row) -> PointEntry:
    point = row.text("point", required=True)
    if point and not is_point(point):
        row.refuse("point", f"{point!r} is not <site>/<device>.<quantity>. Copy the name from the site's point list")
    return PointEntry(
        point=point,
        asset=row.name("asset", required=True) or "",
        voltage_class=row.choice("class", VOLTAGE_CLASSES, required=False) or "",
        limits=row.text("limits"),
        nominal=row.number("nominal"),
    )


def _plan(row: Row) -> Plan:
    start_ms, end_ms = row.instant("start", required=True), row.instant("end", required=True)
    _check_order(row, start_ms, end_ms, "end")
    return Plan(
        asset=row.name("asset", required=True) or "",
        start_ms=start_ms or 0,
        end_ms=end_ms or 0,
        nature=row.choice("nature", NATURES) or "planned",
        notice_id=row.text("notice_id"),
        reason=row.text("reason"),
    )


def _check_order(row: Row, start_ms: int | None, end_ms: int | None, column: str) -> None:
    if start_ms is not None and end_ms is not None and end_ms <= start_ms:
        row.refuse(column, "not after the beginning. Correct one of the two times")
