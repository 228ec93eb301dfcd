"""Sealed batches through Mosquitto and `steppe ingest run` into SQLite and InfluxDB 1.8, beside Telegraf.

The load is one day of 100 sites with 60 points read once a minute, sealed as gateways seal it, published by a process
that only sends bytes: what is measured is also how long such a backlog takes to drain. Telegraf, where it is
installed, gets the same readings as line protocol in messages of 50. At the end every reading is counted in the store.
Rates of a shared machine drift from run to run; CPU seconds do not.
"""

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import psutil
import pytest
from benchmarks.road_load import READINGS, as_lines, day_of_batches, sealed, unpacked, with_wrong_rows
from benchmarks.table import Row
from support.brokers import PRODUCTION
from support.mqtt_load import write_packets
from support.servers import InfluxServer, Server, influxdb, mosquitto
from support.telegraf import find_telegraf, telegraf

from ingest.deadletter import DeadLetters
from ingest.journal import Journal
from ingest.writer import READER

SENDER = Path(__file__).parents[1] / "support" / "mqtt_load.py"
WINDOW = 200
PEER_BATCHES = 4_000
"""For the comparison with Telegraf: 2 million readings."""
WRONG_ROWS = 20
SMALL_BATCHES = 4_000
SMALL_READINGS = 50
SMALL_PER_S = 400.0
"""Slow enough for a broker with its own defaults to queue nothing."""
TIMEOUT_S = 900.0
STUCK_S = 10.0
SETTLED_S = 0.5
LOOK_S = 0.1
DAY_MS = 86_400_000
RSS_LIMIT_MIB = 150
MIB = 1024 * 1024
MARKS = (0.25, 0.5, 1.0)
DEFAULTS = "allow_anonymous true"


@dataclass(frozen=True)
class Run:
    """What a program took to bring the readings from the broker into the store."""

    readings: int
    seconds: float
    cpu_s: float
    rss_mib: tuple[float, ...]
    """When a quarter, half and all of the readings were stored."""
    peak_mib: float

    @property
    def per_s(self) -> float:
        return self.readings / self.seconds

    @property
    def cpu_s_per_million(self) -> float:
        return self.cpu_s / self.readings * 1e6


def measure() -> Iterator[Row]:
    """Yield the rows of the table."""
    start_ms = int(time.time() * 1000) - DAY_MS
    with tempfile.TemporaryDirectory() as made:
        load = Path(made)
        day = write_packets(load / "day", sealed(day_of_batches(start_ms)))
        write_packets(load / "half", sealed(islice(day_of_batches(start_ms), PEER_BATCHES)))
        yield from _ours_rows("SQLite", _through_steppe(load / "day", day, None), "target 200 000")
        try:
            with tempfile.TemporaryDirectory() as folder, influxdb(Path(folder)) as server:
                yield from _influx_rows(load, start_ms, server)
        except pytest.skip.Exception as absent:
            yield Row("InfluxDB 1.8.10", float("nan"), "", str(absent))


def _influx_rows(load: Path, start_ms: int, server: InfluxServer) -> Iterator[Row]:
    program = find_telegraf("inputs.mqtt_consumer")
    if program is None:
        yield from _ours_rows("InfluxDB", _through_steppe(load / "half", PEER_BATCHES, server), "no Telegraf here")
        return
    write_packets(load / "lines", as_lines(islice(day_of_batches(start_ms), PEER_BATCHES)))
    peer = _through_telegraf(program, load / "lines", PEER_BATCHES * READINGS, server)
    server.empty()
    ours = _through_steppe(load / "half", PEER_BATCHES, server)
    yield from _ours_rows("InfluxDB", ours, f"Telegraf {peer.per_s:,.0f}: {ours.per_s / peer.per_s:.2f} ×", peer)
    yield from _wrong_rows(load, start_ms, program, server)


def _ours_rows(store: str, run: Run, rate_reference: str, peer: Run | None = None) -> Iterator[Row]:
    share = "" if peer is None else f"Telegraf {peer.cpu_s_per_million:.2f}: {_ratio(run, peer):.2f} ×, target 0.33"
    quarter, half, whole = run.rss_mib
    yield Row(f"road to {store}", run.per_s, "readings/s", rate_reference)
    yield Row(f"road to {store}: ingest CPU", run.cpu_s_per_million, "CPU-s per 10⁶", share)
    yield Row(f"road to {store}: ingest memory, peak", run.peak_mib, "MiB", f"limit {RSS_LIMIT_MIB}")
    yield Row(f"road to {store}: memory at 25, 50, 100 %", whole, "MiB", f"{quarter:.0f}, {half:.0f}, {whole:.0f}")
    if peer is None:
        yield Row(f"road to {store}: backlog drained", run.seconds, "s", f"{run.readings:,} readings")
    else:
        yield Row("Telegraf: memory, peak", peer.peak_mib, "MiB")


def _ratio(run: Run, peer: Run) -> float:
    return run.cpu_s_per_million / peer.cpu_s_per_million


def _through_steppe(packets: Path, batches: int, server: InfluxServer | None) -> Run:
    with _road(PRODUCTION) as road, _steppe(road, server) as ingest, closing(road.journal()) as journal:
        _let_settle(ingest)
        with road.sending(packets):
            run = _watch(ingest, batches * READINGS, lambda: journal.cursor(READER) * READINGS)
        _expect(_count(road, server), run.readings)
    return run


def _through_telegraf(program: str, packets: Path, readings: int, server: InfluxServer) -> Run:
    with _road(PRODUCTION) as road, telegraf(program, road.folder, road.port, "lines/#", server) as running:
        _let_settle(running)
        with road.sending(packets):
            return _watch(running, readings, lambda: _stored(road, server, readings))


def _wrong_rows(load: Path, start_ms: int, program: str, server: InfluxServer) -> Iterator[Row]:
    """Twenty rows with text for a value in a slow stream, and a broker that nobody configured."""
    small = list(islice(day_of_batches(start_ms, SMALL_READINGS), SMALL_BATCHES))
    every = SMALL_BATCHES // (2 * WRONG_ROWS)
    write_packets(load / "wrong lines", with_wrong_rows(as_lines(iter(small)), WRONG_ROWS, every))
    write_packets(load / "wrong batches", with_wrong_rows(unpacked(small), WRONG_ROWS, every))
    sent = SMALL_BATCHES * SMALL_READINGS
    server.empty()
    with _road(DEFAULTS) as road, telegraf(program, road.folder, road.port, "lines/#", server):
        with road.sending(load / "wrong lines", SMALL_PER_S):
            _wait_until_still(lambda: _points_written(server), STUCK_S)
        arrived = _count(road, server)
    yield Row(
        f"{WRONG_ROWS} wrong rows of {sent:,}: Telegraf stored", 100 * arrived / sent, "%", "then it stands still"
    )
    server.empty()
    with _road(DEFAULTS) as road, _steppe(road, server), closing(road.journal()) as journal:
        with road.sending(load / "wrong batches", SMALL_PER_S):
            _wait_until_still(lambda: journal.cursor(READER), STUCK_S)
        with closing(DeadLetters(road.folder / "deadletters.db")) as letters:
            aside = f"{len(letters.letters())} messages of {SMALL_READINGS} set aside, to be seen and replayed"
        yield Row(f"{WRONG_ROWS} wrong rows of {sent:,}: ours stored", 100 * _count(road, server) / sent, "%", aside)


class Road:
    """A folder with a broker, and packets to send through it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def journal(self) -> Journal:
        """The running ingest's journal, to look at its cursor."""
        return Journal(self.folder / "journal.db")

    @contextmanager
    def sending(self, packets: Path, per_s: float = 0.0) -> Iterator[None]:
        """The load, sent by a process of its own."""
        command = [sys.executable, str(SENDER), str(self.port), str(packets), str(WINDOW), str(per_s)]
        with subprocess.Popen(command) as sender:
            try:
                yield
            finally:
                sender.kill()


@contextmanager
def _road(broker_lines: str) -> Iterator[Road]:
    with tempfile.TemporaryDirectory() as made, mosquitto(Path(made), broker_lines) as (_, port):
        yield Road(Path(made), port)


@contextmanager
def _steppe(road: Road, server: InfluxServer | None) -> Iterator[Server]:
    """`steppe ingest run`, connected to the broker."""
    store = "sqlite:///store.db" if server is None else server.store_url
    centre = f'[broker]\nurl = "mqtt://127.0.0.1:{road.port}"\n[store]\nurl = "{store}"\n'
    (road.folder / "centre.toml").write_text(centre, encoding="utf-8")
    command = [sys.executable, "-m", "steppe", "ingest", "run", "centre.toml"]
    log = road.folder / "server.log"
    ingest = Server(command, road.folder, lambda: "connected to the broker" in log.read_text(encoding="utf-8"))
    ingest.start()
    try:
        yield ingest
    finally:
        ingest.stop()


def _let_settle(server: Server) -> None:
    """Return when the program has done all it does at its start."""
    process = psutil.Process(server.pid)
    _wait_until_still(lambda: _cpu_s(process), SETTLED_S)


def _watch(server: Server, readings: int, stored: Callable[[], int]) -> Run:
    """Look on until `readings` are stored."""
    process = psutil.Process(server.pid)
    began_s, cpu_began_s, rss_mib, done = time.monotonic(), _cpu_s(process), list[float](), 0
    while done < readings:
        time.sleep(LOOK_S)
        done = stored()
        while len(rss_mib) < len(MARKS) and done >= MARKS[len(rss_mib)] * readings:
            rss_mib.append(process.memory_info().rss / MIB)
        if time.monotonic() - began_s > TIMEOUT_S:
            raise TimeoutError(f"{done:,} of {readings:,} readings stored after {TIMEOUT_S:.0f} s")
    return Run(
        readings, time.monotonic() - began_s, _cpu_s(process) - cpu_began_s, tuple(rss_mib), _peak_mib(server.pid)
    )


def _wait_until_still(progress: Callable[[], float], seconds: float) -> None:
    """Return when nothing has moved for so long."""
    last, since_s = progress(), time.monotonic()
    while time.monotonic() - since_s < seconds:
        time.sleep(LOOK_S)
        if (now := progress()) != last:
            last, since_s = now, time.monotonic()


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _peak_mib(pid: int) -> float:
    """Return the most memory a process ever held, as Linux keeps it."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def _points_written(server: InfluxServer) -> int:
    """Return how many points the server has been asked to write, by its own count."""
    (result,) = json.loads(server.query("SHOW STATS FOR 'write'"))["results"]
    return sum(
        dict(zip(series["columns"], series["values"][0], strict=True))["pointReq"] for series in result["series"]
    )


def _stored(road: Road, server: InfluxServer, readings: int) -> int:
    """Return how many points stand in the server: its own count of requests, and towards the end what is there."""
    asked = _points_written(server)
    return asked if asked < readings else _count(road, server)


def _count(road: Road, server: InfluxServer | None) -> int:
    """Return how many readings the store holds."""
    if server is None:
        with closing(sqlite3.connect(road.folder / "store.db")) as store:
            return int(store.execute("SELECT count(*) FROM readings").fetchone()[0])
    (result,) = json.loads(server.query("SELECT count(quality) FROM /.*/"))["results"]
    return sum(int(series["values"][0][1]) for series in result.get("series", ()))


def _expect(found: int, sent: int) -> None:
    if found != sent:
        raise RuntimeError(f"{found:,} readings stand in the store, {sent:,} were sent")
