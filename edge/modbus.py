"""Read blocks of registers over Modbus. Nothing in this room can write to a meter."""

from typing import Protocol

from edge.errors import DeviceRefused, DeviceTimeout
from edge.line import Line
from edge.pdu import FUNCTIONS, ReadRequest, content_of, exception_of
from edge.profiles import Table

GATEWAY_GOT_NO_ANSWER = (10, 11)
EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}


class BlockReader(Protocol):
    """The one thing that can be done with a Modbus line."""

    async def read_block(self, unit: int, table: Table, register: int, count: int, *, timeout_s: float) -> list[int]:
        """Return `count` registers (or bits, as 0 and 1). Raises DeviceTimeout or DeviceRefused."""


class ModbusLine:
    """Reads over one line, in either of Modbus's frames."""

    def __init__(self, line: Line[ReadRequest]) -> None:
        self._line = line
        self.statistics = line.statistics
        self.backoff = line.backoff

    async def read_block(self, unit: int, table: Table, register: int, count: int, *, timeout_s: float) -> list[int]:
        """Return `count` registers (or bits, as 0 and 1). Raises DeviceTimeout or DeviceRefused."""
        request = ReadRequest(unit, FUNCTIONS[table], register, count)
        answer = await self._line.ask(request, timeout_s=timeout_s)
        code = exception_of(answer)
        if code is None:
            return content_of(answer, request)
        self.statistics.refused += 1
        text = f"{self._line.url} {request.party}: {request}: exception {code}, {EXCEPTIONS.get(code, 'unknown')}"
        if code in GATEWAY_GOT_NO_ANSWER:
            raise DeviceTimeout(text)
        raise DeviceRefused(text, code)

    def close(self) -> None:
        """Hang up; the next request opens the line again."""
        self._line.close()
