"""Modbus servers that are not ours: pyModbusTCP, libmodbus (compiled on the spot), node's modbus-serial.

All hold the same: holding register r is 3 r + 1, input register r is 5 r + 2, coil and input n are on where n % 3 is 0.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyModbusTCP.server import DataBank, ModbusServer
from support.free_port import free_port

SOURCES = Path(__file__).with_name("peers")
SIZE = 200


@contextlib.contextmanager
def pymodbustcp_server() -> Iterator[int]:
    """Serve with pyModbusTCP; gives the port."""
    bank = DataBank(coils_size=SIZE, d_inputs_size=SIZE, h_regs_size=SIZE, i_regs_size=SIZE)
    bank.set_holding_registers(0, [3 * register + 1 for register in range(SIZE)])
    bank.set_input_registers(0, [5 * register + 2 for register in range(SIZE)])
    bank.set_coils(0, [place % 3 == 0 for place in range(SIZE)])
    bank.set_discrete_inputs(0, [place % 3 == 0 for place in range(SIZE)])
    server = ModbusServer("127.0.0.1", free_port(), no_block=True, data_bank=bank)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@contextlib.contextmanager
def libmodbus_server(folder: Path, *arguments: str) -> Iterator[None]:
    """Serve with libmodbus: arguments are `tcp PORT` or `rtu DEVICE BAUD`."""
    if shutil.which("gcc") is None or not Path("/usr/include/modbus/modbus.h").exists():
        _not_here("gcc and libmodbus-dev are not installed")
    program = folder / "libmodbus_server"
    subprocess.run(["gcc", "-Wall", "-o", program, SOURCES / "libmodbus_server.c", "-lmodbus"], check=True)
    with _serving([str(program), *arguments]):
        yield


@contextlib.contextmanager
def node_server() -> Iterator[int]:
    """Serve with modbus-serial on node; gives the port."""
    found = shutil.which("node") and subprocess.run(["node", "-e", "require('modbus-serial')"], capture_output=True)
    if not found or found.returncode != 0:
        pytest.skip("node with modbus-serial is not installed")  # optional even under CI
    port = free_port()
    with _serving(["node", str(SOURCES / "modbus_serial_server.js"), str(port)]):
        yield port


@contextlib.contextmanager
def _serving(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.communicate()


def _not_here(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
