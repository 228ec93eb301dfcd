"""Coming in and going out: password, one-time link, sign-out. The doors that stand open to anyone."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from dashboards.console.database import Deed
from dashboards.console.errors import TooMany, Unusable
from dashboards.console.guard import FORM_COOKIE, ThisConsole, session_cookie, session_of
from dashboards.console.render import page
from dashboards.console.site import Console

router = APIRouter()
open_router = APIRouter()

Text = Annotated[str, Form(max_length=300)]


@open_router.get("/signin")
def show_sign_in(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """Ask for name and password."""
    return page(request, "signin.html", "signin.title", next_path=_own_path(next), trouble="", name="")


@open_router.post("/signin")
def sign_in(
    request: Request,
    console: ThisConsole,
    name: Text = "",
    password: Text = "",
    next: Text = "/",  # noqa: A002 - the field's name
) -> Response:
    """Open a session if the password is right."""
    address, now_ms = _address(request), console.wall.now_ms()
    try:
        console.database.tries.refuse_too_many(name, address, now_ms=now_ms)
    except TooMany as error:
        response = _again(request, name, next, "signin.too_many", 429)
        response.headers["Retry-After"] = str(error.wait_s)
        return response
    user = console.database.users.verify(name, password)
    if user is None:
        console.database.tries.note(name, address, now_ms=now_ms)
        _note(console, "?", "wrong password", name[:60], address)
        return _again(request, name, next, "signin.wrong", 401)
    console.database.tries.forgive(name, address)
    return _enter(request, console, user.name, _own_path(next))


@open_router.get("/welcome/{word}")
def show_welcome(request: Request, console: ThisConsole, word: str) -> Response:
    """Greet who holds a one-time link; looking at it does not use it up."""
    user, purpose = console.database.users.of_link(word, now_ms=console.wall.now_ms())
    return page(request, "welcome.html", "welcome.title", guest=user, purpose=purpose, word=word, trouble="")


@open_router.post("/welcome/{word}")
def use_welcome(request: Request, console: ThisConsole, word: str, password: Text = "", again: Text = "") -> Response:
    """Use the link: keep the password that was chosen, if it is for that, and come in."""
    user, purpose = console.database.users.of_link(word, now_ms=console.wall.now_ms())
    if purpose == "password":
        try:
            if password != again:
                raise Unusable("welcome.differ")
            console.database.users.set_password(user.name, password)
        except Unusable as error:
            views = {"guest": user, "purpose": purpose, "word": word, "trouble": str(error)}
            return page(request, "welcome.html", "welcome.title", status=400, **views)
        console.database.sessions.close_all(user.name)
    console.database.users.use_link(word, now_ms=console.wall.now_ms())
    _note(console, user.name, f"link used, {purpose}", user.name, _address(request))
    return _enter(request, console, user.name, "/")


@router.post("/signout")
def sign_out(request: Request, console: ThisConsole) -> Response:
    """End the session."""
    session = session_of(request)
    if session is not None:
        console.database.sessions.close(session)
        _note(console, session.user.name, "sign out", session.user.name)
    response = RedirectResponse("/signin", 303)
    response.delete_cookie(session_cookie(console), secure=console.settings.is_secure, httponly=True, samesite="lax")
    return response


def _enter(request: Request, console: Console, name: str, path: str) -> Response:
    """Give the browser a session of its own: whatever it brought along is worth nothing."""
    old = session_of(request)
    if old is not None:
        console.database.sessions.close(old)
    hours = console.settings.session_hours
    word = console.database.sessions.open(name, hours=hours, now_ms=console.wall.now_ms())
    _note(console, name, "sign in", name, _address(request))
    response = RedirectResponse(path, 303)
    response.set_cookie(
        session_cookie(console),
        word,
        max_age=int(hours * 3600),
        secure=console.settings.is_secure,
        httponly=True,
        samesite="lax",
    )
    response.delete_cookie(FORM_COOKIE, secure=console.settings.is_secure, httponly=True, samesite="strict")
    return response


def _again(request: Request, name: str, next_path: str, trouble: str, status: int) -> Response:
    views = {"next_path": _own_path(next_path), "trouble": trouble, "name": name}
    return page(request, "signin.html", "signin.title", status=status, **views)


def _own_path(path: str) -> str:
    """The path if it is one of ours, so that nobody is sent elsewhere after the sign-in."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours else "/"


def _note(console: Console, who: str, act: str, subject: str, why: str = "") -> None:
    console.database.note(Deed(console.wall.now_ms(), who, act, subject, why))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
