"""The list of sites, and one site with its points."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from dashboards.console.guard import ThisConsole
from dashboards.console.render import fragment, page
from dashboards.console.site import Console
from dashboards.console.views.points import sources_of
from dashboards.console.views.sites import SitePage, list_sites, read_site
from dashboards.console.views.sites_sparks import read_sparks

router = APIRouter()


@router.get("/sites")
def sites(request: Request, console: ThisConsole) -> Response:
    """Show every site, silent ones first."""
    rows = list_sites(console.sites(), console.alarms(), console.register)
    return page(request, "sites.html", "sites.title", rows=rows)


@router.get("/sites/{site}")
def one_site(request: Request, console: ThisConsole, site: str) -> Response:
    """Show one site; the small trends beside its points follow when the page stands."""
    kept = console.kept(("site", site), lambda: _read(console, site))
    return page(request, "sites_one.html", site, kept=kept, site=kept.view, sparks={})


@router.get("/sites/{site}/values")
def values(request: Request, console: ThisConsole, site: str) -> Response:
    """Show the site's points again, now each with its last 24 hours."""
    kept = console.kept(("site", site), lambda: _read(console, site))
    points = [value.name.point for _, points in kept.view.devices for value in points]
    sparks = console.kept(("sparks", site), lambda: read_sparks(console.store(), points, now_ms=console.now_ms()))
    return fragment(request, "sites_values.html", kept=kept, site=kept.view, sparks=sparks.view)


def _read(console: Console, site: str) -> SitePage:
    sources, now_ms = sources_of(console, [site]), console.now_ms()
    return read_site(console.store(), console.sites(), console.alarms(), sources, site, now_ms=now_ms)
