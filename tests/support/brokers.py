"""Brokers for tests of the road, real ones on free loopback ports."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.servers import Server, missing, mosquitto, port_answers

from edge.mqtt import BrokerAddress, Connected, Connection, Received
from simulators.processes import free_port

PRODUCTION = """allow_anonymous true
max_inflight_messages 1000
max_queued_messages 0
"""
"""The settings of `ingest/authority/mosquitto.conf` that matter to what is delivered."""

RUN_EMBEDDED = "import sys; from ingest.broker import run_broker; run_broker(int(sys.argv[1]))"


@contextmanager
def embedded(folder: Path) -> Iterator[tuple[Server, int]]:
    """The centre's embedded broker in a process of its own, and its port."""
    if importlib.util.find_spec("iotcore") is None:
        missing("iotcore is not installed: pip install 'steppe[centre]'")
    port = free_port()
    server = Server([sys.executable, "-c", RUN_EMBEDDED, str(port)], folder, lambda: port_answers(port))
    server.start()
    try:
        yield server, port
    finally:
        server.stop()


@contextmanager
def production_mosquitto(folder: Path, port: int | None = None) -> Iterator[tuple[Server, int]]:
    """A running Mosquitto with the settings the road needs, and its port."""
    with mosquitto(folder, PRODUCTION, port) as running:
        yield running


@contextmanager
def client(
    port: int,
    client_id: str,
    *topics: str,
    clean_start: bool = True,
    session_expiry_s: int = 0,
    receive_maximum: int = 1000,
) -> Iterator[Connection]:
    """A connected client that the broker has granted `topics`."""
    connection = Connection(
        BrokerAddress(f"mqtt://127.0.0.1:{port}"),
        client_id=client_id,
        clean_start=clean_start,
        session_expiry_s=session_expiry_s,
        receive_maximum=receive_maximum,
    )
    try:
        assert isinstance(connection.events.get(timeout=5), Connected)
        if topics:
            connection.subscribe(topics)
            assert connection.subscribed.wait(timeout=5)
        yield connection
    finally:
        connection.close()


def next_message(connection: Connection, *, within_s: float = 5.0) -> Received:
    """Return the next message a client hears, other events passed over; it is not acknowledged yet."""
    while True:
        event = connection.events.get(timeout=within_s)
        if isinstance(event, Received):
            return event
