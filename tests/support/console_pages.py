"""Every page of the console, as a reader of a county finds it by following links."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote

Fetch = Callable[[str], str]
"""Address → the page's HTML, as somebody who has signed in as administrator gets it."""


class Shown(NamedTuple):
    """One page."""

    name: str
    path: str


FIXED = (
    Shown("overview", "/"),
    Shown("alarms", "/alarms"),
    Shown("alarms-shelved", "/alarms?tab=shelved"),
    Shown("alarms-suppressed", "/alarms?tab=suppressed"),
    Shown("alarms-out-of-service", "/alarms?tab=out_of_service"),
    Shown("alarms-history", "/alarms?tab=history"),
    Shown("performance", "/alarms/performance"),
    Shown("kpi", "/kpi"),
    Shown("sites", "/sites"),
    Shown("register", "/register"),
    Shown("register-points", "/register/points"),
    Shown("export", "/export"),
    Shown("health", "/health"),
    Shown("work", "/jobs"),
    Shown("reports", "/reports"),
    Shown("more", "/more"),
    Shown("users", "/users"),
    Shown("audit", "/audit"),
    Shown("me", "/me"),
    Shown("error", "/regions/nowhere"),
)
LINKED = (
    ("alarm", "/alarms", r"/alarms/\d+"),
    ("evidence", "/kpi", r"/evidence/f\d\.\d{8}-\d{4}"),
    ("site", "/sites", r"/sites/[^\"?#/]+"),
    ("asset", "/register", r"/register/assets/[^\"?#]+"),
    ("work-order", "/jobs?all=1", r"/jobs/\d+"),
)
"""Name, the page that has links to such pages, and what such a link looks like."""
LEVELS = {"league": 2, "banner": 4, "sumu": 6, "gacha": 8}
"""How long the code of a region is."""
WATER = "works-1/works.free_chlorine_mg_l"
"""A point with limits of its own and an alarm."""


def find_pages(fetch: Fetch) -> tuple[Shown, ...]:
    """Return every page that there is; of pages that are many of a kind, the first."""
    return (*FIXED, *_linked(fetch), *_regions(fetch), *_points())


def _linked(fetch: Fetch) -> Iterator[Shown]:
    for name, path, pattern in LINKED:
        found = re.search(f'href="({pattern})"', fetch(path))
        if found:
            yield Shown(name, found[1])


def _regions(fetch: Fetch) -> Iterator[Shown]:
    """One region of each level, all of them named on the topmost one's page or a page below."""
    path = "/regions"
    for level, digits in LEVELS.items():
        found = re.search(rf'href="(/regions/\d{{{digits}}})"', fetch(path)) if digits > 2 else None
        path = found[1] if found else "/regions/15"
        yield Shown(f"region-{level}", path)


def _points() -> Iterator[Shown]:
    for span in ("day", "year"):
        yield Shown(f"point-{span}", f"/points/{quote(WATER)}?span={span}")
    yield Shown("point-table", f"/points/{quote(WATER)}?table=1")
