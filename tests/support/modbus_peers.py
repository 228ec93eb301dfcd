"""Modbus servers that are not ours: pyModbusTCP, libmodbus (compiled on the spot), node's modbus-serial.

All hold the same: holding register r is 3 r + 1, input register r is 5 r + 2, coil and input n are on where n % 3 is 0.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pyModbusTCP.server import DataBank, ModbusServer
from support.servers import ROOT, find_program, missing

from simulators.processes import free_port

SOURCES = Path(__file__).with_name("peers")
NODE_PEER = Path(__file__).with_name("node_modbus")
NODE_PACKAGES = ROOT / ".tools" / "node_modbus" / "node_modules"
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
        missing("gcc and libmodbus-dev are not installed")
    program = folder / "libmodbus_server"
    subprocess.run(["gcc", "-Wall", "-o", program, SOURCES / "libmodbus_server.c", "-lmodbus"], check=True)
    with _serving([str(program), *arguments]):
        yield


@contextlib.contextmanager
def node_server() -> Iterator[int]:
    """Serve with modbus-serial on node; gives the port."""
    node = find_program("node")
    if not NODE_PACKAGES.is_dir():
        missing(f"the packages of {NODE_PEER} are not installed: run tests/support/install_servers.sh .tools")
    port = free_port()
    with _serving([node, str(NODE_PEER / "server.js"), str(port)], NODE_PATH=str(NODE_PACKAGES)):
        yield port


@contextlib.contextmanager
def _serving(command: list[str], **environment: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.communicate()
