"""Poll a whole site: every bus by its own task, every reading handed on at once."""

import asyncio
from collections.abc import Callable, Sequence

from edge.bus import Bus
from edge.clock import Clock
from edge.counters import CounterWatch
from edge.deadlines import Deadlines
from edge.devices import device_points, point_name
from edge.driver import Meter
from edge.exception_report import Deadband, ExceptionReport
from edge.gateway import LATE, SKIPPED, gateway_points, watch_gateway
from edge.lines import open_line
from edge.linestats import is_reported, statistics_values
from edge.meters import AnyLine, make_meter
from edge.site import Site
from edge.wire import PointInfo, Reading

SLOTS = 4
"""Polls begin at so many instants of an interval: to wake up for each meter alone costs more than to read it."""

Emit = Callable[[Sequence[Reading]], None]


async def acquire(site: Site, clock: Clock, emit: Emit) -> None:
    """Poll the site and hand every reading to `emit` until cancelled. No device's failure ends it."""
    deadlines = Deadlines()
    lines = {device.url: open_line(device.url, deadlines) for device in site.devices}
    buses = make_buses(site, lines, clock)
    emit = _watching_counters(site, _reporting_by_exception(site, emit))

    def figures() -> dict[str, float | None]:
        found: dict[str, float | None] = {
            LATE: float(sum(bus.timetable.late for bus in buses)),
            SKIPPED: float(sum(bus.timetable.skipped for bus in buses)),
        }
        for url in filter(is_reported, lines):
            found |= statistics_values(url, lines[url].statistics)
        return found

    try:
        async with asyncio.TaskGroup() as tasks:
            for bus in buses:
                tasks.create_task(bus.run(emit), name=f"bus {bus.url}")
            tasks.create_task(watch_gateway(site.gateway, clock, emit, figures), name="gateway")
    finally:
        for line in lines.values():
            line.close()


def point_list(site: Site) -> tuple[PointInfo, ...]:
    """Return what the site promises to report, the gateway's own points first."""
    points = gateway_points(site.gateway, dict.fromkeys(device.url for device in site.devices))
    for device in site.devices:
        silences = {point.name: point.max_silence_s for point in device.points}
        points += [
            PointInfo(
                point_name(device, point.name),
                device.poll_every_s,
                by_exception=silences.get(point.name) is not None,
                max_silence_s=silences.get(point.name),
                counter=point.counter,
                wraps_at=point.wraps_at_latest,
            )
            for point in device_points(device)
            if point.type != "string"
        ]
    return tuple(points)


def make_buses(site: Site, lines: dict[str, AnyLine], clock: Clock) -> list[Bus]:
    """Return one bus per url, its polls spread over the interval together with those of all other buses."""
    members: dict[str, list[tuple[Meter, float]]] = {}
    for index, device in enumerate(site.devices):
        phase = index * SLOTS // len(site.devices) / SLOTS
        members.setdefault(device.url, []).append((make_meter(device, lines[device.url]), phase))
    # All meters are made by now, so that the buses count from one moment and those of a slot are polled in one go.
    return [
        Bus(url, [meter for meter, _ in meters], [phase for _, phase in meters], clock)
        for url, meters in members.items()
    ]


def _watching_counters(site: Site, emit: Emit) -> Emit:
    watch = CounterWatch(_counters(site))
    return lambda readings: emit(watch.judged(readings))


def _counters(site: Site) -> set[str]:
    return {
        point_name(device, point.name) for device in site.devices for point in device_points(device) if point.counter
    }


def _reporting_by_exception(site: Site, emit: Emit) -> Emit:
    """Return `emit` behind the deadbands of the site; `emit` itself where there are none."""
    counters = _counters(site)
    deadbands = {
        point_name(device, point.name): Deadband(
            point.deadband,
            point.deadband_percent,
            int(point.max_silence_s * 1000),
            int(device.poll_every_s * 1000),
            is_counter=point_name(device, point.name) in counters,
        )
        for device in site.devices
        for point in device.points
        if point.max_silence_s is not None
    }
    if not deadbands:
        return emit
    report = ExceptionReport(deadbands)

    def emit_news(readings: Sequence[Reading]) -> None:
        if news := report.filter(readings):
            emit(news)

    return emit_news
