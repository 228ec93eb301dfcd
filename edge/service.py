"""Tell systemd how the service is: ready, alive, stopping. Says nothing where systemd does not listen."""

import asyncio
import os
import socket
from collections.abc import Callable


def notify(state: str) -> None:
    """Send one line such as `READY=1` to the service manager."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.connect(address)
        manager.sendall(state.encode())


async def feed_watchdog(progress: Callable[[], tuple[int, ...]]) -> None:
    """Feed the watchdog for as long as every count of `progress` keeps rising; return where there is none."""
    period_us = int(os.environ.get("WATCHDOG_USEC", "0"))
    if not period_us:
        return
    before = progress()
    while True:
        await asyncio.sleep(period_us / 2 / 1_000_000)
        now = progress()
        if all(count > earlier for count, earlier in zip(now, before, strict=True)):
            notify("WATCHDOG=1")
            before = now
