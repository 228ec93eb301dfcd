"""A Modbus peer that answers byte by byte as a bad line would: damaged, late, doubled, cut, for somebody else.

Every answer carries numbers that belong to one request alone (`content`), so an answer given to the wrong request, or
one that is old, can always be told from the right one.
"""

import asyncio
import struct
from collections import Counter

from support.tcp_peer import TcpPeer

CLEAN = "clean"
RTU_FAULTS = (
    "garbage_before", "zero_before", "garbage_inside", "garbage_after", "bit_flip", "split", "late", "wrong_unit",
    "wrong_function", "wrong_length", "echo", "truncated", "silent", "reset", "other_then_ours", "doubled",
)  # fmt: skip
TCP_FAULTS = (
    "garbage_before", "garbage_after", "split", "late", "wrong_unit", "wrong_function", "wrong_length", "truncated",
    "wrong_transaction", "wrong_protocol", "false_length", "silent", "reset", "doubled",
)  # fmt: skip


def content(register: int, count: int, serial: int) -> list[int]:
    """The registers that the peer gives to its request number `serial` of a unit."""
    return [(place * 31 + serial * 7) & 0xFFFF for place in range(register, register + count)]


def crc16(frame: bytes) -> bytes:
    """The checksum of Modbus RTU, low byte first."""
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


class FaultPeer(TcpPeer):
    """Serves holding registers of any unit over one TCP port, as Modbus TCP or as RTU in a TCP stream."""

    def __init__(self, *, rtu: bool, seed: int, fault_share: float, late_s: tuple[float, float]) -> None:
        super().__init__(seed=seed, late_s=late_s)
        self.rtu, self.fault_share = rtu, fault_share
        self.faults = RTU_FAULTS if rtu else TCP_FAULTS
        self.serials: Counter[int] = Counter()
        """Requests that have come in, by unit."""
        self.last_fault: dict[int, str] = {}
        """What was done to the last request of a unit."""

    async def read_question(self, reader: asyncio.StreamReader) -> bytes:
        return await reader.readexactly(8 if self.rtu else 12)

    async def answer(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        unit, function, register, count = struct.unpack(">BBHH", request[:6] if self.rtu else request[6:])
        self.serials[unit] += 1
        fault = self.rng.choice(self.faults) if self.rng.random() < self.fault_share else CLEAN
        self.last_fault[unit] = fault
        values = content(register, count, self.serials[unit])
        answer = self._frame(request, unit, function, values)
        if not await self.send(fault, answer, writer):
            writer.write(self._damaged(fault, request, answer, unit, function, values))

    def _damaged(self, fault: str, request: bytes, answer: bytes, unit: int, function: int, values: list[int]) -> bytes:
        rng = self.rng
        garbage = rng.randbytes(rng.randrange(1, 6))
        place = rng.randrange(1, len(answer))
        return {
            CLEAN: answer,
            "silent": b"",
            "garbage_before": garbage + answer,
            "zero_before": b"\0" + answer,
            "garbage_inside": answer[:place] + garbage + answer[place:],
            "garbage_after": answer + garbage,
            "bit_flip": answer[:place] + bytes([answer[place] ^ 1 << rng.randrange(8)]) + answer[place + 1 :],
            "wrong_unit": self._frame(request, unit + 1 & 0xFF, function, values),
            "wrong_function": self._frame(request, unit, function ^ 7, values),
            "wrong_length": self._frame(request, unit, function, values[:-1]),
            "echo": request + answer,
            "truncated": answer[:place],
            "other_then_ours": self._frame(request, unit + 1 & 0xFF, function, values[::-1]) + answer,
            "doubled": answer + answer,
            "wrong_transaction": bytes([answer[0] ^ 0x55]) + answer[1:],
            "wrong_protocol": answer[:2] + b"\x01\x02" + answer[4:],
            "false_length": answer[:4] + struct.pack(">H", rng.randrange(3, 200)) + answer[6:],
        }[fault]

    def _frame(self, request: bytes, unit: int, function: int, values: list[int]) -> bytes:
        pdu = bytes([unit, function, 2 * len(values)]) + struct.pack(f">{len(values)}H", *values)
        return pdu + crc16(pdu) if self.rtu else request[:4] + struct.pack(">H", len(pdu)) + pdu
