"""The register: assets, page by page, and one asset with all that hangs on it."""

from fastapi import APIRouter

from dashboards.console.guard import ThisConsole
from dashboards.console.views.points import sources_of
from dashboards.console.views.register import AssetPage, AssetRow, Rows, read_asset, search_assets

router = APIRouter(tags=["register"])


@router.get("/register/assets")
def assets(console: ThisConsole, q: str = "", kind: str = "", page: int = 1) -> Rows[AssetRow]:
    """Search the assets; every word of `q` must be in id, names, kind, region or people."""
    return search_assets(console.index, q, page, kind=kind, now_ms=console.now_ms())


@router.get("/register/assets/{asset_id:path}")
def asset(console: ThisConsole, asset_id: str) -> AssetPage:
    """One asset: its stays, what supplies it and what it supplies, its points."""
    points = console.index.points_of.get(asset_id, ())
    sources = sources_of(console, {point.partition("/")[0] for point in points})
    return read_asset(console.store(), console.index, sources, asset_id, now_ms=console.now_ms())
