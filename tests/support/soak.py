"""The long run: a county of 200 gateways on one stage, with faults throughout, and what its processes and files did.

Every site has a name, a spool, a link and an MQTT connection of its own, and its meters are real Modbus servers. 200
processes of one gateway each would take 6.4 GiB and minutes to start on two cores, so most sites share a process with
nine others, and nothing but the process; the first `ALONE` have one each, as on a wall. Broker, ingest with its store
writer, alarms, numbers and console are a process each, as in production.
"""

import asyncio
import contextlib
import json
import random
import shutil
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.chaos import Stack, guests_of
from support.servers import SEARCH_PATH
from support.soak_console import Visitor
from support.soak_county import Wishes, readings_due, site_names, write_history, write_soak_county
from support.soak_files import Files, FileWatch, Size
from support.soak_growth import Growth, Watch

from edge.clock import VirtualClock
from ingest.config import Centre, load_centre
from ingest.store import Store
from ingest.stores import open_store
from simulators.cast import CLOCK_FILE, Cast, Guests, Program
from simulators.checker import Findings
from simulators.child import PORTS_FILE, READY_FILE, write_whole
from simulators.clock import describe
from simulators.county_files import site_folder
from simulators.delivered import examine_delivery
from simulators.drain import drain
from simulators.physics import Span
from simulators.plot import Act
from simulators.processes import Child, free_port, listens
from simulators.progress import Progress, ProgressReader
from simulators.proxy import Link, proxy

ALONE, TOGETHER = 10, 10
"""Sites with a process of their own, and how many share one of the others."""
VICTIMS = 0.3
"""Share of the gateways' processes that are killed now and then; the others show what a long life does."""
LOOK_EVERY_S = 5.0
READY_S, DRAIN_S, LEAVE_S = 180.0, 300.0, 20.0
NUMBERS_EVERY_S = 30.0
METERS = str(Path(__file__).with_name("soak_meters.py"))
CENTRE = ("ingest", "broker", "alarms", "numbers", "console")
FILES = {
    "journal": Files("data/journal.db"),
    "store": Files("data/store.db"),
    "alarms": Files("data/alarms.db"),
    "numbers": Files("data/kpi.db"),
    "changes": Files("data/changes.db"),
    "dead letters": Files("data/deadletters.db"),
    "spools": Files("sites/*/spool.db"),
    "centre's logs": Files("data/*.db-wal", limit_mib=110.0),
    "spools' logs": Files("sites/*/spool.db-wal", limit_mib=4.5),
}
"""The logs are SQLite's, before a checkpoint: at the store 62.5 MiB (`ingest.sqlite_tables`) and a transaction, which
touches the newest page of each of 10 000 points, 39 MiB; 4 MiB at a spool (`edge.spool_sqlite`)."""


@dataclass(frozen=True)
class Outcome:
    """What a run showed."""

    stack: Stack
    seconds: float
    expected: int
    """Readings that every meter's every turn would make."""
    history: int
    """Readings in the store before the run."""
    progress: Progress
    findings: Findings
    growths: Sequence[Growth]
    sizes: Sequence[Size]
    faults: Mapping[str, int]
    """How often each kind of fault was done."""
    crashes: Sequence[str]
    """Who ended without being told to."""
    pages: int
    """That the console showed its visitor."""


async def run_soak(folder: Path, sites: int, seconds: float, poll_every_s: float, *, seed: int) -> Outcome:
    """Let so many sites run for so long, mend everything, let it drain, and compare."""
    stack: Stack = "mosquitto+sqlite" if shutil.which("mosquitto", path=SEARCH_PATH) else "embedded+sqlite"
    names = site_names(sites)
    with contextlib.ExitStack() as kept:
        guests, store_url = kept.enter_context(guests_of(stack, folder))
        wishes = Wishes(poll_every_s, journal_keep_s=seconds / 6, store_url=store_url)
        async with _on_stage(folder, names, guests, wishes) as stage:
            faults = schedule(seed, names, list(stage.gateways), seconds)
            watch, files = Watch(stage.kinds()), FileWatch(folder, FILES)
            looking = asyncio.create_task(_look(stage, watch, files))
            await _play(stage.cast, faults, seconds)
            looking.cancel()
            progress = await _drain(stage.cast, folder, names)
        findings = await asyncio.to_thread(_examine, folder, names, stage.cast.clock.start_ms)
    return Outcome(
        stack=stack,
        seconds=seconds,
        expected=readings_due(sites, seconds, poll_every_s),
        history=stage.history,
        progress=progress,
        findings=findings,
        growths=watch.growths(),
        sizes=files.sizes(),
        faults=_counted(faults),
        crashes=tuple(stage.cast.crashes),
        pages=stage.visitor.pages,
    )


def schedule(seed: int, sites: Sequence[str], gateways: Sequence[str], seconds: float) -> list[tuple[float, Act]]:
    """Return what goes wrong: (seconds from the start, act), every fault mended before the end.

    Links and gateways fail until the end. The centre's programs are killed in the first half, each twice, so that
    what is left of the run is one long life of each.
    """
    rng = random.Random(seed)
    victims = rng.sample(list(gateways), max(int(len(gateways) * VICTIMS), 1))
    plan: list[tuple[float, Act]] = []
    for at_s in _instants(rng, seconds, every_s=8.0):
        plan += _fault(rng.choice(["cut", "freeze", "delay"]), "restore", rng.choice(sites), at_s, rng.uniform(3, 60))
    for at_s in _instants(rng, seconds, every_s=30.0):
        plan += _fault("kill", "start", rng.choice(victims), at_s, rng.uniform(2, 20))
    kills = [*rng.sample(CENTRE, len(CENTRE)), *rng.sample(CENTRE, len(CENTRE))]
    for place, program in enumerate(kills):
        plan += _fault("kill", "start", program, seconds / 2 * (place + 1) / (len(kills) + 1), rng.uniform(2, 15))
    return sorted(((min(at_s, seconds - 1), act) for at_s, act in plan), key=lambda row: row[0])


@dataclass
class _Stage:
    """Everybody of a run."""

    cast: Cast
    programs: Mapping[str, Program]
    gateways: Mapping[str, Sequence[str]]
    """Process → the sites in it."""
    history: int
    visitor: Visitor

    def kinds(self) -> dict[str, str]:
        """Return each program's kind by its name."""
        kinds = {name: name for name in self.programs}
        return kinds | {
            name: "gateway alone" if len(sites) == 1 else f"{len(sites)} gateways"
            for name, sites in self.gateways.items()
        }


def _instants(rng: random.Random, seconds: float, *, every_s: float) -> list[float]:
    return sorted(rng.uniform(seconds * 0.05, seconds * 0.97) for _ in range(max(int(seconds / every_s), 1)))


def _fault(verb: str, mend: str, target: str, at_s: float, for_s: float) -> list[tuple[float, Act]]:
    acts = [Act(0, done, target, f"{done} {target}") for done in (verb, mend)]  # type: ignore[arg-type]
    return list(zip((at_s, at_s + for_s), acts, strict=True))


def _counted(faults: Sequence[tuple[float, Act]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for _, act in faults:
        if act.verb not in ("start", "restore"):
            counts[act.verb] = counts.get(act.verb, 0) + 1
    return counts


@contextlib.asynccontextmanager
async def _on_stage(folder: Path, sites: Sequence[str], guests: Guests, wishes: Wishes) -> AsyncIterator[_Stage]:
    """Start everybody, on free ports, with their files in `folder`; stop them all when the block ends."""
    late = ["--clock", f"late:{folder / CLOCK_FILE}"]
    console_port = free_port()
    gateways = _groups(sites)
    programs = _programs(folder, len(sites), guests, console_port, late) | _gateways(folder, gateways, late)
    async with contextlib.AsyncExitStack() as stack:
        for program in programs.values():
            stack.callback(program.kill)
        links = {site: await stack.enter_async_context(proxy(Link("127.0.0.1", guests.broker_port))) for site in sites}
        await _started(programs["meters"], lambda: (folder / PORTS_FILE).exists())
        await _started(programs["broker"], lambda: listens(guests.broker_port))
        meters = json.loads((folder / PORTS_FILE).read_text(encoding="utf-8"))
        uplinks = {site: link.port for site, link in links.items()}
        write_soak_county(folder, meters, uplinks, guests.broker_port, wishes)
        visitor = Visitor(folder / "data", console_port)
        history = await asyncio.to_thread(_past, folder, sites, wishes.poll_every_s)
        await _started(programs["ingest"], (folder / READY_FILE).exists)
        for name, members in gateways.items():
            ready = [site_folder(folder, site) / READY_FILE for site in members]
            await _started(programs[name], lambda ready=ready: all(file.exists() for file in ready))
        clock = VirtualClock(time.time_ns() // 1_000_000, time.monotonic(), 1.0)
        write_whole(folder / CLOCK_FILE, describe(clock))
        for name in ("alarms", "numbers"):
            programs[name].start()
        await _started(programs["console"], lambda: listens(console_port))
        cast = Cast(folder, programs, links, clock, gateways=list(gateways))
        yield _Stage(cast, programs, gateways, history, visitor)
        for name in reversed(CENTRE):
            await asyncio.to_thread(programs[name].stop, LEAVE_S)


def _groups(sites: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the gateways' processes by name, each with its sites."""
    alone, others = sites[:ALONE], sites[ALONE:]
    together = {f"gateways-{at // TOGETHER}": others[at : at + TOGETHER] for at in range(0, len(others), TOGETHER)}
    return {f"gateway-{site}": [site] for site in alone} | together


def _programs(folder: Path, sites: int, guests: Guests, console_port: int, late: Sequence[str]) -> dict[str, Program]:
    """Return the meters and the centre, in the order in which they start."""
    centre = str(folder / "centre.toml")
    words = {
        "ingest": ["ingest", centre],
        "alarms": ["alarms", centre],
        "numbers": ["numbers", centre, "--period-s", str(NUMBERS_EVERY_S)],
        "console": ["console", centre, "--port", str(console_port)],
    }
    meters = Child("meters", [str(folder), str(sites)], folder / "meters.log", program=[METERS])
    ours = {name: Child(name, [*said, *late], folder / f"{name}.log") for name, said in words.items()}
    return {"meters": meters, **guests.programs, **ours}


def _gateways(folder: Path, groups: Mapping[str, Sequence[str]], late: Sequence[str]) -> dict[str, Program]:
    return {
        name: Child(name, ["edge", *(str(site_folder(folder, site)) for site in sites), *late], folder / f"{name}.log")
        for name, sites in groups.items()
    }


async def _started(program: Program, ready: Callable[[], bool]) -> None:
    program.start()
    await asyncio.to_thread(program.wait_until, ready, READY_S)


async def _look(stage: _Stage, watch: Watch, files: FileWatch) -> None:
    """Sample until cancelled, with a glance at the console's pages each time."""
    while True:
        watch.look(stage.programs, time.monotonic())
        files.look()
        await asyncio.to_thread(stage.visitor.look)
        await asyncio.sleep(LOOK_EVERY_S)


async def _play(cast: Cast, faults: Sequence[tuple[float, Act]], seconds: float) -> None:
    began_s = time.monotonic()
    for at_s, act in faults:
        await asyncio.sleep(max(began_s + at_s - time.monotonic(), 0.0))
        await asyncio.to_thread(cast.perform, act) if act.verb in ("kill", "start") else cast.perform(act)
        cast.look_after()
    await asyncio.sleep(max(began_s + seconds - time.monotonic(), 0.0))


async def _drain(cast: Cast, folder: Path, sites: Sequence[str]) -> Progress:
    centre = load_centre(folder / "centre.toml")
    span = Span(cast.clock.start_ms, cast.clock.now_ms() + 3_600_000)
    journal = Path(centre.data_dir) / centre.journal.path
    with contextlib.closing(ProgressReader(folder, sites, journal, span)) as reader:
        return await drain(cast, reader, lambda _: None, DRAIN_S)


def _past(folder: Path, sites: Sequence[str], every_s: float) -> int:
    """Give the store its history; return how many readings."""
    with _store(load_centre(folder / "centre.toml")) as store:
        return write_history(store, sites, time.time_ns() // 1_000_000, every_s)


def _examine(folder: Path, sites: Sequence[str], start_ms: int) -> Findings:
    centre = load_centre(folder / "centre.toml")
    with _store(centre) as store:
        return examine_delivery(folder, sites, centre, store, start_ms=start_ms)


def _store(centre: Centre) -> contextlib.closing[Store]:
    return contextlib.closing(open_store(centre.store, Path(centre.data_dir)))
