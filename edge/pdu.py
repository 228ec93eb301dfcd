"""Modbus's questions and answers without their frames: reads of the four tables, and nothing else."""

import struct
from typing import NamedTuple

from edge.profiles import Table

FUNCTIONS: dict[Table, int] = {"coil": 1, "discrete_input": 2, "holding_register": 3, "input_register": 4}
READ_BITS = (1, 2)
EXCEPTION_FLAG = 0x80
QUESTION = struct.Struct(">BBHH")


class ReadRequest(NamedTuple):
    """One block to read of one unit."""

    unit: int
    function: int
    register: int
    size: int
    """Registers, or bits."""

    @property
    def party(self) -> str:
        """Who is asked."""
        return f"unit {self.unit}"

    @property
    def payload_bytes(self) -> int:
        """How many bytes of data the answer must bring."""
        return (self.size + 7) // 8 if self.function in READ_BITS else 2 * self.size

    def encode(self) -> bytes:
        """Return unit, function, register and size as they stand in either frame."""
        return QUESTION.pack(*self)

    def __str__(self) -> str:
        table = next(table for table, function in FUNCTIONS.items() if function == self.function)
        return f"'read {self.size} {table.replace('_', ' ')}{'s' if self.size > 1 else ''} at {self.register}'"


def exception_of(answer: bytes) -> int | None:
    """Return the exception code of an answer (function and what follows); None where it brings data."""
    return answer[1] if answer[0] & EXCEPTION_FLAG else None


def content_of(answer: bytes, request: ReadRequest) -> list[int]:
    """Return the registers (or bits, as 0 and 1) of an answer whose length has been checked."""
    if request.function in READ_BITS:
        return [answer[2 + place // 8] >> place % 8 & 1 for place in range(request.size)]
    return list(struct.unpack_from(f">{request.size}H", answer, 2))
