"""What is answered when something is wrong: a page with one clear sentence and a way back, or problem JSON.

Never a traceback, and 500 only for a mistake of ours.
"""

import sqlite3
from collections.abc import Mapping
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from analytics.alarms.database import AlarmDatabaseError
from dashboards.console.errors import NotAllowed, NotFound, NotSignedIn, TooMany, Unusable
from dashboards.console.guard import SAFE_METHODS
from dashboards.console.render import page
from edge.errors import BadInput
from ingest.journal_file import JournalError
from ingest.store import StoreError

STATUS: Mapping[type[Exception], int] = {
    NotAllowed: 403,
    NotFound: 404,
    Unusable: 400,
    BadInput: 400,
    StoreError: 503,
    AlarmDatabaseError: 503,
    JournalError: 503,
    sqlite3.Error: 503,  # alarms.db lets the driver's errors through where it only reads
}


def answer_errors(app: FastAPI) -> None:
    """Give every error that is raised on purpose its answer."""
    for kind, status in STATUS.items():
        app.add_exception_handler(kind, _answering(status))
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(TooMany, _too_many)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)


def trouble(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer of a status: HTML, or problem JSON for the API."""
    if request.url.path.startswith("/api/"):
        problem = {"type": "about:blank", "status": status, "detail": detail}
        return JSONResponse(problem, status, headers, media_type="application/problem+json")
    response = page(request, "error.html", f"error.{status}.title", status=status, status_code=status, detail=detail)
    response.headers.update(headers or {})
    return response


def _answering(status: int):  # type: ignore[no-untyped-def]
    def answer(request: Request, error: Exception) -> Response:
        return trouble(request, status, str(error))

    return answer


def _not_signed_in(request: Request, error: Exception) -> Response:
    if request.url.path.startswith("/api/"):
        return trouble(request, 401, str(error), {"WWW-Authenticate": "Bearer"})
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": "/signin"})
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    after = f"?next={quote(wanted)}" if request.method in SAFE_METHODS and wanted != "/" else ""
    return RedirectResponse(f"/signin{after}", 303)


def _too_many(request: Request, error: Exception) -> Response:
    wait_s = error.wait_s if isinstance(error, TooMany) else 1
    return trouble(request, 429, str(error), {"Retry-After": str(wait_s)})


def _not_valid(request: Request, error: Exception) -> Response:
    first = error.errors()[0] if isinstance(error, RequestValidationError) and error.errors() else {}
    where = ".".join(str(part) for part in first.get("loc", ())[1:])
    return trouble(request, 400, f"{where}: {first.get('msg', 'not usable')}".removeprefix(": "))


def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return trouble(request, 400, str(error))
    return trouble(request, error.status_code, str(error.detail), error.headers)
