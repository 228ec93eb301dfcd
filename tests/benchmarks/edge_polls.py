"""A gateway's polling alone, in a process of its own: `python edge_polls.py SECONDS PORT…` prints what it took as JSON.

Each port is a device with three blocks of twenty floats, read every second.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from edge.clock import RealClock
from edge.devices import Device, SitePoint
from edge.poll import acquire
from edge.site import Site, Uplink
from edge.wire import Reading

WARM_UP_S = 2.0
POINTS = [
    SitePoint(name=f"block{block}.v{n}_v", table="holding_register", register=1000 * block + 2 * n, type="float32")
    for block in range(3)
    for n in range(20)
]


async def measure(seconds: float, ports: list[int]) -> dict[str, float]:
    """Poll the devices; return readings per second, CPU in percent of a core, and resident memory in MiB."""
    devices = [
        Device(f"m{index}", f"tcp://127.0.0.1:{port}", poll_every_s=1.0, timeout_s=0.9, points=POINTS)
        for index, port in enumerate(ports)
    ]
    count = 0

    def emit(readings: Sequence[Reading]) -> None:
        nonlocal count
        count += len(readings)

    polling = asyncio.create_task(acquire(Site("bench", Uplink("mqtt://127.0.0.1"), devices), RealClock(), emit))
    await asyncio.sleep(WARM_UP_S)
    cpu_s, wall_s, before = time.process_time(), time.monotonic(), count
    await asyncio.sleep(seconds)
    took_s = time.monotonic() - wall_s
    cpu_percent = (time.process_time() - cpu_s) / took_s * 100
    polling.cancel()
    await asyncio.wait([polling])
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"per_s": (count - before) / took_s, "cpu_percent": cpu_percent, "rss_mib": pages * 4096 / 2**20}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(float(sys.argv[1]), [int(port) for port in sys.argv[2:]]))))
