"""A strict framer for Modbus TCP: takes the answer that fits the request, and knows when the stream is broken.

A frame that was cut short swallows the first bytes of the one behind it, and the value made of both would look good.
So transaction, unit, function and length must fit, and what follows the answer must look like the beginning of a
frame. Once it does not, only a new connection helps.
"""

import struct

from edge.linestats import LineStatistics
from edge.pdu import EXCEPTION_FLAG, ReadRequest

HEADER = struct.Struct(">HHH")
"""Transaction, protocol (always 0) and length; unit, function and data follow."""
HEAD_OF_ANSWER = struct.Struct(">HHHBBB")
"""The header, unit, function, and the number of bytes of data that follow."""
LENGTHS = range(3, 255)
EXCEPTION_LENGTH = 3


class StrictMbap:
    """Looks for one answer at a time; forgets the request as soon as it has found it or is told to."""

    numbers_answers = True

    def __init__(self, statistics: LineStatistics) -> None:
        self.is_broken = False
        """True: the stream has lost its frames."""
        self._statistics = statistics
        self._transaction = 0
        self._request: ReadRequest | None = None
        self._head, self._whole_bytes = b"", 0
        """How the answer begins that brings data, and how long it is."""

    def build(self, request: ReadRequest) -> bytes:
        """Return the request as bytes under the next transaction, and remember it."""
        self._request = request
        self._transaction = self._transaction % 0xFFFF + 1
        question, payload = request.encode(), request.payload_bytes
        self._head = HEAD_OF_ANSWER.pack(self._transaction, 0, 3 + payload, request.unit, request.function, payload)
        self._whole_bytes = len(self._head) + payload
        return HEADER.pack(self._transaction, 0, len(question)) + question

    def forget(self) -> None:
        """The request is over: whatever comes now is late."""
        self._request = None

    def take(self, data: bytes) -> tuple[int, bytes | None]:
        """Return how many bytes are done with, and the answer's function and content if it is among them."""
        if len(data) == self._whole_bytes and data.startswith(self._head) and self._request is not None:
            self._request = None
            return len(data), data[HEADER.size + 1 :]  # as nearly always: the answer, whole and alone
        start, answer = 0, None
        while len(data) - start >= HEADER.size and answer is None:
            transaction, protocol, length = HEADER.unpack_from(data, start)
            if protocol != 0 or length not in LENGTHS:
                self.is_broken = True
                return len(data), None
            body = start + HEADER.size
            if body + length > len(data):
                break
            answer = self._answer(transaction, data[body : body + length])
            start = body + length
        if answer is not None and not _may_begin_a_frame(data[start:]):
            self.is_broken = True
            return len(data), None
        return start, answer

    def _answer(self, transaction: int, body: bytes) -> bytes | None:
        request = self._request
        if request is None or transaction != self._transaction:
            self._statistics.garbage_bytes += HEADER.size + len(body)
            return None
        unit, function, payload = body[0], body[1], request.payload_bytes
        fits = function == request.function and len(body) == 3 + payload and body[2] == payload
        refused = function == request.function | EXCEPTION_FLAG and len(body) == EXCEPTION_LENGTH
        if unit != request.unit or not (fits or refused):
            self._statistics.misfits += 1
            return None
        self._request = None
        return body[1:]


def _may_begin_a_frame(rest: bytes) -> bool:
    return rest[2:4] == b"\0\0"[: max(len(rest) - 2, 0)] and (
        len(rest) < HEADER.size or int.from_bytes(rest[4:6], "big") in LENGTHS
    )
