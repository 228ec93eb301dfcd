"""The stream that keeps a page alive, and the parts of the frame that it refreshes."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from dashboards.console.errors import Unusable
from dashboards.console.guard import ThisConsole, session_cookie
from dashboards.console.live import MOST_POINTS, Hub
from dashboards.console.render import fragment
from dashboards.console.site import Console
from dashboards.console.views.bar import read_bar

router = APIRouter()

RETRY_MS = 1000
"""A browser that lost the stream tries again after this long. [ms]"""
PING_S = 15
ASK_AGAIN_BEATS = 10
"""So often the session is looked up again: a stream must not outlive it."""


@router.get("/live")
async def live(request: Request, console: ThisConsole, points: Annotated[list[str] | None, Query()] = None) -> Response:
    """Tell what changes: `beat` each second, `alarms`, and `values` of the points that were asked for."""
    wanted = tuple(dict.fromkeys(points or ()))
    if len(wanted) > MOST_POINTS:
        raise Unusable("live.too_many_points")
    hub: Hub = request.app.state.hub
    told = _told(hub, console, request, wanted)
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    return EventSourceResponse(told, ping=PING_S, headers=headers)


@router.get("/bar")
def bar(request: Request, console: ThisConsole) -> Response:
    """Return what stands top-left, as it is now."""
    return fragment(request, "_bar.html", bar=read_bar(console))


async def _told(
    hub: Hub, console: Console, request: Request, points: tuple[str, ...]
) -> AsyncIterator[ServerSentEvent]:
    word = request.cookies.get(session_cookie(console), "")
    beats = 0
    async for events in hub.listen(points, request.headers.get("last-event-id", "")):
        for event in events:
            yield ServerSentEvent(event.data, event=event.topic, id=event.id, retry=None if beats else RETRY_MS)
        beats += 1
        if beats % ASK_AGAIN_BEATS == 0 and not _still_signed_in(console, word):
            yield ServerSentEvent("", event="ended")
            return


def _still_signed_in(console: Console, word: str) -> bool:
    hours, now_ms = console.settings.idle_hours, console.wall.now_ms()
    return console.database.sessions.get(word, idle_hours=hours, now_ms=now_ms) is not None
