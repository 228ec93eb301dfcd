"""A strict framer for Modbus RTU: hunts for the answer to the one request under way, and takes nothing else.

A single 0x00 from the switching of an RS-485 driver, an adapter's echo or another unit's answer must not cost a
time-out, so each place in the buffer may be the start; unit, function, length and checksum must all fit.
"""

from edge.linestats import LineStatistics
from edge.pdu import EXCEPTION_FLAG, ReadRequest

EXCEPTION_BYTES = 5
FRAME_BYTES = 5
"""Unit, function, length and two of checksum."""
POLYNOMIAL = 0xA001


class StrictRtu:
    """Looks for one answer at a time; forgets the request as soon as it has found it or is told to."""

    numbers_answers = False
    is_broken = False

    def __init__(self, statistics: LineStatistics) -> None:
        self._statistics = statistics
        self._request: ReadRequest | None = None
        self._sent = b""

    def build(self, request: ReadRequest) -> bytes:
        """Return the request as bytes, and remember it."""
        question = request.encode()
        self._request, self._sent = request, question + crc16(question)
        return self._sent

    def forget(self) -> None:
        """The request is over: whatever comes now is late."""
        self._request = None

    def take(self, data: bytes) -> tuple[int, bytes | None]:
        """Return how many bytes are done with, and the answer's function and content if it is among them."""
        if self._request is None:
            self._statistics.garbage_bytes += len(data)
            return len(data), None
        waits_from = len(data)
        for start in range(len(data)):
            size = _size(data, start, self._request)
            if size is None or data.startswith(self._sent, start):
                continue  # an adapter's echo of certain requests has the form and the checksum of an answer
            if start + size > len(data) or self._sent.startswith(data[start:]):
                waits_from = min(waits_from, start)
            elif self._is_intact(data[start : start + size]):
                self._statistics.garbage_bytes += len(data) - size
                self._request = None
                return len(data), data[start + 1 : start + size - 2]
        self._statistics.garbage_bytes += waits_from
        return waits_from, None

    def _is_intact(self, frame: bytes) -> bool:
        intact = crc16(frame[:-2]) == frame[-2:]
        self._statistics.bad_crc += not intact
        return intact


def _size(data: bytes, start: int, request: ReadRequest) -> int | None:
    """Return how long the answer would be if it began at `start`; None if it cannot begin there."""
    head = data[start : start + 3]
    payload = request.payload_bytes
    if head == bytes([request.unit, request.function, payload])[: len(head)]:
        return FRAME_BYTES + payload
    if head[:2] == bytes([request.unit, request.function | EXCEPTION_FLAG])[: len(head)]:
        return EXCEPTION_BYTES
    return None


def crc16(frame: bytes) -> bytes:
    """Return the checksum of Modbus RTU, low byte first."""
    crc = 0xFFFF
    for byte in frame:
        crc = crc >> 8 ^ CRC_OF_BYTE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ POLYNOMIAL if byte & 1 else byte >> 1
    return byte


CRC_OF_BYTE = tuple(map(_crc_of_byte, range(256)))
