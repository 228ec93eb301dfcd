"""Every way to ask the console for something, with words put into the places of its paths."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from fastapi.routing import APIRoute

from dashboards.console.app import API, API_PREFIX, PAGES


@dataclass(frozen=True)
class Asked:
    """One method of one route."""

    method: str
    route: str
    """With its places, such as `/points/{name:path}`."""
    is_api: bool

    @property
    def path(self) -> str:
        """With a word that nobody has heard of in each place."""
        return self.filled({})

    @property
    def places(self) -> list[str]:
        """The names of its places."""
        return re.findall(r"\{(\w+)(?::\w+)?\}", self.route)

    def filled(self, words: Mapping[str, str], usual: str = "7") -> str:
        """With these words in its places."""
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda place: words.get(place[1], usual), self.route)


@cache
def every_route() -> tuple[Asked, ...]:
    """Every method of every route of pages and API."""
    pages = [one for module in PAGES for one in _asked(module, "", is_api=False)]
    api = [one for module in API for one in _asked(module, API_PREFIX, is_api=True)]
    return tuple(sorted({*pages, *api}, key=lambda one: (one.route, one.method)))


def _asked(module: ModuleType, prefix: str, *, is_api: bool) -> Iterator[Asked]:
    for name in ("router", "open_router"):
        for route in getattr(getattr(module, name, None), "routes", ()):
            if isinstance(route, APIRoute):
                for method in sorted(route.methods or ()):
                    yield Asked(method, prefix + route.path, is_api)
