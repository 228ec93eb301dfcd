"""The link to the broker: one connection at a time, a new one with full jitter when it is lost.

Its owner calls it from one thread and passes the time; what the network threads have to say comes through the
owner's inbox and is handed to `take`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from edge.errors import LinkDown
from edge.mqtt import (
    NO_MATCHING_SUBSCRIBERS,
    Answered,
    BrokerAddress,
    Connected,
    Connection,
    Event,
    Lost,
    Received,
    Will,
)
from edge.renewal import Renewal
from edge.spool import Spool
from edge.status import Herald, Leaf
from edge.uplink import Uplink, full_jitter_s
from edge.wire import MAX_WIRE_BYTES, Ack, WireError, decode, topic

log = logging.getLogger(__name__)

MAX_PAUSE_S = 60.0
STEADY_S = 10.0
"""A connection that lasts so long was a good one: the next pause is short again."""


@dataclass(frozen=True)
class Heard:
    """An event, and the connection it belongs to: a connection that is gone has nothing more to say."""

    number: int
    event: Event


class Link:
    """At most one connection, and what is under way on it. Times are monotonic seconds of the machine."""

    def __init__(
        self,
        site: str,
        address: BrokerAddress,
        spool: Spool,
        herald: Herald,
        deliver: Callable[[Heard], None],
        *,
        window: int,
        backlog_per_s: float,
        renewal: Renewal | None = None,
    ) -> None:
        """`renewal` keeps the certificate fresh; None where there is none to keep."""
        self._site = site
        self._address = address
        self._spool = spool
        self._herald = herald
        self._deliver = deliver
        self._window = window
        self._backlog_per_s = backlog_per_s
        self._renewal = renewal
        self._number = 0
        self._connection: Connection | None = None
        self._uplink: Uplink | None = None
        self._wanted: list[Leaf] = []
        self._said: dict[int, str] = {}
        self._slots = window
        self._failures = 0
        self._up_since_s = 0.0
        self._next_try_s = 0.0

    @property
    def up(self) -> bool:
        """Whether batches can be sent."""
        return self._uplink is not None

    def up_for_s(self, now_s: float) -> float:
        """Return how long the connection has stood; 0 without one. [s]"""
        return now_s - self._up_since_s if self.up else 0.0

    @property
    def quiet(self) -> bool:
        """Whether everything said besides batches has been answered."""
        return not self._wanted and not self._said

    def announce(self, leaf: Leaf) -> None:
        """Say `leaf` (again) as soon as there is room; without a connection it is said at the next one anyway."""
        if self.up and leaf not in self._wanted:
            self._wanted.append(leaf)

    def say_farewell(self) -> None:
        """Say, if the link is up, that the gateway leaves on purpose."""
        self._herald.online = False
        self.announce("status")

    def offer(self, seq: int) -> None:
        """Batch `seq` may be sent from now on."""
        if self._uplink is not None:
            self._uplink.offer(seq)

    def turn(self, now_s: float) -> None:
        """Do what is due: connect, speak, send, send again. Raises SpoolError."""
        if self._connection is None:
            if now_s >= self._next_try_s:
                self._connect()
        elif self._uplink is not None:
            try:
                self._uplink.send_overdue_again(now_s)
                self._speak(self._connection)
                self._ask_for_a_certificate(self._connection)
                self._send(self._connection, self._uplink, now_s)
            except LinkDown as error:
                self._give_up(str(error), now_s)

    def take(self, heard: Heard, now_s: float) -> None:
        """Take in what the broker said. Raises SpoolError."""
        if heard.number != self._number or self._connection is None:
            return
        try:
            self._take(heard.event, self._connection, now_s)
        except LinkDown as error:
            self._give_up(str(error), now_s)

    def wait_s(self, now_s: float) -> float:
        """Return how long nothing can change here by itself. [s]"""
        if self._uplink is not None:
            return self._uplink.wait_s(now_s)
        return min(max(self._next_try_s - now_s, 0.0), 1.0) if self._connection is None else 1.0

    def close(self) -> None:
        """Leave without a will."""
        if self._connection is not None:
            self._connection.close()
            self._forget_connection()

    def _connect(self) -> None:
        self._number += 1
        number = self._number
        self._connection = Connection(
            self._address,
            client_id=f"steppe-{self._site}",
            clean_start=True,
            will=Will(topic(self._site, "status"), self._herald.death()),
            deliver=lambda event: self._deliver(Heard(number, event)),
        )

    def _take(self, event: Event, connection: Connection, now_s: float) -> None:
        match event:
            case Connected():
                self._begin(event, connection, now_s)
            case Lost(reason):
                self._give_up(reason, now_s)
            case Received():
                connection.acknowledge(event.mid)
                self._hear(event, now_s)
            case Answered() if event.mid in self._said:
                leaf = self._said.pop(event.mid)
                if event.refused:
                    log.warning("the broker refused %s (reason %#04x): check its access list", leaf, event.code)
                elif event.code == NO_MATCHING_SUBSCRIBERS and leaf == "csr" and self._renewal is not None:
                    self._renewal.nobody_heard()
            case Answered() if self._uplink is not None:
                self._uplink.answered(event, now_s)

    def _begin(self, connected: Connected, connection: Connection, now_s: float) -> None:
        if (connected.maximum_packet_bytes or MAX_WIRE_BYTES) < MAX_WIRE_BYTES:
            log.warning(
                "the broker takes packets of %s bytes: allow %d", connected.maximum_packet_bytes, MAX_WIRE_BYTES
            )
        window = min(self._window, connected.receive_maximum)
        self._uplink = Uplink(self._spool, window=window, backlog_per_s=self._backlog_per_s, now_s=now_s)
        self._slots = window
        self._up_since_s = now_s
        self._wanted, self._said = ["points", "status"], {}
        topics = [topic(self._site, "ack")]
        if self._renewal is not None:
            topics.append(topic(self._site, "cert"))
        connection.subscribe(topics)
        log.info("connected to %s, %d batches wait", self._address.url, self._spool.depth().batches)

    def _hear(self, message: Received, now_s: float) -> None:
        if message.topic == topic(self._site, "ack"):
            self._take_ack(message, now_s)
        elif self._renewal is not None:
            self._renewal.take(message.payload)

    def _take_ack(self, message: Received, now_s: float) -> None:
        try:
            ack = decode(message.payload, Ack)
        except WireError as error:
            log.warning("an acknowledgement is not understood and ignored: %s", error)
            return
        if self._uplink is not None:
            self._uplink.acknowledged(ack, now_s)

    def _speak(self, connection: Connection) -> None:
        while self._wanted and self._uplink is not None and len(self._said) + self._uplink.under_way < self._slots:
            leaf = self._wanted[0]
            mid = connection.publish(topic(self._site, leaf), self._herald.say(leaf), retain=True)
            self._wanted.pop(0)
            self._said[mid] = leaf

    def _ask_for_a_certificate(self, connection: Connection) -> None:
        if self._renewal is not None and len(self._said) < self._slots and (request := self._renewal.due_request()):
            self._said[connection.publish(topic(self._site, "csr"), request)] = "csr"

    def _send(self, connection: Connection, uplink: Uplink, now_s: float) -> None:
        while (batch := uplink.next_batch(now_s, slots_taken=len(self._said))) is not None:
            uplink.published(connection.publish(topic(self._site, "batch"), batch.payload), batch.seq, now_s)

    def _give_up(self, reason: str, now_s: float) -> None:
        lasted_s = self.up_for_s(now_s)
        self._failures = 1 if lasted_s >= STEADY_S else self._failures + 1
        pause_s = full_jitter_s(self._failures, cap_s=MAX_PAUSE_S)
        self._next_try_s = now_s + pause_s
        log.warning("no link: %s; trying again in %.1f s", reason, pause_s)
        if self._connection is not None:
            self._connection.close(wait_s=0.1)
        self._forget_connection()

    def _forget_connection(self) -> None:
        self._connection, self._uplink = None, None
        self._wanted, self._said = [], {}
