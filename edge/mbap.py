"""A strict Modbus TCP framer for pymodbus: takes the answer that fits the request, and knows when the stream is broken.

pymodbus 3.16.1 takes answers of another function or length than asked, and a frame that was cut short swallows the
first bytes of the one behind it: the value made of both looks good. Here transaction, unit, function and length must
fit, and what follows the answer must look like the beginning of a frame. Once it does not, the link is hung up.
"""

from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU

from edge.linestats import LineStatistics
from edge.rtu import EXCEPTION_FLAG, payload_bytes

HEADER_BYTES = 6
"""Transaction, protocol (always 0) and length; unit, function and data follow."""
LENGTHS = range(3, 255)
EXCEPTION_LENGTH = 3


class StrictMbap(FramerSocket):
    """Looks for one answer at a time; forgets the request as soon as it has found it or is told to."""

    def __init__(self, statistics: LineStatistics) -> None:
        super().__init__(DecodePDU(False))
        self.is_broken = False
        """True: the stream has lost its frames, only a new connection helps."""
        self._statistics = statistics
        self._request: ModbusPDU | None = None

    def buildFrame(self, message: ModbusPDU) -> bytes:  # noqa: N802 (pymodbus's name)
        """Return the request as bytes, and remember it."""
        self._request = message
        return super().buildFrame(message)

    def forget(self) -> None:
        """The request is over: whatever comes now is late."""
        self._request = None

    def handleFrame(self, data: bytes, _unit: int, _transaction: int) -> tuple[int, ModbusPDU | None]:  # noqa: N802
        """Return how many bytes are done with, and the answer if it is among them."""
        start, answer = 0, None
        while len(data) - start >= HEADER_BYTES and answer is None:
            length = int.from_bytes(data[start + 4 : start + 6], "big")
            if data[start + 2 : start + 4] != b"\0\0" or length not in LENGTHS:
                self.is_broken = True
                return len(data), None
            if start + HEADER_BYTES + length > len(data):
                break
            answer = self._answer(data[start : start + HEADER_BYTES + length])
            start += HEADER_BYTES + length
        if answer is not None and not _may_begin_a_frame(data[start:]):
            self.is_broken = True
            return len(data), None
        return start, answer

    def _answer(self, frame: bytes) -> ModbusPDU | None:
        request = self._request
        if request is None or int.from_bytes(frame[:2], "big") != request.transaction_id:
            self._statistics.garbage_bytes += len(frame)
            return None
        unit, function, size = frame[6], frame[7], len(frame) - HEADER_BYTES
        fits = function == request.function_code and size == 3 + payload_bytes(request) and frame[8] == size - 3
        refused = function == request.function_code | EXCEPTION_FLAG and size == EXCEPTION_LENGTH
        if unit != request.dev_id or not (fits or refused):
            self._statistics.misfits += 1
            return None
        answer = self.decoder.decode(frame[7:])
        if answer is not None:
            answer.dev_id, answer.transaction_id, self._request = unit, request.transaction_id, None
        return answer


def _may_begin_a_frame(rest: bytes) -> bool:
    return rest[2:4] == b"\0\0"[: max(len(rest) - 2, 0)] and (
        len(rest) < HEADER_BYTES or int.from_bytes(rest[4:6], "big") in LENGTHS
    )
