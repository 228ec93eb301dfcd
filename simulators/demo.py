"""The demo: a virtual county through the whole road, with faults and kills, judged by its own truth.

Meters, gateways, broker, ingest, alarms, numbers and console are processes of their own on one virtual clock. This
process is the director: it
cuts links, takes mains away, kills and restarts by schedule, and at the end compares what the centre says with what
really happened.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge.clock import VirtualClock
from edge.errors import BadInput
from ingest.config import Centre, StoreSettings, load_centre
from ingest.register_files import load_register
from ingest.stores import open_store
from simulators.cast import Cast, on_stage
from simulators.checker import Findings
from simulators.county import USUAL_SIZE, Size
from simulators.county_files import LOCAL
from simulators.delivered import examine_delivery
from simulators.drain import drain
from simulators.faults import HOUR_MS
from simulators.house import USUAL_PORT, invite, open_house
from simulators.numbers import Numbers, compute
from simulators.physics import Span
from simulators.plot import chaos_acts, fault_acts
from simulators.progress import Progress, ProgressReader
from simulators.scenario import SCENARIO_FILE, Scenario, make_scenario, save_scenario
from simulators.sensing import Sensing, measure_sensing
from simulators.truth import Truth, find_truth, write_truth
from simulators.verdict import TARGET_RS_PCT, Row, judge, pooled_voltage_pct
from simulators.watches import flat_line_points_of, watches_of

FULL_SPEED = 400.0
"""Virtual seconds per real second with `speed=None`: what two cores carry with room to spare."""
WARM_UP_REAL_S = 2.5
"""The gateways connect and read before the first day begins."""
BEFORE_MS = 5 * HOUR_MS
"""Simulated, not played: the same for every speed, so that a seed always gives the same days."""
AFTER_MS = 15 * 60_000
"""The road runs on after the last day, so that what its last minutes left open is resolved."""
LOOK_EVERY_S = 0.1
SHOW_EVERY_S = 0.5
SENSING_REAL_S = 2.0
"""Longest time from a loss of mains in the plot to its reading at a gateway: process, file, look."""
DRAIN_REAL_S = 90.0
COUNTY = "1501"


@dataclass(frozen=True)
class Settings:
    """What a spectator may choose."""

    folder: Path
    days: int = 1
    speed: float | None = None
    seed: int = 1
    chaos: bool = True
    store_url: str = "sqlite:///store.db"
    size: Size = USUAL_SIZE
    console_port: int = USUAL_PORT


@dataclass(frozen=True)
class Outcome:
    """How it ended."""

    rows: tuple[Row, ...]
    truth: Truth
    numbers: Numbers
    findings: Findings
    progress: Progress
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether every row held."""
        return all(row.ok for row in self.rows)


Show = Callable[[int, Progress, Sequence[str]], None]
"""Called now and then with the county's time, the progress, and what happened since the last call."""


@dataclass(frozen=True)
class Audience:
    """Who watches a demo."""

    greet: Callable[[str], None]
    """Called once, with the address at which the console lets in."""
    show: Show
    linger: Callable[[Outcome], Awaitable[None]]
    """Called with the outcome while the console is still up; it goes down when this returns."""


async def run_demo(settings: Settings, audience: Audience) -> Outcome:
    """Play the whole demo. Raises ChildFailed where a process does not come up."""
    began_s = time.monotonic()
    speed = settings.speed or FULL_SPEED
    scenario = make_scenario(settings.seed, settings.size, settings.days, before_ms=BEFORE_MS, after_ms=2 * AFTER_MS)
    _refuse_used_places(settings, scenario)
    link = invite(settings.folder / "data", settings.console_port)
    save_scenario(settings.folder, scenario)
    world = scenario.world()
    truth = find_truth(world, scenario.midnight_ms, scenario.days)
    write_truth(truth, settings.folder / "truth.json")
    first_ms = scenario.midnight_ms - min(int(speed * WARM_UP_REAL_S * 1000), BEFORE_MS)
    start = VirtualClock(first_ms, time.monotonic(), speed)
    until_ms = scenario.end_ms + AFTER_MS
    stage = (settings.folder, scenario, start, settings.store_url)
    async with open_house(settings.folder, speed, until_ms, settings.console_port) as house:
        async with on_stage(*stage, alarms=True, until_ms=until_ms, beside=house) as cast:
            audience.greet(link)
            centre = load_centre(settings.folder / "centre.toml")
            with contextlib.closing(_progress(settings.folder, scenario, centre)) as reader:
                await _play(scenario, cast, reader, audience.show, chaos=settings.chaos)
                progress = await drain(
                    cast, reader, lambda now: audience.show(cast.clock.now_ms(), now, ()), DRAIN_REAL_S
                )
        findings, numbers, sensing = await asyncio.to_thread(_examine, settings.folder, scenario, centre)
        crashed = [*cast.crashes, *(f"{one.name}: {one.last_words(3)}" for one in house if not one.is_alive)]
        rows = (*judge(truth, numbers, findings, sensing), _sensing_row(sensing, speed), _crashes(crashed))
        outcome = Outcome(rows, truth, numbers, findings, progress, time.monotonic() - began_s)
        await audience.linger(outcome)
    return outcome


def _refuse_used_places(settings: Settings, scenario: Scenario) -> None:
    """Raise BadInput if a run was here before, or the store holds readings of this county."""
    if (settings.folder / SCENARIO_FILE).exists():
        raise BadInput(f"{settings.folder}: another county stands here. Give a folder of its own")
    data_dir = settings.folder / "data"
    data_dir.mkdir(parents=True, exist_ok=True)
    sites = [gateway.site for gateway in scenario.county().gateways]
    with contextlib.closing(open_store(StoreSettings(url=settings.store_url), data_dir)) as store:
        if _of_sites(store.points(), sites):
            raise BadInput(f"{settings.store_url}: holds readings of this county. Give an empty store or --folder")


async def _play(scenario: Scenario, cast: Cast, reader: ProgressReader, show: Show, *, chaos: bool) -> None:
    """Follow the plot until the last day and a little more are over."""
    clock = cast.clock
    acts = sorted(
        [*fault_acts(scenario), *(chaos_acts(scenario) if chaos else ())], key=lambda act: act.at_ms, reverse=True
    )
    news: list[str] = []
    shown_s = 0.0
    while clock.now_ms() < scenario.end_ms + AFTER_MS:
        while acts and acts[-1].at_ms <= clock.now_ms():
            act = acts.pop()
            cast.perform(act)
            news.append(f"{_local(act.at_ms)} {act.words}")
        cast.look_after()
        if time.monotonic() - shown_s > SHOW_EVERY_S:
            show(clock.now_ms(), reader.read(), news)
            news, shown_s = [], time.monotonic()
        next_act_s = clock.real_s((acts[-1].at_ms - clock.now_ms()) / 1000) if acts else LOOK_EVERY_S
        await asyncio.sleep(min(max(next_act_s, 0.0), LOOK_EVERY_S))


def _progress(folder: Path, scenario: Scenario, centre: Centre) -> ProgressReader:
    span = Span(scenario.midnight_ms - scenario.before_ms, scenario.end_ms + scenario.after_ms)
    sites = [gateway.site for gateway in scenario.county().gateways]
    return ProgressReader(folder, sites, Path(centre.data_dir) / centre.journal.path, span)


def _examine(folder: Path, scenario: Scenario, centre: Centre) -> tuple[Findings, Numbers, Sensing]:
    """What arrived, compared with what was sealed; the numbers that follow from it; how late mains were noticed."""
    county = scenario.county()
    register = load_register(Path(centre.register), centre.timezone)
    with contextlib.closing(open_store(centre.store, Path(centre.data_dir))) as store:
        findings = examine_delivery(folder, [gateway.site for gateway in county.gateways], centre, store)
        watches, flat = list(watches_of(county)), flat_line_points_of(county)
        numbers = compute(store, register, COUNTY, scenario.midnight_ms, scenario.days, watches, flat)
        sensing = measure_sensing(store, scenario)
    return findings, numbers, sensing


def _of_sites(points: Sequence[str], sites: Sequence[str]) -> list[str]:
    return [point for point in points if point.split("/", 1)[0] in sites]


def _sensing_row(sensing: Sensing, speed: float) -> Row:
    lag_s = sensing.lag_ms / 1000 / speed
    problems = ("the machine is too busy for this speed: give a lower --speed",) if lag_s > SENSING_REAL_S else ()
    return Row("mains noticed within", f"{SENSING_REAL_S:g} s", f"{lag_s:.2f} s", problems)


def _crashes(crashed: Sequence[str]) -> Row:
    return Row("processes crashed", "0", str(len(crashed)), tuple(crashed))


def summary(outcome: Outcome) -> dict[str, object]:
    """The outcome as the one JSON object of `steppe demo --json`."""
    rs, voltage = outcome.numbers.rs_mv, pooled_voltage_pct(outcome.truth.voltage, outcome.numbers.voltage)
    return {
        "ok": outcome.ok,
        "made": outcome.progress.made,
        "sealed": outcome.findings.sealed,
        "committed": outcome.progress.committed,
        "stored": outcome.findings.stored,
        "lost": outcome.findings.lost,
        "duplicated": outcome.findings.duplicated,
        "rs1": {
            "truth": outcome.truth.rs1_pct,
            "low": _or_null(rs.low_pct),
            "point": _or_null(rs.point_pct),
            "high": _or_null(rs.high_pct),
            "verdict": rs.verdict(TARGET_RS_PCT),
        },
        "voltage": {name: _or_null(pct) for name, pct in zip(("truth", "computed"), voltage, strict=True)},
        "alarms": {"truth": len(outcome.truth.alarms), "computed": len(outcome.numbers.alarms)},
        "seconds": round(outcome.seconds, 1),
    }


def _or_null(number: float) -> float | None:
    """JSON has no NaN: what is undefined is null."""
    return None if math.isnan(number) else number


def _local(t_ms: int) -> str:
    return datetime.fromtimestamp(t_ms / 1000, LOCAL).strftime("%d %H:%M")
