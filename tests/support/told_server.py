"""A loopback HTTP server that gives the answers it was told to give, and keeps what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """One answer: status, body, headers."""

    status: int = 200
    body: object = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class ToldServer:
    """The server's address, what it was asked, and how it answers."""

    url: str
    asked: list[Asked]
    answer: Callable[[Asked], Reply]


@contextmanager
def told_server(answer: Callable[[Asked], Reply]) -> Iterator[ToldServer]:
    """Serve `answer` on a free loopback port until the block ends."""
    peer = ToldServer("", [], answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = Asked(self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))))
            peer.asked.append(asked)
            reply = peer.answer(asked)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    peer.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield peer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
