"""Find out who answers on a line: Modbus units one at a time, gently, asking for one register each."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import msgspec

from edge.dlt645_meter import read_address
from edge.errors import DeviceError, DeviceRefused
from edge.lines import open_dlt645, open_modbus
from edge.modbus import ModbusLine
from edge.profiles import Table

TABLES: tuple[Table, ...] = ("holding_register", "input_register")
PAUSE_S = 0.05


class FoundUnit(msgspec.Struct, frozen=True):
    """A unit that answered."""

    unit: int
    table: Table
    """The table that it answered from."""
    answer: str
    """What register 0 holds, or the exception with which it was refused."""


async def scan_units(url: str, units: Iterable[int], *, timeout_s: float) -> AsyncIterator[FoundUnit]:
    """Yield each unit that answers, be it with an exception. A silent one costs two time-outs."""
    line = open_modbus(url)
    try:
        for unit in units:
            for table in TABLES:
                answer = await _answer(line, unit, table, timeout_s)
                if answer is not None:
                    yield FoundUnit(unit, table, answer)
                    break
            await asyncio.sleep(PAUSE_S)
    finally:
        line.close()


async def find_address(url: str, *, timeout_s: float) -> str | None:
    """Return the address of the only DL/T 645 meter on a line; None where none answers, or several talk at once."""
    line = open_dlt645(url)
    try:
        return await read_address(line, timeout_s=timeout_s)
    except DeviceError:
        return None
    finally:
        line.close()


async def _answer(line: ModbusLine, unit: int, table: Table, timeout_s: float) -> str | None:
    try:
        registers = await line.read_block(unit, table, 0, 1, timeout_s=timeout_s)
    except DeviceRefused as refusal:
        return f"exception {refusal.code}"
    except DeviceError:
        return None
    return f"register 0 holds {registers[0]}"
