"""What polls in a process of its own: `python edge_polls.py gateway SITE.TOML`, or `… plain PORT…` for comparison.

`gateway` is `steppe edge run` on a machine whose clock is set: acquisition, sealing, spool and uplink. `plain` only
asks: one pymodbus client per port, the same blocks each second, nothing decoded, kept or sent.
"""

import asyncio
import sys
import time
from pathlib import Path

BLOCKS = ((0, 80), (234, 6), (342, 10))
"""The three requests of an SDM630 on TCP."""


async def gateway(site_file: Path) -> None:
    """Run the agent until SIGTERM, with everything in memory that the command has."""
    import edge.cli  # noqa: F401
    from edge.agent import run
    from edge.clock import RealClock
    from edge.site import load_site

    await run(load_site(site_file), site_file.parent, RealClock(), clock_state=lambda: "synced")


async def plain(ports: list[int]) -> None:
    """Ask every port each second, for ever."""
    async with asyncio.TaskGroup() as tasks:
        for place, port in enumerate(ports):
            tasks.create_task(_ask_for_ever(port, place / len(ports)))


async def _ask_for_ever(port: int, phase_s: float) -> None:
    from pymodbus.client import AsyncModbusTcpClient

    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=0.9, retries=0)
    await client.connect()
    due_s = time.monotonic() + phase_s
    while True:
        await asyncio.sleep(due_s - time.monotonic())
        for register, count in BLOCKS:
            await client.read_input_registers(register, count=count, device_id=1)
        due_s += 1.0


if __name__ == "__main__":
    if sys.argv[1] == "gateway":
        asyncio.run(gateway(Path(sys.argv[2])))
    else:
        asyncio.run(plain([int(port) for port in sys.argv[2:]]))
