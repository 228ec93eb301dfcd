"""Meters on real Modbus TCP: many devices behind many ports in one process, on the clock it is given.

Only what a meter that is read needs: functions 1 to 4. How a device keeps quiet depends on where it hangs: a serial
line's TCP gateway answers for it with exception 0x0B, a device of its own gives no answer at all.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edge.profiles import Point
from simulators.registers import Image

MBAP = struct.Struct(">HHHB")
REQUEST = struct.Struct(">BHH")
BIT_FUNCTIONS, REGISTER_FUNCTIONS = (1, 2), (3, 4)
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, TARGET_SILENT = 0x01, 0x02, 0x03, 0x0B
MAX_REGISTERS, MAX_BITS = 125, 2000
LONGEST_FRAME = 260


@dataclass
class Meter:
    """One device as the server sees it."""

    points: Sequence[Point]
    values: Callable[[int], Mapping[str, float] | None]
    """What it shows at an instant [ms]; None while it is silent."""
    serial: bool
    """Behind a serial line: its gateway answers 0x0B for it while it is silent."""
    answered: int = 0
    """Requests that got values."""
    silent: int = 0
    """Requests that met silence."""
    _image: Image = field(init=False)

    def __post_init__(self) -> None:
        self._image = Image(self.points)

    def respond(self, request: bytes, now_ms: int) -> bytes | None:
        """The answer to one request (function code and data), or None for no answer."""
        values = self.values(now_ms)
        if values is None:
            self.silent += 1
            return _exception(request[0], TARGET_SILENT) if self.serial else None
        if len(request) != REQUEST.size or request[0] not in BIT_FUNCTIONS + REGISTER_FUNCTIONS:
            return _exception(request[0], ILLEGAL_FUNCTION)
        function, address, count = REQUEST.unpack(request)
        if not 1 <= count <= (MAX_BITS if function in BIT_FUNCTIONS else MAX_REGISTERS):
            return _exception(function, ILLEGAL_VALUE)
        self._image.load(values)
        cells = self._image.read(function, address, count)
        if cells is None:
            return _exception(function, ILLEGAL_ADDRESS)
        self.answered += 1
        body = _bits(cells) if function in BIT_FUNCTIONS else struct.pack(f">{count}H", *cells)
        return bytes((function, len(body))) + body


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]
Link = Mapping[int, Meter]
"""The meters behind one TCP port, by unit."""


@contextlib.asynccontextmanager
async def serve(
    links: Mapping[str, Link],
    now_ms: Callable[[], int],
    *,
    host: str = "127.0.0.1",
    ports: Mapping[str, int] | None = None,
) -> AsyncIterator[dict[str, int]]:
    """Serve every link until the block ends; gives the TCP port of each. Port 0 where `ports` names none."""
    servers: dict[str, asyncio.Server] = {}
    talks: set[asyncio.Task[None]] = set()
    try:
        for name, link in links.items():
            port = (ports or {}).get(name, 0)
            servers[name] = await asyncio.start_server(_answering(link, now_ms, talks), host, port)
        yield {name: server.sockets[0].getsockname()[1] for name, server in servers.items()}
    finally:
        for server in servers.values():
            server.close()
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        for server in servers.values():
            await server.wait_closed()


def _answering(link: Link, now_ms: Callable[[], int], talks: set[asyncio.Task[None]]) -> Talk:
    """What to do with each new connection; its task is in `talks` while it lasts."""

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_talk(link, now_ms, reader, writer))
        talks.add(task)
        task.add_done_callback(talks.discard)

    return accept


async def _talk(
    link: Link, now_ms: Callable[[], int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        while True:
            transaction, _, length, unit = MBAP.unpack(await reader.readexactly(MBAP.size))
            if not 2 <= length <= LONGEST_FRAME:
                return
            request = await reader.readexactly(length - 1)
            meter = link.get(unit)
            answer = _exception(request[0], TARGET_SILENT) if meter is None else meter.respond(request, now_ms())
            if answer is not None:
                writer.write(MBAP.pack(transaction, 0, len(answer) + 1, unit) + answer)
                await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        writer.transport.abort()


def _exception(function: int, code: int) -> bytes:
    return bytes((function | 0x80, code))


def _bits(cells: Sequence[int]) -> bytes:
    """Eight bits to a byte, the first in the lowest place."""
    number = sum(bit << place for place, bit in enumerate(cells))
    return number.to_bytes((len(cells) + 7) // 8, "little")
