"""What a site's configuration would do: its buses, the requests of each device, and the load on each line."""

import msgspec

from edge.budget import bus_load, planned_blocks, sweep_s
from edge.devices import Device, device_points, device_profile
from edge.poll import point_list
from edge.site import Site


class DeviceCheck(msgspec.Struct, frozen=True):
    """What polling one device means."""

    name: str
    profile: str
    confidence: str
    """How sure the profile is; `site` where the site says it all."""
    not_by_itself: str
    """What somebody else must do before the values are fresh; empty for nearly all devices."""
    points: int
    requests: int
    sweep_s: float
    poll_every_s: float


class BusCheck(msgspec.Struct, frozen=True):
    """What polling one line means."""

    url: str
    load: float
    """Part of the line's time that polling takes."""
    devices: list[DeviceCheck]


class SiteCheck(msgspec.Struct, frozen=True):
    """What running this site means."""

    site: str
    points: int
    readings_per_day: int
    buses: list[BusCheck]


def describe_site(site: Site) -> SiteCheck:
    """Return what running the site would do; nothing is opened."""
    buses: dict[str, list[Device]] = {}
    for device in site.devices:
        buses.setdefault(device.url, []).append(device)
    points = point_list(site)
    return SiteCheck(
        site=site.site,
        points=len(points),
        readings_per_day=round(sum(86_400 / point.period_s for point in points)),
        buses=[BusCheck(url, bus_load(devices), [_describe(d) for d in devices]) for url, devices in buses.items()],
    )


def _describe(device: Device) -> DeviceCheck:
    profile = device_profile(device)
    return DeviceCheck(
        name=device.name,
        profile=profile.name if profile else "-",
        confidence=profile.confidence if profile else "site",
        not_by_itself=profile.not_by_itself if profile else "",
        points=len(device_points(device)),
        requests=len(planned_blocks(device)),
        sweep_s=sweep_s(device),
        poll_every_s=device.poll_every_s,
    )
