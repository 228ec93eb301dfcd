"""Data health: every site's delivery, field lines, dead letters, journal and store."""

from dataclasses import dataclass

from fastapi import APIRouter

from dashboards.console.guard import ThisConsole
from dashboards.console.pages.health import health_of, lines_of
from dashboards.console.views.health import Health, LineHealth

router = APIRouter(tags=["health"])


@dataclass(frozen=True)
class DataHealth:
    """The data's way, from the lines at the sites to the store."""

    delivery: Health
    lines: tuple[LineHealth, ...]
    store: str
    """Kind, version, size; empty where it is out of reach."""


@router.get("/health")
def data_health(console: ThisConsole) -> DataHealth:
    """Who sends, how late, how much of what was promised, and what could not be taken."""
    found, store = lines_of(console)
    return DataHealth(health_of(console), found, "" if store is None else str(store))
