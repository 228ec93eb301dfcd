"""The embedded broker: loopback only, large enough for the largest batch, and losing it loses nothing."""

import subprocess
import sys

import pytest
from support.servers import Server, port_answers
from support.site_line import SiteLine
from support.wire import NOW_MS, batch_payload

from edge.errors import ConfigError
from edge.wire import MAX_WIRE_BYTES
from ingest.broker import address_of, run_broker
from ingest.config import Broker
from simulators.processes import free_port

SITE = "qingshui-wtp"
BROKER = "import sys; from ingest.broker import run_broker; run_broker(int(sys.argv[1]))"


@pytest.fixture
def broker(tmp_path):
    """The embedded broker in a process of its own, and its address."""
    port = free_port()
    server = Server([sys.executable, "-P", "-c", BROKER, str(port)], tmp_path, lambda: port_answers(port))
    server.start()
    yield server, f"mqtt://127.0.0.1:{port}"
    server.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.5", "::", "192.168.1.2"])
def test_any_address_but_loopback_is_refused(host):
    with pytest.raises(ConfigError, match="knows no access list"):
        run_broker(18830, host=host)


def test_a_port_in_use_is_a_clear_error(broker):
    _, url = broker
    command = [sys.executable, "-P", "-m", "steppe", "centre", "broker"]
    folder = broker[0]._folder
    (folder / "centre.toml").write_text(f'[broker]\nurl = "embedded:{url.rpartition(":")[2]}"', encoding="utf-8")
    ended = subprocess.run([*command, str(folder / "centre.toml")], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "is in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_ingest_finds_the_embedded_broker(tmp_path):
    assert address_of(Broker(), tmp_path).url == "mqtt://127.0.0.1:1883"
    assert address_of(Broker(url="embedded:18830"), tmp_path).url == "mqtt://127.0.0.1:18830"


def test_files_of_a_broker_count_from_the_data_folder(tmp_path):
    address = address_of(
        Broker(url="mqtts://b:8883", ca_file="ca.crt", cert_file="/etc/steppe/a.crt", key_file="a.key"), tmp_path
    )
    assert address.ca_file == tmp_path / "ca.crt"
    assert str(address.cert_file) == "/etc/steppe/a.crt"
    assert (address.host, address.port) == ("b", 8883)


def test_the_largest_payload_passes(broker, start_ingest):
    """Its default bound of 20 480 bytes would end the connection."""
    _, url = broker
    road = start_ingest(url)
    gateway = SiteLine(url, SITE)
    values = [index / 7 for index in range(8_000)]
    largest = batch_payload(0, values=values, t0_ms=NOW_MS - 10_000_000)
    assert MAX_WIRE_BYTES * 0.8 < len(largest) <= MAX_WIRE_BYTES
    gateway.deliver({0: largest})
    gateway.close()
    assert road.kept() == [largest]


def test_a_killed_embedded_broker_loses_nothing(broker, start_ingest):
    """It forgets sessions, retained acks and messages: what has no ack is sent again."""
    server, url = broker
    road = start_ingest(url)
    gateway = SiteLine(url, SITE)
    gateway.deliver({seq: batch_payload(seq) for seq in range(50)})
    server.restart()
    gateway.ack = None
    gateway.deliver({seq: batch_payload(seq) for seq in range(120)})
    gateway.close()
    assert sorted(road.kept()) == sorted(batch_payload(seq) for seq in range(120))
