"""What a gateway costs: a scan on the wire beside the wire's own time, requests, CPU and memory of polling."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.edge_load import gateway_load, plain_load
from benchmarks.table import Row
from support.serial_peer import SerialPeer

from edge.budget import planned_blocks
from edge.clock import RealClock
from edge.devices import Device
from edge.lines import open_line
from edge.meter import ModbusMeter
from edge.profiles import Table, load_profile, profile_names

SCANS = 5
SWEEPS = 2000
METER_DELAY_S = 0.03


def measure() -> Iterator[Row]:
    """Yield the rows of the table."""
    took_s, limit_s = asyncio.run(_scan_on_the_wire())
    yield Row("SDM630, 36 values, 9600 baud: one scan", took_s, "s", f"the wire and the meter alone: {limit_s:.3f} s")
    yield Row("54 profiles: requests of one scan on serial", _requests(), "requests", "one per point: 586")
    yield Row("decode and judge one value", asyncio.run(_decode_us()), "µs", "SDM630, answers at hand")
    plain = asyncio.run(plain_load(64))
    yield Row("64 TCP devices × 3 blocks a second, a plain pymodbus loop: CPU", plain.cpu_percent, "% of a core")
    for devices in (1, 16, 64):
        found = asyncio.run(gateway_load(devices))
        each = f"{devices} TCP device{'s' * (devices > 1)} × 3 blocks a second, the whole gateway"
        beside = f"{found.readings_per_s:.0f} readings/s at the centre"
        yield Row(f"{each}: CPU", found.cpu_percent, "% of a core", f"{beside}; limit 4 for 64")
        yield Row(f"{each}: memory", found.rss_mib, "MiB", "limit 35")


async def _scan_on_the_wire() -> tuple[float, float]:
    """Return how long a scan takes, and how long the bytes, silences and the meter's delay alone take. [s]"""
    with tempfile.TemporaryDirectory() as folder:
        peer = SerialPeer(Path(folder) / "tty", baud=9600, latency_s=METER_DELAY_S)
        device = Device("m", f"rtu://{peer.path}?baud=9600", "eastron_sdm630")
        line = open_line(device.url)
        meter = ModbusMeter(device, line)
        peer.plug_in()
        try:
            await meter.read(RealClock())
            peer.busy_s, began_s = 0.0, time.perf_counter()
            for _ in range(SCANS):
                await meter.read(RealClock())
            return (time.perf_counter() - began_s) / SCANS, peer.busy_s / SCANS
        finally:
            line.close()
            peer.pull_out()


def _requests() -> int:
    shipped = [load_profile(name) for name in profile_names() if not name.startswith(("simulated_", "dlt645_"))]
    devices = [
        Device(
            "m",
            "rtu:///dev/ttyS0",
            profile.name,
            register_base=40_000 if profile.relative_to else 0,
            word_order="ABCD" if profile.word_order == "unknown" else None,
        )
        for profile in shipped
    ]
    return sum(len(planned_blocks(device)) for device in devices)


class _AnswersAtHand:
    async def read_block(self, unit: int, table: Table, register: int, count: int, *, timeout_s: float) -> list[int]:
        return [0x4366] * count


async def _decode_us() -> float:
    meter = ModbusMeter(Device("m", "tcp://127.0.0.1", "eastron_sdm630"), _AnswersAtHand())
    values, began_s = 0, time.process_time()
    for _ in range(SWEEPS):
        values += len((await meter.read(RealClock())).readings)
    return (time.process_time() - began_s) / values * 1e6
