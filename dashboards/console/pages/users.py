"""Users and tokens, for administrators; and everyone's own password."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from dashboards.console.database import Deed
from dashboards.console.errors import NotFound, Unusable
from dashboards.console.guard import Admin, ThisConsole, Viewer, session_of
from dashboards.console.people import ROLES, SCOPES, Role, Scope
from dashboards.console.render import page
from dashboards.console.site import Console

router = APIRouter()

Text = Annotated[str, Form(max_length=300)]
DEEDS_SHOWN = 300
MOST_TOKEN_DAYS = 3650


@router.get("/users")
def show_users(request: Request, console: ThisConsole, admin: Admin) -> Response:
    """Everyone who may sign in, and every token."""
    return _users(request, console)


@router.post("/users")
def add_user(
    request: Request, console: ThisConsole, admin: Admin, name: Text = "", full_name: Text = "", role: Text = "viewer"
) -> Response:
    """Add a user, and show the one-time link to hand over."""
    try:
        console.database.users.add(name, full_name, _role(role), now_ms=console.wall.now_ms())
    except Unusable as error:
        return _users(request, console, status=400, trouble=str(error))
    _note(console, admin.name, "add user", name, role)
    return _users(request, console, link=_new_link(console, name), link_of=name)


@router.post("/users/{name}")
def change_user(
    request: Request, console: ThisConsole, admin: Admin, name: str, role: Text = "viewer", disabled: Text = ""
) -> Response:
    """Give a user another role, or shut the door; whoever is shut out is out at once."""
    console.database.users.get(name)
    try:
        console.database.users.change(name, role=_role(role), is_disabled=bool(disabled))
    except Unusable as error:
        return _users(request, console, status=400, trouble=str(error))
    if disabled:
        console.database.sessions.close_all(name)
    _note(console, admin.name, "change user", name, f"{role}{', disabled' if disabled else ''}")
    return RedirectResponse("/users", 303)


@router.post("/users/{name}/link")
def new_link(request: Request, console: ThisConsole, admin: Admin, name: str) -> Response:
    """Show a one-time link at which a user chooses another password."""
    link = _new_link(console, name)
    _note(console, admin.name, "new link", name)
    return _users(request, console, link=link, link_of=name)


@router.post("/tokens")
def new_token(
    request: Request,
    console: ThisConsole,
    admin: Admin,
    name: Text = "",
    days: Annotated[int, Form(ge=1, le=MOST_TOKEN_DAYS)] = 365,
    scopes: Annotated[list[Scope] | None, Form()] = None,
) -> Response:
    """Make a token and show it, this once; it may read where no scope was chosen."""
    wanted: list[Scope] = scopes or ["read"]
    try:
        word = console.database.tokens.new(name.strip(), wanted, days=days, now_ms=console.wall.now_ms())
    except Unusable as error:
        return _users(request, console, status=400, trouble=str(error))
    _note(console, admin.name, "new token", name, " ".join(wanted))
    return _users(request, console, token=word, token_of=name)


@router.post("/tokens/{name}/revoke")
def revoke_token(console: ThisConsole, admin: Admin, name: str) -> Response:
    """Make a token worthless at once."""
    console.database.tokens.revoke(name)
    _note(console, admin.name, "revoke token", name)
    return RedirectResponse("/users", 303)


@router.get("/audit")
def show_audit(request: Request, console: ThisConsole, admin: Admin) -> Response:
    """The newest deeds, and whether the chain of the trail is whole."""
    deeds, broken = console.database.deeds(limit=DEEDS_SHOWN), console.database.broken_deeds()
    return page(request, "audit.html", "audit.title", deeds=deeds, broken=broken)


@router.get("/me")
def show_me(request: Request, user: Viewer) -> Response:
    """One's own name and password."""
    return page(request, "me.html", "me.title", trouble="", done="")


@router.post("/me")
def change_password(
    request: Request, console: ThisConsole, user: Viewer, old: Text = "", password: Text = "", again: Text = ""
) -> Response:
    """Keep another password; every other browser of this user is signed out."""
    address, now_ms = request.client.host if request.client else "", console.wall.now_ms()
    console.database.tries.refuse_too_many(user.name, address, now_ms=now_ms)
    try:
        if console.database.users.verify(user.name, old) is None:
            console.database.tries.note(user.name, address, now_ms=now_ms)
            raise Unusable("me.wrong_old")
        if password != again:
            raise Unusable("welcome.differ")
        console.database.users.set_password(user.name, password)
    except Unusable as error:
        return page(request, "me.html", "me.title", status=400, trouble=str(error), done="")
    console.database.sessions.close_all(user.name, but=session_of(request))
    _note(console, user.name, "change password", user.name)
    return page(request, "me.html", "me.title", trouble="", done="me.changed")


def _users(
    request: Request,
    console: Console,
    *,
    status: int = 200,
    trouble: str = "",
    link: str = "",
    link_of: str = "",
    token: str = "",
    token_of: str = "",
) -> Response:
    return page(
        request,
        "users.html",
        "users.title",
        status=status,
        users=console.database.users.all(),
        tokens=console.database.tokens.all(),
        roles=ROLES,
        scopes=SCOPES,
        trouble=trouble,
        link=link,
        link_of=link_of,
        token=token,
        token_of=token_of,
    )


def _new_link(console: Console, name: str) -> str:
    word = console.database.users.new_link(name, "password", now_ms=console.wall.now_ms())
    return f"{console.settings.url()}/welcome/{word}"


def _role(text: str) -> Role:
    for role in ROLES:
        if role == text:
            return role
    raise NotFound(f"role {text}")


def _note(console: Console, who: str, act: str, subject: str, why: str = "") -> None:
    console.database.note(Deed(console.wall.now_ms(), who, act, subject, why))
