"""A TCP link that can be cut, frozen and delayed: the backhaul between a gateway and the centre."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

CHUNK_BYTES = 65_536


@dataclass
class Link:
    """One proxied link; change it while it runs."""

    target_host: str
    target_port: int
    port: int = 0
    """Where it listens."""
    delay_s: float = 0.0
    """How much later each byte arrives, in each direction. Real seconds."""
    carried_bytes: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set while the link carries."""
    frozen: bool = False
    """While it carries nothing: whether connections stand all the same."""
    ends: set[asyncio.StreamWriter] = field(default_factory=set, repr=False)
    """Both ends of every connection."""

    def cut(self) -> None:
        """Reset every connection, and each new one at once."""
        self.frozen = False
        self.gate.clear()
        for writer in list(self.ends):
            writer.transport.abort()

    def freeze(self) -> None:
        """Let connections stand and carry nothing: what a lost radio link looks like from both ends."""
        self.frozen = True
        self.gate.clear()

    def restore(self) -> None:
        """Carry again, also what waited while frozen."""
        self.frozen = False
        self.gate.set()

    @property
    def refuses(self) -> bool:
        """Whether it is cut, and not merely frozen."""
        return not self.gate.is_set() and not self.frozen


@contextlib.asynccontextmanager
async def proxy(link: Link, *, host: str = "127.0.0.1") -> AsyncIterator[Link]:
    """Run the link until the block ends, on `link.port` (0: any free one, written back)."""
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await _join(link, reader, writer)

    link.restore()
    server = await asyncio.start_server(accept, host, link.port)
    link.port = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        link.cut()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _join(link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Connect one accepted connection to the target and carry both ways until one end is gone."""
    link.ends.add(writer)
    far_writer: asyncio.StreamWriter | None = None
    try:
        if link.refuses:
            return
        far_reader, far_writer = await asyncio.open_connection(link.target_host, link.target_port)
        link.ends.add(far_writer)
        ways = [
            asyncio.create_task(_carry(link, reader, far_writer)),
            asyncio.create_task(_carry(link, far_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
    except OSError:
        return
    finally:
        for end in (writer, far_writer):
            if end is not None:
                link.ends.discard(end)
                end.transport.abort()


async def _carry(link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one way: a reader that stamps each piece, and a writer that lets it wait."""
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=64)
    deliver = asyncio.create_task(_deliver(link, pieces, writer))
    loop = asyncio.get_running_loop()
    try:
        while data := await reader.read(CHUNK_BYTES):
            await pieces.put((loop.time() + link.delay_s, data))
        await pieces.put((loop.time() + link.delay_s, b""))
        await deliver
    except ConnectionError:
        return
    finally:
        deliver.cancel()
        await asyncio.gather(deliver, return_exceptions=True)


async def _deliver(link: Link, pieces: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, data = await pieces.get()
        await asyncio.sleep(max(due - loop.time(), 0.0))
        await link.gate.wait()
        if not data:
            return
        writer.write(data)
        link.carried_bytes += len(data)
        await writer.drain()
