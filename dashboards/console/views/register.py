"""The register as people search it: assets and points, page by page, and one asset with all that hangs on it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from dashboards.console.errors import NotFound, Unusable
from dashboards.console.views.alarms_names import Place, place
from dashboards.console.views.points import PointValue, Sources, value_of
from dashboards.console.views.points_names import PointName, name_of
from dashboards.console.views.register_index import RegisterIndex
from ingest.register import Asset, PointEntry, Register, span_ms
from ingest.store import Store

ROWS = 50
LONGEST_QUERY = 100
CHILDREN = 100
"""So many of the assets that one supplies are named."""

Row = TypeVar("Row")


@dataclass(frozen=True)
class AssetRow:
    """An asset in the list."""

    asset: Asset
    """Its entry in force now, or else the newest."""
    place: Place
    fed_by: Place | None
    """What supplies it."""
    in_service: bool
    stays: int
    """Entries by validity date: more than one where it moved."""
    points: int


@dataclass(frozen=True)
class PointRow:
    """A point in the list."""

    name: PointName
    entry: PointEntry | None
    """None for a point that has readings and stands in no register."""
    place: Place | None


@dataclass(frozen=True)
class Rows(Generic[Row]):
    """One page of a search."""

    rows: tuple[Row, ...]
    query: str
    total: int
    """Rows found, on all pages."""
    page: int
    """From 1."""
    pages: int


@dataclass(frozen=True)
class AssetPage:
    """One asset."""

    row: AssetRow
    stays: tuple[Asset, ...]
    """Its entries by validity date."""
    fed_by: tuple[Place | None, ...]
    """What supplied it in each of them."""
    supplied_by: tuple[AssetRow, ...]
    """Upwards to the substation, the nearest first."""
    supplies: tuple[AssetRow, ...]
    supplies_total: int
    points: tuple[PointValue, ...]


def search_assets(index: RegisterIndex, query: str, page: int, *, kind: str = "", now_ms: int) -> Rows[AssetRow]:
    """Return a page of the assets in which every word of the query is found, by id. Raises Unusable or NotFound."""
    wanted = _words(query)
    found = [asset for asset, its_kind, text in index.assets if kind in ("", its_kind) and _has_all(wanted, text)]
    return _page(found, query, page, lambda ids: _asset_rows(index, ids, now_ms=now_ms))


def search_points(index: RegisterIndex, query: str, page: int, *, unregistered: Iterable[str] = ()) -> Rows[PointRow]:
    """Return a page of the points in which every word of the query is found: nobody's first, then by name."""
    wanted, register = _words(query), index.register
    strays = sorted(point for point in unregistered if _has_all(wanted, point.casefold()))
    known = [point for point, text in index.points if _has_all(wanted, text)]
    return _page([*strays, *known], query, page, lambda points: tuple(_point_row(register, point) for point in points))


def read_asset(store: Store, index: RegisterIndex, sources: Sources, asset_id: str, *, now_ms: int) -> AssetPage:
    """Return one asset. Raises NotFound or StoreError."""
    register = index.register
    if asset_id not in register.assets:
        raise NotFound(asset_id)
    points = index.points_of.get(asset_id, ())
    below = sorted(other for other, entries in register.assets.items() if entries[-1].parent == asset_id)
    latest, stays = store.latest(points), register.assets[asset_id]
    return AssetPage(
        row=_asset_rows(index, [asset_id], now_ms=now_ms)[0],
        stays=stays,
        fed_by=tuple(place(register, stay.parent) if stay.parent else None for stay in stays),
        supplied_by=_asset_rows(index, _upwards(register, asset_id, now_ms), now_ms=now_ms),
        supplies=_asset_rows(index, below[:CHILDREN], now_ms=now_ms),
        supplies_total=len(below),
        points=tuple(value_of(sources, point, latest, now_ms=now_ms) for point in points),
    )


def entry_at(entries: Sequence[Asset], t_ms: int) -> Asset:
    """Return the entry in force at an instant, or else the newest."""
    return next((entry for entry in entries if span_ms(entry)[0] <= t_ms < span_ms(entry)[1]), entries[-1])


def _words(query: str) -> tuple[str, ...]:
    if len(query) > LONGEST_QUERY:
        raise Unusable("register.unusable.query")
    return tuple(query.casefold().split())


def _has_all(wanted: Sequence[str], text: str) -> bool:
    return all(word in text for word in wanted)


def _page(found: Sequence[str], query: str, page: int, make: Callable[[Sequence[str]], tuple[Row, ...]]) -> Rows[Row]:
    pages = max(-(-len(found) // ROWS), 1)
    if not 1 <= page <= pages:
        raise NotFound(f"page {page}")
    return Rows(make(found[(page - 1) * ROWS : page * ROWS]), query, len(found), page, pages)


def _asset_rows(index: RegisterIndex, ids: Sequence[str], *, now_ms: int) -> tuple[AssetRow, ...]:
    return tuple(_asset_row(index, asset_id, now_ms=now_ms) for asset_id in ids)


def _asset_row(index: RegisterIndex, asset_id: str, *, now_ms: int) -> AssetRow:
    entries, points = index.register.assets[asset_id], len(index.points_of.get(asset_id, ()))
    asset = entry_at(entries, now_ms)
    first_ms, end_ms = span_ms(asset)
    in_service = first_ms <= now_ms < end_ms
    fed_by = place(index.register, asset.parent) if asset.parent else None
    return AssetRow(asset, place(index.register, asset_id), fed_by, in_service, len(entries), points)


def _point_row(register: Register, point: str) -> PointRow:
    entry = register.points.get(point)
    return PointRow(name_of(point), entry, place(register, entry.asset) if entry else None)


def _upwards(register: Register, asset_id: str, now_ms: int) -> list[str]:
    """Who supplies it, step by step; a circle in the register ends it."""
    found: list[str] = []
    at = entry_at(register.assets[asset_id], now_ms).parent
    while at is not None and at in register.assets and at not in found:
        found.append(at)
        at = entry_at(register.assets[at], now_ms).parent
    return found
