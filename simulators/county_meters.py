"""The county's devices as meters on Modbus, one TCP port per link of each site."""

from collections.abc import Callable, Mapping

from simulators.county import Device
from simulators.county_files import points_of
from simulators.serve import Meter
from simulators.world import World


def county_links(world: World) -> dict[str, dict[int, Meter]]:
    """Link name (`link_name`) → unit → meter, for `simulators.serve.serve`."""
    links: dict[str, dict[int, Meter]] = {}
    for gateway, device in world.county.devices():
        meter = Meter(points_of(device), _shown(world, gateway.site, device), serial=device.serial)
        links.setdefault(link_name(gateway.site, device.link), {})[device.unit] = meter
    return links


def link_name(site: str, link: str) -> str:
    """The name under which a site's link is served."""
    return f"{site}/{link}"


def _shown(world: World, site: str, device: Device) -> Callable[[int], Mapping[str, float] | None]:
    def shown(now_ms: int) -> Mapping[str, float] | None:
        return world.values(site, device.name, now_ms) if world.answers(site, device.name, now_ms) else None

    return shown
