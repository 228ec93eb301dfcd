"""The console of a small county as a real process, at the county's own time."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from support.servers import Server, http_answers

from dashboards.console.database import FILE, ConsoleDatabase
from dashboards.console.people import Role
from edge.clock import RealClock
from simulators.processes import free_port

PROGRAM = Path(__file__).with_name("served_console.py")


class ConsoleServer(Server):
    """A running console, with one user of each role, by the role's name."""

    def __init__(self, folder: Path, now_ms: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._data = folder / "data"
        command = [sys.executable, "-P", str(PROGRAM), str(folder / "centre.toml"), str(self.port), str(now_ms)]
        super().__init__(command, folder, lambda: http_answers(f"{self.url}/alive"))

    def link(self, role: Role, name: str = "", full_name: str = "") -> str:
        """A new one-time link at which somebody of that role comes in; without a name called like the role."""
        name, now_ms = name or role, RealClock().now_ms()
        with closing(ConsoleDatabase(self._data / FILE)) as database:
            if name not in {user.name for user in database.users.all()}:
                database.users.add(name, full_name or f"The {role}", role, now_ms=now_ms)
            return f"{self.url}/welcome/{database.users.new_link(name, 'enter', now_ms=now_ms)}"

    def freeze(self) -> None:
        """It keeps its connections and says nothing any more."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        os.kill(self.pid, signal.SIGCONT)


@contextmanager
def console_server(folder: Path, now_ms: int) -> Iterator[ConsoleServer]:
    """The console over the county's files in `folder`, whose time begins at `now_ms`."""
    server = ConsoleServer(folder, now_ms)
    server.start()
    try:
        yield server
    finally:
        server.thaw()
        server.stop()
