"""The demo's console: a link that lets one in once, and a time that stands still where the play ends."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from dashboards.console.database import FILE, ConsoleDatabase
from dashboards.console.errors import NotFound
from edge.clock import RealClock, VirtualClock
from simulators.clock import EndingClock
from simulators.house import console_port, invite
from simulators.processes import listens


def test_the_guest_comes_in_once_as_administrator(tmp_path: Path) -> None:
    word = invite(tmp_path / "data", 8080).removeprefix("http://127.0.0.1:8080/welcome/")
    now_ms = RealClock().now_ms()
    with closing(ConsoleDatabase(tmp_path / "data" / FILE)) as database:
        assert database.users.use_link(word, now_ms=now_ms).may("admin")
        with pytest.raises(NotFound):
            database.users.use_link(word, now_ms=now_ms)


def test_where_somebody_has_the_usual_port_the_console_takes_another() -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken = somebody.getsockname()[1]
        assert console_port(taken) != taken
    assert not listens(console_port(taken))


def test_time_stands_still_where_the_play_ends() -> None:
    running = VirtualClock(1_000_000, 0.0, 1000.0)
    assert EndingClock(running, 1_000_500).now_ms() == 1_000_500
    assert EndingClock(running, 2**62).now_ms() >= 1_000_500
    assert EndingClock(running, 1_000_500).real_s(10.0) == 0.01
