"""Wait for a modem that calls in: the gateway listens, the meter's 4G modem connects and then answers as ever.

The newest caller wins: a modem that lost its link dials again long before the old connection is known to be dead.
Anyone who can reach the port can play the meter, so it belongs on a private network.
"""

import asyncio
import select
import socket
from collections.abc import Callable

BACKLOG = 8


class DialIn:
    """A listening port; opened at the first call of `accept`."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._listener: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port that callers reach."""
        return int(self._open().getsockname()[1])

    def has_caller(self) -> bool:
        """Whether somebody waits to be accepted."""
        return bool(select.select([self._open()], [], [], 0)[0])

    async def accept(
        self, make_protocol: Callable[[], asyncio.BaseProtocol]
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        """Return the connection of the newest caller; wait for one if there is none."""
        loop, listener = asyncio.get_running_loop(), self._open()
        caller, _ = await loop.sock_accept(listener)
        while self.has_caller():
            caller.close()
            caller, _ = await loop.sock_accept(listener)
        return await loop.connect_accepted_socket(make_protocol, caller)

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.close()
        self._listener = None

    def _open(self) -> socket.socket:
        if self._listener is None:
            self._listener = socket.create_server(self._address, backlog=BACKLOG)
            self._listener.setblocking(False)
        return self._listener
