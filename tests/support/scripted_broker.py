"""A broker that says what the test tells it to say: MQTT 5 packets by hand, over a loopback socket.

The test is the script: `accept` the next connection, `read` what the client sends, answer with whatever a good, a
slow or a mad broker would.
"""

import socket
import struct
from dataclasses import dataclass
from types import TracebackType

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14
RECEIVE_MAXIMUM, MAXIMUM_PACKET_SIZE = 0x21, 0x27
READ_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Hello:
    """A CONNECT."""

    client_id: str
    clean_start: bool
    keepalive_s: int
    will_topic: str | None


@dataclass(frozen=True)
class Publish:
    """A PUBLISH of the client."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    retain: bool
    duplicate: bool

    @property
    def leaf(self) -> str:
        return self.topic.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Packet:
    """Any other packet."""

    kind: int
    body: bytes

    @property
    def mid(self) -> int:
        return int.from_bytes(self.body[:2], "big")


class ScriptedBroker:
    """Listens on a free loopback port."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(READ_TIMEOUT_S)
        self._peers: list[Peer] = []
        self.url = f"mqtt://127.0.0.1:{self._listener.getsockname()[1]}"

    def accept(self, *, receive_maximum: int | None = None, code: int = 0, answer: bool = True) -> "Peer":
        """Return the next connection after its CONNECT, answered with CONNACK."""
        line, _ = self._listener.accept()
        peer = Peer(line)
        self._peers.append(peer)
        peer.hello = _hello(peer.read_raw()[1])
        if answer:
            peer.connack(code=code, receive_maximum=receive_maximum)
        return peer

    def __enter__(self) -> "ScriptedBroker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for peer in self._peers:
            peer.close()
        self._listener.close()


class Peer:
    """One client's connection, seen from the broker."""

    hello: Hello

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._line.settimeout(READ_TIMEOUT_S)
        self._mid = 0

    def connack(self, *, code: int = 0, receive_maximum: int | None = None, maximum_packet: int | None = None) -> None:
        properties = b""
        if receive_maximum is not None:
            properties += struct.pack("!BH", RECEIVE_MAXIMUM, receive_maximum)
        if maximum_packet is not None:
            properties += struct.pack("!BI", MAXIMUM_PACKET_SIZE, maximum_packet)
        self.send(CONNACK, 0, bytes([0, code, len(properties)]) + properties)

    def read(self) -> Publish | Packet:
        """Return the client's next packet; pings are answered and passed over."""
        while True:
            first, body = self.read_raw()
            kind = first >> 4
            if kind == PINGREQ:
                self.send(PINGRESP, 0, b"")
            elif kind == PUBLISH:
                return _publish(first, body)
            else:
                return Packet(kind, body)

    def read_publish(self) -> Publish:
        """Return the next PUBLISH; subscriptions before it are granted, acknowledgements passed over."""
        while True:
            packet = self.read()
            if isinstance(packet, Publish):
                return packet
            if packet.kind == SUBSCRIBE:
                self.suback(packet.mid)

    def read_batch(self) -> Publish:
        """Return the next batch, not yet answered; what the site says of itself is acknowledged."""
        while True:
            publish = self.read_publish()
            if publish.leaf == "batch":
                return publish
            self.puback(publish.mid)

    def sends_nothing_for(self, seconds: float) -> bool:
        """Whether the client stays silent so long. It must not be in the middle of a packet."""
        self._line.settimeout(seconds)
        try:
            return self._line.recv(1, socket.MSG_PEEK) == b""
        except TimeoutError:
            return True
        finally:
            self._line.settimeout(READ_TIMEOUT_S)

    def puback(self, mid: int, code: int = 0) -> None:
        self.send(PUBACK, 0, struct.pack("!HB", mid, code))

    def suback(self, mid: int, code: int = 1) -> None:
        self.send(SUBACK, 0, struct.pack("!HBB", mid, 0, code))

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Send a QoS 1 message and return its id."""
        self._mid += 1
        name = topic.encode()
        body = struct.pack("!H", len(name)) + name + struct.pack("!HB", self._mid, 0) + payload
        self.send(PUBLISH, 0x2 | retain, body)
        return self._mid

    def disconnect(self, code: int) -> None:
        """Say goodbye with a reason, such as 0x8E, session taken over."""
        self.send(DISCONNECT, 0, bytes([code]))
        self.close()

    def close(self) -> None:
        self._line.close()

    def send(self, kind: int, flags: int, body: bytes) -> None:
        self._line.sendall(bytes([kind << 4 | flags]) + _varint(len(body)) + body)

    def read_raw(self) -> tuple[int, bytes]:
        """Return the next packet's first byte and its body."""
        first = self._exactly(1)[0]
        length, shift = 0, 0
        while True:
            byte = self._exactly(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return first, self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._line.recv(count - len(data))
            if not part:
                raise ConnectionError("the client has closed the connection")
            data += part
        return data


def _varint(number: int) -> bytes:
    encoded = b""
    while True:
        number, low = divmod(number, 128)
        encoded += bytes([low | (0x80 if number else 0)])
        if not number:
            return encoded


def _hello(body: bytes) -> Hello:
    flags, keepalive_s = struct.unpack("!BH", body[7:10])
    rest = _after_properties(body[10:])
    client_id, rest = _text(rest)
    will_topic = _text(_after_properties(rest))[0] if flags & 0x04 else None
    return Hello(client_id, bool(flags & 0x02), keepalive_s, will_topic)


def _publish(first: int, body: bytes) -> Publish:
    topic, rest = _text(body)
    mid = int.from_bytes(rest[:2], "big")
    return Publish(topic, _after_properties(rest[2:]), mid, first >> 1 & 3, bool(first & 1), bool(first & 8))


def _text(data: bytes) -> tuple[str, bytes]:
    length = int.from_bytes(data[:2], "big")
    return data[2 : 2 + length].decode(), data[2 + length :]


def _after_properties(data: bytes) -> bytes:
    assert data[0] < 0x80, "properties of less than 128 bytes are enough for tests"
    return data[1 + data[0] :]
