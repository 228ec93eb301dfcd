"""From views to HTML: `page` for a whole page, `fragment` for a part of one that htmx puts in place.

Templates see the views they are given and a few words of every page: `user`, `lang`, `csrf`, `nav`, `bar`, `now_ms`.
Everything is escaped. Filters: `t` (a key of the catalogue), `local_time`, `age`, `duration`, `lasting`,
`number`, `percent`, `reading`, `in_language`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2.runtime import Context

from dashboards.console import texts
from dashboards.console.guard import FORM_COOKIE, console_of, secret_of, session_of
from dashboards.console.masked import mask
from dashboards.console.views.bar import read_bar
from dashboards.console.views.kpi_span import home, way_to
from dashboards.console.words import LANGUAGES, Language, translate

TEMPLATES = Path(__file__).with_name("templates")
LANGUAGE_COOKIE = "steppe_lang"
YEAR_S = 365 * 86_400


@dataclass(frozen=True)
class Tab:
    """A place in the bar's row of pages."""

    key: str
    path: str
    is_here: bool
    is_secondary: bool
    """Left out where the bar is narrow: `/more` lists it there."""


MAIN_TABS = (("nav.overview", "/"), ("nav.alarms", "/alarms"), ("nav.kpi", "/kpi"), ("nav.sites", "/sites"))
MORE_TABS = (
    ("nav.reports", "/reports"),
    ("nav.regions", "/regions"),
    ("nav.health", "/health"),
    ("nav.register", "/register"),
)
BELONGS = {"/points": "/sites", "/export": "/register"}
"""Pages that have no tab of their own stand under another one."""
ADMIN_TABS = (("nav.users", "/users"), ("nav.audit", "/audit"))


def page(request: Request, template: str, title_key: str, *, status: int = 200, **views: object) -> HTMLResponse:
    """Return a whole page; `title_key` is a key of the catalogue or the title itself."""
    session = session_of(request)
    console = console_of(request)
    frame: dict[str, object] = {
        "title": translate(title_key, language_of(request)),
        "nav": _tabs(request) if session else (),
        "bar": read_bar(console) if session else None,
        "centre": _centre_name(request) if session else "",
    }
    response = _answer(request, template, status, frame | views)
    chosen = request.query_params.get("lang")
    if chosen in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, chosen, max_age=YEAR_S, samesite="lax", secure=console.settings.is_secure, httponly=True
        )
    if session is None:
        response.set_cookie(
            FORM_COOKIE, secret_of(request), samesite="strict", secure=console.settings.is_secure, httponly=True
        )
    return response


def fragment(request: Request, template: str, *, status: int = 200, **views: object) -> HTMLResponse:
    """Return a part of a page."""
    return _answer(request, template, status, views)


def language_of(request: Request) -> Language:
    """Return the language that this browser chose, or the centre's."""
    wanted = request.query_params.get("lang", request.cookies.get(LANGUAGE_COOKIE))
    return next((language for language in LANGUAGES if language == wanted), console_of(request).centre.language)


def compile_templates() -> int:
    """Compile every template before the first page that needs it; return how many there are."""
    environment = _templates()
    return len([environment.get_template(name) for name in environment.list_templates()])


def _answer(request: Request, template: str, status: int, views: dict[str, object]) -> HTMLResponse:
    console, session = console_of(request), session_of(request)
    common: dict[str, object] = {
        "request_path": request.url.path,
        "user": session.user if session else None,
        "lang": language_of(request),
        "csrf": mask(secret_of(request)),
        "now_ms": console.now_ms(),
        "zone": console.zone,
        "static": request.app.state.assets.url,
    }
    return HTMLResponse(_templates().get_template(template).render(common | views), status)


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "t": _t,
        "local_time": _local_time,
        "age": _age,
        "duration": _duration,
        "lasting": _lasting,
        "number": texts.number,
        "percent": texts.percent,
        "reading": texts.reading,
        "in_language": _in_language,
    }
    return environment


def _tabs(request: Request) -> Sequence[Tab]:
    session = session_of(request)
    wanted = [(key, path, False) for key, path in MAIN_TABS] + [(key, path, True) for key, path in MORE_TABS]
    if session and session.user.may("admin"):
        wanted += [(key, path, True) for key, path in ADMIN_TABS]
    first = f"/{request.url.path.split('/')[1]}"
    here = BELONGS.get(first, first)
    known = request.app.state.paths
    return [Tab(key, path, here == path, is_secondary) for key, path, is_secondary in wanted if path in known]


def _centre_name(request: Request) -> str:
    """The names of the region that the centre answers for and of those around it."""
    register, language = console_of(request).register, language_of(request)
    region = register.regions.get(home(register))
    way = way_to(region, register) if region else ()
    return " › ".join(one.name_zh if language == "zh" else one.name for one in way)


@jinja2.pass_context
def _t(context: Context, key: str, **values: object) -> str:
    return translate(key, context["lang"], **values)


@jinja2.pass_context
def _local_time(context: Context, at_ms: int | None, form: texts.TimeForm = "minute") -> str:
    return texts.local_time(at_ms, context["zone"], form)


@jinja2.pass_context
def _age(context: Context, at_ms: int | None) -> str:
    return "–" if at_ms is None else texts.duration(context["now_ms"] - at_ms, context["lang"])


@jinja2.pass_context
def _duration(context: Context, span_ms: float | None) -> str:
    return texts.duration(span_ms, context["lang"])


@jinja2.pass_context
def _lasting(context: Context, span_ms: float, error_ms: float) -> str:
    return texts.lasting(span_ms, error_ms, context["lang"])


@jinja2.pass_context
def _in_language(context: Context, named: Any) -> str:
    """The name of a region or an asset."""
    return str(named.name_zh if context["lang"] == "zh" else named.name)
