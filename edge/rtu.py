"""A strict RTU framer for pymodbus: hunts for the answer to the one request under way, and takes nothing else.

pymodbus 3.16.1 drops the whole buffer at the first damaged byte, so a single 0x00 from the switching of an RS-485
driver costs a time-out, and it takes answers of another function or length than asked. Here each place in the buffer
may be the start; unit, function, length and checksum must all fit. `ctx.framer` is pymodbus's own affair: a contract
test stands guard over it.
"""

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU

from edge.linestats import LineStatistics

READ_BITS = (1, 2)
EXCEPTION_FLAG = 0x80
EXCEPTION_BYTES = 5
FRAME_BYTES = 5
"""Unit, function, length and two of checksum."""
LARGEST_BUFFER = 2048


class StrictRtu(FramerRTU):
    """Looks for one answer at a time; forgets the request as soon as it has found it or is told to."""

    def __init__(self, statistics: LineStatistics) -> None:
        super().__init__(DecodePDU(False))
        self._statistics = statistics
        self._request: ModbusPDU | None = None
        self._sent = b""

    def buildFrame(self, message: ModbusPDU) -> bytes:  # noqa: N802 (pymodbus's name)
        """Return the request as bytes, and remember it."""
        self._request = message
        self._sent = super().buildFrame(message)
        return self._sent

    def forget(self) -> None:
        """The request is over: whatever comes now is late."""
        self._request = None

    def handleFrame(self, data: bytes, _unit: int, _transaction: int) -> tuple[int, ModbusPDU | None]:  # noqa: N802
        """Return how many bytes are done with, and the answer if it is among them."""
        if self._request is None:
            self._statistics.garbage_bytes += len(data)
            return len(data), None
        waits_from = len(data)
        for start in range(len(data)):
            size = self._size(data, start, self._request)
            if size is None or data.startswith(self._sent, start):
                continue  # an adapter's echo of certain requests has the form and the checksum of an answer
            if start + size > len(data) or self._sent.startswith(data[start:]):
                waits_from = min(waits_from, start)
            elif (answer := self._answer(data[start : start + size])) is not None:
                self._statistics.garbage_bytes += len(data) - size
                self._request = None
                return len(data), answer
        self._statistics.garbage_bytes += waits_from
        return waits_from, None

    def _size(self, data: bytes, start: int, request: ModbusPDU) -> int | None:
        """Return how long the answer would be if it began at `start`; None if it cannot begin there."""
        head = data[start : start + 3]
        payload = payload_bytes(request)
        if head == bytes([request.dev_id, request.function_code, payload])[: len(head)]:
            return FRAME_BYTES + payload
        if head[:2] == bytes([request.dev_id, request.function_code | EXCEPTION_FLAG])[: len(head)]:
            return EXCEPTION_BYTES
        return None

    def _answer(self, frame: bytes) -> ModbusPDU | None:
        if self.compute_CRC(frame[:-2]) != int.from_bytes(frame[-2:], "big"):
            self._statistics.bad_crc += 1
            return None
        answer = self.decoder.decode(frame[1:-2])
        if answer is not None:
            answer.dev_id = frame[0]
        return answer


def payload_bytes(request: ModbusPDU) -> int:
    """Return how many bytes of data the answer to a read must bring."""
    return (request.count + 7) // 8 if request.function_code in READ_BITS else 2 * request.count
