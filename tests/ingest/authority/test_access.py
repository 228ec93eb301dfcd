"""Who comes in at a real Mosquitto with mutual TLS, and what each may do there: judged by what is delivered.

A broker answers success for subscriptions whose messages it then filters, so only what arrives counts.
"""

import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import paho.mqtt.client as paho
import pytest
from support.centre import CentreUnderTest
from support.secured_centre import HOST, SecuredCentre, secured_centre
from support.servers import wait_until
from support.site_line import SiteLine
from support.wire import batch_payload

from edge.clock import RealClock
from edge.mqtt import Answered, BrokerAddress, Connected, Connection, Lost, Received
from edge.wire import topic
from ingest.authority.certificates import load_signer, new_authority, new_key, sign
from ingest.authority.office import OWN

EAST, WEST = "east-wtp", "west-wtp"
LEAVES = ("batch", "points", "status", "csr", "ack", "cert")
TOPICS = [topic(site, leaf) for site in (EAST, WEST) for leaf in LEAVES] + ["steppe/v1/x", "steppe/v2/all", "other"]  # type: ignore[arg-type]
WRITES = {
    EAST: {topic(EAST, leaf) for leaf in ("batch", "points", "status", "csr")},
    WEST: {topic(WEST, leaf) for leaf in ("batch", "points", "status", "csr")},
    "steppe-ingest": {topic(site, "ack") for site in (EAST, WEST)},
    "steppe-authority": {topic(site, "cert") for site in (EAST, WEST)},
    "steppe-monitor": set(),
}
READS = {
    EAST: {topic(EAST, "ack"), topic(EAST, "cert")},
    WEST: {topic(WEST, "ack"), topic(WEST, "cert")},
    "steppe-ingest": {topic(site, leaf) for site in (EAST, WEST) for leaf in ("batch", "points", "status")},
    "steppe-authority": {topic(site, "csr") for site in (EAST, WEST)},
    "steppe-monitor": set(),
}
NOT_AUTHORISED = 0x87
DAY_MS = 86_400_000
pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def centre(tmp_path_factory) -> Iterator[SecuredCentre]:
    with secured_centre(tmp_path_factory.mktemp("secured"), RealClock().now_ms()) as made:
        yield made


@pytest.fixture(scope="module")
def addresses(centre, tmp_path_factory) -> dict[str, BrokerAddress]:
    """How each identity comes in."""
    papers = tmp_path_factory.mktemp("papers")
    return {
        **{site: centre.admit(site, papers) for site in (EAST, WEST)},
        **{name: centre.own(name) for name in OWN},
    }


@contextmanager
def line(address: BrokerAddress, name: str = "probe") -> Iterator[Connection]:
    """A connection that has been let in."""
    with closing(Connection(address, client_id=name, clean_start=True)) as connection:
        assert isinstance(connection.events.get(timeout=10), Connected)
        yield connection


def code_of(connection: Connection, name: str, payload: bytes = b"x") -> int:
    """Publish, and return the broker's reason code; what arrives meanwhile is passed over."""
    mid = connection.publish(name, payload)
    while True:
        event = connection.events.get(timeout=10)
        if isinstance(event, Answered) and event.mid == mid:
            return event.code


def is_let_in(address: BrokerAddress) -> bool:
    with closing(Connection(address, client_id="probe", clean_start=True)) as connection:
        return isinstance(connection.events.get(timeout=10), Connected)


@pytest.mark.parametrize("who", WRITES)
def test_each_identity_writes_its_own_topics_and_no_other(addresses, who):
    """Refused with 0x87 are all but its own."""
    with line(addresses[who], f"writer-{who}") as connection:
        taken = {name for name in TOPICS if code_of(connection, name) != NOT_AUTHORISED}
    assert taken == WRITES[who]


@pytest.mark.parametrize("who", READS)
def test_each_identity_reads_its_own_topics_and_no_other(addresses, who):
    """It asks for everything; everybody writes all that they may; only what it may read arrives."""
    with ExitStack() as stack:
        reader = stack.enter_context(line(addresses[who], f"reader-{who}"))
        reader.subscribe(["#", *TOPICS])
        answers = [code_of(reader, name) for name in WRITES[who]]  # answered after the subscription
        assert all(code < 0x80 for code in answers)
        for writer, names in WRITES.items():
            speaker = stack.enter_context(line(addresses[writer], f"speaker-{writer}"))
            assert all(code_of(speaker, name) < 0x80 for name in names)
        arrived: set[str] = set()

        def all_arrived() -> bool:
            while not reader.events.empty():
                event = reader.events.get()
                if isinstance(event, Received):
                    arrived.add(event.topic)
                    reader.acknowledge(event.mid)
            return arrived >= READS[who]

        wait_until(all_arrived, 10, f"all that {who} may read")
    assert arrived == READS[who]


def test_a_message_that_a_rule_refuses_is_not_delivered_by_the_old_protocol_either(centre, addresses):
    """MQTT 3.1.1 answers success for it; still nothing but the site's own batch reaches the centre."""
    old = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311, client_id="old")
    east = addresses[EAST]
    old.tls_set(str(east.ca_file), str(east.cert_file), str(east.key_file))
    with line(addresses["steppe-ingest"], "centre") as ingest:
        ingest.subscribe(["steppe/v1/+/batch"])
        assert code_of(ingest, topic(EAST, "ack")) < 0x80
        old.connect(HOST, centre.port)
        old.loop_start()
        for name in (topic(WEST, "batch"), topic(EAST, "batch")):
            old.publish(name, b"x", qos=1).wait_for_publish(10)
        received = ingest.events.get(timeout=10)
        old.disconnect()
        old.loop_stop()
    assert isinstance(received, Received)
    assert received.topic == topic(EAST, "batch")


def strangers(centre: SecuredCentre, folder) -> Iterator[tuple[str, BrokerAddress]]:
    """Everybody who is not to come in."""
    now_ms = RealClock().now_ms()
    key = new_key()
    foreign = load_signer(new_authority("steppe authority", key, now_ms), key)
    yield "foreign", centre.papers(folder, "foreign", key, sign(foreign, EAST, key, now_ms, 90).certificate)
    yield "expired", centre.admit("expired", folder, days=1, age_ms=2 * DAY_MS)
    key = new_key()
    early = sign(centre.office.signer, "early", key, now_ms + DAY_MS, 90)
    yield "not yet valid", centre.papers(folder, "early", key, early.certificate)
    revoked = centre.admit("revoked", folder)
    centre.office.revoke("revoked", now_ms)
    yield "revoked", revoked


def test_nobody_comes_in_with_a_foreign_expired_early_or_revoked_certificate(centre, tmp_path):
    for what, address in strangers(centre, tmp_path):
        wait_until(lambda address=address: not is_let_in(address), 10, f"{what}: not let in")


def test_a_certificate_of_ours_without_lines_in_the_access_rules_may_do_nothing(centre, tmp_path):
    """Signed, and not on the roll: as if somebody had used the authority's key by hand."""
    key = new_key()
    issued = sign(centre.office.signer, "by-hand", key, RealClock().now_ms(), 90)
    with line(centre.papers(tmp_path, "by-hand", key, issued.certificate)) as connection:
        assert {code_of(connection, topic("by-hand", leaf)) for leaf in LEAVES} == {NOT_AUTHORISED}


def test_nobody_comes_in_without_a_certificate(centre):
    """With TLS 1.3 the server's refusal comes after the client's handshake: the first read says it."""
    context = ssl.create_default_context(cafile=centre.folder.authority / "ca.crt")
    with (
        socket.create_connection((HOST, centre.port), timeout=10) as plain,
        pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"),
        context.wrap_socket(plain, server_hostname=HOST) as secured,
    ):
        secured.recv(1)


def test_nobody_comes_in_with_an_old_protocol(centre, addresses):
    east = addresses[EAST]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(east.ca_file)
    context.load_cert_chain(east.cert_file, east.key_file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection((HOST, centre.port), timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain, server_hostname=HOST)


def test_nobody_comes_in_without_tls(centre):
    assert not is_let_in(BrokerAddress(f"mqtt://{HOST}:{centre.port}"))


def test_a_packet_that_is_too_large_ends_the_line_and_is_not_delivered(addresses):
    with line(addresses["steppe-ingest"], "centre") as ingest, line(addresses[EAST], "large") as east:
        ingest.subscribe(["steppe/v1/+/batch"])
        assert code_of(ingest, topic(EAST, "ack")) < 0x80
        east.publish(topic(EAST, "batch"), bytes(300_000))
        assert isinstance(east.events.get(timeout=10), Lost)
        with line(addresses[EAST], "small") as again:
            again.publish(topic(EAST, "batch"), b"small")
            received = ingest.events.get(timeout=10)
    assert isinstance(received, Received)
    assert received.payload == b"small"


def test_a_flood_of_connections_that_never_speak_keeps_no_gateway_out(centre, addresses):
    """Two hundred open lines without a handshake, and a gateway still comes in and delivers."""
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(socket.create_connection((HOST, centre.port), timeout=10))
        with line(addresses[EAST], "through") as east:
            assert code_of(east, topic(EAST, "batch")) < 0x80


def test_the_road_runs_over_it(addresses, tmp_path):
    """Ingest and a site, each by its certificate: batches in, commit acks out."""
    files = ("ca_file", "cert_file", "key_file")
    ingest, east = addresses["steppe-ingest"], addresses[EAST]
    road = CentreUnderTest(tmp_path, ingest.url, broker_files={name: str(getattr(ingest, name)) for name in files})
    site = SiteLine(east.url, EAST, **{name: getattr(east, name) for name in files})
    with road.ingest():
        site.deliver({seq: batch_payload(seq, site=EAST) for seq in range(20)})
    site.close()
    assert len(road.kept()) == 20


def test_the_settings_that_delivery_rests_on_are_there(centre):
    rows = (centre.folder.broker / "mosquitto.conf").read_text(encoding="utf-8").splitlines()
    settings = dict(row.split(" ", 1) for row in rows if row and not row.startswith("#"))
    assert settings["max_inflight_messages"] == "1000"
    assert int(settings["max_queued_messages"]) >= 1_000_000
    assert settings["require_certificate"] == settings["use_identity_as_username"] == settings["persistence"] == "true"
    assert settings["allow_anonymous"] == "false"
    assert "message_size_limit" not in settings
