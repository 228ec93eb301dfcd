"""The county's meters in real time, for gateways that somebody else runs."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from edge.clock import Clock
from edge.errors import BadInput
from simulators.county_files import site_folder
from simulators.county_meters import county_links
from simulators.faults import Intervals, dark_intervals
from simulators.scenario import Scenario
from simulators.serve import Link, serve

LOOK_EVERY_S = 1.0


async def serve_live(
    folder: Path, scenario: Scenario, clock: Clock, ports: Mapping[str, int], ready: Callable[[int], None]
) -> None:
    """Serve until cancelled, and keep each site's mains file true; `ready` gets the number of meters once they answer.

    `ports` gives each link's (`link_name`) port, any free one where it gives none. Raises BadInput where the county's
    days are over or a port is taken.
    """
    if not scenario.midnight_ms - scenario.before_ms <= clock.now_ms() < scenario.end_ms + scenario.after_ms:
        raise BadInput(f"{folder}: the days of this county are not now. Make it anew with `steppe simulate county`")
    county = scenario.county()
    dark = {gateway.site: dark_intervals(county, scenario.faults, gateway.site) for gateway in county.gateways}
    async with _bound(county_links(scenario.world()), clock, ports):
        ready(len(list(county.devices())))
        while True:
            for site, intervals in dark.items():
                _write_mains(site_folder(folder, site) / "mains", intervals, clock.now_ms())
            await clock.sleep(LOOK_EVERY_S)


@contextlib.asynccontextmanager
async def _bound(links: Mapping[str, Link], clock: Clock, ports: Mapping[str, int]) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(serve(links, clock.now_ms, ports=ports))
        except OSError as error:
            raise BadInput(f"meters: {error}. Give both commands another --first-port") from error
        yield


def _write_mains(path: Path, dark: Intervals, now_ms: int) -> None:
    text = "0\n" if any(start_ms <= now_ms < end_ms for start_ms, end_ms in dark) else "1\n"
    if path.read_text(encoding="ascii") != text:
        path.write_text(text, encoding="ascii")
