"""`deploy/mosquitto/` in a real Mosquitto: it loads as it stands, and each access rule holds by delivery.

A broker answers success for subscriptions whose messages it then filters, so only what arrives counts.
"""

import getpass
import re
import socket
import ssl
import subprocess
import warnings
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.centre import CentreUnderTest
from support.servers import Server, find_program, free_port, port_answers, wait_until
from support.site_line import SiteLine
from support.wire import STREAM, batch_payload

from edge.mqtt import Answered, BrokerAddress, Connected, Connection, Lost, Received
from edge.wire import Ack, encode, topic

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "mosquitto"
EAST, WEST = "east-wtp", "west-wtp"
NOT_AUTHORISED = 0x87
pytestmark = pytest.mark.server


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def make_authority(folder, name):
    openssl(
        folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
        "-keyout", f"{name}.key", "-out", f"{name}.crt",
    )  # fmt: skip


def make_certificate(folder, name, authority="ca"):
    """A key and a certificate for `name`, good for 127.0.0.1."""
    openssl(
        folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
        "-keyout", f"{name}.key", "-out", f"{name}.csr",
    )  # fmt: skip
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1", encoding="ascii")
    openssl(
        folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
        "-CAcreateserial", "-days", "2", "-extfile", "san", "-out", f"{name}.crt",
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Certificates of an authority, and of one that the broker does not know."""
    made = tmp_path_factory.mktemp("mosquitto")
    make_authority(made, "ca")
    make_authority(made, "stranger-ca")
    for name in ("broker", EAST, WEST, "steppe-ingest"):
        make_certificate(made, name)
    make_certificate(made, "stranger", "stranger-ca")
    return made


@pytest.fixture(scope="module")
def url(folder):
    """The shipped configuration, with only its paths and its port changed."""
    port = free_port()
    text = (DEPLOY / "mosquitto.conf").read_text(encoding="utf-8")
    text = text.replace("/etc/mosquitto/steppe/acl", str(DEPLOY / "acl")).replace("/etc/mosquitto/steppe", str(folder))
    text = text.replace("/var/lib/mosquitto/", f"{folder}/").replace("listener 8883", f"listener {port} 127.0.0.1")
    text = text.replace("log_dest syslog", "log_dest stdout")
    (folder / "mosquitto.conf").write_text(f"{text}\nuser {getpass.getuser()}\n", encoding="utf-8")
    command = [find_program("mosquitto"), "-c", str(folder / "mosquitto.conf")]
    server = Server(command, folder, lambda: port_answers(port))
    server.start()
    yield f"mqtts://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def connect(folder, url):
    """Connect under the name of a certificate; all connections end with the test."""
    with ExitStack() as stack:

        def open_line(name, *subscriptions):
            address = BrokerAddress(url, **files(folder, name))
            connection = Connection(address, client_id=f"test-{name}", clean_start=True)
            stack.callback(connection.close)
            events = []
            wait_for(connection, events, (Connected, Lost))
            if subscriptions and isinstance(events[0], Connected):
                connection.subscribe(subscriptions)
            return connection, events

        yield open_line


def files(folder, name):
    return {
        "ca_file": folder / "ca.crt",
        "cert_file": folder / f"{name}.crt",
        "key_file": folder / f"{name}.key",
    }


def wait_for(connection, events, kind, count=1):
    """Collect events until there are `count` of a kind."""

    def enough():
        while not connection.events.empty():
            events.append(connection.events.get())
        return sum(isinstance(event, kind) for event in events) >= count

    wait_until(enough, 10, f"{count} of {kind}")


def answer_to(connection, events, name, payload=b"x", *, retain=False):
    """Publish, and return the broker's reason code."""
    mid = connection.publish(name, payload, retain=retain)
    before = sum(isinstance(event, Answered) for event in events)
    wait_for(connection, events, Answered, before + 1)
    return next(event.code for event in events if isinstance(event, Answered) and event.mid == mid)


def arrived(events):
    return [event.topic for event in events if isinstance(event, Received)]


def test_the_settings_that_delivery_rests_on_are_there():
    text = (DEPLOY / "mosquitto.conf").read_text(encoding="utf-8")
    settings = dict(re.findall(r"^(\w+) (.+)$", text, flags=re.MULTILINE))
    assert settings["max_inflight_messages"] == "1000"
    assert int(settings["max_queued_messages"]) >= 1_000_000
    assert settings["require_certificate"] == settings["use_identity_as_username"] == settings["persistence"] == "true"
    assert settings["allow_anonymous"] == "false"
    assert "message_size_limit" not in settings


def test_the_broker_says_how_large_a_packet_may_be(connect):
    _, events = connect(EAST)
    assert events[0].maximum_packet_bytes == 266_240


def test_a_site_writes_its_own_three_topics(connect):
    centre, seen = connect("steppe-ingest", "steppe/v1/+/batch", "steppe/v1/+/points", "steppe/v1/+/status")
    east, events = connect(EAST)
    for leaf in ("batch", "points", "status"):
        assert answer_to(east, events, topic(EAST, leaf)) < 0x80
    wait_for(centre, seen, Received, 3)
    assert arrived(seen) == [topic(EAST, leaf) for leaf in ("batch", "points", "status")]


@pytest.mark.parametrize(
    "name", [topic(WEST, "batch"), topic(WEST, "status"), topic(EAST, "ack"), "steppe/v1/x", "other"]
)
def test_a_site_writes_nothing_else(connect, name):
    """Refused with 0x87; and of two messages the centre gets only the site's own."""
    centre, seen = connect("steppe-ingest", "steppe/v1/+/batch", "steppe/v1/+/status")
    east, events = connect(EAST)
    assert answer_to(east, events, name) == NOT_AUTHORISED
    assert answer_to(east, events, topic(EAST, "batch")) < 0x80
    wait_for(centre, seen, Received)
    assert arrived(seen) == [topic(EAST, "batch")]


def test_a_site_reads_its_own_ack_and_nothing_else(connect):
    """It asks for everything; of two sites' acks and a batch only its own ack arrives."""
    east, seen = connect(EAST, "steppe/v1/#", topic(WEST, "ack"), topic(EAST, "ack"))
    west, west_events = connect(WEST)
    centre, events = connect("steppe-ingest")
    answer_to(west, west_events, topic(WEST, "batch"))
    for site in (WEST, EAST):
        assert answer_to(centre, events, topic(site, "ack"), encode(Ack(STREAM, 1))) < 0x80
    wait_for(east, seen, Received)
    assert set(arrived(seen)) == {topic(EAST, "ack")}


def test_the_centre_cannot_speak_for_a_site(connect):
    centre, events = connect("steppe-ingest")
    assert answer_to(centre, events, topic(EAST, "batch")) == NOT_AUTHORISED
    assert answer_to(centre, events, topic(EAST, "status")) == NOT_AUTHORISED


def test_a_certificate_of_another_authority_does_not_get_in(connect):
    _, events = connect("stranger")
    assert isinstance(events[0], Lost)


def test_nobody_gets_in_without_a_certificate(folder, url):
    """With TLS 1.3 the server's refusal comes after the client's handshake: the first read says it."""
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    with (
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as plain,
        pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"),
        context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        line.recv(1)


def test_nobody_gets_in_with_an_old_protocol(folder, url):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "ca.crt")
    context.load_cert_chain(folder / f"{EAST}.crt", folder / f"{EAST}.key")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_the_road_runs_over_it(folder, url, tmp_path):
    """Ingest and a site, each by its certificate: batches in, commit acks out."""
    names = {key: str(path) for key, path in files(folder, "steppe-ingest").items()}
    centre = CentreUnderTest(tmp_path, url, broker_files=names)
    line = SiteLine(url, EAST, **files(folder, EAST))
    with centre.ingest():
        line.deliver({seq: batch_payload(seq, site=EAST) for seq in range(20)})
    line.close()
    assert len(centre.kept()) == 20
