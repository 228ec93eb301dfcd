"""What systemd hears of the gateway."""

import asyncio
import re
import socket
from pathlib import Path

import pytest

import edge
from edge.service import feed_watchdog, notify

UNIT = Path(edge.__file__).parents[1] / "deploy" / "systemd" / "steppe-edge.service"
HARDENING = UNIT.parent / "steppe-.service.d" / "hardening.conf"


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """The service manager's end of the notification socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def test_a_state_reaches_the_manager(manager):
    notify("READY=1")
    assert manager.recv(100) == b"READY=1"


def test_an_abstract_socket_is_named_with_an_at_sign(monkeypatch):
    name = "steppe-test-" + socket.gethostname()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        notify("READY=1")
        assert listener.recv(100) == b"READY=1"


def test_without_a_manager_nothing_is_said(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    notify("READY=1")
    asyncio.run(feed_watchdog(lambda: (0,)))


@pytest.mark.parametrize("stuck", [None, 0, 1], ids=["all goes on", "polling is stuck", "the spool is stuck"])
def test_the_watchdog_is_fed_only_while_polling_and_spooling_both_go_on(manager, monkeypatch, stuck):
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    looks = 0

    def progress() -> tuple[int, ...]:
        nonlocal looks
        looks += 1
        return tuple(0 if place == stuck else looks for place in range(2))

    async def scenario() -> None:
        feeding = asyncio.create_task(feed_watchdog(progress))
        while looks < 4:
            await asyncio.sleep(0)
        feeding.cancel()

    asyncio.run(scenario())
    manager.setblocking(False)
    if stuck is None:
        assert manager.recv(100) == b"WATCHDOG=1"
    else:
        with pytest.raises(BlockingIOError):
            manager.recv(100)


@pytest.mark.skipif(not UNIT.exists(), reason="the unit file is part of the checkout only")
def test_the_unit_is_of_type_notify_and_hardened():
    unit = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))
    assert unit["Type"] == "notify"
    assert int(unit["WatchdogSec"]) >= 180
    assert "ProtectSystem=strict" in HARDENING.read_text()
    assert "After" not in unit, "polling must not wait for the network or the time"
