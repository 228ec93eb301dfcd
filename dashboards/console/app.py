"""The web application of one console: every page and every part of the API, behind the guard."""

import asyncio
import contextlib
import importlib
import logging
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI
from fastapi.params import Depends as DependsParam
from fastapi.routing import APIRoute
from starlette.middleware.gzip import GZipMiddleware

import dashboards.console.api
import dashboards.console.pages
from dashboards.console import answers
from dashboards.console.assets import load_assets
from dashboards.console.bodies import SmallBodies
from dashboards.console.guard import at_least, same_origin, scoped
from dashboards.console.headers import SecureHeaders
from dashboards.console.live import Hub
from dashboards.console.metrics import Measured, Metrics
from dashboards.console.render import compile_templates
from dashboards.console.site import Console
from dashboards.console.views.overview import warm
from dashboards.console.words import catalogue
from edge.errors import SteppeError

log = logging.getLogger(__name__)

WORKERS = 8
"""Requests that read at once. Each has a connection to the store of its own, and two cores are soon busy."""
API_PREFIX = "/api/v1"
SMALLEST_PACKED = 1000
"""Shorter answers are not compressed. [bytes]"""


def _modules(package: ModuleType) -> tuple[ModuleType, ...]:
    """Every module that stands in a package, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple(importlib.import_module(f"{package.__name__}.{name}") for name in names)


PAGES, API = _modules(dashboards.console.pages), _modules(dashboards.console.api)


def build_app(console: Console) -> FastAPI:
    """Return the application. A module of `pages` or `api` is part of it by standing there.

    Raises ValueError where a file of the catalogue is wrong: better now than at the first page.
    """
    app = FastAPI(
        title="steppe",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        dependencies=[Depends(same_origin)],
    )
    app.state.console = console
    app.state.assets = load_assets()
    catalogue()
    app.state.paths = set[str]()
    for module in PAGES:
        _include(app, module, "router", Depends(at_least("viewer")), in_schema=False)
        _include(app, module, "open_router", None, in_schema=False)
    for module in API:
        _include(app, module, "router", Depends(scoped("read")), prefix=API_PREFIX, in_schema=True)
    answers.answer_errors(app)
    app.state.metrics = Metrics(console)
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_PACKED, compresslevel=5)
    app.add_middleware(SmallBodies)
    app.add_middleware(SecureHeaders, is_secure=console.settings.is_secure)
    app.add_middleware(Measured, metrics=app.state.metrics)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = WORKERS
    compile_templates()
    app.state.hub = Hub(app.state.console)
    looking = asyncio.create_task(app.state.hub.run())
    warming = asyncio.create_task(asyncio.to_thread(_warm, app.state.console))
    yield
    await warming
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking


def _warm(console: Console) -> None:
    """Read the year's sums before somebody asks for them; who asks earlier waits for what he needs."""
    try:
        warm(console)
    except SteppeError as error:
        log.warning("the year's numbers are read when they are asked for: %s", error)


def _include(
    app: FastAPI, module: ModuleType, attribute: str, guard: DependsParam | None, *, in_schema: bool, prefix: str = ""
) -> None:
    router: APIRouter | None = getattr(module, attribute, None)
    if router is not None:
        guards = [guard] if guard is not None else []
        app.include_router(router, prefix=prefix, dependencies=guards, include_in_schema=in_schema)
        app.state.paths |= {prefix + route.path for route in router.routes if isinstance(route, APIRoute)}
