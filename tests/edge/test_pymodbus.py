"""Why the frames are our own: what pymodbus makes of a broken stream, and what ours makes of the same bytes.

Where a new version of pymodbus fails a test here, its framers have become stricter: look again whether they will do.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerType
from support.fault_peer import crc16
from support.tcp_peer import TcpPeer

from edge.errors import DeviceTimeout
from edge.lines import open_line

TIMEOUT_S = 0.3
LATE, CUT = bytes.fromhex("aaaabbbb"), bytes.fromhex("11112222")


class ScriptedPeer(TcpPeer):
    """Answers the first request with the first of `answers`, and so on."""

    def __init__(self, request_bytes: int, *answers: bytes) -> None:
        super().__init__(seed=0, late_s=(0.0, 0.0))
        self._request_bytes, self._answers = request_bytes, list(answers)

    async def read_question(self, reader: asyncio.StreamReader) -> bytes:
        return await reader.readexactly(self._request_bytes)

    async def answer(self, question: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(self._answers.pop(0))


@asynccontextmanager
async def server(request_bytes: int, *answers: bytes) -> AsyncIterator[int]:
    """A peer with a script; gives its port."""
    peer = ScriptedPeer(request_bytes, *answers)
    try:
        yield await peer.start()
    finally:
        await peer.stop()


def mbap(transaction: int, content: bytes) -> bytes:
    pdu = bytes([1, 3, len(content)]) + content
    return transaction.to_bytes(2, "big") + b"\0\0" + len(pdu).to_bytes(2, "big") + pdu


CUT_SHORT_THEN_LATE = (b"", mbap(2, CUT)[:-3] + mbap(1, LATE))
"""Nothing in time to the first request; of the second answer all but three bytes, then the first one."""


def test_pymodbus_makes_a_value_of_half_an_answer_and_a_late_one():
    """A byte of the right answer and three of the late one's header pass for two registers."""
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

    async def scenario() -> list[int]:
        async with server(12, *CUT_SHORT_THEN_LATE) as port:
            client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=TIMEOUT_S, retries=0)
            await client.connect()
            try:
                with pytest.raises(ModbusIOException):
                    await client.read_holding_registers(0, count=2, device_id=1)
                return (await client.read_holding_registers(0, count=2, device_id=1)).registers
            finally:
                client.close()

    assert asyncio.run(scenario()) == [0x1100, 0x0100]


def test_ours_makes_no_value_of_the_same_bytes():
    async def scenario() -> None:
        async with server(12, *CUT_SHORT_THEN_LATE) as port:
            line = open_line(f"tcp://127.0.0.1:{port}")
            try:
                for _ in range(2):
                    with pytest.raises(DeviceTimeout):
                        await line.read_block(1, "holding_register", 0, 2, timeout_s=TIMEOUT_S)
            finally:
                line.close()

    asyncio.run(scenario())


BEHIND_A_ZERO = b"\0" + bytes([1, 3, 4]) + CUT + crc16(bytes([1, 3, 4]) + CUT)
"""A line driver that switches over often adds a zero byte."""


def test_pymodbus_loses_an_rtu_answer_behind_a_zero_byte():
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

    async def scenario() -> None:
        async with server(8, BEHIND_A_ZERO) as port:
            client = AsyncModbusTcpClient("127.0.0.1", port=port, framer=FramerType.RTU, timeout=TIMEOUT_S, retries=0)
            await client.connect()
            try:
                with pytest.raises(ModbusIOException):
                    await client.read_holding_registers(0, count=2, device_id=1)
            finally:
                client.close()

    asyncio.run(scenario())


def test_ours_finds_an_rtu_answer_behind_a_zero_byte():
    async def scenario() -> list[int]:
        async with server(8, BEHIND_A_ZERO) as port:
            line = open_line(f"rtu+tcp://127.0.0.1:{port}")
            try:
                return await line.read_block(1, "holding_register", 0, 2, timeout_s=5.0)
            finally:
                line.close()

    assert asyncio.run(scenario()) == [0x1111, 0x2222]
