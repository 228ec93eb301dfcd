"""Against Modbus servers that others wrote: same questions, same answers."""

import asyncio
import contextlib
import os
import pty
import selectors
import threading
import tty
from collections.abc import Awaitable, Callable, Iterator

import pytest
from support.modbus_peers import libmodbus_server, node_server, pymodbustcp_server

from edge.errors import DeviceRefused, DeviceTimeout
from edge.lines import open_line
from edge.modbus import ModbusLine
from simulators.processes import free_port


@pytest.fixture(params=["pyModbusTCP", "libmodbus", "libmodbus-rtu", "modbus-serial"])
def url(request, tmp_path) -> Iterator[str]:
    """A line to one of the peers."""
    with contextlib.ExitStack() as stack:
        if request.param == "pyModbusTCP":
            yield f"tcp://127.0.0.1:{stack.enter_context(pymodbustcp_server())}"
        elif request.param == "modbus-serial":
            yield f"tcp://127.0.0.1:{stack.enter_context(node_server())}"
        elif request.param == "libmodbus":
            port = free_port()
            stack.enter_context(libmodbus_server(tmp_path, "tcp", str(port)))
            yield f"tcp://127.0.0.1:{port}"
        else:
            near, far = stack.enter_context(serial_cable())
            stack.enter_context(libmodbus_server(tmp_path, "rtu", far, "115200"))
            yield f"rtu://{near}?baud=115200"


@contextlib.contextmanager
def serial_cable() -> Iterator[tuple[str, str]]:
    """Two serial ports joined by a cable: what goes into one comes out of the other."""
    ends = [pty.openpty() for _ in range(2)]
    for _, slave in ends:
        tty.setraw(slave)
    masters = [master for master, _ in ends]
    stop_read, stop_write = os.pipe()

    def carry() -> None:
        with selectors.DefaultSelector() as selector:
            for end in (*masters, stop_read):
                selector.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fd == stop_read:
                        return
                    os.write(masters[1 - masters.index(key.fd)], os.read(key.fd, 4096))

    carrier = threading.Thread(target=carry)
    carrier.start()
    try:
        yield os.ttyname(ends[0][1]), os.ttyname(ends[1][1])
    finally:
        os.write(stop_write, b"x")
        carrier.join()
        for descriptor in (*masters, *(slave for _, slave in ends), stop_read, stop_write):
            os.close(descriptor)


def with_line(url: str, scenario: Callable[[ModbusLine], Awaitable[None]]) -> None:
    async def run() -> None:
        line = open_line(url)
        try:
            await scenario(line)
        finally:
            line.close()

    asyncio.run(run())


def test_all_four_tables_are_read(url):
    async def scenario(line: ModbusLine) -> None:
        read = line.read_block
        assert await read(1, "holding_register", 5, 3, timeout_s=2) == [16, 19, 22]
        assert await read(1, "input_register", 5, 3, timeout_s=2) == [27, 32, 37]
        assert await read(1, "coil", 3, 5, timeout_s=2) == [1, 0, 0, 1, 0]
        assert await read(1, "discrete_input", 4, 10, timeout_s=2) == [0, 0, 1, 0, 0, 1, 0, 0, 1, 0]

    with_line(url, scenario)


def test_the_largest_block_comes_whole(url):
    async def scenario(line: ModbusLine) -> None:
        for _ in range(20):
            found = await line.read_block(1, "holding_register", 0, 125, timeout_s=2)
            assert found == [3 * register + 1 for register in range(125)]

    with_line(url, scenario)


def test_a_register_that_is_not_there_is_refused_and_the_line_goes_on(url):
    async def scenario(line: ModbusLine) -> None:
        with pytest.raises(DeviceRefused, match="illegal data address") as caught:
            await line.read_block(1, "holding_register", 190, 20, timeout_s=2)
        assert caught.value.code == 2
        assert await line.read_block(1, "holding_register", 0, 1, timeout_s=2) == [1]

    with_line(url, scenario)


def test_a_server_that_restarts_is_found_again(tmp_path):
    """The link is lost between two polls: the next read opens it again."""

    async def scenario(port: int) -> None:
        line = open_line(f"tcp://127.0.0.1:{port}")
        try:
            for _ in range(2):
                with libmodbus_server(tmp_path, "tcp", str(port)):
                    assert await line.read_block(1, "holding_register", 0, 1, timeout_s=2) == [1]
                with pytest.raises(DeviceTimeout):
                    await line.read_block(1, "holding_register", 0, 1, timeout_s=2)
                line.backoff.succeeded()  # as if the pause were over
            assert line.statistics.connects == 2
        finally:
            line.close()

    asyncio.run(scenario(free_port()))
