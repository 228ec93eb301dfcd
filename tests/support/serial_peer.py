"""A meter at the other end of a pseudo-terminal, which takes as long as a wire of its baud rate would."""

import asyncio
import contextlib
import os
import pty
import struct
import tty
from collections.abc import Callable
from pathlib import Path

from support.dlt645_peer import address_of, answer_frame, bcd_bytes, digits_of, identifier_of
from support.fault_peer import content, crc16

REQUEST_BYTES = 8
SILENCE_CHARACTERS = 3.5

Meter = Callable[[bytes], tuple[int, bytes]]
"""Given what came, returns how many bytes of it are a question (0: wait for more), and the answer, empty for none."""


def rtu_meter(*units: int) -> Meter:
    """Modbus RTU units that hold `content(register, count, 0)`."""

    def take(came: bytes) -> tuple[int, bytes]:
        if len(came) < REQUEST_BYTES:
            return 0, b""
        unit, function, register, count = struct.unpack_from(">BBHH", came)
        if unit not in units or crc16(came[:6]) != came[6:REQUEST_BYTES]:
            return REQUEST_BYTES, b""
        pdu = bytes([unit, function, 2 * count]) + struct.pack(f">{count}H", *content(register, count, 0))
        return REQUEST_BYTES, pdu + crc16(pdu)

    return take


def dlt645_meter(address: str) -> Meter:
    """A DL/T 645 meter whose every value has the eight digits `digits_of(identifier, 0)`."""

    def take(came: bytes) -> tuple[int, bytes]:
        question = came.lstrip(b"\xfe")
        if len(question) < 10 or len(question) < question[9] + 12:
            return 0, b""
        identifier = identifier_of(question)
        content = identifier.to_bytes(4, "little") + bcd_bytes(digits_of(identifier, 0), 4)
        answer = b"\xfe" * 4 + answer_frame(address, 0x91, content)
        return len(came), answer if address_of(question) == address else b""

    return take


class SerialPeer:
    """Answers as its meter says, at the pace of its wire; `path` is where the serial port seems to be."""

    def __init__(
        self,
        path: Path,
        meter: Meter | None = None,
        *,
        baud: int | None = None,
        bits_per_character: int = 10,
        silence_characters: float = SILENCE_CHARACTERS,
        latency_s: float = 0.0,
    ) -> None:
        """`meter` None: unit 1 of Modbus RTU. `baud` None: as fast as it goes."""
        self.path, self.baud, self.latency_s = path, baud, latency_s
        self._meter = meter or rtu_meter(1)
        self._bits_per_character, self._silence_characters = bits_per_character, silence_characters
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
        while True:
            used, answer = self._meter(self._buffer) if self._buffer else (0, b"")
            if used == 0:
                return
            self._buffer = self._buffer[used:]
            if answer:
                task = asyncio.get_running_loop().create_task(self._say(answer, used))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)

    async def _say(self, answer: bytes, question_bytes: int) -> None:
        takes_s = self.latency_s
        if self.baud is not None:
            characters = question_bytes + len(answer) + 2 * self._silence_characters
            takes_s += characters * self._bits_per_character / self.baud
        self.busy_s += takes_s
        await asyncio.sleep(takes_s)
        if self._master is not None:
            os.write(self._master, answer)
