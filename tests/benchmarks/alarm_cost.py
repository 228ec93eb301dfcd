"""What alarms cost, and how often they name the cause: a county's points each second; 200 random faults."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from benchmarks.table import Row
from rich.console import Console
from support.alarm_script import SETTINGS, START_MS, Play
from support.fault_scenarios import SETTLE_S, play_fault

from analytics.alarms.conditions import Memory, advance
from analytics.alarms.watch import watch
from analytics.limit_files import load_setpoints
from ingest.register import Asset, PointEntry, Register

SITES, DEVICES = 250, 10
QUANTITIES = ("ph", "turbidity_ntu", "free_chlorine_mg_l", "voltage_v")
SECONDS = 10
FAULTS = 200
LESS_S = 30.0


def measure() -> Iterator[Row]:
    """Yield the rows of the table."""
    points = SITES * DEVICES * len(QUANTITIES)
    step_s, tick_s = _engine_s()
    yield Row(f"{points} points, each read every second: engine", 100 * (step_s + tick_s), "% of a core", "limit 100")
    yield Row("of that, what time alone brings (one tick)", tick_s * 1000, "ms", "limit 1000")
    yield Row("conditions of those points alone", _conditions_m_per_s(), "M readings/s", "every second: 0.01")
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
