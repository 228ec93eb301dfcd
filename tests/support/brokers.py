"""Brokers for tests of the road, real ones on free loopback ports."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.servers import Server, free_port, missing, mosquitto, port_answers

from edge.mqtt import BrokerAddress, Connected, Connection, Received
from edge.wire import MAX_WIRE_BYTES

PRODUCTION = """allow_anonymous true
max_inflight_messages 1000
max_queued_messages 0
"""
"""The settings of `deploy/mosquitto` that matter to what is delivered."""

IOTCORE = """
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "v5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 5000
max_payload_size = {payload}
max_inflight_count = 200
"""
RUN_IOTCORE = "import sys; from iotcore import Broker; Broker(config_path=sys.argv[1]).run_forever()"


@contextmanager
def embedded(folder: Path) -> Iterator[tuple[Server, int]]:
    """A running iotcore broker in a process of its own, and its port."""
    if subprocess.run([sys.executable, "-c", "import iotcore"], check=False).returncode:
        missing("iotcore is not installed: pip install 'steppe[centre]'")
    port = free_port()
    configuration = folder / "iotcore.toml"
    configuration.write_text(IOTCORE.format(port=port, payload=2 * MAX_WIRE_BYTES), encoding="utf-8")
    server = Server([sys.executable, "-c", RUN_IOTCORE, str(configuration)], folder, lambda: port_answers(port))
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
    """A connected client that has subscribed to `topics`."""
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
        yield connection
    finally:
        connection.close()


def next_message(connection: Connection, *, within_s: float = 5.0) -> Received:
    """Return the next message a client hears, other events passed over; it is not acknowledged yet."""
    while True:
        event = connection.events.get(timeout=within_s)
        if isinstance(event, Received):
            return event
