"""The county's meters in real time, for gateways that somebody else runs."""

from pathlib import Path

from edge.clock import Clock
from edge.errors import BadInput
from simulators.county_files import site_folder
from simulators.county_meters import county_links, link_name
from simulators.faults import Intervals, dark_intervals
from simulators.scenario import Scenario, fixed_ports
from simulators.serve import serve

LOOK_EVERY_S = 1.0


async def serve_live(folder: Path, scenario: Scenario, clock: Clock, first_port: int) -> None:
    """Serve until cancelled, and keep each site's mains file true. Raises BadInput where the county's days are over."""
    if not scenario.midnight_ms - scenario.before_ms <= clock.now_ms() < scenario.end_ms + scenario.after_ms:
        raise BadInput(f"{folder}: the days of this county are not now. Make it anew with `steppe simulate county`")
    county = scenario.county()
    ports = {link_name(*link): port for link, port in fixed_ports(county, first_port, 1883).links.items()}
    dark = {gateway.site: dark_intervals(county, scenario.faults, gateway.site) for gateway in county.gateways}
    async with serve(county_links(scenario.world()), clock.now_ms, ports=ports):
        while True:
            for site, intervals in dark.items():
                _write_mains(site_folder(folder, site) / "mains", intervals, clock.now_ms())
            await clock.sleep(LOOK_EVERY_S)


def _write_mains(path: Path, dark: Intervals, now_ms: int) -> None:
    text = "0\n" if any(start_ms <= now_ms < end_ms for start_ms, end_ms in dark) else "1\n"
    if path.read_text(encoding="ascii") != text:
        path.write_text(text, encoding="ascii")
