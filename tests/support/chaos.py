"""A small county on a stage where anything may be killed, cut, delayed or filled up at any instant.

The meters are real Modbus servers, every process is the product's own; the checker compares what the gateways sealed
with what the store gives back. A run follows from its seed, as far as the machine's own timing lets it.
"""

import asyncio
import contextlib
import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from support.servers import Server, influxdb, mosquitto, wait_until

from edge.clock import VirtualClock
from ingest.config import load_centre
from ingest.stores import open_store
from simulators.cast import Cast, Guests, Program, on_stage
from simulators.checker import Findings
from simulators.child import LEDGER_FILE
from simulators.county import Size
from simulators.county_files import site_folder
from simulators.delivered import examine_delivery
from simulators.drain import drain
from simulators.physics import Span
from simulators.plot import Act
from simulators.processes import Child, free_port
from simulators.progress import ProgressReader
from simulators.scenario import Scenario, make_scenario, save_scenario

Stack = Literal["embedded+sqlite", "mosquitto+sqlite", "mosquitto+influxdb"]
SIZE = Size(feeders=2, transformers=2, line_ends=1, works=1)
SPEED = 60.0
"""Virtual seconds per second: every meter is read once or twice a second."""
START_AFTER_MIDNIGHT_MS = 6 * 3_600_000
DISK_BYTES = 48 * 1024 * 1024
DRAIN_S = 240.0
MOSQUITTO = "allow_anonymous true\nmax_inflight_messages 1000\nmax_queued_messages 0\npersistence true\n"


@dataclass(frozen=True)
class Disk:
    """A small file system of its own, that can be filled to the last byte."""

    folder: Path

    def fill(self) -> None:
        """Leave no room."""
        with contextlib.suppress(OSError), (self.folder / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 65_536)

    def free(self) -> None:
        """Give the room back."""
        (self.folder / "filler").unlink(missing_ok=True)


class ServerProgram:
    """A test server as one of the cast."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._is_alive = False

    @property
    def is_alive(self) -> bool:
        return self._is_alive

    @property
    def pid(self) -> int | None:
        return self._server.pid if self._is_alive else None

    def start(self) -> None:
        self._server.start()
        self._is_alive = True

    def kill(self) -> None:
        self._server.kill()
        self._is_alive = False

    def stop(self, within_s: float) -> bool:
        self._server.stop()
        self._is_alive = False
        return True

    def wait_until(self, ready: Callable[[], bool], within_s: float) -> None:
        wait_until(ready, within_s, "the server is ready")

    def last_words(self, lines: int = 15) -> str:
        return ""


def can_mount() -> bool:
    """Whether this user may make file systems: without it no disk can be filled up."""
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """Mount a file system of `DISK_BYTES` at `folder` until the block ends."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def guests_of(stack: Stack, folder: Path) -> Iterator[tuple[Guests, str]]:
    """Make the broker and the store of a stack, not yet started; also the store's URL. Skips where one is missing."""
    port = free_port()
    programs: dict[str, Program] = {}
    store_url = "sqlite:///store.db"
    with contextlib.ExitStack() as kept:
        if stack.startswith("embedded"):
            programs["broker"] = Child("broker", ["broker", "--port", str(port)], folder / "broker.log")
        else:
            place = folder / "broker"
            place.mkdir()
            lines = f"{MOSQUITTO}persistence_location {place}/"
            programs["broker"] = _stopped(kept.enter_context(mosquitto(place, lines, port))[0])
        if stack.endswith("influxdb"):
            place = folder / "influxdb"
            place.mkdir()
            server = kept.enter_context(influxdb(place))
            store_url = server.store_url
            programs["store"] = _stopped(server)
        yield Guests(programs, port), store_url


def schedule(
    seed: int, sites: list[str], programs: list[str], seconds: float, *, disks: bool
) -> list[tuple[float, Act]]:
    """Return what goes wrong: (seconds from the start, act), every fault mended before the end."""
    rng = random.Random(seed)
    plan: list[tuple[float, Act]] = []
    at_s = 1.0
    while at_s < seconds - 2.0:
        length_s = rng.uniform(0.2, 3.0)
        fault = rng.choice(["kill", "kill", "kill", "cut", "freeze", "delay", *(["fill"] if disks else [])])
        if fault == "kill":
            target = rng.choice([*rng.sample(sites, 1), "ingest", *programs])
        else:
            target = rng.choice(["data", sites[0]]) if fault == "fill" else rng.choice(sites)
        mend = {"kill": "start", "cut": "restore", "freeze": "restore", "delay": "restore", "fill": "free"}[fault]
        plan += [(at_s, _act(fault, target)), (min(at_s + length_s, seconds - 0.5), _act(mend, target))]
        at_s += rng.uniform(0.3, 2.0)
    return sorted(plan, key=lambda row: row[0])


async def run_chaos(folder: Path, stack: Stack, seed: int, seconds: float, *, disks: bool) -> Findings:
    """Play `seconds` of the county's morning under the faults of `seed`, mend everything, and compare."""
    scenario = make_scenario(seed, SIZE, 1, before_ms=0, after_ms=3_600_000)
    sites = [gateway.site for gateway in scenario.county().gateways]
    save_scenario(folder, scenario)
    with contextlib.ExitStack() as kept:
        guests, store_url = kept.enter_context(guests_of(stack, folder))
        places: dict[str, Disk] = {}
        if disks:
            places = {
                "data": kept.enter_context(small_disk(folder / "data")),
                sites[0]: kept.enter_context(small_disk(site_folder(folder, sites[0]))),
            }
            _ledger_elsewhere(folder, sites[0])
        clock = VirtualClock(scenario.midnight_ms + START_AFTER_MIDNIGHT_MS, time.monotonic(), SPEED)
        plan = schedule(seed, sites, list(guests.programs), seconds, disks=disks)
        async with on_stage(folder, scenario, clock, store_url, guests) as cast:
            await _play(cast, plan, places, seconds)
            for place in places.values():
                place.free()
            await _drain(cast, folder, scenario, sites)
            if stack.endswith("influxdb"):
                return await asyncio.to_thread(_examine, folder, sites)
        return await asyncio.to_thread(_examine, folder, sites)


async def _play(cast: Cast, plan: list[tuple[float, Act]], places: dict[str, Disk], seconds: float) -> None:
    began_s = time.monotonic()
    for at_s, act in plan:
        await asyncio.sleep(max(began_s + at_s - time.monotonic(), 0.0))
        if act.verb == "fill":
            await asyncio.to_thread(places[act.target].fill)
        elif act.verb == "free":
            places[act.target].free()
        else:
            await asyncio.to_thread(cast.perform, act) if act.verb in ("kill", "start") else cast.perform(act)
        cast.look_after()
    await asyncio.sleep(max(began_s + seconds - time.monotonic(), 0.0))


async def _drain(cast: Cast, folder: Path, scenario: Scenario, sites: list[str]) -> None:
    """Everybody up again; gateways seal and end; wait until nothing is on its way, within a bound."""
    centre = load_centre(folder / "centre.toml")
    span = Span(scenario.midnight_ms, scenario.end_ms + scenario.after_ms)
    with contextlib.closing(ProgressReader(folder, sites, Path(centre.data_dir) / centre.journal.path, span)) as reader:
        await drain(cast, reader, lambda _: None, DRAIN_S)


def _examine(folder: Path, sites: list[str]) -> Findings:
    centre = load_centre(folder / "centre.toml")
    with contextlib.closing(open_store(centre.store, Path(centre.data_dir))) as store:
        return examine_delivery(folder, sites, centre, store)


def _ledger_elsewhere(folder: Path, site: str) -> None:
    """The trail must outlive a full disk: it stands on another one."""
    trail = folder / f"{site}.ledger"
    trail.touch()
    (site_folder(folder, site) / LEDGER_FILE).symlink_to(trail)


def _stopped(server: Server) -> ServerProgram:
    """The fixture has started it; the stage starts it itself."""
    server.stop()
    return ServerProgram(server)


def _act(verb: str, target: str) -> Act:
    return Act(0, verb, target, f"{verb} {target}")  # type: ignore[arg-type]
