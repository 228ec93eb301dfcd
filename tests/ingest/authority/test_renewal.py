"""Certificates renewed and revoked over the real road: a gateway, Mosquitto with mutual TLS, the centre's authority."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
from cryptography import x509
from support.gateway import Gateway, make_site
from support.secured_centre import SecuredCentre, secured_centre
from support.servers import wait_until

from edge.clock import RealClock
from edge.mqtt import Answered, BrokerAddress, Connected, Connection, Lost, Received
from edge.spool import MemorySpool
from edge.wire import Reading, topic
from ingest.authority.signing import REQUESTS, Desk, address_of, connect, serve
from ingest.config import load_centre

SITE = "w1"
WEEK_MS = 7 * 86_400_000
pytestmark = pytest.mark.server


@pytest.fixture
def centre(tmp_path) -> Iterator[SecuredCentre]:
    """Made a week ago, so that a site can have been admitted since."""
    with secured_centre(tmp_path, RealClock().now_ms() - WEEK_MS) as made:
        yield made


@contextmanager
def signing(centre: SecuredCentre) -> Iterator[None]:
    """The authority's process, as a thread; it was here before, so that the broker keeps what comes for it."""
    stop = threading.Event()
    address = address_of(load_centre(centre.folder.centre_file).broker, centre.folder)
    with closing(connect(address)) as before:
        assert isinstance(before.events.get(timeout=10), Connected)
        before.subscribe([REQUESTS])
        before.publish(topic(SITE, "cert"), b"")
        assert isinstance(before.events.get(timeout=10), Answered)
    thread = threading.Thread(target=serve, args=(address, Desk(centre.office, RealClock()), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


def gateway(address: BrokerAddress) -> Gateway:
    files = {"ca_file": address.ca_file, "cert_file": address.cert_file, "key_file": address.key_file}
    site = make_site(address.url, **{name: str(file) for name, file in files.items()})
    return Gateway(site, MemorySpool(max_bytes=1_000_000))


def serial(address: BrokerAddress) -> int:
    assert address.cert_file is not None
    return x509.load_pem_x509_certificate(address.cert_file.read_bytes()).serial_number


@contextmanager
def connected(address: BrokerAddress, name: str = "probe") -> Iterator[Connection]:
    connection = Connection(address, client_id=name, clean_start=True)
    try:
        yield connection
    finally:
        connection.close()


def test_a_gateway_past_the_half_of_its_certificate_has_a_new_one_and_comes_back_with_it(centre, tmp_path):
    address = centre.admit(SITE, tmp_path, days=10, age_ms=WEEK_MS)
    first = serial(address)
    with signing(centre), gateway(address):
        wait_until(lambda: serial(address) != first, 30, "a new certificate is in place")
    member = centre.office.roll.member(SITE)
    assert member is not None
    assert member.days_left(RealClock().now_ms()) > 80
    with connected(address) as again:
        assert isinstance(again.events.get(timeout=10), Connected)


def test_a_gateway_whose_certificate_is_young_asks_for_nothing(centre, tmp_path):
    address = centre.admit(SITE, tmp_path)
    first = serial(address)
    with signing(centre), gateway(address) as young:
        young.emit([Reading("clearwell.turbidity_ntu", RealClock().now_ms(), 0.3)])
        wait_until(lambda: young.spool.next_seq > 0, 20, "a batch is sealed")
    assert serial(address) == first
    assert not (tmp_path / f"{SITE}.key.next").exists()


def test_a_revoked_gateway_is_refused_at_once_on_the_line_it_has_and_on_new_ones(centre, tmp_path):
    """By delivery: what it writes reaches nobody, what is written for it does not reach it, and it cannot come back."""
    address = centre.admit(SITE, tmp_path)
    with ExitStack() as stack:
        ingest = stack.enter_context(connected(centre.own("steppe-ingest"), "centre"))
        assert isinstance(ingest.events.get(timeout=10), Connected)
        ingest.subscribe([topic(SITE, "batch")])
        site = stack.enter_context(connected(address, "site"))
        assert isinstance(site.events.get(timeout=10), Connected)
        site.subscribe([topic(SITE, "ack")])
        site.publish(topic(SITE, "batch"), b"before")
        assert isinstance(ingest.events.get(timeout=10), Received)
        assert isinstance(site.events.get(timeout=10), Answered)
        assert centre.office.revoke(SITE, RealClock().now_ms())
        wait_until(lambda: refused(site), 10, "the broker refuses what the revoked site writes")
        ingest.publish(topic(SITE, "ack"), b"x")
        ingest.publish(topic(SITE, "ack"), b"x")
        wait_until(lambda: ingest.events.qsize() >= 2, 10, "the broker has taken both")
        assert site.events.empty()
        with connected(address, "again") as again:
            assert isinstance(again.events.get(timeout=10), Lost)


def refused(connection: Connection) -> bool:
    """Whether the broker refuses a message that it took before."""
    connection.publish(topic(SITE, "batch"), b"after")
    event = connection.events.get(timeout=10)
    return isinstance(event, Answered) and event.refused
