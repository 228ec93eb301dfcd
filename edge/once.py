"""Read every point of a site once, with what stood in the registers, for a person to compare with the display."""

import asyncio

import msgspec

from edge.clock import Clock
from edge.devices import Device, device_points, point_name
from edge.dlt645_meter import Dlt645Meter
from edge.lines import open_line
from edge.meter import ModbusMeter
from edge.meters import AnyLine
from edge.modbus import BlockReader, ModbusLine
from edge.profiles import Point, Table
from edge.site import Site
from edge.wire import Reading


class PointView(msgspec.Struct, frozen=True):
    """One point as it was read."""

    point: str
    value: float | str | None
    quality: str
    age_s: float
    """Since the meter answered, or failed to."""
    registers: list[int]
    """As they came (of DL/T 645, bytes); empty where there was no answer."""
    meaning: str = ""
    """What the profile says the number means."""


async def read_once(site: Site, clock: Clock) -> list[PointView]:
    """Return every point of the site, buses read side by side, each bus one device after the other."""
    buses: dict[str, list[Device]] = {}
    for device in site.devices:
        buses.setdefault(device.url, []).append(device)
    async with asyncio.TaskGroup() as tasks:
        reads = [tasks.create_task(_read_bus(url, devices, clock)) for url, devices in buses.items()]
    return [view for read in reads for view in read.result()]


class _Recorder:
    """Passes requests on and keeps what came back."""

    def __init__(self, line: BlockReader) -> None:
        self._line = line
        self._seen: dict[tuple[Table, int], int] = {}

    async def read_block(self, unit: int, table: Table, register: int, count: int, *, timeout_s: float) -> list[int]:
        content = await self._line.read_block(unit, table, register, count, timeout_s=timeout_s)
        self._seen.update(((table, register + offset), item) for offset, item in enumerate(content))
        return content

    def registers(self, point: Point) -> list[int]:
        places = [(point.table, point.register + offset) for offset in range(point.size)]
        return [self._seen[place] for place in places if place in self._seen]


async def _read_bus(url: str, devices: list[Device], clock: Clock) -> list[PointView]:
    line = open_line(url)
    try:
        return [view for device in devices for view in await _read_device(device, line, clock)]
    finally:
        line.close()


async def _read_device(device: Device, line: AnyLine, clock: Clock) -> list[PointView]:
    if isinstance(line, ModbusLine):
        return await _read_modbus(device, line, clock)
    meter = Dlt645Meter(device, line)
    readings = (await meter.read(clock)).readings
    return [_view(reading, list(meter.raws[reading.point]), clock) for reading in readings]


async def _read_modbus(device: Device, line: BlockReader, clock: Clock) -> list[PointView]:
    recorder = _Recorder(line)
    meter = ModbusMeter(device, recorder)
    readings = {reading.point: reading for reading in (await meter.read(clock)).readings}
    views = []
    for point in device_points(device):
        name = point_name(device, point.name)
        registers = recorder.registers(point)
        if (reading := readings.get(name)) is None:
            quality = "GOOD" if name in meter.texts else "BAD_NO_ANSWER"
            views.append(PointView(name, meter.texts.get(name), quality, 0.0, registers))
            continue
        views.append(_view(reading, registers, clock, _meaning(point, reading.value)))
    return views


def _view(reading: Reading, registers: list[int], clock: Clock, meaning: str = "") -> PointView:
    age_s = (clock.now_ms() - reading.sampled_ms) / 1000
    return PointView(reading.point, reading.value, reading.quality.name, age_s, registers, meaning)


def _meaning(point: Point, value: float | None) -> str:
    if value is None:
        return ""
    if point.states is not None:
        return point.states.get(str(int(value)), "")
    bits = point.bits or {}
    return ", ".join(text for bit, text in bits.items() if int(value) >> int(bit) & 1)
