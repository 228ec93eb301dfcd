"""The meters on the wire, asked by two clients that are not ours."""

import asyncio
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException
from pyModbusTCP.client import ModbusClient

from edge.profiles import Point, load_profile
from simulators.serve import Meter, serve

TERMINAL = load_profile("simulated_terminal").points
VALUES = {"l1.voltage_v": 230.5, "l2.voltage_v": 229.0, "energy_kwh": 1234.56, "mains_on": 1.0}


def living(*, serial: bool = False) -> Meter:
    return Meter(TERMINAL, lambda _: VALUES, serial=serial)


def silent(*, serial: bool) -> Meter:
    return Meter(TERMINAL, lambda _: None, serial=serial)


async def ask(meters: dict[int, Meter], unit: int, address: int, count: int) -> object:
    """One request by pymodbus; gives the registers, the exception code, or 'no answer'."""
    async with serve({"bus": meters}, lambda: 0) as ports:
        client = AsyncModbusTcpClient("127.0.0.1", port=ports["bus"], timeout=0.2, retries=0)
        assert await client.connect()
        try:
            answer = await client.read_input_registers(address, count=count, device_id=unit)
        except ModbusIOException:
            return "no answer"
        finally:
            client.close()
        return answer.exception_code if answer.isError() else answer.registers


def test_pymodbus_reads_the_values_of_the_profile() -> None:
    registers = asyncio.run(ask({1: living()}, 1, 0, 27))
    assert isinstance(registers, list)
    packed = struct.pack(">27H", *registers)
    assert struct.unpack_from(">ff", packed) == (230.5, 229.0)
    assert struct.unpack_from(">I", packed, 32) == (123_456,)
    assert registers[26] == 1


@pytest.mark.parametrize(
    ("unit", "address", "count", "expected"),
    [(2, 0, 2, 0x0B), (9, 0, 2, 0x0B), (3, 0, 2, "no answer"), (1, 26, 2, 2), (1, 9000, 1, 2)],
    ids=["silent behind a gateway", "absent unit", "silent on its own", "over the end", "far beyond"],
)
def test_what_a_meter_answers_when_it_cannot(unit: int, address: int, count: int, expected: object) -> None:
    meters = {1: living(), 2: silent(serial=True), 3: silent(serial=False)}
    assert asyncio.run(ask(meters, unit, address, count)) == expected


def test_a_meter_that_goes_silent_and_comes_back() -> None:
    """At 0 and 2 it answers, at 1 it does not: the clock it is given decides."""
    meter = Meter(TERMINAL, lambda now_ms: None if now_ms == 1 else VALUES, serial=True)
    request = struct.pack(">BHH", 4, 0, 2)
    codes = [answer[0] for now_ms in (0, 1, 2) if (answer := meter.respond(request, now_ms)) is not None]
    assert codes == [4, 0x84, 4]
    assert (meter.answered, meter.silent) == (2, 1)


def test_writing_is_refused() -> None:
    assert living().respond(struct.pack(">BHH", 6, 0, 1), 0) == bytes((0x86, 1))


def test_two_requests_in_one_packet_are_both_answered() -> None:
    async def pipelined() -> bytes:
        async with serve({"bus": {1: living()}}, lambda: 0) as ports:
            reader, writer = await asyncio.open_connection("127.0.0.1", ports["bus"])
            request = struct.pack(">HHHBBHH", 1, 0, 6, 1, 4, 26, 1)
            writer.write(request + struct.pack(">HHHBBHH", 2, 0, 6, 1, 4, 26, 1))
            answer = await reader.readexactly(22)
            writer.close()
            await writer.wait_closed()
            return answer

    answer = asyncio.run(pipelined())
    assert [answer[0:2], answer[11:13]] == [b"\0\1", b"\0\2"]


@contextmanager
def in_a_thread(meter: Meter) -> Iterator[int]:
    """The server on an event loop of its own, so that a blocking client can ask it."""
    loop, started, port = asyncio.new_event_loop(), threading.Event(), [0]
    finished = asyncio.Event()

    async def run() -> None:
        async with serve({"bus": {1: meter}}, lambda: 0) as ports:
            port[0] = ports["bus"]
            started.set()
            await finished.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert started.wait(10)
    try:
        yield port[0]
    finally:
        loop.call_soon_threadsafe(finished.set)
        thread.join(10)
        loop.close()


def test_pymodbustcp_reads_registers_and_bits() -> None:
    bits = tuple(Point(name=f"pump{n}.on", table="discrete_input", register=n, type="bit") for n in range(10))
    meter = Meter((*TERMINAL, *bits), lambda _: {**VALUES, "pump1.on": 1.0, "pump9.on": 1.0}, serial=False)
    with in_a_thread(meter) as port:
        client = ModbusClient(host="127.0.0.1", port=port, unit_id=1, timeout=5.0)
        registers = client.read_input_registers(0, 2)
        found = client.read_discrete_inputs(0, 10)
        client.close()
    assert struct.unpack(">f", struct.pack(">2H", *registers))[0] == 230.5
    assert [number for number, bit in enumerate(found) if bit] == [1, 9]
