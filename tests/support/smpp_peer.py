"""A scripted SMS centre: SMPP 3.4 on loopback, far enough to bind, take and give messages, and say no."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BIND_RECEIVER, BIND_TRANSMITTER, SUBMIT_SM, DELIVER_SM, UNBIND = 0x01, 0x02, 0x04, 0x05, 0x06
ENQUIRE_LINK = 0x15
RESPONSE = 0x80000000
HEADER = struct.Struct(">IIII")


@dataclass
class SmppPeer:
    """Its port, what it was sent, and the status that it answers to each command."""

    port: int = 0
    submitted: list[bytes] = field(default_factory=list)
    status: dict[int, int] = field(default_factory=dict)
    mute: set[int] = field(default_factory=set)
    """Commands to which it never answers."""
    answered: list[int] = field(default_factory=list)
    """Status of each answer to a message that it gave."""
    _receiver: socket.socket | None = None

    @property
    def has_receiver(self) -> bool:
        """Whether somebody is bound to take messages."""
        return self._receiver is not None

    def give(self, phone: str, text: str, *, receipt: bool = False) -> None:
        """Give one message to whoever is bound as a receiver."""
        assert self._receiver is not None, "nobody is bound as a receiver"
        plain = text.isascii()
        body = b"\0\1\1" + phone.encode() + b"\0\1\1" + b"10690000\0" + bytes([4 if receipt else 0]) + b"\0\0\0\0\0\0"
        raw = text.encode("ascii" if plain else "utf-16-be")
        body += bytes([0 if plain else 8, 0, len(raw)]) + raw
        self._receiver.sendall(HEADER.pack(16 + len(body), DELIVER_SM, 0, 1000 + len(self.answered)) + body)

    def hang_up(self) -> None:
        """Break the receiver's connection."""
        assert self._receiver is not None, "nobody is bound as a receiver"
        self._receiver.shutdown(socket.SHUT_RDWR)


@contextmanager
def smpp_peer() -> Iterator[SmppPeer]:
    """Serve until the block ends; one connection at a time."""
    peer = SmppPeer()
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer.port = server.getsockname()[1]
        thread = threading.Thread(target=_serve, args=(server, peer), daemon=True)
        thread.start()
        yield peer
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _serve(server: socket.socket, peer: SmppPeer) -> None:
    while True:
        try:
            line, _ = server.accept()
        except OSError:
            return
        with line:
            while pdu := _read(line):
                command, status, sequence, body = pdu
                if command == DELIVER_SM | RESPONSE:
                    peer.answered.append(status)
                    continue
                if command == SUBMIT_SM:
                    peer.submitted.append(body)
                if command in peer.mute:
                    continue
                status = peer.status.get(command, 0)
                said = b"" if status or command in (UNBIND, ENQUIRE_LINK) else b"centre-1\x00"
                line.sendall(HEADER.pack(16 + len(said), command | RESPONSE, status, sequence) + said)
                if command == BIND_RECEIVER and not status:
                    peer._receiver = line
            peer._receiver = None


def _read(line: socket.socket) -> tuple[int, int, int, bytes] | None:
    header = _exactly(line, 16)
    if header is None:
        return None
    length, command, status, sequence = HEADER.unpack(header)
    body = _exactly(line, length - 16)
    return None if body is None else (command, status, sequence, body)


def _exactly(line: socket.socket, count: int) -> bytes | None:
    data = b""
    while len(data) < count:
        try:
            piece = line.recv(count - len(data))
        except OSError:
            return None
        if not piece:
            return None
        data += piece
    return data
