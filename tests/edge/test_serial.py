"""Modbus RTU on a serial port: at the wire's speed, and back after the adapter was pulled and put in again."""

import asyncio
import time
from pathlib import Path

import pytest
from support.fault_peer import content
from support.serial_peer import SerialPeer

from edge.clock import RealClock
from edge.devices import Device
from edge.errors import DeviceError, DeviceTimeout
from edge.lines import open_line
from edge.meter import ModbusMeter
from edge.modbus import ModbusLine


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
