"""A browser of the tests: keeps cookies, and finds the secret that each form must carry."""

import re
from typing import Any

import httpx2
from starlette.testclient import TestClient

from dashboards.console.site import Console


class Browser:
    """One person's browser."""

    def __init__(self, http: TestClient) -> None:
        self.http = http
        """For what a browser does not do by itself."""

    def enter(self, console: Console, name: str) -> None:
        """Sign in by a one-time link, and read English."""
        word = console.database.users.new_link(name, "enter", now_ms=console.wall.now_ms())
        self.get(f"/welcome/{word}", lang="en")
        assert self.post(f"/welcome/{word}").status_code == 303

    def get(self, path: str, **query: str) -> httpx2.Response:
        """Load a page."""
        return self.http.get(path, params=query or None)

    def post(self, path: str, **fields: Any) -> httpx2.Response:
        """Send a form as the page before it would, with its secret."""
        return self.http.post(path, data={"csrf": self.csrf(), **fields})

    def csrf(self) -> str:
        """The secret of this browser's forms."""
        found = re.search(r'<meta name="csrf" content="([^"]+)">', self.get("/signin").text)
        assert found is not None
        return found[1]
