"""What polls in a process of its own: `python edge_polls.py gateway SITE.TOML`, or `… plain PORT…` for comparison.

`gateway` is what `steppe edge run` turns into, on a machine whose clock is set: acquisition, sealing, spool and uplink.
`plain` only asks: one pymodbus client per port, the same blocks each second, nothing decoded, kept or sent.
"""

import asyncio
import sys
import time
from pathlib import Path

BLOCKS = ((0, 80), (234, 6), (342, 10))
"""The three requests of an SDM630 on TCP."""


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
        from edge.__main__ import run_gateway

        run_gateway(Path(sys.argv[2]), clock_state=lambda: "synced")
    else:
        asyncio.run(plain([int(port) for port in sys.argv[2:]]))
