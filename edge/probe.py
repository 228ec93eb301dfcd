"""Read a register in every type and byte order, beside the number that a person reads off the display."""

import math

import msgspec

from edge.decode import BlockDecoder
from edge.errors import DeviceRefused
from edge.lines import open_modbus
from edge.plan import Block, Cell
from edge.profiles import REGISTERS_OF_TYPE, Table

ORDERS = {
    1: ("ABCD",),
    2: ("ABCD", "CDAB", "BADC", "DCBA"),
    4: ("ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA", "CDABGHEF", "EFGHABCD"),
}
TYPES = ("uint16", "int16", "uint32", "int32", "float32", "uint64", "int64", "float64")
SCALES = (1.0, 0.1, 0.01, 0.001, 10.0, 100.0, 1000.0)
NEAR = 0.02
"""A candidate within this part of the expected value is near: displays round, and the value moves."""


class Candidate(msgspec.Struct, frozen=True):
    """One way to read the registers."""

    type: str
    word_order: str
    scale: float
    value: float
    """With the scale."""
    is_near: bool
    """Whether it is what the person expects."""


async def read_registers(url: str, unit: int, table: Table, register: int, *, timeout_s: float) -> list[int]:
    """Return up to four registers from `register` on: as many as the device gives at once. Raises DeviceError."""
    line = open_modbus(url)
    try:
        for count in (4, 2):
            try:
                return await line.read_block(unit, table, register, count, timeout_s=timeout_s)
            except DeviceRefused:
                continue
        return await line.read_block(unit, table, register, 1, timeout_s=timeout_s)
    finally:
        line.close()


def candidates(registers: list[int], expected: float | None = None) -> list[Candidate]:
    """Return every way to read the registers, nearest to `expected` first."""
    found = [
        _candidate(kind, order, registers, expected)
        for kind in TYPES
        for order in ORDERS[REGISTERS_OF_TYPE[kind]]
        if REGISTERS_OF_TYPE[kind] <= len(registers)
    ]
    plausible = [candidate for candidate in found if math.isfinite(candidate.value)]
    return plausible if expected is None else sorted(plausible, key=lambda one: abs(one.value - expected))


def _candidate(kind: str, order: str, registers: list[int], expected: float | None) -> Candidate:
    size = REGISTERS_OF_TYPE[kind]
    cell = Cell("holding_register", 0, size, kind, order)
    raw = float(BlockDecoder(Block((cell,))).raws(registers[:size])[0])
    if expected is None:
        return Candidate(kind, order, 1.0, raw, is_near=False)
    scale = min(SCALES, key=lambda factor: abs(raw * factor - expected)) if math.isfinite(raw) else 1.0
    near = math.isclose(raw * scale, expected, rel_tol=NEAR)
    return Candidate(kind, order, scale, raw * scale, is_near=near)
