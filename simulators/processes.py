"""Child processes of a run: started with the run's clock, killed by their own id, never left behind.

A child watches its standard input, which is a pipe from here: when this process dies in whatever way, the pipe closes
and the child ends itself (`simulators.child`).
"""

import contextlib
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.errors import SteppeError

LOOK_EVERY_S = 0.02
PORTS, TRIES = range(15_000, 32_000), 200
"""Below those that Linux gives to outgoing connections: a county of gateways would soon take one that was free."""


class ChildFailed(SteppeError):
    """A child process ended, or did not become ready in time; the message ends with its last words."""


class Child:
    """One child process that can be killed and started again with the same arguments."""

    def __init__(
        self, name: str, arguments: Sequence[str], log: Path, *, program: Sequence[str] = ("-m", "simulators.child")
    ) -> None:
        """`arguments` follow `python -m simulators.child`, or another `program` that ends with its parent.

        What it says goes to the end of the file `log`.
        """
        self.name = name
        self.starts = 0
        self._command = [sys.executable, *program, *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self.is_alive else None

    def start(self) -> None:
        """Start it; it must not be running."""
        if self.is_alive:
            raise ChildFailed(f"{self.name} is running already as {self.pid}")
        self._reap()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self._command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        self.starts += 1

    def kill(self) -> None:
        """SIGKILL, as a power cut would; returns when it is gone."""
        if self._process is not None:
            self._process.kill()
            self._reap()

    def stop(self, within_s: float) -> bool:
        """SIGTERM; False if it had to be killed after `within_s`."""
        if self._process is None:
            return True
        self._process.terminate()
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self._reap()
        return True

    def wait_until(self, ready: Callable[[], bool], within_s: float) -> None:
        """Return as soon as it is ready. Raises ChildFailed if it ends before that, or takes longer."""
        deadline_s = time.monotonic() + within_s
        while not ready():
            if not self.is_alive:
                raise ChildFailed(f"{self.name} ended before it was ready:\n{self.last_words()}")
            if time.monotonic() > deadline_s:
                raise ChildFailed(f"{self.name} was not ready within {within_s} s:\n{self.last_words()}")
            time.sleep(LOOK_EVERY_S)

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        try:
            return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process = None


def free_port() -> int:
    """Return a loopback port that nobody has, and that no outgoing connection will be given before it is used."""
    for port in random.SystemRandom().sample(PORTS, TRIES):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise SteppeError(f"no free port found between {PORTS.start} and {PORTS.stop}. End programs that hold them")


def listens(port: int) -> bool:
    """Whether somebody accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
