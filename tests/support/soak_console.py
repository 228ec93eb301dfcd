"""Somebody who looks at the console again and again."""

import contextlib
import urllib.request
from contextlib import closing
from pathlib import Path

from dashboards.console.database import FILE, ConsoleDatabase
from edge.clock import RealClock

PAGES = ("/", "/alarms", "/kpi", "/sites")
PATIENCE_S = 10.0


class Visitor:
    """One browser, signed in; a console that does not answer is looked at again later."""

    def __init__(self, data_dir: Path, port: int) -> None:
        """Sign in at the console that will keep its files in `data_dir` and listen on `port`."""
        data_dir.mkdir(parents=True, exist_ok=True)
        now_ms = RealClock().now_ms()
        with closing(ConsoleDatabase(data_dir / FILE)) as database:
            database.users.add("visitor", "Visitor", "admin", now_ms=now_ms)
            self._cookie = f"steppe={database.sessions.open('visitor', hours=24.0, now_ms=now_ms)}"
        self._url = f"http://127.0.0.1:{port}"
        self.pages = 0
        """Shown to the visitor so far."""

    def look(self) -> None:
        """Load every page once."""
        for path in PAGES:
            request = urllib.request.Request(self._url + path, headers={"Cookie": self._cookie})
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                self.pages += answer.url.endswith(path) and answer.status == 200
