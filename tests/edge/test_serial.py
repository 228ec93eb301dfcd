"""Meters on a serial port: at the wire's speed, and back after the adapter was pulled and put in again."""

import asyncio
import time
from pathlib import Path

import msgspec
import pytest
from support.dlt645_peer import digits_of
from support.fault_peer import content
from support.serial_peer import SerialPeer, dlt645_meter

from edge.clock import RealClock
from edge.devices import Device, SitePoint
from edge.dlt645_meter import Dlt645Meter
from edge.errors import DeviceError, DeviceTimeout
from edge.lines import open_dlt645, open_line
from edge.meter import ModbusMeter
from edge.modbus import ModbusLine
from edge.wire import Quality, Reading


def url_of(path: Path, baud: int = 9600) -> str:
    return f"rtu://{path}?baud={baud}&format=8N1"


async def read(line: ModbusLine, register: int = 10, unit: int = 1, timeout_s: float = 1.0) -> list[int]:
    return await line.read_block(unit, "input_register", register, 2, timeout_s=timeout_s)


def test_registers_come_over_a_serial_port(tmp_path):
    async def scenario() -> None:
        peer, line = SerialPeer(tmp_path / "ttyUSB0"), open_line(url_of(tmp_path / "ttyUSB0"))
        peer.plug_in()
        try:
            assert await read(line) == content(10, 2, 0)
            with pytest.raises(DeviceTimeout, match="no answer"):
                await read(line, unit=2, timeout_s=0.05)
            assert await read(line, register=20) == content(20, 2, 0)
        finally:
            line.close()
            peer.pull_out()

    asyncio.run(scenario())


def test_a_silent_unit_does_not_close_the_port_for_the_others(tmp_path):
    async def scenario() -> None:
        peer, line = SerialPeer(tmp_path / "ttyUSB0"), open_line(url_of(tmp_path / "ttyUSB0"))
        peer.plug_in()
        try:
            for _ in range(8):
                with pytest.raises(DeviceTimeout):
                    await read(line, unit=9, timeout_s=0.02)
            assert await read(line) == content(10, 2, 0)
            assert line.statistics.connects == 1
        finally:
            line.close()
            peer.pull_out()

    asyncio.run(scenario())


def test_an_adapter_that_is_pulled_and_put_back_is_used_again(tmp_path):
    async def scenario() -> None:
        peer, line = SerialPeer(tmp_path / "ttyUSB0"), open_line(url_of(tmp_path / "ttyUSB0"))
        peer.plug_in()
        try:
            assert await read(line) == content(10, 2, 0)
            peer.pull_out()
            for _ in range(3):
                with pytest.raises(DeviceError):
                    await read(line, timeout_s=0.1)
            peer.plug_in()
            assert await until_read(line) == content(10, 2, 0)
        finally:
            line.close()
            peer.pull_out()

    asyncio.run(scenario())


async def until_read(line: ModbusLine, deadline_s: float = 5.0) -> list[int]:
    """Try as the poll loop would, until the line is open again."""
    end_s = time.monotonic() + deadline_s
    while True:
        try:
            return await read(line, timeout_s=0.2)
        except DeviceError:
            assert time.monotonic() < end_s, "the line was not opened again"
            await asyncio.sleep(0.05)


def test_a_full_scan_takes_what_the_wire_takes(tmp_path):
    """All 36 values of an SDM630 at 9600 baud, meter delay 30 ms: the wire's own time, and a quarter at most on top."""

    async def scenario() -> tuple[float, float]:
        peer = SerialPeer(tmp_path / "ttyUSB0", baud=9600, latency_s=0.03)
        device = Device("m", url_of(peer.path), "eastron_sdm630")
        line = open_line(device.url)
        meter = ModbusMeter(device, line)
        peer.plug_in()
        try:
            await meter.read(RealClock())
            peer.busy_s, began_s = 0.0, time.perf_counter()
            _, answered = await meter.read(RealClock())
            assert answered
            return time.perf_counter() - began_s, peer.busy_s
        finally:
            line.close()
            peer.pull_out()

    took_s, limit_s = asyncio.run(scenario())
    assert limit_s < 0.5
    assert took_s < 1.25 * limit_s


def test_a_port_that_refuses_its_settings_is_no_connection(tmp_path):
    """A pseudo-terminal has no parity, as a cheap adapter may not; the system's error for that is a kind of its own."""

    async def scenario() -> None:
        peer, line = SerialPeer(tmp_path / "ttyUSB0"), open_line(f"rtu://{tmp_path}/ttyUSB0?format=8E1")
        peer.plug_in()
        try:
            with pytest.raises(DeviceTimeout, match="no connection"):
                await read(line)
        finally:
            line.close()
            peer.pull_out()

    asyncio.run(scenario())


ADDRESS, IDENTIFIERS = "202311000042", (0x00010000, 0x00020000, 0x00010100)


def dlt645_device(path: Path, address: str = ADDRESS) -> Device:
    """Without parity, which a pseudo-terminal refuses; the wire's pace counts it."""
    points = [
        SitePoint(name=f"x{number}.energy_kwh", table="data_identifier", register=identifier, type="bcd32", scale=0.01)
        for number, identifier in enumerate(IDENTIFIERS)
    ]
    return Device("m", f"dlt645://{path}?baud=2400&format=8N1", address=address, points=points)


def test_a_dlt645_meter_at_2400_baud_is_read_at_the_wires_speed(tmp_path):
    """Eleven bits to a character, 44 characters to a value, meter delay 20 ms: 0.22 s each."""

    async def scenario() -> tuple[list[Reading], float, float]:
        peer = SerialPeer(
            tmp_path / "ttyUSB0",
            dlt645_meter(ADDRESS),
            baud=2400,
            bits_per_character=11,
            silence_characters=0,
            latency_s=0.02,
        )
        device = dlt645_device(peer.path)
        line = open_dlt645(device.url)
        peer.plug_in()
        try:
            began_s = time.perf_counter()
            readings, _ = await Dlt645Meter(device, line).read(RealClock())
            return readings, time.perf_counter() - began_s, peer.busy_s
        finally:
            line.close()
            peer.pull_out()

    readings, took_s, limit_s = asyncio.run(scenario())
    assert [reading.value for reading in readings] == [digits_of(each, 0) / 100 for each in IDENTIFIERS]
    assert limit_s == pytest.approx(3 * (0.02 + 44 * 11 / 2400))
    assert took_s < 1.25 * limit_s


def test_a_dlt645_meter_that_is_not_on_the_line_is_bad_and_an_adapter_that_returns_is_used(tmp_path):
    async def scenario() -> None:
        peer = SerialPeer(tmp_path / "ttyUSB0", dlt645_meter(ADDRESS))
        line = open_dlt645(dlt645_device(peer.path).url)
        here = Dlt645Meter(dlt645_device(peer.path), line)
        stranger = Dlt645Meter(msgspec.structs.replace(dlt645_device(peer.path, "202311000043"), timeout_s=0.05), line)
        peer.plug_in()
        try:
            assert {reading.quality for reading in (await here.read(RealClock())).readings} == {Quality.GOOD}
            assert not (await stranger.read(RealClock())).answered
            peer.pull_out()
            assert not (await here.read(RealClock())).answered
            peer.plug_in()
            line.backoff.succeeded()  # as if the pause were over
            assert {reading.quality for reading in (await here.read(RealClock())).readings} == {Quality.GOOD}
        finally:
            line.close()
            peer.pull_out()

    asyncio.run(scenario())
