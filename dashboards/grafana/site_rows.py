"""What the feed tells of gateways and points: their state now, and their hours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from edge.wire import PointInfo, Quality
from ingest.board import BoardRow
from ingest.register import Asset, Register
from ingest.sites import HourBalance, Sites, SiteState
from ingest.store import Latest, Store

Utility = Literal["power", "water", "sewage"]
UTILITY_OF_KIND: Mapping[str, Utility] = {"water_works": "water", "sewage_station": "sewage"}
HOUR_MS = 3_600_000
OLD_AFTER = 4.0
"""A value older than this times what its point promises is no data (`screens.md`, rule 4)."""
WHY: Mapping[Quality, tuple[str, str]] = {
    Quality.UNCERTAIN_CLOCK: ("clock not set", "时钟未校准"),
    Quality.UNCERTAIN_RANGE: ("out of range", "超量程"),
    Quality.UNCERTAIN_CLOCK_AND_RANGE: ("clock not set, out of range", "时钟未校准且超量程"),
    Quality.BAD_NO_ANSWER: ("no answer", "无应答"),
    Quality.BAD_REFUSED: ("instrument refused", "仪表拒绝"),
    Quality.BAD_NOT_AVAILABLE: ("instrument has no value", "仪表无数值"),
    Quality.BAD_CONFIGURATION: ("wrong configuration", "配置错误"),
}
SITE_OLD_MS = 5 * 60_000
OLD = "too old", "数据过旧"
NEVER = "never heard", "从未上报"


@dataclass(frozen=True)
class Place:
    """What the register says of a site's whereabouts."""

    utility: Utility = "power"
    name: str = ""
    name_zh: str = ""
    lat_lon: tuple[float, float] | None = None
    """Of its first asset that has a position. [degrees]"""


UNKNOWN = Place()


def places(register: Register) -> dict[str, Place]:
    """Return site → its place: named by its gateway, and of the utility of the first works or station it watches."""
    found: dict[str, list[Asset]] = {}
    for entry in register.points.values():
        found.setdefault(entry.point.partition("/")[0], []).append(register.assets[entry.asset][-1])
    return {site: _place(assets) for site, assets in found.items()}


def site_rows(
    sites: Sites, store: Store, where: Mapping[str, Place], alarms: Mapping[str, int], now_ms: int
) -> Iterator[BoardRow]:
    """Yield the state of each site, and of each of its points that is not good; `alarms`: site → gravest severity."""
    announced = {site: sites.point_list(site) for site in sites.names()}
    promises = {f"{site}/{info.name}": info for site, said in announced.items() if said for info in said.points}
    latest = store.latest(list(promises))
    for state in sites.states():
        said = announced.get(state.site)
        names = [f"{state.site}/{info.name}" for info in said.points] if said else []
        doubts = {point: _doubt(promises[point], latest.get(point), now_ms) for point in names}
        place = where.get(state.site, UNKNOWN)
        yield _state_row(state, place, latest, doubts, alarms.get(state.site, 0), now_ms)
        for point, doubt in doubts.items():
            if doubt is not None:
                yield _point_row(state.site, point, doubt, latest.get(point), now_ms)


def hour_rows(sites: Sites, where: Mapping[str, Place], from_ms: int, to_ms: int) -> Iterator[BoardRow]:
    """Yield expected and received of each site's hours that are over, from its first sign of life on."""
    for site in sites.names():
        utility = where.get(site, UNKNOWN).utility
        for hour in _since_first_life(sites, site, sites.hours(site, from_ms, to_ms - HOUR_MS)):
            share = {"complete_pct": min(100.0 * hour.received / hour.expected, 100.0)} if hour.expected else {}
            fields = {"expected": float(hour.expected), "received": hour.received, "bad": hour.bad}
            yield BoardRow("site_hour", {"site": site, "utility": utility}, fields | share, hour.hour_ms)


def _since_first_life(sites: Sites, site: str, hours: list[HourBalance]) -> list[HourBalance]:
    """Nothing is expected of a site that was not there yet: it counts from its first status, or its first reading."""
    born_ms = sites.first_status_ms(site)
    said = [born_ms - HOUR_MS] if hours and born_ms is not None and born_ms < hours[-1].hour_ms + HOUR_MS else []
    heard = [hour.hour_ms for hour in hours if hour.received]
    since_ms = min(said + heard[:1], default=0)
    return [hour for hour in hours if hour.hour_ms >= since_ms]


def _place(assets: list[Asset]) -> Place:
    utilities = [UTILITY_OF_KIND[one.kind] for one in assets if one.kind in UTILITY_OF_KIND]
    named = next((one for one in assets if one.kind == "gateway"), assets[0])
    positions = [(one.lat, one.lon) for one in assets if one.lat is not None and one.lon is not None]
    return Place(utilities[0] if utilities else "power", named.name, named.name_zh, next(iter(positions), None))


def _doubt(info: PointInfo, latest: Latest | None, now_ms: int) -> tuple[str, str] | None:
    """Why a point is not good, in English and Chinese; None where it is."""
    if latest is None:
        return NEVER
    pause_s = info.max_silence_s if info.by_exception else info.period_s
    if pause_s is not None and now_ms - latest.t_ms > OLD_AFTER * pause_s * 1000:
        return OLD
    return WHY.get(Quality(latest.quality)) if latest.quality in WHY else None


def _state_row(
    state: SiteState,
    place: Place,
    latest: Mapping[str, Latest],
    doubts: Mapping[str, tuple[str, str] | None],
    alarm: int,
    now_ms: int,
) -> BoardRow:
    status = state.status
    old = sum(doubt in (OLD, NEVER) for doubt in doubts.values())
    good = sum(doubt is None for doubt in doubts.values())
    heard = [latest[point].quality for point, doubt in doubts.items() if doubt not in (None, OLD, NEVER)]
    bad = sum(Quality(quality).is_bad for quality in heard)
    fields: dict[str, int | float | str] = {
        "online": int(status is not None and status.online),
        "link": int(status.online) if status else -1,
        "old": int(state.last_batch_ms is None or now_ms - state.last_batch_ms > SITE_OLD_MS),
        "waiting_batches": status.spool_batches if status else 0,
        "oldest_waiting_h": (now_ms - status.oldest_ms) / HOUR_MS if status and status.oldest_ms else 0.0,
        "missing_batches": state.missing_batches,
        "dropped_readings": state.dropped_readings,
        "duplicates": state.duplicates,
        "clock_steps": state.clock_steps,
        "points": len(doubts),
        "points_good": good,
        "points_uncertain": len(heard) - bad,
        "points_bad": bad,
        "points_old": old,
        "alarm": alarm,
        "version": status.version if status else "",
        "name": place.name or state.site,
        "name_zh": place.name_zh or state.site,
    }
    if state.last_batch_ms is not None:
        fields["batch_age_s"] = (now_ms - state.last_batch_ms) / 1000
    if doubts:
        fields["good_pct"] = 100.0 * good / len(doubts)
    if place.lat_lon is not None:
        fields |= {"lat": float(place.lat_lon[0]), "lon": float(place.lat_lon[1])}
    return BoardRow("site_state", {"site": state.site, "utility": place.utility}, fields, now_ms)


def _point_row(site: str, point: str, doubt: tuple[str, str], latest: Latest | None, now_ms: int) -> BoardRow:
    age = {"age_min": (now_ms - latest.t_ms) / 60_000} if latest else {}
    return BoardRow("point_state", {"site": site, "point": point}, {"why": doubt[0], "why_zh": doubt[1], **age}, now_ms)
