"""From a register that changes on a simulated meter to the notice that leaves, over the whole road and by real time.

Meters on Modbus TCP, a gateway that polls each once a second and seals a change of an urgent point at once, the
broker, ingest, the alarm service and a loopback robot: each of the product's programs in a process of its own.
"""

import asyncio
import contextlib
import random
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from benchmarks.table import Row
from support.told_server import Asked, Reply, told_server

from edge.clock import RealClock, VirtualClock
from edge.profiles import Point, load_profile
from simulators.clock import describe
from simulators.processes import Child, free_port, listens
from simulators.serve import Meter, serve

METERS = 44
POLL_S = 1.0
SITE, PROFILE, POINT = "st-0", "simulated_terminal", "l1.voltage_v"
NOMINAL_V = 230.0
READY_S, NOTICE_S = 60.0, 30.0
SEED = 5


@dataclass
class Panel:
    """The meters: all alive, until one loses its voltage."""

    dead: set[int] = field(default_factory=set)

    def meter(self, unit: int, points: tuple[Point, ...]) -> Meter:
        """The meter of a unit, on a line of its own."""

        def values(_: int) -> Mapping[str, float]:
            volts = 0.0 if unit in self.dead else NOMINAL_V
            return {point.name: volts for point in points}

        return Meter(points, values, serial=False)


def measure() -> Iterator[Row]:
    """Yield the rows of the table."""
    waits_s = asyncio.run(_waits_s())
    beside = f"{len(waits_s)} changes, each meter read every {POLL_S:g} s, no settling"
    yield Row("register to notice, whole road: half of them within", float(np.median(waits_s)), "s", beside)
    yield Row("register to notice, whole road: 99 %", float(np.quantile(waits_s, 0.99)), "s", f"aim {2 + POLL_S:g}")


async def _waits_s() -> list[float]:
    """How long each of the meters' losses took to be told. [s]"""
    heard: dict[str, float] = {}

    def robot(asked: Asked) -> Reply:
        told = asked.json["text"]
        point = re.search(
            rf"^Point: {SITE}/(m\d+)$", str(told["content"]) if isinstance(told, dict) else "", re.MULTILINE
        )
        if point is not None:
            heard.setdefault(point[1], time.monotonic())
        return Reply(200, {"errcode": 0})

    panel, dice = Panel(), random.Random(SEED)
    points = load_profile(PROFILE).points
    links = {f"m{unit:02d}": {unit: panel.meter(unit, points)} for unit in range(1, METERS + 1)}
    with tempfile.TemporaryDirectory() as folder, told_server(robot) as server:
        async with serve(links, RealClock().now_ms) as ports, _centre(Path(folder), ports, server.url):
            waits_s = []
            for unit in range(1, METERS + 1):
                await asyncio.sleep(dice.uniform(0.2, 0.2 + POLL_S))
                panel.dead.add(unit)
                began_s = time.monotonic()
                name = f"m{unit:02d}"
                await _until(lambda wanted=name: wanted in heard, NOTICE_S, f"the notice of {name}")
                waits_s.append(heard[name] - began_s)
    return waits_s


@contextlib.asynccontextmanager
async def _centre(folder: Path, ports: Mapping[str, int], robot: str) -> AsyncIterator[None]:
    """Broker, ingest, alarm service and gateway at work, until everything has been read once."""
    broker = free_port()
    site = folder / "site"
    site.mkdir()
    (site / "site.toml").write_text(_site_toml(ports, broker), encoding="utf-8")
    _write_centre(folder, broker, robot)
    # A clock of its own, at the pace of real time: a gateway trusts it at once, where the machine's may not be set.
    clock = ["--clock", describe(VirtualClock(RealClock().now_ms(), time.monotonic(), 1.0))]
    children = {
        "broker": Child("broker", ["broker", "--port", str(broker)], folder / "broker.log"),
        "ingest": Child("ingest", ["ingest", str(folder / "centre.toml"), *clock], folder / "ingest.log"),
        "alarms": Child("alarms", ["alarms", str(folder / "centre.toml"), *clock], folder / "alarms.log"),
        "edge": Child("edge", ["edge", str(site), *clock], site / "edge.log"),
    }
    ready: dict[str, Callable[[], bool]] = {
        "broker": lambda: listens(broker),
        "ingest": (folder / "ready").exists,
        "alarms": (folder / "data" / "alarms.db").exists,
        "edge": (site / "ready").exists,
    }
    with contextlib.ExitStack() as stack:
        for name, child in children.items():
            stack.callback(child.kill)
            child.start()
            await asyncio.to_thread(child.wait_until, ready[name], READY_S)
        await asyncio.sleep(5 * POLL_S)
        yield


async def _until(condition: Callable[[], bool], within_s: float, what: str) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"after {within_s} s still not: {what}")
        await asyncio.sleep(0.005)


def _site_toml(ports: Mapping[str, int], broker: int) -> str:
    urgent = ", ".join(f'"{name}.{POINT}"' for name in ports)
    lines = [f'site = "{SITE}"', "[uplink]", f'url = "mqtt://127.0.0.1:{broker}"', "[seal]", f"urgent = [{urgent}]"]
    for name, port in ports.items():
        lines += ["[[devices]]", f'name = "{name}"', f'url = "tcp://127.0.0.1:{port}"', f"unit = {int(name[1:])}"]
        lines += [f'profile = "{PROFILE}"', f"poll_every_s = {POLL_S}", "timeout_s = 0.5", f'only = ["{POINT}"]']
    return "\n".join(lines) + "\n"


def _write_centre(folder: Path, broker: int, robot: str) -> None:
    register = folder / "register"
    register.mkdir()
    names = [f"m{unit:02d}" for unit in range(1, METERS + 1)]
    files = {
        "regions.csv": ["code,name,name_zh,level,parent", "150122,Togtoh,托克托县,banner,"],
        "assets.csv": ["id,kind,region", *(f"{name},customer_group,150122" for name in names)],
        "points.csv": ["point,asset,nominal", *(f"{SITE}/{name}.{POINT},{name},{NOMINAL_V}" for name in names)],
        "plans.csv": ["asset,start,end,nature,notice_id,reason"],
        "alarms.toml": [
            "settle_s = 0.0",
            f'[[channels]]\nname = "group"\nkind = "dingtalk"\nurl = "{robot}"\ntoken_file = "token"',
            "per_minute = 1000",
            '[[people]]\nname = "crew"\nchannels = ["group"]\nlanguage = "en"',
            '[chains.high]\nsteps = [{ after_min = 0, person = "crew" }]',
        ],
        "token": ["token"],
    }
    for name, lines in files.items():
        (register / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (register / "token").chmod(0o600)
    (folder / "centre.toml").write_text(
        f'data_dir = "data"\n[broker]\nurl = "mqtt://127.0.0.1:{broker}"\n', encoding="utf-8"
    )
