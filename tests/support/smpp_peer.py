"""A scripted SMS centre: SMPP 3.4 on loopback, far enough to bind, take messages and say no."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BIND_TRANSMITTER, SUBMIT_SM, UNBIND = 0x02, 0x04, 0x06
HEADER = struct.Struct(">IIII")


@dataclass
class SmppPeer:
    """Its port, what it was sent, and the status that it answers to each command."""

    port: int = 0
    submitted: list[bytes] = field(default_factory=list)
    status: dict[int, int] = field(default_factory=dict)


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
                command, sequence, body = pdu
                if command == SUBMIT_SM:
                    peer.submitted.append(body)
                status = peer.status.get(command, 0)
                said = b"" if status or command == UNBIND else b"centre-1\x00"
                line.sendall(HEADER.pack(16 + len(said), command | 0x80000000, status, sequence) + said)


def _read(line: socket.socket) -> tuple[int, int, bytes] | None:
    header = _exactly(line, 16)
    if header is None:
        return None
    length, command, _, sequence = HEADER.unpack(header)
    body = _exactly(line, length - 16)
    return None if body is None else (command, sequence, body)


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
