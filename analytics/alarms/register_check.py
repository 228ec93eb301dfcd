"""What the register lacks to answer for what it watches: owner, responsible person, phone, contract, inspections."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ingest.register import Asset, Register, span_ms

DAY_MS = 24 * 3_600_000
NEEDED = {"owner": "owner (产权人)", "responsible": "responsible (管护主体)", "phone": "phone"}


@dataclass(frozen=True)
class Inspection:
    """An asset in service that is to be inspected."""

    asset: str
    responsible: str
    every_days: int
    last_ms: int | None
    """None where it never was. [ms since 1970-01-01T00:00Z]"""
    late_days: int
    """Whole days beyond its due day; 0 for in time. One that never was inspected is counted from its going into
    service, where the register says when that was."""
    overdue: bool


def findings(
    register: Register, inspected_ms: Mapping[str, int], timezone: str, *, now_ms: int
) -> Iterator[tuple[str, str]]:
    """Yield (asset, what is wrong) for every asset that has readings and is in service now."""
    today = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(timezone)).date()
    for name in sorted({entry.asset for entry in register.points.values()}):
        asset = _now(register, name, now_ms)
        if asset is None:
            yield name, "has readings and is not in service: end its points, or correct in_service_to"
            continue
        for wrong in (*_people(asset), *_contract(asset, today), *_inspection(asset, inspected_ms.get(name), now_ms)):
            yield name, wrong


def inspections(register: Register, inspected_ms: Mapping[str, int], *, now_ms: int) -> list[Inspection]:
    """Return every asset in service that the register wants inspected, the latest first."""
    standing = (_now(register, name, now_ms) for name in register.assets)
    found = [
        _due(asset, asset.inspection_days, inspected_ms.get(asset.id), now_ms)
        for asset in standing
        if asset is not None and asset.inspection_days is not None
    ]
    return sorted(found, key=lambda one: (not one.overdue, -one.late_days, one.asset))


def _due(asset: Asset, every_days: int, last_ms: int | None, now_ms: int) -> Inspection:
    since_ms = asset.in_service_from_ms if last_ms is None else last_ms
    late_ms = 0 if since_ms is None else now_ms - since_ms - every_days * DAY_MS
    overdue = late_ms > 0 or since_ms is None
    return Inspection(asset.id, asset.responsible, every_days, last_ms, max(late_ms, 0) // DAY_MS, overdue)


def _now(register: Register, name: str, now_ms: int) -> Asset | None:
    entries = (asset for asset in register.assets.get(name, ()) if span_ms(asset)[0] <= now_ms < span_ms(asset)[1])
    return next(entries, None)


def _people(asset: Asset) -> Iterator[str]:
    for column, words in NEEDED.items():
        if not getattr(asset, column):
            yield f"has no {words}: fill in the column {column} of assets.csv"


def _contract(asset: Asset, today: date) -> Iterator[str]:
    if not asset.contract_until:
        return
    try:
        until = date.fromisoformat(asset.contract_until)
    except ValueError:
        yield f"contract_until {asset.contract_until!r} is no day: write it as YYYY-MM-DD"
        return
    if until < today:
        yield f"its contract ended on {until}: renew it, or name who is responsible now"


def _inspection(asset: Asset, last_ms: int | None, now_ms: int) -> Iterator[str]:
    if asset.inspection_days is None:
        return
    if last_ms is None:
        yield f"is to be inspected every {asset.inspection_days} days and never was: `steppe alarms inspected` notes it"
    elif now_ms - last_ms > asset.inspection_days * DAY_MS:
        late = (now_ms - last_ms) // DAY_MS - asset.inspection_days
        yield f"its inspection is {late} days overdue"
