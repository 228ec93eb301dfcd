"""Alarms: what stands, what was, one occurrence with all that is known of it, and acts on it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from dashboards.console.errors import NotAllowed
from dashboards.console.guard import Actor, ThisConsole
from dashboards.console.pages.alarm import alarm_of, readings_of, within
from dashboards.console.pages.alarms import setpoints, standing_tab_of
from dashboards.console.people import Scope
from dashboards.console.views import alarms, alarms_asked
from dashboards.console.views.alarm import AlarmPage
from dashboards.console.views.alarm_acts import Answer, Wish, act
from dashboards.console.views.alarm_facts import HowBad
from dashboards.console.views.alarm_trend import Drawing
from dashboards.console.views.alarm_verbs import ROLE, Verb
from dashboards.console.views.alarms import AlarmList

router = APIRouter(tags=["alarms"])

Word = Annotated[str, Query(max_length=120)]
SECOND_SCOPE: dict[str, Scope] = {"operator": "judge", "admin": "admin"}
"""What hides an alarm takes more than `alarms:act`."""


@dataclass(frozen=True)
class Asked:
    """An act that is asked for."""

    verb: Verb
    reason: str = ""
    until_ms: int | None = None
    """End of a shelf. [ms since 1970-01-01T00:00Z]"""
    work_order: str = ""


@dataclass(frozen=True)
class Readings:
    """What the store says of an alarm; both null where it is out of reach."""

    facts: HowBad | None
    trend: Drawing | None


@router.get("/alarms")
def list_alarms(
    console: ThisConsole, tab: Word = "active", priority: Word = "", region: Word = "", text: Word = ""
) -> AlarmList:
    """One tab of the alarms that are not normal: active, shelved, suppressed, out_of_service."""
    wanted = alarms_asked.wanted(console.register, priority, region, text)
    return alarms.standing(console.alarms(), console.register, setpoints(console), standing_tab_of(tab), wanted)


@router.get("/alarms/history")
def list_history(
    console: ThisConsole,
    first_day: Annotated[str, Query(alias="from", max_length=10)] = "",
    last_day: Annotated[str, Query(alias="to", max_length=10)] = "",
    priority: Word = "",
    region: Word = "",
    text: Word = "",
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> AlarmList:
    """The occurrences that began on some local days, newest first, 100 at a time from number `first` on."""
    wanted = alarms_asked.wanted(console.register, priority, region, text)
    days = alarms_asked.period(first_day, last_day, console.centre.timezone, now_ms=console.now_ms())
    span = (days.start_ms, days.end_ms)
    return alarms.past(console.alarms(), console.register, setpoints(console), span, wanted, first)


@router.get("/alarms/{number}")
def one_alarm(console: ThisConsole, number: int) -> AlarmPage:
    """One occurrence: state, cause, consequences, notices, time line, procedure."""
    return alarm_of(console, number)


@router.get("/alarms/{number}/readings")
def readings(console: ThisConsole, number: int) -> Readings:
    """How bad it is by the readings behind it, and their trend."""
    return Readings(*readings_of(console, alarm_of(console, number)))


@router.post("/alarms/{number}/acts")
def do(console: ThisConsole, caller: Actor, number: int, asked: Asked) -> Answer:
    """Act on an occurrence; asking twice does it once, and the answer says how things stand.

    Takes the scope `alarms:act`; shelving and taking out of service, and back, take `judge` too.
    """
    second = SECOND_SCOPE.get(ROLE[asked.verb])
    if second is not None and second not in caller.scopes:
        raise NotAllowed(f"{asked.verb} takes the scopes alarms:act and {second}")
    wish = Wish(asked.verb, caller.name, asked.reason.strip(), asked.until_ms, asked.work_order.strip())
    return act(console.alarms(), console.planner(), within(number), wish, now_ms=console.now_ms())
