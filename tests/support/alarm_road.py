"""A county on the whole road with its alarms: simulated meters, gateways, broker, ingest, alarm engine, a robot.

Every process is the product's own, on a virtual clock; the robot is a loopback server that keeps each notice with the
county's time at which it came.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.told_server import Asked, Reply, told_server

from analytics.alarms.database import AlarmDatabase
from analytics.alarms.records import LateSpan, Occurrence
from edge.clock import VirtualClock
from simulators.cast import Cast, on_stage
from simulators.county import Size
from simulators.faults import Fault
from simulators.plot import Act, fault_acts
from simulators.scenario import FIRST_DAY_MS, Scenario, save_scenario

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
SETTLE_S = 180.0
LOOK_S = 0.05
WITHIN_S = 120.0
"""A play goes on for so long until it has come to its end: links back off. Real seconds."""
SETTINGS = """
manager = "crew"
settle_s = {settle_s}
[[channels]]
name = "group"
kind = "dingtalk"
url = "{url}"
token_file = "robot.token"
per_minute = 1000
kept_for_critical = 0
[[people]]
name = "crew"
channels = ["group"]
language = "en"
[chains.critical]
steps = [{{ after_min = 0, person = "crew" }}]
[chains.high]
steps = [{{ after_min = 0, person = "crew" }}]
"""


@dataclass(frozen=True)
class Page:
    """One notice as the robot got it."""

    at_ms: int
    """The county's time. [ms since 1970-01-01T00:00Z]"""
    text: str

    @property
    def point(self) -> str:
        """The subject of its alarm."""
        found = re.search(r"^Point: (.*)$", self.text, re.MULTILINE)
        return found[1] if found else ""

    @property
    def is_over(self) -> bool:
        """Whether it says that something is over."""
        return self.text.startswith("Over: ")


@dataclass
class Told:
    """What came of a play."""

    pages: list[Page] = field(default_factory=list)
    occurrences: list[Occurrence] = field(default_factory=list)
    late: list[LateSpan] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)

    def calls(self) -> list[Page]:
        """Pages that call somebody: the daily word over each channel and what is over left out."""
        return [page for page in self.pages if page.point and not page.is_over]

    def called_about(self) -> set[str]:
        """Alarms that somebody was called about."""
        points = {page.point for page in self.calls()}
        return {one.alarm for one in self.occurrences if one.alarm.split("#")[0] in points and one.cause is None}

    def causes(self) -> dict[str, str | None]:
        """Alarm → what explains its last occurrence."""
        return {one.alarm: one.cause for one in self.occurrences}


def scenario(size: Size, faults: Sequence[Fault], *, seed: int = 1) -> Scenario:
    """One day of a county with just these faults."""
    return Scenario(seed, size, FIRST_DAY_MS, 1, 2 * HOUR_MS, 2 * HOUR_MS, tuple(faults))


def at(hour: float) -> int:
    """An instant of the county's day. [ms since 1970-01-01T00:00Z]"""
    return FIRST_DAY_MS + int(hour * HOUR_MS)


def play_road(
    folder: Path,
    story: Scenario,
    start_ms: int,
    end_ms: int,
    *,
    speed: float,
    acts: Sequence[Act] = (),
    until: Callable[[AlarmDatabase], bool] = lambda _: True,
) -> Told:
    """Play from `start_ms` to `end_ms` and until `until` holds: the faults do what they do, and `acts` besides."""
    return asyncio.run(_play(folder, story, start_ms, end_ms, speed, acts, until))


async def _play(
    folder: Path,
    story: Scenario,
    start_ms: int,
    end_ms: int,
    speed: float,
    acts: Sequence[Act],
    until: Callable[[AlarmDatabase], bool],
) -> Told:
    told = Told()
    clock: list[VirtualClock] = []

    def robot(asked: Asked) -> Reply:
        body = asked.json["text"]
        assert isinstance(body, dict)
        told.pages.append(Page(clock[0].now_ms(), str(body["content"])))
        return Reply(200, {"errcode": 0, "errmsg": "ok"})

    save_scenario(folder, story)
    with told_server(robot) as server:
        _write_settings(folder, server.url)
        begin = VirtualClock(start_ms, time.monotonic(), speed)
        clock.append(begin)
        async with on_stage(folder, story, begin, "sqlite:///store.db", alarms=True) as cast:
            clock[0] = cast.clock
            plan = [act for act in (*fault_acts(story), *acts) if start_ms <= act.at_ms < end_ms]
            await _perform(cast, sorted(plan, key=lambda act: act.at_ms), end_ms)
            told.crashes += cast.crashes
            with contextlib.closing(AlarmDatabase(folder / "data" / "alarms.db")) as database:
                deadline_s = time.monotonic() + WITHIN_S
                while not until(database) and time.monotonic() < deadline_s:
                    await asyncio.sleep(LOOK_S)
                told.occurrences, told.late = database.occurrences(), database.late_spans()
            await cast.leave()
    return told


async def _perform(cast: Cast, plan: list[Act], end_ms: int) -> None:
    waiting = list(plan)
    while cast.clock.now_ms() < end_ms:
        while waiting and waiting[0].at_ms <= cast.clock.now_ms():
            await asyncio.to_thread(cast.perform, waiting.pop(0))
        cast.look_after()
        await asyncio.sleep(LOOK_S)


def _write_settings(folder: Path, url: str) -> None:
    register = folder / "register"
    register.mkdir()
    (register / "alarms.toml").write_text(SETTINGS.format(url=url, settle_s=SETTLE_S), encoding="utf-8")
    token = register / "robot.token"
    token.write_text("token", encoding="utf-8")
    token.chmod(0o600)


def first_instant(is_so: Callable[[int], bool], start_ms: int, end_ms: int) -> int:
    """The first minute from `start_ms` on at which something is so. Raises StopIteration where it never is."""
    return next(t_ms for t_ms in range(start_ms, end_ms, MINUTE_MS) if is_so(t_ms))
