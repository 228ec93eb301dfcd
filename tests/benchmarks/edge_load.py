"""A gateway under load: its meters, its broker and its centre here, the gateway itself in a process of its own."""

import asyncio
import contextlib
import os
import queue
import struct
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from support.brokers import client, embedded
from support.telegraf import modbus_to_mqtt

from edge.mqtt import Connection, Received
from edge.wire import Ack, Batch, decode, encode

SECONDS = 15.0
WARM_UP_S = 6.0
PROGRAM = str(Path(__file__).with_name("edge_polls.py"))
VOLTS = struct.pack(">f", 230.5)
AS_INSTALLED = {"MALLOC_ARENA_MAX": "1", "PYTHONDONTWRITEBYTECODE": ""}
"""As in deploy/systemd/steppe-edge.service; and compiled, as pip leaves it: the compiler itself takes 5 MiB."""
LOAD_ONCE = "import edge.agent, edge.meters, pymodbus.client"


class Load(NamedTuple):
    """What a process took."""

    cpu_percent: float
    """User and system time, of one core."""
    rss_mib: float
    requests_per_s: float
    """As the meters counted them."""
    readings_per_s: float
    """At the centre; 0 where none are sent."""


async def gateway_load(devices: int) -> Load:
    """Return what a gateway of so many TCP devices takes, three blocks and 36 values a second each."""
    with tempfile.TemporaryDirectory() as name, embedded(Path(name)) as (_, broker_port), _centre(broker_port) as rows:
        async with _meters(devices) as ports:
            site_file = Path(name) / "site.toml"
            site_file.write_text(_site(broker_port, ports))
            return await _measure([sys.executable, PROGRAM, "gateway", str(site_file)], rows)


async def plain_load(devices: int) -> Load:
    """Return what a loop of pymodbus clients takes that asks for the same and does nothing with it."""
    async with _meters(devices) as ports:
        return await _measure([sys.executable, PROGRAM, "plain", *map(str, ports)])


async def telegraf_load(program: str, devices: int) -> Load:
    """Return what a Telegraf takes that asks for the same and sends it to a broker; it keeps nothing on disk."""
    with tempfile.TemporaryDirectory() as name, embedded(Path(name)) as (_, broker_port):
        async with _meters(devices) as ports:
            configuration = Path(name) / "telegraf.conf"
            configuration.write_text(modbus_to_mqtt(broker_port, ports, "eastron_sdm630"))
            return await _measure([program, "--quiet", "--config", str(configuration)])


async def _measure(command: list[str], rows: Sequence[int] = (0,)) -> Load:
    """Let a program run; `rows` holds the count of readings that have reached the centre."""
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, **AS_INSTALLED, "PYTHONPYCACHEPREFIX": compiled}
        await (await asyncio.create_subprocess_exec(sys.executable, "-c", LOAD_ONCE, env=environment)).wait()
        child = await asyncio.create_subprocess_exec(*command, env=environment)
        try:
            await asyncio.sleep(WARM_UP_S)
            return await _watch(child.pid, rows)
        finally:
            child.terminate()
            await child.wait()


async def _watch(pid: int, rows: Sequence[int]) -> Load:
    cpu_s, began_s, rows_before, asked_before = _cpu_s(pid), time.monotonic(), rows[0], _Meter.asked
    await asyncio.sleep(SECONDS)
    took_s = time.monotonic() - began_s
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Load(
        cpu_percent=(_cpu_s(pid) - cpu_s) / took_s * 100,
        rss_mib=pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        requests_per_s=(_Meter.asked - asked_before) / took_s,
        readings_per_s=(rows[0] - rows_before) / took_s,
    )


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _site(broker_port: int, ports: Sequence[int]) -> str:
    head = f'site = "bench"\nuplink.url = "mqtt://127.0.0.1:{broker_port}"\n'
    return head + "".join(
        f'[[devices]]\nname = "m{place}"\nurl = "tcp://127.0.0.1:{port}"\nprofile = "eastron_sdm630"\n'
        "poll_every_s = 1.0\ntimeout_s = 0.9\n"
        for place, port in enumerate(ports)
    )


@contextlib.asynccontextmanager
async def _meters(devices: int) -> AsyncIterator[list[int]]:
    """Serve so many meters whose every value is 230.5; gives their ports."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(_Meter, "127.0.0.1", 0) for _ in range(devices)]
    try:
        yield [server.sockets[0].getsockname()[1] for server in servers]
    finally:
        for server in servers:
            server.close()


class _Meter(asyncio.Protocol):
    asked = 0
    """Requests that all meters have had."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        _Meter.asked += 1
        transaction, _, _, unit, function, _, count = struct.unpack(">HHHBBHH", data)
        content = VOLTS * (count // 2)
        head = struct.pack(">HHHBBB", transaction, 0, 3 + len(content), unit, function, len(content))
        self._transport.write(head + content)  # type: ignore[attr-defined]


@contextlib.contextmanager
def _centre(broker_port: int) -> Iterator[list[int]]:
    """Take batches in and acknowledge them; gives a list with the count of readings so far."""
    rows, stop = [0], threading.Event()
    with client(broker_port, "centre", "steppe/v1/bench/batch") as connection:
        taking = threading.Thread(target=_take_batches, args=(connection, rows, stop))
        taking.start()
        try:
            yield rows
        finally:
            stop.set()
            taking.join()


def _take_batches(connection: Connection, rows: list[int], stop: threading.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(queue.Empty):
            event = connection.events.get(timeout=0.2)
            if isinstance(event, Received):
                batch = decode(event.payload, Batch)
                rows[0] += len(batch.p)
                connection.acknowledge(event.mid)
                connection.publish("steppe/v1/bench/ack", encode(Ack(batch.stream, batch.seq)), retain=True)
