"""What a gateway costs: a scan on the wire beside the wire's own time, requests, CPU and memory of polling."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.edge_load import Load, gateway_load, plain_load, telegraf_load
from benchmarks.table import Row
from support.serial_peer import SerialPeer, rtu_meter
from support.telegraf import find_telegraf

from edge.budget import planned_blocks
from edge.clock import RealClock
from edge.devices import Device, SitePoint
from edge.lines import open_line
from edge.meter import ModbusMeter
from edge.poll import acquire
from edge.profiles import Table, load_profile, profile_names
from edge.site import Site, Uplink
from edge.wire import Quality, Reading

SCANS = 5
SWEEPS = 2000
METER_DELAY_S = 0.03
POLLS = 15
MOST_DEVICES = 64


def measure() -> Iterator[Row]:
    """Yield the rows of the table."""
    took_s, limit_s = asyncio.run(_scan_on_the_wire())
    yield Row(
        "SDM630, 36 values, 9600 baud: one scan",
        took_s,
        "s",
        f"the wire and the meter alone: {limit_s:.3f} s, ratio {took_s / limit_s:.3f}, limit 1.1",
    )
    yield Row("54 profiles: requests of one scan on serial", _requests(), "requests", "one per point: 586; limit 115")
    yield Row("one dead meter among 16 on a line: polls the others lose", asyncio.run(_lost_polls()), "%", "limit 5")
    yield Row("decode and judge one value", asyncio.run(_decode_us()), "µs", "SDM630, answers at hand")
    yield from _beside_others()


def _beside_others() -> Iterator[Row]:
    """What asks 64 meters for three blocks a second each takes: ours, and what others take for the same or less."""
    plain = asyncio.run(plain_load(MOST_DEVICES))
    yield from _rows("a plain pymodbus loop", MOST_DEVICES, plain, "nothing decoded, kept or sent")
    if (program := find_telegraf("inputs.modbus")) is not None:
        yield from _rows(
            "Telegraf to a broker", MOST_DEVICES, asyncio.run(telegraf_load(program, MOST_DEVICES)), "nothing kept"
        )
    for devices in (1, 16, MOST_DEVICES):
        found = asyncio.run(gateway_load(devices))
        beside = f"{found.readings_per_s:.0f} readings/s at the centre"
        if devices == MOST_DEVICES:
            beside += f"; {found.cpu_percent / plain.cpu_percent:.2f} of plain pymodbus; aim 3 % and 32 MiB"
        yield from _rows("the whole gateway", devices, found, beside)


def _rows(who: str, devices: int, load: Load, beside: str) -> Iterator[Row]:
    each = f"{devices} TCP device{'s' * (devices > 1)} × 3 blocks a second, {who}"
    yield Row(f"{each}: CPU", load.cpu_percent, "% of a core", f"{load.requests_per_s:.0f} requests/s; {beside}")
    yield Row(f"{each}: memory", load.rss_mib, "MiB", "resident, shared libraries included")


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


async def _lost_polls() -> float:
    """Return how many polls 15 meters lose to a sixteenth that never answers, all at 9600 baud. [%]"""
    with tempfile.TemporaryDirectory() as folder:
        peer = SerialPeer(Path(folder) / "tty", rtu_meter(*range(1, 16)), baud=9600, latency_s=METER_DELAY_S)
        point = SitePoint(name="x_v", table="holding_register", register=0, type="uint16")
        devices = [
            Device(f"m{unit}", f"rtu://{peer.path}", unit=unit, poll_every_s=2.0, timeout_s=0.3, points=[point])
            for unit in range(1, 17)
        ]
        good = 0

        def count(readings: Sequence[Reading]) -> None:
            nonlocal good
            good += sum(reading.quality is Quality.GOOD and reading.point.endswith(point.name) for reading in readings)

        peer.plug_in()
        try:
            site = Site("bench", Uplink("mqtt://127.0.0.1"), devices)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(acquire(site, RealClock(), count), POLLS * 2.0)
        finally:
            peer.pull_out()
    return 100 * (1 - good / (15 * POLLS))


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
