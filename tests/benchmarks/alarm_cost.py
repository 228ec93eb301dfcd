"""What alarms cost, and how often they name the cause: a county's points each second; 200 random faults."""

import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from benchmarks.table import Row
from rich.console import Console
from support.alarm_centre import REGISTER, alarm_centre, tell
from support.alarm_script import SETTINGS, START_MS, Play
from support.fault_scenarios import SETTLE_S, play_fault
from support.servers import wait_until
from support.told_server import Reply, told_server

from analytics.alarms import service
from analytics.alarms.conditions import Memory, advance
from analytics.alarms.watch import watch
from analytics.limit_files import load_setpoints
from edge.clock import RealClock
from ingest.register import Asset, PointEntry, Register

SITES, DEVICES = 250, 10
QUANTITIES = ("ph", "turbidity_ntu", "free_chlorine_mg_l", "voltage_v")
SECONDS = 10
FAULTS = 200
NOTICES = 20
LESS_S = 30.0


def measure() -> Iterator[Row]:
    """Yield the rows of the table."""
    points = SITES * DEVICES * len(QUANTITIES)
    step_s, tick_s = _engine_s()
    yield Row(f"{points} points, each read every second: engine", 100 * (step_s + tick_s), "% of a core", "limit 100")
    yield Row("of that, what time alone brings (one tick)", tick_s * 1000, "ms", "limit 1000")
    yield Row("conditions of those points alone", _conditions_m_per_s(), "M readings/s", "every second: 0.01")
    waits_s = _latencies_s()
    yield Row(
        "journal to the notice at its gateway, half of them within", float(np.median(waits_s)), "s", "no settling"
    )
    yield Row("journal to the notice at its gateway, 99 %", float(np.quantile(waits_s, 0.99)), "s", "aim 2")
    for settle_s in (SETTLE_S, LESS_S):
        right, hidden = _faults(settle_s)
        beside = f"{hidden} critical alarms hidden; meters are read once a minute"
        yield Row(f"random faults, one page and the right cause, settling {settle_s:g} s", right, "%", beside)


def _engine_s() -> tuple[float, float]:
    """Return CPU time per second of the county: taking the readings in, and one tick. [s]"""
    values = {
        f"d{device}.{quantity}": value
        for device in range(DEVICES)
        for quantity, value in zip(QUANTITIES, (7.2, 0.2, 0.6, 229.0), strict=True)
    }
    stepped = ticked = 0.0
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder), _county(), SETTINGS)
        for _ in range(SECONDS):
            play.say_all({f"s{number}": values for number in range(SITES)})
            began_s = time.process_time()
            while play.engine.step(now_ms=play.now_ms):
                pass
            between_s = time.process_time()
            play.engine.tick(now_ms=play.now_ms)
            stepped, ticked = stepped + between_s - began_s, ticked + time.process_time() - between_s
            play.now_ms += 1000
    return stepped / SECONDS, ticked / SECONDS


def _latencies_s() -> list[float]:
    """From a reading in the journal to the notice at an SMS gateway, the service running as in a centre. [s]"""
    lines = [f"st-0/m{n}.voltage_v,s{n},D,gb12325-220,220" for n in range(NOTICES)]
    waits_s = []
    with tempfile.TemporaryDirectory() as folder, told_server(lambda _: Reply()) as gateway:
        people = REGISTER["alarms.toml"].replace("http://127.0.0.1:9", gateway.url)
        people = "settle_s = 0.0\n" + people.replace('"\n[[people]]', '"\nper_minute = 1000\n[[people]]')
        assets = "\n".join(["id,kind,region", *(f"s{n},water_works,150122" for n in range(NOTICES)), ""])
        points = "\n".join(["point,asset,class,limits,nominal", *lines, ""])
        centre = alarm_centre(
            Path(folder), REGISTER | {"assets.csv": assets, "points.csv": points, "alarms.toml": people}
        )
        stop = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            serving = pool.submit(service.run, centre, RealClock(), stop)
            try:
                for number in range(NOTICES):
                    time.sleep((number * 0.37) % 1)
                    began_s = time.monotonic()
                    tell(centre, number, RealClock().now_ms(), **{f"m{number}__voltage_v": 0.0})
                    wait_until(lambda wanted=number: len(gateway.asked) > wanted, 30, "the notice has come")
                    waits_s.append(time.monotonic() - began_s)
            finally:
                stop.set()
            serving.result()
    return waits_s


def _conditions_m_per_s() -> float:
    """Millions of readings a second through set-points with dead-band and delays, as arrays."""
    watched = watch(_county(), load_setpoints())
    memory, every = Memory.blank(len(watched.rules)), np.arange(len(watched.rules))
    random = np.random.default_rng(5)
    values = random.uniform(0, 10, (100, len(every)))
    began_s = time.process_time()
    for second, row in enumerate(values):
        advance(watched.rules, memory, every, np.full(len(every), START_MS + 1000 * second), row)
    return values.size / (time.process_time() - began_s) / 1e6


def _faults(settle_s: float) -> tuple[float, int]:
    """Return the share of random faults told right, and the critical alarms hidden; print those told wrong. [%]"""
    verdicts = []
    for seed in range(FAULTS):
        with tempfile.TemporaryDirectory() as folder:
            verdicts.append(play_fault(seed, Path(folder), settle_s=settle_s))
    console = Console(stderr=True)
    for wrong in (verdict for verdict in verdicts if not verdict.right):
        console.print(f"settling {settle_s:g} s: {wrong}", style="dim", highlight=False)
    right = sum(verdict.right for verdict in verdicts)
    return 100 * right / len(verdicts), sum(not verdict.nothing_hidden for verdict in verdicts)


def _county() -> Register:
    assets = {
        f"a{n}": (Asset(f"a{n}", "water_works", "", "", "", None, 1, None, None, None, None),) for n in range(SITES)
    }
    entries = [
        PointEntry(
            f"s{site}/d{device}.{quantity}",
            f"a{site}",
            "",
            "gb12325-220" if quantity == "voltage_v" else "works_outlet",
            220.0 if quantity == "voltage_v" else None,
        )
        for site in range(SITES)
        for device in range(DEVICES)
        for quantity in QUANTITIES
    ]
    return Register({}, assets, {entry.point: entry for entry in entries}, ())
