"""What every page leans on: the files for browsers, and whether the server is there."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from dashboards.console.render import page

router = APIRouter()
open_router = APIRouter()


@router.get("/more")
def more(request: Request) -> Response:
    """Every page there is, for screens on which the bar has no room for all."""
    return page(request, "more.html", "nav.more")


@open_router.get("/static/{name:path}")
async def static(request: Request, name: str) -> Response:
    """Return a file for browsers."""
    answer: Response = request.app.state.assets.answer(name, request)
    return answer


@open_router.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    """Return the icon where browsers look for it."""
    answer: Response = request.app.state.assets.answer("icon.svg", request)
    return answer


@open_router.get("/alive")
async def alive() -> Response:
    """Say that the server is there."""
    return PlainTextResponse("alive")
