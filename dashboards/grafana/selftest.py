"""Ask a running Grafana every question of every panel, and tell which of them find nothing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.grafana.build import Built
from dashboards.grafana.influxql import ALL_SITES, DATASOURCE_UID, with_variables
from dashboards.grafana.publish import check_datasource
from dashboards.grafana.server import GrafanaFailed, GrafanaServer

UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
SPAN = re.compile(r"^(?:now-)?(\d+)([smhd])$")
MAX_POINTS = 500
LEAST_INTERVAL_MS = 60_000


@dataclass(frozen=True)
class Answered:
    """What one panel's query brought."""

    uid: str
    panel: int
    title: str
    ref_id: str
    rows: int
    error: str = ""
    """In the server's words; empty where the query went well."""

    @property
    def ok(self) -> bool:
        """Whether there is something to show."""
        return self.rows > 0 and not self.error


def check_health(server: GrafanaServer) -> str:
    """Return a line about server and data source. Raises BadInput or GrafanaFailed where one of them is ill."""
    health = server.get("/health") or {}
    if health.get("database") != "ok":
        raise GrafanaFailed(f"{server.url}: its own database is {health.get('database', 'unknown')!r}")
    check_datasource(server)
    source = server.get(f"/datasources/uid/{DATASOURCE_UID}/health") or {}
    if source.get("status") != "OK":
        raise GrafanaFailed(f"{server.url}: data source {DATASOURCE_UID}: {source.get('message', 'no answer')}")
    return f"Grafana {health.get('version', '?')}, data source {DATASOURCE_UID}: {source.get('message', 'OK')}"


def ask_panels(server: GrafanaServer, built: Sequence[Built], *, now_ms: int) -> Iterator[Answered]:
    """Yield what every query of every panel brings, over the time that the panel shows and for all sites."""
    for one in built:
        for panel in one.model["panels"]:
            span_ms = span_of(panel.get("timeFrom") or one.model["time"]["from"])
            for target in panel["targets"]:
                yield _ask(server, one, panel, target, now_ms - span_ms, now_ms)


def span_of(text: str) -> int:
    """Return how far back a panel looks. [ms]

    >>> span_of("now-24h"), span_of("15m")
    (86400000, 900000)
    """
    found = SPAN.match(text)
    if found is None:
        raise ValueError(f"{text!r} is no span such as 15m or now-24h")
    return int(found[1]) * UNIT_MS[found[2]]


def _ask(
    server: GrafanaServer, one: Built, panel: dict[str, Any], target: dict[str, Any], from_ms: int, to_ms: int
) -> Answered:
    asked = target | {
        "query": with_variables(target["query"], {"site": ALL_SITES}),
        "intervalMs": max((to_ms - from_ms) // MAX_POINTS, LEAST_INTERVAL_MS),
        "maxDataPoints": MAX_POINTS,
    }
    place = one.uid, int(panel["id"]), str(panel["title"]), str(target["refId"])
    try:
        answer = server.post("/ds/query", {"queries": [asked], "from": str(from_ms), "to": str(to_ms)})
    except GrafanaFailed as failed:
        return Answered(*place, 0, str(failed))
    result = answer.get("results", {}).get(target["refId"], {})
    return Answered(*place, _rows(result), str(result.get("error", "")))


def _rows(result: dict[str, Any]) -> int:
    """Rows that hold anything beside their instant."""
    return sum(_filled(frame) for frame in result.get("frames", []))


def _filled(frame: dict[str, Any]) -> int:
    columns = frame.get("data", {}).get("values", [])
    fields = frame.get("schema", {}).get("fields", [])
    shown = [column for field, column in zip(fields, columns, strict=False) if field.get("type") != "time"]
    return sum(any(cell is not None for cell in row) for row in zip(*shown, strict=False))
