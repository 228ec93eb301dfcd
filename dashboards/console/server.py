"""The console as a process: bind, say where, serve until told to stop."""

import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import uvicorn

from dashboards.console.app import build_app
from dashboards.console.settings import ConsoleSettings
from dashboards.console.site import open_console
from edge.clock import Clock
from edge.errors import BadInput
from ingest.config import Centre

log = logging.getLogger(__name__)

STOP_S = 2
"""Open streams keep a stop waiting for this long at most. [s]"""
BACKLOG = 128
SWITCH_S = 0.0005
"""A page asks SQLite dozens of times, and after each waits this long for a thread that computes, not Python's 5 ms."""


def serve(
    centre: Centre,
    settings: ConsoleSettings,
    clock: Clock,
    *,
    on_start: Callable[[Callable[[], None]], None] = lambda stop: None,
) -> None:
    """Serve until SIGTERM or SIGINT, or until the function that `on_start` is given is called. Raises BadInput."""
    sys.setswitchinterval(SWITCH_S)
    with closing(_bind(settings)) as listener, closing(open_console(centre, settings, clock)) as console:
        server = _Server(
            uvicorn.Config(
                build_app(console),
                ssl_certfile=settings.cert_file,
                ssl_keyfile=settings.key_file,
                timeout_graceful_shutdown=STOP_S,
                access_log=False,
                server_header=False,
                log_config=None,
            )
        )

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, server.handle_exit)
        on_start(lambda: server.handle_exit(signal.SIGTERM, None))
        log.info("console at %s", settings.url(listener.getsockname()[1]))
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Leaves the signals to us: a stop that was asked for is no failure, and everything is closed after it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bind(settings: ConsoleSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise BadInput(
            f"the console cannot listen on {settings.host}:{settings.port} ({error.strerror}). Give another port in "
            "console.toml, or end the program that has this one"
        ) from error
    # asyncio does it only for sockets it made itself; without it each answer waits 40 ms for the reader's ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
