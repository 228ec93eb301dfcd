"""`/metrics` in Prometheus's form: the console's own requests and streams, and the alarms that wait."""

import sqlite3
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from analytics.alarms.database import AlarmDatabaseError
from dashboards.console.site import Console
from dashboards.console.views.bar import bar_of

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
"""Counted under their names; whatever else somebody sends is `other`, so that the counts are bounded."""
STREAM = "/live"
"""Open as long as a page is: no request whose time says anything."""


class Metrics:
    """The counts of one process."""

    def __init__(self, console: Console) -> None:
        self.registry = CollectorRegistry()
        """What `/metrics` prints."""
        self._requests = Histogram(
            "steppe_console_request_seconds",
            "Time to answer, by route and status.",
            ("method", "route", "status"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self.registry.register(_Gauges(console))

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(method if method in METHODS else "other", route, str(status)).observe(seconds)


class Measured:
    """Counts every request; routes stand for themselves, not for what was put into them."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == STREAM:
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.count(scope["method"], route, status, time.perf_counter() - began_s)


class _Gauges(Collector):
    """Read when they are asked for."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def collect(self) -> Iterator[GaugeMetricFamily]:
        sessions = self._console.database.sessions.count(now_ms=self._console.wall.now_ms())
        yield GaugeMetricFamily("steppe_console_sessions", "Browsers that are signed in.", sessions)
        try:
            bar = bar_of(self._console.alarms())
        except (AlarmDatabaseError, sqlite3.Error):
            return
        waiting = GaugeMetricFamily("steppe_alarms_waiting", "Alarms that nobody has taken.", labels=["priority"])
        for priority, count in enumerate(bar.by_priority, 1):
            waiting.add_metric([str(priority)], count)
        yield waiting
        age_s = (self._console.now_ms() - bar.oldest_ms) / 1000 if bar.oldest_ms else 0.0
        yield GaugeMetricFamily("steppe_alarms_oldest_waiting_seconds", "Age of the oldest of them; 0 for none.", age_s)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing is read before it is asked for."""
        return iter(())
