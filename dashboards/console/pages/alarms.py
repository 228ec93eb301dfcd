"""`/alarms`: the list in its tabs, and its rows alone for those who keep it open."""

from pathlib import Path
from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from analytics.limits import Setpoint
from dashboards.console.errors import NotFound
from dashboards.console.guard import ThisConsole
from dashboards.console.render import fragment, page
from dashboards.console.site import Console
from dashboards.console.views import alarms, alarms_asked
from dashboards.console.views.alarm import number_of
from dashboards.console.views.alarms import AlarmList, Tab
from dashboards.console.views.alarms_duty import duties
from dashboards.console.views.alarms_limits import setpoints_of

router = APIRouter()

Word = Annotated[str, Query(max_length=120)]
REGION_LEVELS = ("league", "banner", "sumu")
MOST_KEPT = 200


@router.get("/alarms")
def show_alarms(
    request: Request,
    console: ThisConsole,
    tab: Word = "active",
    priority: Word = "",
    region: Word = "",
    text: Word = "",
    first_day: Annotated[str, Query(alias="from", max_length=10)] = "",
    last_day: Annotated[str, Query(alias="to", max_length=10)] = "",
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """Show one tab of the alarm list."""
    register = console.register
    wanted = alarms_asked.wanted(register, priority, region, text)
    days = alarms_asked.period(first_day, last_day, console.centre.timezone, now_ms=console.now_ms())
    name = tab_of(tab)
    if name == "history":
        found = alarms.past(console.alarms(), register, setpoints(console), (days.start_ms, days.end_ms), wanted, first)
    else:
        found = alarms.standing(console.alarms(), register, setpoints(console), name, wanted)
    return page(
        request,
        "alarms.html",
        "alarms.title",
        list=found,
        part=_part(name),
        tabs=get_args(Tab),
        wanted=wanted,
        kept=(),
        here=alarms_asked.address(name, wanted, days if name == "history" else None),
        first_day=days.first_day,
        last_day=days.last_day,
        page_rows=alarms.PAGE_ROWS,
        regions=[one for one in register.regions.values() if one.level in REGION_LEVELS],
        duties=duties(console.planner(), now_ms=console.now_ms()),
    )


@router.get("/alarms/rows")
def show_rows(
    request: Request,
    console: ThisConsole,
    tab: Word = "active",
    priority: Word = "",
    region: Word = "",
    text: Word = "",
    keep: Annotated[str, Query(max_length=4000, pattern=r"^([0-9]{1,12}(,[0-9]{1,12})*)?$")] = "",
) -> Response:
    """Show the rows of a standing tab alone; those of `keep` in the order in which the reader sees them."""
    register, name = console.register, standing_tab_of(tab)
    wanted = alarms_asked.wanted(register, priority, region, text)
    kept = tuple(int(number) for number in keep.split(",")[:MOST_KEPT] if number)
    found: AlarmList = alarms.standing(console.alarms(), register, setpoints(console), name, wanted, kept)
    here = alarms_asked.address(name, wanted)
    return fragment(request, _part(name), list=found, wanted=wanted, kept=kept, here=here)


@router.get("/alarms/of")
def show_newest(console: ThisConsole, alarm: Annotated[str, Query(max_length=300)]) -> Response:
    """Go to the page of an alarm's newest occurrence."""
    return RedirectResponse(f"/alarms/{number_of(console.alarms(), alarm)}", 303)


def tab_of(word: str) -> Tab:
    """Return the tab of a name. Raises NotFound."""
    found: Tab | None = next((name for name in get_args(Tab) if name == word), None)
    if found is None:
        raise NotFound(word)
    return found


def standing_tab_of(word: str) -> Tab:
    """Return the tab of a name, of those that show what stands. Raises NotFound."""
    if word == "history":
        raise NotFound(word)
    return tab_of(word)


def _part(tab: Tab) -> str:
    return {"active": "_alarms_rows.html", "history": "_alarms_history.html"}.get(tab, "_alarms_silent.html")


def setpoints(console: Console) -> tuple[Setpoint, ...]:
    """Return the set-points in force."""
    return setpoints_of(Path(console.centre.register))
