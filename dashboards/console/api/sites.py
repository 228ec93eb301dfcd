"""Sites: who sends, who is silent, and what their points read now."""

from fastapi import APIRouter

from dashboards.console.guard import ThisConsole
from dashboards.console.views.points import sources_of
from dashboards.console.views.sites import SitePage, SiteRow, list_sites, read_site

router = APIRouter(tags=["sites"])


@router.get("/sites")
def sites(console: ThisConsole) -> tuple[SiteRow, ...]:
    """Every site that is registered or was heard, silent ones first."""
    return list_sites(console.sites(), console.alarms(), console.register)


@router.get("/sites/{site}")
def one_site(console: ThisConsole, site: str) -> SitePage:
    """One site: its delivery of the last day, and its points with their newest readings."""
    sources = sources_of(console, [site])
    return read_site(console.store(), console.sites(), console.alarms(), sources, site, now_ms=console.now_ms())
