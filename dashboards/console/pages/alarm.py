"""`/alarms/NUMBER`: one occurrence of one alarm, and what people do about it."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Annotated, get_args
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from dashboards.console.errors import NotAllowed, NotFound, Unusable
from dashboards.console.guard import Crew, ThisConsole, session_of
from dashboards.console.people import User
from dashboards.console.render import fragment, page
from dashboards.console.site import Console
from dashboards.console.views.alarm import AlarmPage, alarm
from dashboards.console.views.alarm_acts import Answer, Wish, act
from dashboards.console.views.alarm_facts import HowBad, how_bad
from dashboards.console.views.alarm_trend import Drawing, draw
from dashboards.console.views.alarm_verbs import ROLE, Verb
from dashboards.console.views.alarms_limits import setpoints_of
from ingest.store import StoreError

log = logging.getLogger(__name__)

router = APIRouter()

LARGEST = 2**62
Text = Annotated[str, Form(max_length=2000)]


@router.get("/alarms/{number:int}")
def show_alarm(request: Request, console: ThisConsole, number: int) -> Response:
    """Show everything about one occurrence."""
    return _page(request, console, number, None)


@router.post("/alarms/{number:int}/{verb}")
def do(
    request: Request,
    console: ThisConsole,
    user: Crew,
    number: int,
    verb: str,
    reason: Text = "",
    until: Text = "",
    work_order: Text = "",
) -> Response:
    """Do what a person asks of an occurrence; doing it again changes nothing."""
    wanted = _verb(verb)
    if not user.may(ROLE[wanted]):
        raise NotAllowed(f"this takes the role {ROLE[wanted]}; {user.name} is {user.role}")
    until_ms = _instant(until, console.zone) if until else None
    wish = Wish(wanted, user.name, reason.strip(), until_ms, work_order.strip())
    answer = act(console.alarms(), console.planner(), within(number), wish, now_ms=console.now_ms())
    if "hx-request" in request.headers:
        phone = alarm_of(console, number).row.place.phone
        return fragment(request, "_alarm_take.html", number=number, answer=answer, phone=phone)
    if answer.stands:
        return RedirectResponse(f"/alarms/{number}", 303)
    return _page(request, console, number, answer)


def alarm_of(console: Console, number: int) -> AlarmPage:
    """Return the view of an occurrence. Raises NotFound."""
    setpoints = setpoints_of(Path(console.centre.register))
    return alarm(console.alarms(), console.planner(), setpoints, within(number), now_ms=console.now_ms())


def _page(request: Request, console: Console, number: int, answer: Answer | None) -> Response:
    shown = alarm_of(console, number)
    facts, drawn = readings_of(console, shown)
    session = session_of(request)
    may = _may(session.user, shown) if session else ()
    views = {"shown": shown, "facts": facts, "drawn": drawn, "answer": answer, "may": may}
    return page(request, "alarm.html", shown.row.title.en, status=200 if answer is None else 409, **views)


def readings_of(console: Console, shown: AlarmPage) -> tuple[HowBad | None, Drawing | None]:
    """Return what the store says of it; None where it cannot say it now: the page has the rest."""
    setpoints, row = setpoints_of(Path(console.centre.register)), shown.row
    try:
        store = console.store()
        facts = how_bad(store, console.register, setpoints, row, now_ms=console.now_ms())
        drawn = (
            draw(store, row.point, row.limits, row.since_ms, row.returned_ms, now_ms=console.now_ms())
            if row.point
            else None
        )
    except StoreError as error:
        log.warning("alarm %d is shown without readings: %s", row.id, error)
        return None, None
    return facts, drawn


def _may(user: User, shown: AlarmPage) -> tuple[Verb, ...]:
    return tuple(verb for verb in shown.verbs if user.may(ROLE[verb]))


def _verb(word: str) -> Verb:
    found: Verb | None = next((verb for verb in get_args(Verb) if verb == word), None)
    if found is None:
        raise NotFound(word)
    return found


def within(number: int) -> int:
    """Return a number that a database can hold. Raises NotFound for any other."""
    if not 0 <= number <= LARGEST:
        raise NotFound(f"#{number}")
    return number


def _instant(local: str, zone: ZoneInfo) -> int:
    """Local time as a form gives it. [ms since 1970-01-01T00:00Z]"""
    try:
        return int(datetime.fromisoformat(local).replace(tzinfo=zone).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise Unusable("alarm.said.no_end") from error
