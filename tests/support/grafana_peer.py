"""A loopback server that speaks the part of Grafana's documented HTTP API that we use.

Folders, dashboards with versions, data sources by uid, health, and queries: InfluxQL goes to a real InfluxDB, with
`$timeFilter` and `$__interval` filled in as Grafana's back end does, and comes back as data frames.
"""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from support.http_peer import Answer, Request, http_peer

TOKEN = "glsa_of_the_tests"
Json = dict[str, Any]


@dataclass
class GrafanaPeer:
    """What the server holds, and what was written to it."""

    influx_url: str
    database: str
    datasource: Json | None = field(
        default_factory=lambda: {"uid": "steppe-influxdb", "type": "influxdb", "name": "steppe InfluxDB"}
    )
    health: dict[str, Json] = field(
        default_factory=lambda: {
            "/health": {"database": "ok", "version": "12.4.0", "commit": "0"},
            "/datasources/uid/steppe-influxdb/health": {
                "status": "OK",
                "message": "datasource is working. 36 measurements found",
            },
        }
    )
    folders: dict[str, Json] = field(default_factory=dict)
    dashboards: dict[str, Json] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    """Path of every request that changed something, or tried to."""
    provisioned: bool = False
    before_write: Callable[[], None] = lambda: None
    """Called before a dashboard is taken: somebody else may be quicker."""
    url: str = ""

    def answer(self, request: Request) -> Answer:
        """Give the answer that Grafana documents."""
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _json({"message": "Invalid API key"}, 401)
        path, body = request.path.removeprefix("/api"), json.loads(request.body) if request.body else {}
        if request.method == "POST":
            return self._post(path, body)
        return self._get(path)

    def _get(self, path: str) -> Answer:
        kind, _, uid = path.rpartition("/")
        if path in self.health:
            return _json(self.health[path])
        found: Json | None = None
        if kind == "/datasources/uid" and self.datasource is not None:
            found = self.datasource
        elif kind == "/folders":
            found = self.folders.get(uid)
        elif kind == "/dashboards/uid":
            found = self.dashboards.get(uid)
        return _json(found) if found is not None else _json({"message": "Not found"}, 404)

    def _post(self, path: str, body: Json) -> Answer:
        if path == "/ds/query":
            return _json({"results": {one["refId"]: self._query(one, body) for one in body["queries"]}})
        self.writes.append(path)
        if path == "/folders":
            self.folders[body["uid"]] = body
            return _json(body)
        return self._save(body)

    def _save(self, body: Json) -> Answer:
        self.before_write()
        sent, uid = body["dashboard"], body["dashboard"]["uid"]
        if body["folderUid"] not in self.folders:
            return _json({"message": "folder not found"}, 400)
        held = self.dashboards.get(uid)
        if held is not None and held["dashboard"]["version"] != sent.get("version") and not body["overwrite"]:
            said = "The dashboard has been changed by someone else"
            return _json({"message": said, "status": "version-mismatch"}, 412)
        version = 1 if held is None else held["dashboard"]["version"] + 1
        kept = sent | {"id": len(self.dashboards) + 1 if held is None else held["dashboard"]["id"], "version": version}
        self.dashboards[uid] = {
            "dashboard": kept,
            "meta": {"folderUid": body["folderUid"], "provisioned": self.provisioned},
        }
        return _json({"uid": uid, "id": kept["id"], "version": version, "status": "success"})

    def _query(self, target: Json, body: Json) -> Json:
        query = target["query"].replace("$timeFilter", f"time >= {body['from']}ms AND time <= {body['to']}ms")
        query = query.replace("$__interval", f"{target['intervalMs']}ms")
        if found := re.search(r"\$\w+", re.sub(r"/[^/]+\$/", "", query)):
            return {"status": 400, "error": f"{found[0]} was not filled in", "frames": []}
        data = urllib.parse.urlencode({"db": self.database, "q": query, "epoch": "ms"}).encode()
        try:
            with urllib.request.urlopen(f"{self.influx_url}/query", data=data, timeout=20) as answer:
                [result] = json.loads(answer.read())["results"]
        except urllib.error.HTTPError as refused:
            return {"status": 400, "error": refused.read().decode(), "frames": []}
        if "error" in result:
            return {"status": 400, "error": result["error"], "frames": []}
        return {"status": 200, "frames": [_frame(one, target["refId"]) for one in result.get("series", [])]}


@contextmanager
def grafana_peer(influx_url: str = "", database: str = "") -> Iterator[GrafanaPeer]:
    """The server on a free loopback port."""
    peer = GrafanaPeer(influx_url, database)
    with http_peer(peer.answer) as running:
        peer.url = running.url
        yield peer


def _frame(series: Json, ref_id: str) -> Json:
    columns = list(map(list, zip(*series["values"], strict=True)))
    fields = [{"name": name, "type": "time" if name == "time" else "number"} for name in series["columns"]]
    return {"schema": {"refId": ref_id, "name": series["name"], "fields": fields}, "data": {"values": columns}}


def _json(body: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
