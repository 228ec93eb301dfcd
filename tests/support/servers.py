"""Real servers for the tests, each on a free loopback port with its files in the test's own folder."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from simulators.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
SEARCH_PATH = os.pathsep.join([str(ROOT / ".tools" / "bin"), os.environ.get("PATH", ""), "/usr/sbin"])
START_TIMEOUT_S = 60.0


class Server:
    """A program that can be killed and started again on the same port and files."""

    def __init__(
        self, command: list[str], folder: Path, ready: Callable[[], bool], environment: dict[str, str] | None = None
    ) -> None:
        self._command = command
        self._folder = folder
        self._ready = ready
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            wait_until(lambda: self._answers_or_died(self._process), START_TIMEOUT_S, f"{self._command[0]} answers")
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in its own time, and by force after ten seconds."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def _answers_or_died(self, process: subprocess.Popen[bytes] | None) -> bool:
        if process is not None and process.poll() is not None:
            log = (self._folder / "server.log").read_text(errors="replace")
            raise RuntimeError(f"{self._command[0]} ended with {process.returncode}: {log[-2000:]}")
        return self._ready()


class InfluxServer(Server):
    """InfluxDB 1.8 with one database, `steppe`."""

    database = "steppe"

    def __init__(self, program: str, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.store_url = f"influxdb+{self.url}/{self.database}"
        environment = {
            "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{self.port}",
            "INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{free_port()}",
            "INFLUXDB_META_DIR": str(folder / "meta"),
            "INFLUXDB_DATA_DIR": str(folder / "data"),
            "INFLUXDB_DATA_WAL_DIR": str(folder / "wal"),
            "INFLUXDB_REPORTING_DISABLED": "true",
            "INFLUXDB_MONITOR_STORE_ENABLED": "false",
            "INFLUXDB_HTTP_LOG_ENABLED": "false",
            "INFLUXDB_DATA_QUERY_LOG_ENABLED": "false",
        }
        super().__init__([program], folder, lambda: http_answers(f"{self.url}/ping"), environment)

    def start(self) -> None:
        super().start()
        self.query(f'CREATE DATABASE "{self.database}"')

    def query(self, statement: str) -> str:
        """Run one InfluxQL statement past the store, as an administrator would."""
        body = urllib.parse.urlencode({"q": statement, "db": self.database}).encode()
        with urllib.request.urlopen(f"{self.url}/query", data=body, timeout=10) as answer:
            return str(answer.read().decode())

    def empty(self) -> None:
        """Forget everything that was written."""
        self.query(f'DROP DATABASE "{self.database}"')
        self.query(f'CREATE DATABASE "{self.database}"')


@contextmanager
def influxdb(folder: Path) -> Iterator[InfluxServer]:
    """A running InfluxDB 1.8; skips the test where none is installed."""
    server = InfluxServer(find_program("influxd"), folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def mosquitto(
    folder: Path, lines: str = "allow_anonymous true", port: int | None = None
) -> Iterator[tuple[Server, int]]:
    """A running Mosquitto with `lines` in its configuration, and its port; skips where none is installed."""
    program = find_program("mosquitto")
    port = port or free_port()
    configuration = folder / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\n{lines}\n", encoding="utf-8")
    server = Server([program, "-c", str(configuration)], folder, lambda: port_answers(port))
    server.start()
    try:
        yield server, port
    finally:
        server.stop()


def find_program(name: str) -> str:
    """Return the path of a server's program; skip the test where it is not installed (a failure under CI)."""
    found = shutil.which(name, path=SEARCH_PATH)
    return found or missing(f"{name} is not installed: run tests/support/install_servers.sh .tools")


def missing(message: str) -> NoReturn:
    """Skip the test, or fail it under CI, where everything must be at hand."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def port_answers(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def http_answers(url: str) -> bool:
    """Whether a server answers at `url`, with success or not."""
    try:
        with urllib.request.urlopen(url, timeout=1.0):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Return when `condition` holds; fail with `what` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout_s} s still not: {what}")
        time.sleep(0.02)
