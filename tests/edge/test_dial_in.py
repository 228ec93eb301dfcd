"""A modem that dials in: the gateway listens, the newest caller wins."""

import asyncio
import socket
import struct

import pytest
from support.fault_peer import content, crc16

from edge.errors import DeviceTimeout
from edge.lines import open_line
from edge.modbus import ModbusLine
from simulators.processes import free_port


class Modem:
    """A meter behind a modem that calls the gateway and then answers RTU requests as unit `unit`."""

    def __init__(self, unit: int = 1) -> None:
        self.unit = unit
        self.answers = 0

    async def call(self, port: int) -> None:
        """Dial until somebody listens, then answer until hung up."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except OSError:
                await asyncio.sleep(0.01)
        try:
            while True:
                unit, function, register, count = struct.unpack(">BBHH", (await reader.readexactly(8))[:6])
                pdu = bytes([unit, function, 2 * count]) + struct.pack(f">{count}H", *content(register, count, 0))
                self.answers += 1
                writer.write(pdu + crc16(pdu))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def read(line: ModbusLine, register: int = 4) -> list[int]:
    return await line.read_block(1, "holding_register", register, 2, timeout_s=2)


def test_a_modem_that_calls_is_read():
    async def scenario() -> None:
        port = free_port()
        line, modem = open_line(f"rtu+listen://127.0.0.1:{port}"), Modem()
        calling = asyncio.create_task(modem.call(port))
        try:
            assert await read(line) == content(4, 2, 0)
        finally:
            line.close()
            await calling

    asyncio.run(scenario())


def test_the_newest_caller_wins_over_a_connection_that_still_looks_alive():
    async def scenario() -> None:
        port = free_port()
        line, old, new = open_line(f"rtu+listen://127.0.0.1:{port}"), Modem(), Modem()
        calls = [asyncio.create_task(old.call(port))]
        try:
            await read(line)
            calls.append(asyncio.create_task(new.call(port)))
            while new.answers == 0:
                assert await read(line, 6) == content(6, 2, 0)
            assert old.answers >= 1
        finally:
            line.close()
            await asyncio.gather(*calls)

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_a_port_that_another_program_has_is_a_line_without_connection():
    """And so BAD readings, and a question again later; not an error of the program at each poll."""

    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            line = open_line(f"rtu+listen://127.0.0.1:{taken.getsockname()[1]}")
            with pytest.raises(DeviceTimeout, match="no connection"):
                await read(line)

    asyncio.run(scenario())


def test_while_nobody_calls_the_line_says_so():
    async def scenario() -> None:
        line = open_line(f"rtu+listen://127.0.0.1:{free_port()}")
        try:
            with pytest.raises(DeviceTimeout, match="no connection"):
                await read(line)
            with pytest.raises(DeviceTimeout, match="waiting before the next attempt"):
                await read(line)
        finally:
            line.close()

    asyncio.run(scenario())
