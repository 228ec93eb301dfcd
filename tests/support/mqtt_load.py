"""Publish a file of ready MQTT 5 packets as fast as a window allows: `python mqtt_load.py PORT FILE WINDOW PER_S`.

A process of its own that does no work per reading, so that it is never what a bench measures. `write_packets` makes
the file. The first message is sent again until somebody subscribes; a refused message ends the program with its code.
PER_S is a limit in messages per second, 0 for none.
"""

import itertools
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

CONNECT_PROPERTIES = b"\x00"
NO_MATCHING_SUBSCRIBERS = 0x10
REFUSED = 0x80
READ_BYTES = 65_536
RETRY_S = 0.05
ANSWER_TIMEOUT_S = 120.0


def write_packets(path: Path, messages: Iterable[tuple[str, bytes]]) -> int:
    """Write (topic, payload) pairs as QoS 1 PUBLISH packets; return how many."""
    number = 0
    with path.open("wb") as file:
        for number, (topic, payload) in enumerate(messages, 1):
            name = topic.encode()
            mid = ((number - 1) % 65_535 + 1).to_bytes(2, "big")
            rest = len(name).to_bytes(2, "big") + name + mid + b"\x00" + payload
            file.write(b"\x32" + _length(len(rest)) + rest)
    return number


def send(port: int, path: Path, window: int, per_s: float) -> None:
    """Publish every packet of `path`, and return when the broker has answered for the last."""
    packets = list(_packets(path.read_bytes()))
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_TIMEOUT_S) as line:
        line.sendall(_connect())
        line.recv(READ_BYTES)
        while _send_window(line, packets[:1], 1, 0.0) == NO_MATCHING_SUBSCRIBERS:
            time.sleep(RETRY_S)
        _send_window(line, packets[1:], window, per_s)
        line.sendall(b"\xe0\x00")


def _send_window(line: socket.socket, packets: list[bytes], window: int, per_s: float) -> int:
    """Return the highest reason code among the answers."""
    began_s, sent, answered, worst, left = time.monotonic(), 0, 0, 0, b""
    while answered < len(packets):
        due = len(packets) if not per_s else int((time.monotonic() - began_s) * per_s) + 1
        upto = min(answered + window, due, len(packets))
        if upto > sent:
            line.sendall(b"".join(packets[sent:upto]))
            sent = upto
        if sent == answered:
            time.sleep(1 / per_s)
            continue
        codes, left = _answers(left + line.recv(READ_BYTES))
        answered += len(codes)
        worst = max(worst, *codes, 0)
        if worst >= REFUSED:
            sys.exit(f"the broker refused a message: 0x{worst:02x}")
    return worst


def _answers(received: bytes) -> tuple[list[int], bytes]:
    """Return the reason codes of whole PUBACKs, and what is left."""
    codes, at = [], 0
    while len(received) >= at + 2 and len(received) >= (end := at + 2 + received[at + 1]):
        codes.append(received[at + 4] if received[at + 1] > 2 else 0)
        at = end
    return codes, received[at:]


def _packets(stream: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(stream):
        size = 0
        for place in itertools.count():
            byte = stream[at + 1 + place]
            size |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                break
        end = at + 2 + place + size
        yield stream[at:end]
        at = end


def _connect() -> bytes:
    body = b"\x00\x04MQTT\x05\x02\x00\x00" + CONNECT_PROPERTIES + b"\x00\x04load"
    return b"\x10" + _length(len(body)) + body


def _length(size: int) -> bytes:
    encoded = bytearray()
    while True:
        size, digit = divmod(size, 128)
        encoded.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(encoded)


if __name__ == "__main__":
    send(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
