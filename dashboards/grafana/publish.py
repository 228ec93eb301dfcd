"""Publish through Grafana's HTTP API: a second run writes nothing.

A dashboard whose `src:` tag is the built one stands as it is. Another one is replaced at the version that was read;
where somebody saved it meanwhile, Grafana refuses and nothing is lost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dashboards.grafana.build import FOLDERS, Built
from dashboards.grafana.influxql import DATASOURCE_TYPE, DATASOURCE_UID
from dashboards.grafana.server import GrafanaServer
from edge.errors import BadInput

Act = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True)
class Published:
    """What became of one folder or dashboard."""

    uid: str
    act: Act


def publish(server: GrafanaServer, built: Sequence[Built]) -> Iterator[Published]:
    """Bring every dashboard to the server; yield what was done. Raises BadInput, Conflict or GrafanaFailed."""
    check_datasource(server)
    for language in dict.fromkeys(one.language for one in built):
        uid, title = FOLDERS[language]
        yield _folder(server, uid, title.said_in(language))
    for one in built:
        yield _dashboard(server, one)


def check_datasource(server: GrafanaServer) -> None:
    """Make sure that the data source is there, by its uid. Raises BadInput."""
    found = server.get(f"/datasources/uid/{DATASOURCE_UID}")
    if found is None:
        raise BadInput(
            f"{server.url}: no data source with uid {DATASOURCE_UID}. Put deploy/grafana/provisioning/datasources/"
            "steppe.yaml into its provisioning folder and restart Grafana"
        )
    if found.get("type") != DATASOURCE_TYPE:
        raise BadInput(f"{server.url}: data source {DATASOURCE_UID} is of type {found.get('type')!r}, not influxdb")


def _folder(server: GrafanaServer, uid: str, title: str) -> Published:
    if server.get(f"/folders/{uid}") is not None:
        return Published(uid, "unchanged")
    server.post("/folders", {"uid": uid, "title": title})
    return Published(uid, "created")


def _dashboard(server: GrafanaServer, one: Built) -> Published:
    folder = FOLDERS[one.language][0]
    found = server.get(f"/dashboards/uid/{one.uid}")
    if found is None:
        server.post("/dashboards/db", _body(one, folder, {"id": None}))
        return Published(one.uid, "created")
    held, meta = found["dashboard"], found.get("meta", {})
    if one.source in held.get("tags", []) and meta.get("folderUid") == folder:
        return Published(one.uid, "unchanged")
    if meta.get("provisioned"):
        raise BadInput(f"{server.url}: {one.uid} comes from files on that server. Replace the files there instead")
    server.post("/dashboards/db", _body(one, folder, {"id": held["id"], "version": held["version"]}))
    return Published(one.uid, "updated")


def _body(one: Built, folder: str, identity: dict[str, Any]) -> dict[str, Any]:
    """Never `overwrite`: the version that was read must still be the one that is there."""
    return {"dashboard": one.model | identity, "folderUid": folder, "overwrite": False, "message": one.source}
