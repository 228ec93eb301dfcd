"""Sign what gateways ask for, over the road they already use: a request up, a certificate down.

A gateway asks on `steppe/v1/<site>/csr`, where only the holder of its present certificate may write, and finds the
answer retained on `steppe/v1/<site>/cert`. The key never leaves the gateway. Nothing is asked of a gateway: an answer
that does not come, or is wrong, leaves it with what it has, and it asks again.
"""

import contextlib
import logging
import queue
import threading
from contextlib import closing

from edge.clock import Clock
from edge.errors import BadInput, LinkDown
from edge.mqtt import BrokerAddress, Connected, Connection, Lost, Received
from edge.wire import site_and_leaf, topic
from ingest.authority import broker_files
from ingest.authority.folder import CentreFolder
from ingest.authority.office import BROKER, CENTRE_DAYS, OWN, Office
from ingest.config import Broker

log = logging.getLogger(__name__)

REQUESTS = "steppe/v1/+/csr"
PATIENCE_MS = 10 * 60_000
"""A site's requests are answered this far apart at least: a new key every few minutes is a fault or worse. [ms]"""
LOOK_S = 0.5
RETRY_S = 5.0
ROUND_MS = 3_600_000
LARGEST_REQUEST = 4096


class Desk:
    """Answers requests one by one, and keeps the centre's own certificates fresh."""

    def __init__(self, office: Office, clock: Clock) -> None:
        self._office = office
        self._clock = clock
        self._answered_ms: dict[str, int] = {}
        self._round_ms: int | None = None

    def certificate_for(self, topic_name: str, request: bytes) -> tuple[str, bytes]:
        """Return the site and the certificate it asked for. Raises BadInput if it is not to have one now."""
        site, _ = site_and_leaf(topic_name)
        now_ms = self._clock.now_ms()
        if now_ms - self._answered_ms.get(site, -PATIENCE_MS) < PATIENCE_MS:
            raise BadInput(f"site {site}: asked again within {PATIENCE_MS // 60_000} min")
        if len(request) > LARGEST_REQUEST:
            raise BadInput(f"site {site}: the request has {len(request)} bytes, none is that long")
        issued = self._office.answer(site, request, now_ms)
        self._answered_ms[site] = now_ms
        return site, issued.certificate

    def renew_own(self) -> None:
        """Renew each certificate of the centre's own that has lived two thirds of its life; at most once an hour."""
        now_ms = self._clock.now_ms()
        if self._round_ms is not None and now_ms - self._round_ms < ROUND_MS:
            return
        self._round_ms = now_ms
        for name in (BROKER, *OWN):
            member = self._office.roll.member(name)
            if member is None or member.days_left(now_ms) < CENTRE_DAYS / 3:
                self._office.issue_own(name, now_ms, self._office.broker_hosts() if name == BROKER else ())
                log.info("%s has a new certificate", name)
        self._office.post(now_ms)


def address_of(broker: Broker, folder: CentreFolder) -> BrokerAddress:
    """Return how the authority reaches the broker, under its own name."""
    identity = folder.identities / broker_files.AUTHORITY
    return BrokerAddress(
        broker.url,
        ca_file=folder.authority / "ca.crt",
        cert_file=identity.with_suffix(".crt"),
        key_file=identity.with_suffix(".key"),
    )


def connect(address: BrokerAddress) -> Connection:
    """Connect as the authority; the broker keeps its requests while it is away."""
    return Connection(address, client_id=broker_files.AUTHORITY, clean_start=False, session_expiry_s=30 * 86_400)


def serve(address: BrokerAddress, desk: Desk, stop: threading.Event) -> None:
    """Answer until `stop` is set, over as many connections as it needs."""
    while not stop.is_set():
        desk.renew_own()
        try:
            with closing(connect(address)) as connection:
                _answer(connection, desk, stop)
        except LinkDown as error:
            log.warning("no requests are answered, next try in %.0f s: %s", RETRY_S, error)
            stop.wait(RETRY_S)


def _answer(connection: Connection, desk: Desk, stop: threading.Event) -> None:
    """Answer on one connection. Raises LinkDown when it is over."""
    while not stop.is_set():
        desk.renew_own()
        with contextlib.suppress(queue.Empty):
            event = connection.events.get(timeout=LOOK_S)
            match event:
                case Connected():
                    connection.subscribe([REQUESTS])
                    log.info("requests for certificates are answered")
                case Received():
                    _answer_one(connection, desk, event)
                case Lost(reason):
                    raise LinkDown(reason)


def _answer_one(connection: Connection, desk: Desk, request: Received) -> None:
    try:
        site, certificate = desk.certificate_for(request.topic, request.payload)
    except BadInput as error:
        log.warning("no certificate: %s", error)
    else:
        connection.publish(topic(site, "cert"), certificate, retain=True)
        log.info("site %s has a new certificate", site)
    if request.mid:
        connection.acknowledge(request.mid)
