"""The embedded broker for one box: no access list, no disk, and so never reachable from another machine.

It loses what it holds when it ends; the commit acknowledgement makes that harmless, for a gateway keeps each batch
until the centre has it. For gateways elsewhere run Mosquitto (`deploy/mosquitto/`).
"""

import ipaddress
import logging
import tempfile
from pathlib import Path

from edge.errors import ConfigError
from edge.mqtt import BrokerAddress
from edge.wire import MAX_WIRE_BYTES
from ingest.config import Broker

DEFAULT_PORT = 1883
LOOPBACK = "127.0.0.1"
PACKET_OVERHEAD_BYTES = 1024
"""Topic and properties around the largest payload. [bytes]"""

CONFIGURATION = """
id = 0

[router]
id = 0
max_connections = 10000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10

[v5.1]
name = "steppe"
listen = "{listen}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = {max_bytes}
max_inflight_count = 1000
"""


def is_embedded(settings: Broker) -> bool:
    """Whether the centre runs its own broker."""
    return settings.url.startswith("embedded")


def address_of(settings: Broker, folder: Path) -> BrokerAddress:
    """Return where ingest finds the broker; relative file names count from `folder`."""
    if is_embedded(settings):
        return BrokerAddress(f"mqtt://{LOOPBACK}:{embedded_port(settings)}")
    files = {
        name: folder / value
        for name in ("ca_file", "cert_file", "key_file", "password_file")
        if (value := getattr(settings, name)) is not None
    }
    return BrokerAddress(settings.url, username=settings.username, **files)


def embedded_port(settings: Broker) -> int:
    """Return the port of `embedded` or `embedded:PORT`."""
    _, _, port = settings.url.partition(":")
    return int(port or DEFAULT_PORT)


def run_broker(port: int, *, host: str = LOOPBACK) -> None:
    """Serve until the process ends. Raises ConfigError for an address that others could reach, or a port in use."""
    if not ipaddress.ip_address(host).is_loopback:
        raise ConfigError(
            f"embedded broker: refused to listen on {host}; it knows no access list. "
            "Keep it on 127.0.0.1, or run Mosquitto: `steppe centre init` writes all that it needs"
        )
    from iotcore import IotCoreBroker

    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)  # it reports each packet as an error
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(CONFIGURATION.format(listen=f"{host}:{port}", max_bytes=MAX_WIRE_BYTES + PACKET_OVERHEAD_BYTES))
        file.flush()
        broker = IotCoreBroker(config_path=file.name)
    try:
        broker.check_ports()
    except OSError as error:
        raise ConfigError(f"embedded broker: port {port} is in use ({error}). Give another: embedded:PORT") from error
    broker.run_forever()
