"""One MQTT 5 connection, as both ends of the road need it.

paho-mqtt's client is used once per connection and thrown away: it keeps messages of its own across reconnects,
ignores the broker's Receive Maximum then, and can acknowledge another connection's message. Its callbacks here do
one thing, put an event into a queue; the owner's thread takes them out and decides.
"""

import queue
import threading
from collections.abc import Sequence
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
from edge.errors import LinkDown

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
    """One connection to the broker: open at once, gone for good at the first `Lost`."""

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
    ) -> None:
        """Connect; the answer comes as `Connected` or `Lost`. Raises LinkDown where nothing listens."""
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._client = _client(address, client_id, self.events)
        self._client.connect_timeout = connect_timeout_s
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=True)
        wish = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        wish.SessionExpiryInterval = session_expiry_s
        wish.ReceiveMaximum = receive_maximum
        try:
            self._client.connect(address.host, address.port, keepalive_s, clean_start=clean_start, properties=wish)
        except (OSError, ValueError) as error:
            raise LinkDown(f"{address.url}: no connection ({error}). Is the broker running and reachable?") from error
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{client_id}", daemon=True)
        self._thread.start()

    def subscribe(self, topics: Sequence[str]) -> None:
        """Ask for QoS 1 on `topics`."""
        self._client.subscribe([(name, SubscribeOptions(qos=1)) for name in topics])

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Send with QoS 1 and return the message id that its `Answered` will carry. Raises LinkDown."""
        sent = self._client.publish(topic, payload, qos=1, retain=retain)
        if sent.rc != paho.MQTT_ERR_SUCCESS:
            raise LinkDown(f"publish on {topic}: {paho.error_string(sent.rc)}")
        return sent.mid

    def acknowledge(self, mid: int) -> None:
        """Send the PUBACK of a `Received` of this connection."""
        self._client.ack(mid, 1)

    def close(self, *, wait_s: float = 2.0) -> None:
        """Say goodbye without the will, or drop the line if the broker does not answer in time."""
        self._client.disconnect()
        self._thread.join(wait_s)

    def _run(self) -> None:
        try:
            self._client.loop_forever()
        finally:
            self.events.put(Lost("the network loop has ended"))


def _client(address: BrokerAddress, client_id: str, events: "queue.SimpleQueue[Event]") -> paho.Client:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=paho.MQTTv5,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.max_inflight_messages_set(DEFAULT_RECEIVE_MAXIMUM)  # the window is the owner's, not paho's
    if address.username is not None and address.password_file is not None:
        client.username_pw_set(address.username, read_secret(address.password_file))
    if address.url.startswith("mqtts://"):
        client.tls_set(str(address.ca_file), str(address.cert_file), str(address.key_file))

    def on_connect(
        _client: paho.Client, _data: object, flags: paho.ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            events.put(Lost(f"the broker refused the connection: {code}"))
        else:
            maximum = getattr(properties, "ReceiveMaximum", DEFAULT_RECEIVE_MAXIMUM)
            events.put(Connected(maximum, flags.session_present))

    def on_disconnect(
        _client: paho.Client, _data: object, _flags: paho.DisconnectFlags, code: ReasonCode, _props: Properties | None
    ) -> None:
        events.put(Lost(f"disconnected: {code}"))

    def on_message(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        events.put(Received(message.topic, bytes(message.payload), message.mid, message.retain))

    def on_publish(
        _client: paho.Client, _data: object, mid: int, code: ReasonCode, _properties: Properties | None
    ) -> None:
        events.put(Answered(mid, code.value))

    client.on_connect = on_connect
    client.on_disconnect = on_disconnect
    client.on_message = on_message
    client.on_publish = on_publish
    return client
