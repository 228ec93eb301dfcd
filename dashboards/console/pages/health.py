"""`/health`: can the data be believed, and where on their way are they held up."""

import logging
from contextlib import closing

from fastapi import APIRouter, Request
from fastapi.responses import Response

from dashboards.console.guard import ThisConsole
from dashboards.console.render import page
from dashboards.console.site import Console
from dashboards.console.views.health import Health, LineHealth, health, lines
from ingest.deadletter import DeadLetters, dead_letters_path
from ingest.store import StoreError, StoreHealth

log = logging.getLogger(__name__)

router = APIRouter()


@router.get("/health")
def show_health(request: Request, console: ThisConsole, all: bool = False) -> Response:  # noqa: A002 - in the address
    """Show the sites that somebody should look at, or all; lines, dead letters and journal."""
    found, store = lines_of(console)
    shown = health_of(console)
    listed = [site for site in shown.sites if all or not site.in_order]
    return page(request, "health.html", "health.title", shown=shown, listed=listed, lines=found, store=store)


def health_of(console: Console) -> Health:
    """Return what the journal knows. Raises JournalError."""
    settings = console.centre.journal
    journal = console.data_dir / settings.path
    with closing(DeadLetters(dead_letters_path(console.centre))) as letters:
        return health(console.sites(), letters, console.register, journal, settings.max_mb, now_ms=console.now_ms())


def lines_of(console: Console) -> tuple[tuple[LineHealth, ...], StoreHealth | None]:
    """Return the field lines, and how the store is; no lines and None where it is out of reach."""
    try:
        store = console.store()
        return lines(store, console.sites()), store.health()
    except StoreError as error:
        log.warning("data health is shown without the store: %s", error)
        return (), None
