"""Send a recording down the whole road: registers, Modbus, gateway, broker, ingest, store.

The gateway, the meter and the recording share a clock that jumps from poll to poll, so every row is polled exactly
once and a month takes about a minute. A row without any value is silence on the wire; where only some columns have
none, their registers hold NaN.
"""

import asyncio
import contextlib
import math
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from edge import agent, poll
from edge.agent import Emit
from edge.clock import Clock
from edge.errors import BadInput
from edge.profiles import Point
from edge.site import Site, load_site
from edge.wire import DroppedRange
from ingest.config import Centre, load_centre
from ingest.journal import Journal
from ingest.sites import Sites
from ingest.stores import open_store
from ingest.writer import READER
from simulators.checker import Findings, check, gather
from simulators.child import LEDGER_FILE, SITE_FILE
from simulators.clock import JumpClock, JumpLoop
from simulators.ledger import RecordingSpool, read_ledger
from simulators.processes import Child, ChildFailed, free_port, listens
from simulators.recording import Recording, default_point_name
from simulators.serve import Meter, serve

DEVICE, LINK = "meter", "recording"
GATEWAY_PERIOD_S = 3600.0
"""The gateway's own counters are no part of the recording."""
READY_S = 30.0
DRAIN_S = 120.0
LOOK_EVERY_S = 0.05
POINT_NAME = re.compile(r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")


@dataclass(frozen=True)
class Replayed:
    """What came out at the other end."""

    centre: Path
    """The centre.toml beside which the store stands."""
    points: tuple[str, ...]
    """Full names in the store."""
    rows: int
    """Rows of the recording that were played."""
    findings: Findings


def replay(
    recording: Recording,
    folder: Path,
    *,
    names: Mapping[str, str] | None = None,
    site: str = "replay",
    store_url: str = "sqlite:///store.db",
) -> Replayed:
    """Play all rows into the store and return what arrived; everything of the run stays in `folder`.

    `names` gives the columns to play and their point names. Raises BadInput, or ChildFailed where a process dies.
    """
    points = _points(names or {column: default_point_name(column) for column in recording.columns})
    gateway = folder / "gateway"
    gateway.mkdir(parents=True, exist_ok=True)
    clock = JumpClock(int(recording.t_ms[0]), folder / "clock")
    with ExitStack() as stack:
        centre, port = _start_centre(folder, store_url, stack)
        journal = stack.enter_context(contextlib.closing(Journal(Path(centre.data_dir) / centre.journal.path)))
        stage = _Stage(recording, points, gateway, clock, journal, f"mqtt://127.0.0.1:{port}", site)
        with asyncio.Runner(loop_factory=lambda: JumpLoop(clock)) as runner:
            runner.run(_play(stage))
        _wait_for(lambda: journal.cursor(READER) >= journal.newest(), "the store writer to catch up")
        findings = _compare(centre, journal, site, gateway)
    full_names = tuple(f"{site}/{DEVICE}.{point.name}" for point in points.values())
    return Replayed(folder / "centre.toml", full_names, len(recording.t_ms), findings)


def summary(result: Replayed) -> dict[str, object]:
    """The result as one JSON object."""
    found = result.findings
    return {
        "ok": found.ok,
        "rows": result.rows,
        "points": list(result.points),
        "sealed": found.sealed,
        "stored": found.stored,
        "lost": found.lost,
        "duplicated": found.duplicated,
        "changed": found.changed,
        "centre": str(result.centre),
    }


@dataclass(frozen=True)
class _Stage:
    """Everything of one performance."""

    recording: Recording
    points: Mapping[str, Point]
    gateway: Path
    clock: JumpClock
    journal: Journal
    broker_url: str
    site: str

    @property
    def end_ms(self) -> int:
        """When the last row has been shown for its period."""
        return int(self.recording.t_ms[-1]) + self.recording.period_ms


def _points(names: Mapping[str, str]) -> dict[str, Point]:
    """Column → its register: float32, one after the other."""
    for name in names.values():
        if not POINT_NAME.match(name):
            raise BadInput(f"point name {name!r}: use lower-case letters, digits, _ and dots, such as voltage_v")
    if len(names) > 60:
        raise BadInput(f"{len(names)} columns; choose at most 60 with --column")
    return {
        column: Point(name=name, table="input_register", register=2 * place, type="float32")
        for place, (column, name) in enumerate(names.items())
    }


def _start_centre(folder: Path, store_url: str, stack: ExitStack) -> tuple[Centre, int]:
    """Start broker and ingest; they are stopped with the stack. Returns the centre and the broker's port."""
    port = free_port()
    centre_file = folder / "centre.toml"
    centre_file.write_text(
        f'data_dir = "data"\n[broker]\nurl = "mqtt://127.0.0.1:{port}"\n[store]\nurl = "{store_url}"\n',
        encoding="utf-8",
    )
    centre = load_centre(centre_file)
    broker = Child("broker", ["broker", "--port", str(port)], folder / "broker.log")
    ingest = Child(
        "ingest", ["ingest", str(centre_file), "--clock", f"follow:{folder / 'clock'}"], folder / "ingest.log"
    )
    for child, ready in ((broker, lambda: listens(port)), (ingest, lambda: _journal_of(centre).exists())):
        child.start()
        stack.callback(child.stop, 10.0)
        child.wait_until(ready, READY_S)
    return centre, port


def _journal_of(centre: Centre) -> Path:
    return Path(centre.data_dir) / centre.journal.path


async def _play(stage: _Stage) -> None:
    """Serve the recording and read it with the gateway's own program until every batch is at the centre."""
    meter = Meter(tuple(stage.points.values()), _shown(stage.recording, stage.points), serial=True)
    async with serve({LINK: {1: meter}}, stage.clock.now_ms) as ports:
        file = stage.gateway / SITE_FILE
        file.write_text(_site_toml(stage, ports[LINK]), encoding="utf-8")
        site = load_site(file)
        spool = RecordingSpool(agent.open_spool(site, stage.gateway), stage.gateway / LEDGER_FILE)
        await agent.run(site, stage.gateway, stage.clock, spool=spool, acquire=_acquire_to_the_end(stage, spool))


def _shown(recording: Recording, points: Mapping[str, Point]) -> Callable[[int], Mapping[str, float] | None]:
    def shown(now_ms: int) -> Mapping[str, float] | None:
        values = {point.name: recording.value(column, now_ms) for column, point in points.items()}
        if all(value is None for value in values.values()):
            return None
        return {name: math.nan if value is None else value for name, value in values.items()}

    return shown


def _acquire_to_the_end(stage: _Stage, spool: RecordingSpool) -> Callable[[Site, Clock, Emit], Awaitable[None]]:
    """Poll as always, stop at the recording's end, and hold the gateway until the centre has everything."""

    async def acquire(site: Site, clock: Clock, emit: Emit) -> None:
        polling = asyncio.create_task(poll.acquire(site, clock, emit))
        await clock.sleep((stage.end_ms - clock.now_ms()) / 1000)
        polling.cancel()
        await asyncio.wait({polling})
        await clock.sleep(site.seal.after_s + 1.0)
        deadline_s = time.monotonic() + DRAIN_S
        while not _holds_all(stage.journal, stage.site, spool) and time.monotonic() < deadline_s:
            await asyncio.sleep(LOOK_EVERY_S)

    return acquire


def _holds_all(journal: Journal, site: str, spool: RecordingSpool) -> bool:
    ack = journal.ack(site, spool.stream)
    return ack is not None and ack.upto >= spool.next_seq - 1


def _site_toml(stage: _Stage, port: int) -> str:
    """One device that holds every column; it is polled once in each row's period."""
    period_s = stage.recording.period_ms / 1000
    lines = [
        f'site = "{stage.site}"',
        f'[uplink]\nurl = "{stage.broker_url}"',
        f"[seal]\nafter_s = {min(30 * period_s, 3600.0)}",
        f"[gateway]\nperiod_s = {GATEWAY_PERIOD_S}",
        f'[[devices]]\nname = "{DEVICE}"\nurl = "tcp://127.0.0.1:{port}"\npoll_every_s = {period_s}',
        f"timeout_s = {min(5.0, period_s / 2)}",
    ]
    for point in stage.points.values():
        lines.append(f'  [[devices.points]]\n  name = "{point.name}"\n  table = "{point.table}"')
        lines.append(f'  register = {point.register}\n  type = "{point.type}"')
    return "\n".join(lines) + "\n"


def _compare(centre: Centre, journal: Journal, site: str, gateway: Path) -> Findings:
    """The gateway's ledger against the store."""
    trails = read_ledger(gateway / LEDGER_FILE)
    with contextlib.closing(Sites(_journal_of(centre))) as sites:
        history = gather({site: trails}, reported_drops(sites, [site]))
    with contextlib.closing(open_store(centre.store, Path(centre.data_dir))) as store:
        names = [name for name in store.points() if name.startswith(f"{site}/")]
        stored = store.read(names, 0, 2**53)
    return check(history, stored, held_ranges(journal, site, history.batches))


def reported_drops(sites: Sites, names: Sequence[str]) -> Iterator[DroppedRange]:
    """What the centre was told that full spools let go."""
    for name in names:
        for dropped in sites.dropped(name):
            yield dropped.batches


def held_ranges(journal: Journal, site: str, streams: Iterable[str]) -> dict[str, list[tuple[int, int]]]:
    """Per stream the numbers that the centre holds or was told of, ends included."""
    held = {}
    for stream in streams:
        ack = journal.ack(site, stream)
        if ack is not None:
            held[stream] = ([(0, ack.upto)] if ack.upto >= 0 else []) + [(first, last) for first, last in ack.also]
    return held


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + DRAIN_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise ChildFailed(f"waited {DRAIN_S} s for {what}: see the logs of broker and ingest")
        time.sleep(LOOK_EVERY_S)
