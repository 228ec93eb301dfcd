"""What stands in a region, as the register has it."""

from collections.abc import Collection, Mapping

from analytics.kpi.rollup import asset_regions
from ingest.register import Register


def path_of(region: str | None, register: Register) -> tuple[str, ...]:
    """Return a region and what it lies in, from the smallest to the largest."""
    path: list[str] = []
    while region is not None and region in register.regions and region not in path:
        path.append(region)
        region = register.regions[region].parent
    return tuple(path)


def assets_in(region: str, register: Register) -> frozenset[str]:
    """Return the assets that stand in a region or below it."""
    return frozenset(asset for asset, code in asset_regions(register).items() if region in path_of(code, register))


def sites_in(assets: Collection[str], register: Register) -> tuple[str, ...]:
    """Return the sites that read a point of any of these assets, sorted."""
    return tuple(sorted({p.point.split("/")[0] for p in register.points.values() if p.asset in assets}))


def child_of_asset(region: str, register: Register) -> Mapping[str, str]:
    """Return asset → the region directly below `region` that it stands in; an asset right in `region` has none."""
    found = {}
    for asset, code in asset_regions(register).items():
        path = path_of(code, register)
        if region in path and path.index(region) > 0:
            found[asset] = path[path.index(region) - 1]
    return found
