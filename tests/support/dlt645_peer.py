"""A DL/T 645-2007 meter that answers byte by byte as a bad line would; written from the standard, not from our framer.

Every answer carries digits that belong to one request alone (`digits_of`), so an answer given to the wrong request can
always be told from the right one.
"""

import asyncio

from support.tcp_peer import TcpPeer

CLEAN = "clean"
FAULTS = (
    "garbage_before", "garbage_after", "bit_flip", "split", "late", "other_address", "other_identifier",
    "wrong_control", "wrong_length", "echo", "truncated", "silent", "reset", "doubled", "no_preamble",
)  # fmt: skip
QUESTION_BYTES = 4 + 16


def digits_of(identifier: int, serial: int) -> int:
    """The eight digits that the peer gives to its request number `serial`."""
    return (identifier * 31 + serial * 7_919) % 100_000_000


def answer_frame(address: str, control: int, data: bytes) -> bytes:
    """One frame: 68, address lowest pair first, 68, control, length, data with 0x33 added, sum, 16."""
    body = bytearray([0x68])
    body += bytes(int(address[place : place + 2], 16) for place in range(10, -2, -2))
    body += bytes([0x68, control, len(data)])
    body += bytes((each + 0x33) % 256 for each in data)
    return bytes(body) + bytes([sum(body) % 256, 0x16])


def bcd_bytes(digits: int, size: int) -> bytes:
    """Decimal digits, two to a byte, lowest first."""
    return bytes(int(f"{digits // 100**place % 100:02d}", 16) for place in range(size))


def is_for_any_address(question: bytes) -> bool:
    """Whether a question (from its first 68 on) asks for the address itself."""
    return question[8] == 0x13


def address_of(question: bytes) -> str:
    """Whom a question is for."""
    return question[1:7][::-1].hex()


def identifier_of(question: bytes) -> int:
    """The data identifier that a question asks for."""
    return int.from_bytes(bytes((each - 0x33) % 256 for each in question[10:14]), "little")


class Dlt645Peer(TcpPeer):
    """Serves one meter of eight-digit values over TCP; `unknown` identifiers are refused."""

    def __init__(self, address: str, *, seed: int = 0, fault_share: float = 0.0, late_s: float = 0.0) -> None:
        super().__init__(seed=seed, late_s=(late_s, late_s))
        self.address, self.fault_share = address, fault_share
        self.faults: tuple[str, ...] = FAULTS
        self.unknown: set[int] = set()
        self.serial, self.last_fault = 0, CLEAN

    async def read_question(self, reader: asyncio.StreamReader) -> bytes:
        question = await reader.readexactly(4)
        while question[-10:-9] != b"\x68" or question[-3:-2] != b"\x68":
            question += await reader.readexactly(1)  # preamble, 68, address, 68, control, length
        question += await reader.readexactly(question[-1] + 2)
        return question.lstrip(b"\xfe")

    async def answer(self, question: bytes, writer: asyncio.StreamWriter) -> None:
        if is_for_any_address(question):
            writer.write(b"\xfe" + answer_frame(self.address, 0x93, bytes.fromhex(self.address)[::-1]))
        elif address_of(question) == self.address:
            self.serial += 1
            await self._answer(question, identifier_of(question), writer)

    async def _answer(self, question: bytes, identifier: int, writer: asyncio.StreamWriter) -> None:
        if identifier in self.unknown:
            writer.write(answer_frame(self.address, 0xD1, b"\x02"))
            return
        fault = self.rng.choice(self.faults) if self.rng.random() < self.fault_share else CLEAN
        self.last_fault = fault
        answer = b"\xfe" * 4 + self._frame(identifier)
        if not await self.send(fault, answer, writer):
            writer.write(self._damaged(fault, question, answer, identifier))

    def _frame(self, identifier: int, *, address: str | None = None, control: int = 0x91, size: int = 4) -> bytes:
        content = bcd_bytes(digits_of(identifier, self.serial), size)
        return answer_frame(address or self.address, control, identifier.to_bytes(4, "little") + content)

    def _damaged(self, fault: str, question: bytes, answer: bytes, identifier: int) -> bytes:
        rng = self.rng
        place = rng.randrange(4, len(answer))
        garbage = rng.randbytes(rng.randrange(1, 6))
        other = f"{int(self.address) + 1:012d}"
        return {
            CLEAN: answer,
            "silent": b"",
            "no_preamble": answer[4:],
            "garbage_before": garbage + answer,
            "garbage_after": answer + garbage,
            "bit_flip": answer[:place] + bytes([answer[place] ^ 1 << rng.randrange(8)]) + answer[place + 1 :],
            "other_address": self._frame(identifier, address=other),
            "other_identifier": self._frame(identifier ^ 0x100),
            "wrong_control": self._frame(identifier, control=0xB1),
            "wrong_length": self._frame(identifier, size=3),
            "echo": b"\xfe" * 4 + question + answer,
            "truncated": answer[:place],
            "doubled": answer + answer,
        }[fault]
