"""Read a site's meters a few times and say what its lines went through."""

import asyncio

import msgspec

from edge.clock import Clock
from edge.devices import Device
from edge.lines import open_line
from edge.linestats import LineStatistics
from edge.meters import make_meter
from edge.site import Site


class LineReport(msgspec.Struct, frozen=True):
    """What one line went through."""

    url: str
    requests: int
    timeouts: int
    refused: int
    bad_crc: int
    garbage_bytes: int
    latency50_ms: float | None
    """Half of the answers took no longer; None where there was none."""
    latency95_ms: float | None


async def check_lines(site: Site, clock: Clock, *, sweeps: int) -> list[LineReport]:
    """Read every device `sweeps` times, lines side by side, and return one report per line."""
    buses: dict[str, list[Device]] = {}
    for device in site.devices:
        buses.setdefault(device.url, []).append(device)
    async with asyncio.TaskGroup() as tasks:
        checks = [tasks.create_task(_check_line(url, devices, clock, sweeps)) for url, devices in buses.items()]
    return [check.result() for check in checks]


async def _check_line(url: str, devices: list[Device], clock: Clock, sweeps: int) -> LineReport:
    line = open_line(url)
    meters = [make_meter(device, line) for device in devices]
    try:
        for _ in range(sweeps):
            for meter in meters:
                await meter.read(clock)
    finally:
        line.close()
    return _report(url, line.statistics)


def _report(url: str, statistics: LineStatistics) -> LineReport:
    def latency_ms(fraction: float) -> float | None:
        seconds = statistics.latency_s(fraction)
        return None if seconds is None else seconds * 1000

    return LineReport(
        url=url,
        requests=statistics.requests,
        timeouts=statistics.timeouts,
        refused=statistics.refused,
        bad_crc=statistics.bad_crc,
        garbage_bytes=statistics.garbage_bytes,
        latency50_ms=latency_ms(0.5),
        latency95_ms=latency_ms(0.95),
    )
