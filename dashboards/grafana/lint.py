"""What must hold of every dashboard before it is written or published."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any

from dashboards.grafana.build import Built
from dashboards.grafana.panel import PALETTE
from dashboards.grafana.registry import MEASUREMENTS, Measurement

COLUMNS = 24
LEAST_REFRESH_S = 10
UNIT_S = {"s": 1, "m": 60, "h": 3600}
COLOUR = re.compile(r"^#[0-9a-fA-F]{3,8}$")
VARIABLE = re.compile(r"\$\{?(\w+)")
SOURCE = re.compile(r'FROM\s+(?:"(\w+)"|(/[^/]+/))')
NAME = re.compile(r'"(\w+)"')
OWN_NAME = re.compile(r'AS\s+"(\w+)"')
OF_GRAFANA = frozenset({"timeFilter", "__interval", "__data", "col", "__all"})
HAN = re.compile(r"[一-鿿]")
WITH_LEGEND = frozenset({"timeseries", "state-timeline", "status-history"})


def faults(built: Sequence[Built]) -> list[str]:
    """Return everything that is wrong, each with its dashboard and panel; empty where all is right."""
    uids = {one.uid for one in built}
    found = [f"{one.uid}: {fault}" for one in built for fault in _faults_of(one, uids)]
    return found + [f"{uid}: used twice" for uid in sorted(uids) if sum(one.uid == uid for one in built) > 1]


def _faults_of(one: Built, uids: set[str]) -> Iterator[str]:
    model = one.model
    panels = model["panels"]
    yield from _identity(one)
    yield from _layout(panels)
    yield from _colours(model)
    yield from _links(model, uids)
    for panel in panels:
        for fault in (*_panel(panel, one.language), *_queries(panel, _declared(model))):
            yield f"panel {panel['id']} {panel['title']!r}: {fault}"


def _identity(one: Built) -> Iterator[str]:
    if len(one.uid) > 40:
        yield "the uid is longer than 40 characters"
    refresh = str(one.model["refresh"])
    if int(refresh[:-1]) * UNIT_S[refresh[-1]] < LEAST_REFRESH_S:
        yield f"refresh {refresh} is below {LEAST_REFRESH_S} s"


def _layout(panels: Sequence[dict[str, Any]]) -> Iterator[str]:
    ids = [panel["id"] for panel in panels]
    if len(set(ids)) < len(ids):
        yield f"panel ids repeat: {ids}"
    for panel in panels:
        at = panel["gridPos"]
        if at["x"] + at["w"] > COLUMNS or min(at["x"], at["y"]) < 0 or min(at["w"], at["h"]) < 1:
            yield f"panel {panel['title']!r} does not fit into {COLUMNS} columns"
    for one, other in combinations(panels, 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield f"panels {one['title']!r} and {other['title']!r} overlap"


def _overlap(a: dict[str, int], b: dict[str, int]) -> bool:
    return (
        a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]
    )


def _colours(model: object) -> Iterator[str]:
    for text in _texts(model):
        if COLOUR.match(text) and text not in PALETTE:
            yield f"colour {text} is not in the palette"
        if text in ("green", "red", "yellow", "orange", "blue", "purple"):
            yield f"colour {text}: name it by the palette"


def _links(model: dict[str, Any], uids: set[str]) -> Iterator[str]:
    for url in (str(node["url"]) for node in _nodes(model) if "url" in node and "title" in node):
        if url.startswith("/d/"):
            if url.removeprefix("/d/") not in uids:
                yield f"link {url} leads nowhere"
        elif not url.startswith("${console}"):
            yield f"link {url}: to a dashboard of ours, or to the console"
        yield from (f"link {url}: ${name} is not declared" for name in _unknown(url, _declared(model)))
    for node in _nodes(model):
        if node.get("type") in ("default", "carto", "osm-standard", "esri-xyz") and "config" in node:
            yield f"map layer {node['type']} fetches tiles from the internet"


def _panel(panel: dict[str, Any], language: str) -> Iterator[str]:
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    if not defaults.get("unit"):
        yield "no unit"
    if not defaults.get("noValue"):
        yield "no words for no data"
    if not panel.get("description"):
        yield "no description"
    if (
        panel["type"] in ("timeseries", "state-timeline", "status-history", "barchart")
        and "legend" not in panel["options"]
    ):
        yield "no legend"
    if panel["type"] == "geomap" and not panel["options"]["basemap"]["type"]:
        yield "the map's base layer is not said"
    texts = [panel["title"], panel.get("description", "")]
    for text in texts:
        if language == "en" and HAN.search(text):
            yield f"not in English: {text!r}"
        if language == "zh" and not HAN.search(text):
            yield f"not in Chinese: {text!r}"


def _queries(panel: dict[str, Any], declared: Iterable[str]) -> Iterator[str]:
    if not panel["targets"]:
        yield "asks nothing"
    for target in panel["targets"]:
        query = target["query"]
        yield from (f"${name} is not declared" for name in _unknown(query, declared))
        sources = [one for pair in SOURCE.findall(query) for one in _measurements(*pair)]
        if not sources:
            yield f"no registered measurement in {query}"
        known = frozenset[str]().union(*(one.names for one in sources)) | {one.name for one in sources}
        used = set(NAME.findall(query)) - set(OWN_NAME.findall(query))
        yield from (f"{name!r} is not in the registry of {[s.name for s in sources]}" for name in sorted(used - known))


def _measurements(name: str, pattern: str) -> list[Measurement]:
    if pattern:
        return [one for key, one in MEASUREMENTS.items() if re.search(pattern.strip("/"), key)]
    return [MEASUREMENTS[name]] if name in MEASUREMENTS else []


def _unknown(text: str, declared: Iterable[str]) -> list[str]:
    names = set(VARIABLE.findall(text))
    return sorted(name for name in names - OF_GRAFANA - set(declared) if not name.startswith("tag_"))


def _declared(model: dict[str, Any]) -> list[str]:
    return [str(one["name"]) for one in model.get("templating", {}).get("list", [])]


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(inner)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)
