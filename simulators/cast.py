"""Everybody on stage: the processes of a run and the links between them."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from edge.clock import VirtualClock
from simulators.child import PORTS_FILE, READY_FILE, write_whole
from simulators.clock import describe
from simulators.county_files import Ports, site_folder, write_county
from simulators.plot import Act
from simulators.processes import Child, free_port, listens
from simulators.proxy import Link, proxy
from simulators.scenario import Scenario

CLOCK_FILE = "clock"
READY_S = 60.0
LEAVE_S = 20.0
DELAY_S = 0.6
"""A slow link: 600 ms each way, as over a satellite. Real seconds."""


class Program(Protocol):
    """What can be killed and started again: `Child`, or a server that is not ours."""

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""

    def start(self) -> None:
        """Start it; it must not be running."""

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""

    def stop(self, within_s: float) -> bool:
        """SIGTERM; False if it had to be killed after `within_s`."""

    def wait_until(self, ready: Callable[[], bool], within_s: float) -> None:
        """Return as soon as it is ready."""

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""


@dataclass(frozen=True)
class Guests:
    """Servers of a run: the broker, and the store where it is one."""

    programs: Mapping[str, Program]
    """`broker`, and `store` where the store is a server; started in this order."""
    broker_port: int


class Cast:
    """The meters, the broker, ingest, the gateways and each gateway's link."""

    def __init__(
        self,
        folder: Path,
        children: Mapping[str, Program],
        links: Mapping[str, Link],
        clock: VirtualClock,
        *,
        gateways: Sequence[str] | None = None,
    ) -> None:
        """`gateways` names the children that run them; None for one child per link, each under its site's name."""
        self.clock = clock
        """Everybody's time."""
        self._folder = folder
        self._children = children
        self._links = links
        self._gateways = tuple(links) if gateways is None else tuple(gateways)
        self._down: set[str] = set()
        self.crashes: list[str] = []
        """Who ended without being told to, and what it said."""

    def perform(self, act: Act) -> None:
        """Do what the plot says. Starting what runs and killing what is gone is nothing to do."""
        if act.verb == "kill":
            self._down.add(act.target)
            self._children[act.target].kill()
        elif act.verb == "start":
            self._down.discard(act.target)
            self._start(act.target)
        elif act.verb in ("mains_off", "mains_on"):
            mains = site_folder(self._folder, act.target) / "mains"
            mains.write_text("0\n" if act.verb == "mains_off" else "1\n", encoding="ascii")
        elif act.verb == "cut":
            self._links[act.target].cut()
        elif act.verb == "freeze":
            self._links[act.target].freeze()
        elif act.verb == "delay":
            self._links[act.target].delay_s = DELAY_S
        elif act.verb == "restore":
            self._restore(act.target)

    def look_after(self) -> None:
        """Start again whoever ended on its own, and remember it."""
        for name, child in self._children.items():
            if name not in self._down and not child.is_alive:
                self.crashes.append(f"{name}: {child.last_words(3)}")
                child.start()

    def raise_all(self) -> None:
        """Everybody up and every link open: nobody may be missing at the end."""
        self._down.clear()
        for name in self._children:
            self._start(name)
        for site in self._links:
            self._restore(site)

    async def leave(self) -> None:
        """Gateways seal, flush and end; the centre and the meters stay."""
        self._down.update(self._gateways)
        await asyncio.gather(*(asyncio.to_thread(self._children[name].stop, LEAVE_S) for name in self._gateways))

    def _restore(self, site: str) -> None:
        self._links[site].delay_s = 0.0
        self._links[site].restore()

    def _start(self, name: str) -> None:
        if not self._children[name].is_alive:
            self._children[name].start()


@contextlib.asynccontextmanager
async def on_stage(
    folder: Path,
    scenario: Scenario,
    clock: VirtualClock,
    store_url: str,
    guests: Guests | None = None,
    *,
    alarms: bool = False,
    until_ms: int | None = None,
    beside: Sequence[Child] = (),
) -> AsyncIterator[Cast]:
    """Start everybody in order, on free ports, with their files in `folder`; stop them all when the block ends.

    The alarm engine is among them if `alarms` asks for it; its time stands still from `until_ms` on.
    Those `beside` are started as soon as the centre's files are there, and are the caller's to stop.

    `clock` says where time begins and how fast it runs. It begins when everybody is ready: `Cast.clock`.
    """
    curtain = folder / CLOCK_FILE
    arguments = ["--clock", f"late:{curtain}"]
    county = scenario.county()
    children: dict[str, Program] = {
        "meters": Child("meters", ["meters", str(folder), *arguments], folder / "meters.log")
    }
    guests = guests or _own_broker(folder)
    children |= guests.programs
    children["ingest"] = Child("ingest", ["ingest", str(folder / "centre.toml"), *arguments], folder / "ingest.log")
    if alarms:
        until = [] if until_ms is None else ["--until", str(until_ms)]
        words = ["alarms", str(folder / "centre.toml"), *arguments, *until]
        children["alarms"] = Child("alarms", words, folder / "alarms.log")
    for gateway in county.gateways:
        place = site_folder(folder, gateway.site)
        place.mkdir(parents=True, exist_ok=True)
        children[gateway.site] = Child(gateway.site, ["edge", str(place), *arguments], place / "edge.log")
    async with contextlib.AsyncExitStack() as stack:
        for child in children.values():
            stack.callback(child.kill)
        links = {
            gateway.site: await stack.enter_async_context(proxy(Link("127.0.0.1", guests.broker_port)))
            for gateway in county.gateways
        }
        await _start(children["meters"], lambda: (folder / PORTS_FILE).exists())
        for name in guests.programs:
            await _start(children[name], lambda: listens(guests.broker_port))
        ports = Ports(_meter_ports(folder), {site: link.port for site, link in links.items()}, guests.broker_port)
        write_county(folder, county, scenario.faults, ports, store_url=store_url, first_day=scenario.first_day)
        ready = {site: site_folder(folder, site) / READY_FILE for site in links} | {"ingest": folder / READY_FILE}
        for child in beside:
            child.start()
        for name in ready:
            children[name].start()
        for name, file in ready.items():
            await asyncio.to_thread(children[name].wait_until, file.exists, READY_S)
        if alarms:
            children["alarms"].start()
        begun = replace(clock, epoch_s=time.monotonic())
        write_whole(curtain, describe(begun))
        yield Cast(folder, children, links, begun)
        await asyncio.to_thread(children["ingest"].stop, LEAVE_S)


def _own_broker(folder: Path) -> Guests:
    port = free_port()
    return Guests({"broker": Child("broker", ["broker", "--port", str(port)], folder / "broker.log")}, port)


async def _start(child: Program, ready: Callable[[], bool]) -> None:
    child.start()
    await asyncio.to_thread(child.wait_until, ready, READY_S)


def _meter_ports(folder: Path) -> dict[tuple[str, str], int]:
    """(site, link) → port, as the meters wrote them down."""
    ports = json.loads((folder / PORTS_FILE).read_text(encoding="utf-8"))
    return {tuple(name.split("/", 1)): port for name, port in ports.items()}
