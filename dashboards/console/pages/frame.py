"""What every page leans on: the files for browsers, and whether the server is there."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

open_router = APIRouter()


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
