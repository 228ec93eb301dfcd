"""DL/T 645-2007, the protocol of China's energy meters: a strict framer for reads of one data identifier.

    FE FE FE FE  68 A0…A5 68 C L data CS 16

The address is twelve digits, lowest pair first; data are sent with 0x33 added to each byte, lowest byte first; CS is
the sum of all bytes from the first 68. A read is C = 0x11 with the identifier; 0x91 brings identifier and content,
0xD1 an error. 0x13 asks the only meter on a line for its address.

The PyPI package `dlt645` (3.2.0) was examined and is not used here: it carries functions that write to meters,
logs through a logger of its own, and does not compare an answer's identifier and length with the question. Its
server is the peer of our tests. A checksum of 8 bits is weak: of frames damaged in several bytes some pass, so what
an answer says must also be decimal digits, and a point's `valid_min` and `valid_max` are worth setting.
"""

from typing import NamedTuple

from edge.linestats import LineStatistics

PREAMBLE = b"\xfe" * 4
START, END = 0x68, 0x16
OFFSET = 0x33
READ, READ_ADDRESS = 0x11, 0x13
ANSWERS, REFUSES = 0x80, 0xC0
"""Added to the question's control code."""
ANY_ADDRESS = "AA" * 6
HEADER_BYTES, TAIL_BYTES = 10, 2
IDENTIFIER_BYTES, ADDRESS_BYTES, ERROR_BYTES = 4, 6, 1


class Dlt645Request(NamedTuple):
    """One data identifier to read of one meter; with ANY_ADDRESS, the address of the only meter on the line."""

    address: str
    """Twelve digits, as printed on the meter."""
    identifier: int = 0
    """Such as 0x02010100, the voltage of phase A."""
    size: int = 0
    """Bytes of content that the answer must bring."""

    @property
    def party(self) -> str:
        """Who is asked."""
        return f"meter {self.address}"

    @property
    def control(self) -> int:
        """The control code."""
        return READ_ADDRESS if self.address == ANY_ADDRESS else READ

    @property
    def head(self) -> bytes:
        """What the answer's data must begin with."""
        return b"" if self.control == READ_ADDRESS else self.identifier.to_bytes(IDENTIFIER_BYTES, "little")

    def encode(self) -> bytes:
        """Return the request as a frame, without preamble."""
        return frame(self.address, self.control, self.head)

    def __str__(self) -> str:
        return "'read address'" if self.control == READ_ADDRESS else f"'read {self.identifier:08X}'"


class Dlt645Framer:
    """Looks for one answer at a time; forgets the question as soon as it has found it or is told to."""

    numbers_answers = False
    is_broken = False

    def __init__(self, statistics: LineStatistics) -> None:
        self._statistics = statistics
        self._request: Dlt645Request | None = None

    def build(self, question: Dlt645Request) -> bytes:
        """Return the question as bytes, and remember it."""
        self._request = question
        return PREAMBLE + question.encode()

    def forget(self) -> None:
        """The question is over: whatever comes now is late."""
        self._request = None

    def take(self, data: bytes) -> tuple[int, bytes | None]:
        """Return how many bytes are done with, and the answer's control code and content if it is among them."""
        request, waits_from = self._request, len(data)
        if request is None:
            self._statistics.garbage_bytes += len(data)
            return len(data), None
        for start in range(len(data)):
            size = _size(data[start : start + HEADER_BYTES], request)
            if size is None:
                continue
            if start + size > len(data):
                waits_from = min(waits_from, start)
            elif (answer := self._answer(data[start : start + size], request)) is not None:
                self._statistics.garbage_bytes += len(data) - size
                self._request = None
                return len(data), answer
        self._statistics.garbage_bytes += waits_from
        return waits_from, None

    def _answer(self, whole: bytes, request: Dlt645Request) -> bytes | None:
        if whole[-1] != END or whole[-2] != sum(whole[:-2]) & 0xFF:
            self._statistics.bad_crc += 1
            return None
        control, content = whole[8], bytes((byte - OFFSET) & 0xFF for byte in whole[HEADER_BYTES:-TAIL_BYTES])
        if is_refusal(control):
            return bytes([control]) + content
        fits = whole[1:7] == content if request.control == READ_ADDRESS else content.startswith(request.head)
        if not fits:
            self._statistics.misfits += 1
            return None
        return bytes([control]) + content[len(request.head) :]


def is_refusal(control: int) -> bool:
    """Whether an answer of this control code is an error."""
    return control & REFUSES == REFUSES


def frame(address: str, control: int, data: bytes) -> bytes:
    """Return one frame, from its first 68 to its 16."""
    body = bytes([START, *bytes.fromhex(address)[::-1], START, control, len(data)])
    body += bytes((byte + OFFSET) & 0xFF for byte in data)
    return body + bytes([sum(body) & 0xFF, END])


def _size(head: bytes, request: Dlt645Request) -> int | None:
    """Return how long the answer would be if it began with `head`; None if it cannot."""
    address = head[1:7] if request.control == READ_ADDRESS else bytes.fromhex(request.address)[::-1]
    wanted = len(request.head) + (ADDRESS_BYTES if request.control == READ_ADDRESS else request.size)
    for control, length in ((request.control | ANSWERS, wanted), (request.control | REFUSES, ERROR_BYTES)):
        if head == bytes([START, *address, START, control, length])[: len(head)]:
            return HEADER_BYTES + length + TAIL_BYTES
    return None
