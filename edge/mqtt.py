"""One MQTT 5 connection, as both ends of the road need it.

paho-mqtt's client is used once per connection and thrown away: it keeps messages of its own across reconnects,
ignores the broker's Receive Maximum then, and can acknowledge another connection's message. Its callbacks here do
one thing, hand over an event; the owner's thread takes them out of a queue and decides. The network thread alone
writes to the socket: paho would write from the publishing thread too, without a lock.
"""

import contextlib
import queue
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.config import read_secret
from edge.errors import ConfigError, LinkDown

NO_MATCHING_SUBSCRIBERS = 0x10
DEFAULT_RECEIVE_MAXIMUM = 65_535


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is and how to prove who we are."""

    url: str
    """`mqtt://host:port` or `mqtts://host:port`."""
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    username: str | None = None
    password_file: Path | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or (8883 if parts.scheme == "mqtts" else 1883)


@dataclass(frozen=True)
class Will:
    """What the broker says for us when we vanish."""

    topic: str
    payload: bytes


@dataclass(frozen=True)
class Connected:
    """The broker took us."""

    receive_maximum: int
    """QoS 1 messages it lets us have under way at once."""
    session_present: bool
    maximum_packet_bytes: int | None = None
    """Larger packets end the connection; None where the broker sets no limit."""


@dataclass(frozen=True)
class Lost:
    """The connection is over: refused, cut, or closed. Nothing more follows on it."""

    reason: str


@dataclass(frozen=True)
class Received:
    """A message for us; `acknowledge(mid)` on the same connection once it is durable."""

    topic: str
    payload: bytes
    mid: int
    retained: bool


@dataclass(frozen=True)
class Answered:
    """The broker's PUBACK for our message `mid`."""

    mid: int
    code: int
    """MQTT reason code: 0 delivered, 0x10 nobody subscribes, from 0x80 refused."""

    @property
    def refused(self) -> bool:
        return self.code >= 0x80


Event = Connected | Lost | Received | Answered


class Connection:
    """One connection to the broker: open at once, gone for good at its one and last event, `Lost`."""

    def __init__(
        self,
        address: BrokerAddress,
        *,
        client_id: str,
        clean_start: bool,
        session_expiry_s: int = 0,
        receive_maximum: int = 1000,
        will: Will | None = None,
        keepalive_s: int = 30,
        connect_timeout_s: float = 5.0,
        deliver: Callable[[Event], None] | None = None,
    ) -> None:
        """Start to connect and return at once; the answer is the event `Connected` or `Lost`.

        Events go into `events`, or to `deliver`, which is called on the network thread and must not raise.
        """
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.subscribed = threading.Event()
        """Set once the broker has granted what was subscribed to: what is published from then on is not missed."""
        self._address = address
        self._deliver = deliver or self.events.put
        self._reason: str | None = None
        self._client = self._make_client(client_id)
        self._client.connect_timeout = connect_timeout_s
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=True)
        wish = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        wish.SessionExpiryInterval = session_expiry_s
        wish.ReceiveMaximum = receive_maximum
        self._thread = threading.Thread(
            target=self._run, args=(keepalive_s, clean_start, wish), name=f"mqtt-{client_id}", daemon=True
        )
        self._thread.start()

    def subscribe(self, topics: Sequence[str]) -> None:
        """Ask for QoS 1 on `topics`; a refusal ends the connection, for without them it is of no use."""
        self._client.subscribe([(name, SubscribeOptions(qos=1)) for name in topics])

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Send with QoS 1 and return the message id that its `Answered` will carry. Raises LinkDown."""
        if not self._client.is_connected():
            raise LinkDown(f"publish on {topic}: not connected to {self._address.url}")
        sent = self._client.publish(topic, payload, qos=1, retain=retain)
        if sent.rc != paho.MQTT_ERR_SUCCESS:
            raise LinkDown(f"publish on {topic}: {paho.error_string(sent.rc)}")
        return sent.mid

    def acknowledge(self, mid: int) -> None:
        """Send the PUBACK of a `Received` of this connection."""
        self._client.ack(mid, 1)

    def close(self, *, wait_s: float = 2.0) -> None:
        """Say goodbye without the will, or drop the line if that cannot be sent in time."""
        self._client.disconnect()
        self._thread.join(wait_s)
        self._drop()
        self._thread.join(wait_s)

    def _run(self, keepalive_s: int, clean_start: bool, wish: Properties) -> None:
        host, port = self._address.host, self._address.port
        try:
            self._client.connect(host, port, keepalive_s, clean_start=clean_start, properties=wish)
            while self._client.loop() == paho.MQTT_ERR_SUCCESS:
                pass
        except Exception as error:
            self._reason = f"no connection ({error}). Is the broker running and reachable?"
        finally:
            self._drop()
            self._untie()
            self._deliver(Lost(f"{self._address.url}: {self._reason or 'closed'}"))

    def _drop(self) -> None:
        line = self._client.socket()
        if isinstance(line, socket.socket):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _untie(self) -> None:
        """Break the circle of references between us and the client, so that its sockets close when we are let go."""
        client = self._client
        client.on_connect = client.on_disconnect = client.on_subscribe = client.on_message = client.on_publish = None

    def _make_client(self, client_id: str) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.max_inflight_messages_set(DEFAULT_RECEIVE_MAXIMUM)  # the window is the owner's, not paho's
        address = self._address
        if address.username is not None and address.password_file is not None:
            client.username_pw_set(address.username, read_secret(address.password_file))
        if address.url.startswith("mqtts://"):
            try:
                client.tls_set(str(address.ca_file), str(address.cert_file), str(address.key_file))
            except OSError as error:  # ssl.SSLError is one
                raise ConfigError(
                    f"{address.url}: {address.ca_file}, {address.cert_file} and {address.key_file} cannot be used "
                    f"({error}). Check that they are there, readable and belong together"
                ) from error
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_socket_register_write = _leave_writing_to_the_network_thread
        return client

    def _on_connect(
        self, _client: paho.Client, _data: object, flags: paho.ConnectFlags, code: ReasonCode, said: Properties | None
    ) -> None:
        if code.is_failure:
            self._reason = f"the broker refused the connection: {code}"
            return
        self._deliver(
            Connected(
                getattr(said, "ReceiveMaximum", DEFAULT_RECEIVE_MAXIMUM),
                flags.session_present,
                getattr(said, "MaximumPacketSize", None),
            )
        )

    def _on_disconnect(
        self, _client: paho.Client, _data: object, _flags: paho.DisconnectFlags, code: ReasonCode, _said: object
    ) -> None:
        if self._reason is None:
            self._reason = f"disconnected: {code}"

    def _on_subscribe(
        self, client: paho.Client, _data: object, _mid: int, codes: list[ReasonCode], _said: Properties | None
    ) -> None:
        refused = [str(code) for code in codes if code.is_failure]
        if refused:
            self._reason = f"the broker refused a subscription: {refused[0]}. Check its access list"
            client.disconnect()
        else:
            self.subscribed.set()

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self._deliver(Received(message.topic, bytes(message.payload), message.mid, message.retain))

    def _on_publish(
        self, _client: paho.Client, _data: object, mid: int, code: ReasonCode, _said: Properties | None
    ) -> None:
        self._deliver(Answered(mid, code.value))


def _leave_writing_to_the_network_thread(_client: paho.Client, _data: object, _line: object) -> None:
    """While this callback is set, paho does not write to the socket from the thread that publishes."""
