"""The county as files: what people would write for a real one (register, centre.toml, one site.toml per gateway)."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from edge.profiles import Point, PointEntry, complete_point, load_profile
from simulators.county import County, Device, Gateway
from simulators.faults import Fault
from simulators.geography import places

LOCAL = timezone(timedelta(hours=8))
SEAL_AFTER_S = 60.0
TIMEOUT_S = 0.4
"""Real seconds: a virtual minute is much shorter, a meter on loopback answers in a thousandth of it."""
VOLTAGE_POINTS = {
    "bus": ("A", "class-a-10kv", 10_000.0),
    "feeder_head": ("C", "gb12325-10kv", 10_000.0),
    "transformer": ("D", "gb12325-220", 220.0),
    "line_end": ("D", "gb12325-220", 220.0),
}
WATER_LIMITS = {"works": "works_outlet", "network_end": "network_end", "lift": "lift_station"}
LEVEL_OF_KIND = {"transformer": "mv", "customer_group": "lv"}


@dataclass(frozen=True)
class Ports:
    """Where everything listens: one TCP port per link and per site's way to the broker."""

    links: Mapping[tuple[str, str], int]
    """(site, link) → port of the meters."""
    uplinks: Mapping[str, int]
    """Site → port that leads to the broker."""
    broker: int


def points_of(device: Device) -> tuple[Point, ...]:
    """The device's registers as its site reads them: the profile, with the voltage transformer's ratio."""
    points = []
    for point in load_profile(device.profile).points:
        is_primary = device.pt_ratio != 1.0 and point.name.endswith("voltage_v")
        override = PointEntry(name=point.name, scale=device.pt_ratio, valid_max=500.0 * device.pt_ratio)
        points.append(complete_point(override, point) if is_primary else point)
    return tuple(points)


def read_points(device: Device) -> tuple[Point, ...]:
    """Those of its points that its site reads."""
    return tuple(point for point in points_of(device) if not device.only or point.name in device.only)


def write_county(
    folder: Path, county: County, faults: Sequence[Fault], ports: Ports, *, store_url: str, first_day: str = ""
) -> None:
    """Write every file of the county into `folder`: `register/`, `centre.toml`, `sites/<site>/site.toml`.

    Its assets are in service from `first_day` (YYYY-MM-DD) on: nobody watched before; empty for ever.
    """
    register = folder / "register"
    register.mkdir(parents=True, exist_ok=True)
    _write_csv(register / "regions.csv", _region_rows(county))
    _write_csv(register / "assets.csv", _asset_rows(county, first_day))
    _write_csv(register / "points.csv", _point_rows(county))
    _write_csv(register / "plans.csv", _plan_rows(faults))
    (folder / "centre.toml").write_text(_centre_toml(ports.broker, store_url), encoding="utf-8")
    for gateway in county.gateways:
        site = site_folder(folder, gateway.site)
        site.mkdir(parents=True, exist_ok=True)
        (site / "mains").write_text("1\n", encoding="ascii")
        (site / "site.toml").write_text(site_toml(gateway, ports), encoding="utf-8")


def site_folder(folder: Path, site: str) -> Path:
    """Where a site's own files stand."""
    return folder / "sites" / site


def site_toml(gateway: Gateway, ports: Ports) -> str:
    """The gateway's configuration."""
    lines = [
        f'site = "{gateway.site}"',
        "[uplink]",
        f'url = "mqtt://127.0.0.1:{ports.uplinks[gateway.site]}"',
        "[seal]",
        f"after_s = {SEAL_AFTER_S}",
        'urgent = ["gateway.mains_on"]',
        "[gateway]",
        'mains_file = "mains"',
    ]
    for device in gateway.devices:
        lines += _device_toml(device, ports.links[gateway.site, device.link])
    return "\n".join(lines) + "\n"


def _device_toml(device: Device, port: int) -> list[str]:
    lines = [
        "",
        "[[devices]]",
        f'name = "{device.name}"',
        f'url = "tcp://127.0.0.1:{port}"',
        f"unit = {device.unit}",
        f'profile = "{device.profile}"',
        f"poll_every_s = {device.poll_every_s}",
        f"timeout_s = {TIMEOUT_S}",
    ]
    if device.only:
        lines.append("only = [" + ", ".join(f'"{name}"' for name in device.only) + "]")
    if device.pt_ratio != 1.0:
        for phase in ("l1", "l2", "l3"):
            lines += ["  [[devices.points]]", f'  name = "{phase}.voltage_v"']
            lines += [f"  scale = {device.pt_ratio}", f"  valid_max = {500.0 * device.pt_ratio}"]
    return lines


def _centre_toml(broker_port: int, store_url: str) -> str:
    return (
        'data_dir = "data"\nregister = "register"\ntimezone = "Asia/Shanghai"\n'
        f'[broker]\nurl = "embedded:{broker_port}"\n[store]\nurl = "{store_url}"\n'
    )


def _region_rows(county: County) -> Iterable[dict[str, object]]:
    for region in county.regions:
        yield {
            "code": region.code,
            "name": region.name.en,
            "name_zh": region.name.zh,
            "level": region.level,
            "parent": region.parent or "",
        }


def _asset_rows(county: County, first_day: str) -> Iterable[dict[str, object]]:
    empty = dict.fromkeys(("in_service_to", "deputy_phone", "method"), "")
    where = places(county)
    for asset in county.assets:
        lat, lon = where.get(asset.id, ("", ""))
        yield {
            "id": asset.id,
            "kind": asset.kind,
            "name": asset.name.en,
            "name_zh": asset.name.zh,
            "region": asset.region,
            "parent": asset.parent or "",
            "customers": asset.customers,
            "level": LEVEL_OF_KIND.get(asset.kind, ""),
            "kva": "" if asset.kva is None else asset.kva,
            "lat": lat,
            "lon": lon,
            "in_service_from": first_day,
            **empty,
            "owner": "Qingshui Banner" if asset.kind != "gateway" else "",
            "responsible": asset.responsible.zh if asset.phone else "",
            "phone": asset.phone,
            "inspection_days": "",
            "contract_until": "",
        }


def _point_rows(county: County) -> Iterable[dict[str, object]]:
    for gateway, device in county.devices():
        for point in read_points(device):
            is_voltage = point.name.endswith("voltage_v") and device.role in VOLTAGE_POINTS
            water_limits = WATER_LIMITS.get(device.role, "")
            voltage_class, limits, nominal = VOLTAGE_POINTS[device.role] if is_voltage else ("", water_limits, "")
            yield {
                "point": f"{gateway.site}/{device.name}.{point.name}",
                "asset": device.asset,
                "class": voltage_class,
                "limits": limits,
                "nominal": nominal,
            }
        if device is gateway.devices[-1]:
            mains = f"{gateway.site}/gateway.mains_on"
            yield {"point": mains, "asset": gateway.asset, "class": "", "limits": "", "nominal": ""}


def _plan_rows(faults: Sequence[Fault]) -> Iterable[dict[str, object]]:
    for number, fault in enumerate(faults):
        if fault.kind == "planned_work":
            yield {
                "asset": fault.target,
                "start": _iso(fault.start_ms),
                "end": _iso(fault.end_ms),
                "nature": "planned",
                "notice_id": f"N{number:04d}",
                "reason": "pole replacement",
            }


def _iso(t_ms: int) -> str:
    return datetime.fromtimestamp(t_ms / 1000, UTC).astimezone(LOCAL).isoformat(timespec="seconds")


def _write_csv(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    table = list(rows)
    header = list(table[0]) if table else HEADER_OF_EMPTY[path.name]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(table)


HEADER_OF_EMPTY = {"plans.csv": ["asset", "start", "end", "nature", "notice_id", "reason"]}
