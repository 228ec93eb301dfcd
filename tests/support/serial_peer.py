"""A Modbus RTU meter at the other end of a pseudo-terminal, which takes as long as a wire of its baud rate would."""

import asyncio
import contextlib
import os
import pty
import struct
import tty
from pathlib import Path

from support.fault_peer import content, crc16

REQUEST_BYTES = 8
BITS_PER_CHARACTER = 10
SILENCE_CHARACTERS = 3.5


class SerialPeer:
    """Answers reads of one unit with `content(register, count, 0)`; `path` is where the serial port seems to be."""

    def __init__(self, path: Path, *, unit: int = 1, baud: int | None = None, latency_s: float = 0.0) -> None:
        """`baud` None: as fast as it goes."""
        self.path, self.unit, self.baud, self.latency_s = path, unit, baud, latency_s
        self.busy_s = 0.0
        """What the wire and the meter took for all answers so far: the physical limit. [s]"""
        self._master: int | None = None
        self._slave: int | None = None
        self._buffer = b""
        self._answers: set[asyncio.Task[None]] = set()

    def plug_in(self) -> None:
        """Make the serial port appear."""
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._take)

    def pull_out(self) -> None:
        """Make the serial port vanish."""
        for task in self._answers:
            task.cancel()
        if self._master is not None and self._slave is not None:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._slave)
            os.close(self._master)
        self.path.unlink(missing_ok=True)
        self._master = self._slave = None

    def _take(self) -> None:
        if self._master is None:
            return
        with contextlib.suppress(OSError):
            self._buffer += os.read(self._master, 1024)
        while len(self._buffer) >= REQUEST_BYTES:
            request, self._buffer = self._buffer[:REQUEST_BYTES], self._buffer[REQUEST_BYTES:]
            task = asyncio.get_running_loop().create_task(self._answer(request))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)

    async def _answer(self, request: bytes) -> None:
        unit, function, register, count = struct.unpack(">BBHH", request[:6])
        if unit != self.unit or crc16(request[:6]) != request[6:]:
            return
        pdu = bytes([unit, function, 2 * count]) + struct.pack(f">{count}H", *content(register, count, 0))
        answer = pdu + crc16(pdu)
        takes_s = self.latency_s
        if self.baud is not None:
            characters = REQUEST_BYTES + len(answer) + 2 * SILENCE_CHARACTERS
            takes_s += characters * BITS_PER_CHARACTER / self.baud
        self.busy_s += takes_s
        await asyncio.sleep(takes_s)
        if self._master is not None:
            os.write(self._master, answer)
