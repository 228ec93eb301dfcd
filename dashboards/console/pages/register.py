"""The register: assets and points, searched on the server, and one asset."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from dashboards.console.guard import ThisConsole
from dashboards.console.render import page
from dashboards.console.site import Console
from dashboards.console.views.export import table_csv
from dashboards.console.views.export_files import MEDIA_TYPES
from dashboards.console.views.points import sources_of
from dashboards.console.views.register import AssetPage, entry_at, read_asset, search_assets, search_points
from ingest.query import unregistered
from ingest.register import ASSET_KINDS, Asset
from ingest.store import StoreError

router = APIRouter()

Page = Annotated[int, Query(alias="page")]

COLUMNS = ("id", "kind", "name", "name_zh", "region", "parent", "customers", "level", "kva", "owner", "responsible")


@router.get("/register")
def assets(request: Request, console: ThisConsole, q: str = "", kind: str = "", page_number: Page = 1) -> Response:
    """Show a page of the assets."""
    found = search_assets(console.index, q, page_number, kind=kind, now_ms=console.now_ms())
    return page(request, "register.html", "register.title", found=found, kind=kind, kinds=ASSET_KINDS)


@router.get("/register/points")
def points(request: Request, console: ThisConsole, q: str = "", page_number: Page = 1) -> Response:
    """Show a page of the points; first those that have readings and stand in no register."""
    found = search_points(console.index, q, page_number, unregistered=_strays(console))
    return page(request, "register_points.html", "register.points", found=found)


@router.get("/register/assets/{asset_id:path}")
def asset(request: Request, console: ThisConsole, asset_id: str) -> Response:
    """Show one asset."""
    kept = console.kept(("asset", asset_id), lambda: _read(console, asset_id))
    return page(request, "register_asset.html", asset_id, kept=kept, found=kept.view)


@router.get("/register.csv")
def assets_csv(console: ThisConsole) -> Response:
    """Send every asset as it is now, for a spreadsheet."""
    headers = {"Content-Disposition": 'attachment; filename="assets.csv"'}
    return StreamingResponse(table_csv(COLUMNS, _cells(console)), headers=headers, media_type=MEDIA_TYPES["csv"])


def _read(console: Console, asset_id: str) -> AssetPage:
    sites = {point.partition("/")[0] for point in console.index.points_of.get(asset_id, ())}
    sources, now_ms = sources_of(console, sites), console.now_ms()
    return read_asset(console.store(), console.index, sources, asset_id, now_ms=now_ms)


def _strays(console: Console) -> list[str]:
    """Points that no register names; none while the store does not answer, for the register itself is at hand."""
    try:
        return console.kept("strays", lambda: unregistered(console.store(), console.register)).view
    except StoreError:
        return []


def _cells(console: Console) -> Iterator[list[object]]:
    now_ms = console.now_ms()
    for asset_id in sorted(console.register.assets):
        one: Asset = entry_at(console.register.assets[asset_id], now_ms)
        yield ["" if (cell := getattr(one, column)) is None else cell for column in COLUMNS]
