"""What a single row of the register cannot know: repeats, unknown names, overlaps, supply that runs in a circle."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import get_args

from ingest.register import Asset, Plan, PointEntry, Region, RegionLevel, span_ms
from ingest.register_csv import Row


def check_regions(regions: Sequence[tuple[Row, Region]]) -> None:
    """Refuse codes that repeat, unknown parents, and parents that are not of a higher level."""
    _refuse_repeats([(row, region.code) for row, region in regions], "code")
    levels = {region.code: region.level for _, region in regions}
    order: tuple[RegionLevel, ...] = get_args(RegionLevel)
    for row, region in regions:
        if region.parent is None:
            continue
        if region.parent not in levels:
            row.refuse("parent", f"unknown region {region.parent!r}. Add it to regions.csv or correct the code")
        elif order.index(levels[region.parent]) >= order.index(region.level):
            row.refuse(
                "parent", f"{region.parent!r} is not of a higher level than {region.level}. Correct level or parent"
            )


def check_assets(assets: Sequence[tuple[Row, Asset]], regions: Collection[str]) -> None:
    """Refuse unknown regions and parents, stays that overlap, and supply that runs in a circle at some instant."""
    stays: dict[str, list[Asset]] = defaultdict(list)
    for row, asset in assets:
        if any(_overlap(asset, earlier) for earlier in stays[asset.id]):
            row.refuse(
                "in_service_from", f"{asset.id!r} is in service twice at once. Give its rows dates that do not overlap"
            )
        else:
            stays[asset.id].append(asset)
    for row, asset in assets:
        if asset.region not in regions:
            row.refuse("region", f"unknown region {asset.region!r}. Add it to regions.csv or correct the code")
        if asset.parent is None:
            continue
        if asset.parent not in stays:
            row.refuse("parent", f"unknown asset {asset.parent!r}. Add it to assets.csv or correct the id")
        elif not any(_overlap(asset, stay) for stay in stays[asset.parent]):
            row.refuse("parent", f"{asset.parent!r} is not in service at that time. Correct the dates or the parent")
        elif _supplies_itself(asset, stays):
            row.refuse("parent", f"{asset.id!r} would supply itself through {asset.parent!r}. Correct the parent")


def check_points(points: Sequence[tuple[Row, PointEntry]], assets: Collection[str]) -> None:
    """Refuse points that repeat, and unknown assets."""
    _refuse_repeats([(row, point.point) for row, point in points], "point")
    for row, point in points:
        if point.asset not in assets:
            row.refuse("asset", f"unknown asset {point.asset!r}. Add it to assets.csv or correct the id")


def check_plans(plans: Sequence[tuple[Row, Plan]], assets: Collection[str]) -> None:
    """Refuse unknown assets."""
    for row, plan in plans:
        if plan.asset not in assets:
            row.refuse("asset", f"unknown asset {plan.asset!r}. Add it to assets.csv or correct the id")


def _refuse_repeats(names: Sequence[tuple[Row, str]], column: str) -> None:
    first: dict[str, int] = {}
    for row, name in names:
        if name in first:
            row.refuse(column, f"{name!r} stands in line {first[name]} already. Remove one of the two")
        first.setdefault(name, row.line)


def _overlap(one: Asset, other: Asset) -> bool:
    (one_from, one_to), (other_from, other_to) = span_ms(one), span_ms(other)
    return one_from < other_to and other_from < one_to


def _supplies_itself(asset: Asset, stays: Mapping[str, Sequence[Asset]]) -> bool:
    """Whether going up from `asset` comes back to it, at an instant at which all of the way is in service."""
    seen: set[tuple[str, int, int]] = set()
    waiting = [(asset.parent, *span_ms(asset))]
    while waiting:
        parent, start_ms, end_ms = waiting.pop()
        if parent == asset.id:
            return True
        if parent is None or (parent, start_ms, end_ms) in seen:
            continue
        seen.add((parent, start_ms, end_ms))
        waiting += _further_up(stays.get(parent, ()), start_ms, end_ms)
    return False


def _further_up(stays: Sequence[Asset], start_ms: int, end_ms: int) -> Iterator[tuple[str | None, int, int]]:
    for stay in stays:
        stay_from, stay_to = span_ms(stay)
        if stay_from < end_ms and start_ms < stay_to:
            yield stay.parent, max(stay_from, start_ms), min(stay_to, end_ms)
