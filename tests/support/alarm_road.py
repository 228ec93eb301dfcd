"""A county on the whole road with its alarms: simulated meters, gateways, broker, ingest, alarm engine, a robot.

Every process is the product's own, on a virtual clock; the robot and the SMS gateway are loopback servers that keep
each notice with the county's time at which it came. What people do by hand goes the way of the commands and the
console, at the county's time.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from support.told_server import Asked, Reply, told_server

from analytics.alarms.audit import AuditRow
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.planner import Planner
from analytics.alarms.records import LateSpan, Occurrence
from analytics.alarms.service import load_planner
from edge.clock import VirtualClock
from ingest.config import load_centre
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
ONE_CREW = """
manager = "crew"
settle_s = {settle_s}
[[channels]]
name = "group"
kind = "dingtalk"
url = "{robot}"
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
"""`alarms.toml` with one person, who is told by the robot; `robot` and `sms` are the addresses to fill in."""
PATIENT = "site_silent_after_s = 3600.0\n"
"""Before the settings of a play that is not about silence: at 60 times real time, a machine that stalls for 15 s would
otherwise be a site that is silent for 15 min."""
TAKEN = Reply(200, {"errcode": 0, "errmsg": "ok"})
AUDIT_ROWS = 100_000


@dataclass(frozen=True)
class Office:
    """Who is told, by which robot, and the county's own set-points."""

    settings: str = ONE_CREW
    robot: Reply = TAKEN
    """What the robot answers to every notice."""
    setpoints: str = ""
    """The `setpoints.csv` of the register; empty for the shipped ones alone."""


@dataclass(frozen=True)
class Deed:
    """What people do about alarms at an instant."""

    at_ms: int
    """[ms since 1970-01-01T00:00Z]"""
    do: Callable[[AlarmDatabase, Planner, int], None]
    """Called with the county's time as it is by then. [ms since 1970-01-01T00:00Z]"""


@dataclass(frozen=True)
class Page:
    """One notice as the robot or the SMS gateway got it."""

    at_ms: int
    """The county's time. [ms since 1970-01-01T00:00Z]"""
    text: str
    phone: str = ""
    """Whom the SMS gateway was to send it to; empty for the robot's."""

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
    """Those that a channel took."""
    refused: list[Page] = field(default_factory=list)
    """Those that the robot did not take."""
    occurrences: list[Occurrence] = field(default_factory=list)
    late: list[LateSpan] = field(default_factory=list)
    audit: list[AuditRow] = field(default_factory=list)
    """Newest first."""
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
    deeds: Sequence[Deed] = (),
    until: Callable[[AlarmDatabase, Told], bool] = lambda *_: True,
    office: Office = Office(),
) -> Told:
    """Play from `start_ms` to `end_ms` and until `until` holds: the faults do what they do, and `acts` besides."""
    return asyncio.run(_play(_Script(folder, story, start_ms, end_ms, speed, acts, deeds, until, office)))


@dataclass(frozen=True)
class _Script:
    """All that `play_road` was given."""

    folder: Path
    story: Scenario
    start_ms: int
    end_ms: int
    speed: float
    acts: Sequence[Act]
    deeds: Sequence[Deed]
    until: Callable[[AlarmDatabase, Told], bool]
    office: Office


async def _play(script: _Script) -> Told:
    told, folder = Told(), script.folder
    clock = [VirtualClock(script.start_ms, time.monotonic(), script.speed)]

    def robot(asked: Asked) -> Reply:
        body = asked.json["text"]
        assert isinstance(body, dict)
        pages = told.pages if script.office.robot == TAKEN else told.refused
        pages.append(Page(clock[0].now_ms(), str(body["content"])))
        return script.office.robot

    def sms(asked: Asked) -> Reply:
        told.pages.append(Page(clock[0].now_ms(), str(asked.json["text"]), str(asked.json["to"])))
        return Reply(200, {"id": "1"})

    save_scenario(folder, script.story)
    with told_server(robot) as robot_server, told_server(sms) as sms_server:
        _write_office(folder, script.office, robot_server.url, sms_server.url)
        async with on_stage(folder, script.story, clock[0], "sqlite:///store.db", alarms=True) as cast:
            clock[0] = cast.clock
            await _perform(script, cast)
            told.crashes += cast.crashes
            with contextlib.closing(AlarmDatabase(folder / "data" / "alarms.db")) as database:
                deadline_s = time.monotonic() + WITHIN_S
                while not script.until(database, told) and time.monotonic() < deadline_s:
                    await asyncio.sleep(LOOK_S)
                told.occurrences, told.late = database.occurrences(), database.late_spans()
                told.audit = database.audit_rows(limit=AUDIT_ROWS)
            await cast.leave()
    return told


async def _perform(script: _Script, cast: Cast) -> None:
    """Do what faults, acts and people do, each at its time, until the end has come."""
    acts = [(act.at_ms, partial(cast.perform, act)) for act in (*fault_acts(script.story), *script.acts)]
    deeds = [(deed.at_ms, partial(_do_by_hand, script.folder, deed, cast.clock)) for deed in script.deeds]
    played = [one for one in (*acts, *deeds) if script.start_ms <= one[0] < script.end_ms]
    waiting = sorted(played, key=lambda one: one[0])
    while cast.clock.now_ms() < script.end_ms:
        while waiting and waiting[0][0] <= cast.clock.now_ms():
            await asyncio.to_thread(waiting.pop(0)[1])
        cast.look_after()
        await asyncio.sleep(LOOK_S)


def _do_by_hand(folder: Path, deed: Deed, clock: VirtualClock) -> None:
    planner = load_planner(load_centre(folder / "centre.toml"))
    with contextlib.closing(AlarmDatabase(folder / "data" / "alarms.db")) as database:
        deed.do(database, planner, clock.now_ms())


def _write_office(folder: Path, office: Office, robot_url: str, sms_url: str) -> None:
    register = folder / "register"
    register.mkdir()
    settings = office.settings.format(robot=robot_url, sms=sms_url, settle_s=SETTLE_S)
    (register / "alarms.toml").write_text(settings, encoding="utf-8")
    if office.setpoints:
        (register / "setpoints.csv").write_text(office.setpoints, encoding="utf-8")
    token = register / "robot.token"
    token.write_text("token", encoding="utf-8")
    token.chmod(0o600)


def first_instant(is_so: Callable[[int], bool], start_ms: int, end_ms: int) -> int:
    """The first minute from `start_ms` on at which something is so. Raises StopIteration where it never is."""
    return next(t_ms for t_ms in range(start_ms, end_ms, MINUTE_MS) if is_so(t_ms))
