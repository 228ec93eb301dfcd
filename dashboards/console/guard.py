"""Who asks, and whether they may. Nothing is shown and nothing is done without passing here.

Pages: `Viewer`, `Crew`, `Operator`, `Admin` as the type of an argument let in that role and those above it. The API:
`Reader`, `Actor`, `Judge`, `Steward` ask for a scope, of a bearer token or of the browser's session. Every request
that changes something carries the session's secret, unless it comes with a token: another site cannot know it.
"""

import secrets
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from dashboards.console.errors import NotAllowed, NotSignedIn
from dashboards.console.masked import same_secret
from dashboards.console.people import SCOPES_OF, Caller, Role, Scope, Session, User
from dashboards.console.site import Console

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
FORM_COOKIE = "steppe_form"
"""Secret of the forms of someone who has not signed in yet."""
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"


def console_of(request: Request) -> Console:
    """Return the console that the application was built for."""
    console: Console = request.app.state.console
    return console


def session_cookie(console: Console) -> str:
    """Return the cookie's name: behind TLS one that a neighbour on the domain cannot set."""
    return "__Host-steppe" if console.settings.is_secure else "steppe"


def session_of(request: Request) -> Session | None:
    """Return who is signed in with this browser; looked up once per request."""
    if not hasattr(request.state, "session"):
        console = console_of(request)
        word = request.cookies.get(session_cookie(console))
        request.state.session = (
            console.database.sessions.get(word, idle_hours=console.settings.idle_hours, now_ms=console.wall.now_ms())
            if word
            else None
        )
    session: Session | None = request.state.session
    return session


def signed_in(request: Request) -> User:
    """Return who is signed in. Raises NotSignedIn."""
    session = session_of(request)
    if session is None:
        raise NotSignedIn("sign in first")
    return session.user


def at_least(role: Role) -> Callable[[User], User]:
    """Return a dependency that lets in a role and those above it."""

    def allowed(user: Annotated[User, Depends(signed_in)]) -> User:
        if not user.may(role):
            raise NotAllowed(f"this takes the role {role}; {user.name} is {user.role}")
        return user

    return allowed


def scoped(scope: Scope) -> Callable[[Request], Caller]:
    """Return a dependency that lets in who has a scope."""

    def allowed(request: Request) -> Caller:
        caller = _caller(request)
        if scope not in caller.scopes:
            raise NotAllowed(f"this takes the scope {scope}; {caller.name} has {', '.join(sorted(caller.scopes))}")
        return caller

    return allowed


ThisConsole = Annotated[Console, Depends(console_of)]
Viewer = Annotated[User, Depends(at_least("viewer"))]
Crew = Annotated[User, Depends(at_least("crew"))]
Operator = Annotated[User, Depends(at_least("operator"))]
Admin = Annotated[User, Depends(at_least("admin"))]
Reader = Annotated[Caller, Depends(scoped("read"))]
Actor = Annotated[Caller, Depends(scoped("alarms:act"))]
Judge = Annotated[Caller, Depends(scoped("judge"))]
Steward = Annotated[Caller, Depends(scoped("admin"))]


async def same_origin(request: Request) -> None:
    """Raise NotAllowed where a change was asked for by another site's page, or without the forms' secret."""
    if request.method in SAFE_METHODS or bearer_of(request):
        return
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("this was asked for by the page of another site")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise NotAllowed("this was asked for by the page of another site")
    given = request.headers.get(CSRF_HEADER) or str((await request.form()).get(CSRF_FIELD, ""))
    if not same_secret(given, secret_of(request)):
        raise NotAllowed("the form is too old: load the page again and repeat what you did")


def secret_of(request: Request) -> str:
    """Return the secret that forms of this browser carry; a fresh one where it has none yet."""
    session = session_of(request)
    if session is not None:
        return session.csrf
    if not hasattr(request.state, "form_secret"):
        request.state.form_secret = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    secret: str = request.state.form_secret
    return secret


def bearer_of(request: Request) -> str:
    """Return the word of a bearer token; empty where there is none."""
    scheme, _, word = request.headers.get("authorization", "").partition(" ")
    return word.strip() if scheme.lower() == "bearer" else ""


def _caller(request: Request) -> Caller:
    console = console_of(request)
    word = bearer_of(request)
    if word:
        caller = console.database.tokens.caller(word, now_ms=console.wall.now_ms())
        if caller is None:
            raise NotSignedIn("the token is unknown, revoked or too old")
        return caller
    user = signed_in(request)
    return Caller(user.name, SCOPES_OF[user.role])
