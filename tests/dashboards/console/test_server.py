"""The console as a process: it says where it is, and a stop does not wait for open pages."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.alarm_centre import alarm_centre
from support.servers import wait_until

from dashboards.console.database import FILE, ConsoleDatabase
from edge.clock import RealClock
from simulators.processes import free_port

STARTED_S, STOPPED_S = 60.0, 15.0


@pytest.fixture
def port(tmp_path: Path) -> int:
    alarm_centre(tmp_path)
    chosen = free_port()
    (tmp_path / "console.toml").write_text(f"port = {chosen}\n", encoding="utf-8")
    return chosen


@pytest.fixture
def process(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-P", "-m", "steppe", "console", "run", "--with-parent", str(tmp_path / "centre.toml")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        wait_until(lambda: is_alive(port), STARTED_S, "the console answers")
        yield running
        running.kill()


def is_alive(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/alive", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_a_stop_that_was_asked_for_is_no_failure(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    assert process.wait(STOPPED_S) == 0


def test_a_stop_does_not_wait_for_open_pages(process: subprocess.Popen[bytes], tmp_path: Path, port: int) -> None:
    now_ms = RealClock().now_ms()
    with closing(ConsoleDatabase(tmp_path / FILE)) as database:
        database.users.add("tana", "Tana", "viewer", now_ms=now_ms)
        word = database.sessions.open("tana", hours=1.0, now_ms=now_ms)
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/live", headers={"Cookie": f"steppe={word}"})
    with urllib.request.urlopen(asked, timeout=STARTED_S) as stream:
        assert b"event: " in b"".join(stream.readline() for _ in range(4))
        process.terminate()
        assert process.wait(STOPPED_S) == 0


def test_it_ends_with_its_parent(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(STOPPED_S) == 0


def test_a_port_that_somebody_has_is_one_clear_line(
    process: subprocess.Popen[bytes], tmp_path: Path, port: int
) -> None:
    command = [sys.executable, "-P", "-m", "steppe", "console", "run", str(tmp_path / "centre.toml")]
    second = subprocess.run(command, capture_output=True, text=True, timeout=STARTED_S, check=False)
    assert second.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in second.stderr.splitlines()[-1]
