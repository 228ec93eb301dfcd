"""Links: what passes, what does not, and how late."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from simulators.proxy import Link, proxy


@contextlib.asynccontextmanager
async def echo_behind_a_link(**settings: float) -> AsyncIterator[Link]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1000):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    target = server.sockets[0].getsockname()[1]
    async with server, proxy(Link("127.0.0.1", target, **settings)) as link:  # type: ignore[arg-type]
        yield link


async def say(link: Link, text: bytes, *, within_s: float = 5.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    try:
        writer.write(text)
        async with asyncio.timeout(within_s):
            return await reader.read(1000)
    finally:
        writer.close()


def test_an_open_link_carries_both_ways() -> None:
    async def scene() -> None:
        async with echo_behind_a_link() as link:
            assert await say(link, b"steppe") == b"steppe"
            assert link.carried_bytes == 12

    asyncio.run(scene())


def test_a_cut_link_drops_old_and_new_connections_until_it_is_restored() -> None:
    async def scene() -> None:
        async with echo_behind_a_link() as link:
            reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
            writer.write(b"one")
            assert await reader.read(10) == b"one"
            link.cut()
            with contextlib.suppress(ConnectionError):
                assert await reader.read(10) == b""
            writer.close()
            with contextlib.suppress(ConnectionError):
                assert await say(link, b"two") == b""
            link.restore()
            assert await say(link, b"three") == b"three"

    asyncio.run(scene())


def test_a_frozen_link_stands_and_carries_later_what_waited() -> None:
    async def scene() -> None:
        async with echo_behind_a_link() as link:
            reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
            link.freeze()
            writer.write(b"late")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await reader.read(10)
            link.restore()
            assert await reader.read(10) == b"late"
            writer.close()

    asyncio.run(scene())


def test_a_delayed_link_is_late_by_its_delay_each_way() -> None:
    async def scene() -> float:
        async with echo_behind_a_link(delay_s=0.03) as link:
            began_s = time.monotonic()
            assert await say(link, b"x") == b"x"
            return time.monotonic() - began_s

    assert asyncio.run(scene()) >= 0.06
