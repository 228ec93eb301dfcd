"""What is hidden now, and by what: causes on the asset graph, approved plans, and maintenance windows.

`wanted` compares the alarms as they stand with what explains them and returns the acts that bring them in line. It
looks at nothing but its arguments, so a restarted engine goes on as if it had never stopped.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.alarms.causes import Active, AssetGraph, CycleFound, asset_graph, explanations, root_causes
from analytics.alarms.classes import BY_NAME, NUMBER, class_named, max_lags_ms
from analytics.alarms.events import RemoveFromService, ReturnToService, Suppress, Unsuppress
from analytics.alarms.records import Act, AlarmRecord
from analytics.alarms.watch import site_assets
from analytics.alarms.windows import PREFIX as WINDOW_PREFIX
from analytics.alarms.windows import Open
from edge.errors import ConfigError
from ingest.register import Plan, Register, span_ms

PLAN_PREFIX = "plan:"
COVER_PREFIXES = (PLAN_PREFIX, WINDOW_PREFIX)
CENTRE = "centre:"
"""Node above every site: where the centre itself is deaf."""
PLANNED = ("supply_lost", "voltage", "pump", "pressure", "device_silent", "site_silent")
"""Classes that an approved interruption of their supply explains."""
SEEN_WITHIN_MS = 62_000
"""Meters are read once a minute, on clocks 2 s apart: a consequence may be seen this long before its cause. [ms]"""


@dataclass(frozen=True)
class Cover:
    """A plan or an open window over an asset and everything below it."""

    mark: str
    asset: str
    kinds: Container[str]
    """Classes of alarms that it covers."""
    out_of_service: bool = False


@dataclass(frozen=True, eq=False)
class Places:
    """Where alarms sit: assets, and below them sites and devices, as one graph."""

    graph: AssetGraph
    number: Mapping[str, int]
    """Asset id, `site:<site>`, `device:<site>/<device>` or `CENTRE` → its number in the graph."""

    def of(self, record: AlarmRecord) -> int | None:
        """Return where an alarm sits; None if the register does not know the place."""
        subject = record.id.split("#", 1)[0]
        if record.kind == "device_silent":
            return self.number.get(f"device:{subject}")
        if record.kind in ("site_silent", "devices_silent", "clock_wrong"):
            return self.number.get(f"site:{subject}")
        if record.kind == "centre_silent":
            return self.number.get(CENTRE)
        return self.number.get(record.asset)

    def is_above(self, top: int, place: int) -> bool:
        """Whether `top` is `place` itself or lies above it."""
        above = self.graph.above
        return top in above.indices[above.indptr[place] : above.indptr[place + 1]]


def places(register: Register, *, now_ms: int) -> Places:
    """Return the graph of the register as it stands now. Raises ConfigError naming the assets if it has a cycle."""
    edges = list(_edges(register, now_ms))
    names = list(dict.fromkeys([*register.assets, *(name for edge in edges for name in edge)]))
    number = {name: place for place, name in enumerate(names)}
    try:
        graph = asset_graph(len(names), [number[child] for child, _ in edges], [number[parent] for _, parent in edges])
    except CycleFound as error:
        members = ", ".join(names[member] for member in error.members)
        raise ConfigError(f"assets.csv: {members} lie above one another: no asset supplies itself") from error
    return Places(graph, number)


def covers(plans: Sequence[Plan], windows: Sequence[Open], *, now_ms: int) -> list[Cover]:
    """Return what plans in force and open windows cover now."""
    planned = [
        Cover(f"{PLAN_PREFIX}{plan.notice_id}", plan.asset, PLANNED)
        for plan in plans
        if plan.start_ms <= now_ms < plan.end_ms
    ]
    opened = [Cover(one.mark, one.window.asset, BY_NAME, one.window.effect == "out_of_service") for one in windows]
    return [*planned, *opened]


def wanted(
    where: Places,
    records: Sequence[AlarmRecord],
    over: Sequence[Cover],
    onset_ms: Mapping[str, int],
    *,
    now_ms: int,
    grace_ms: int,
) -> Iterator[tuple[AlarmRecord, Act]]:
    """Yield the acts that hide what is explained or covered now, and show what no longer is."""
    explained = _causes(where, records, onset_ms)
    by_id = {record.id: record for record in records}
    for record in records:
        if not class_named(record.kind).kind.suppressible or not record.alarm.enabled:
            continue
        mine = [cover for cover in over if _covers(where, cover, record)]
        hiding = {cover.mark for cover in mine if not cover.out_of_service}
        if record.id in explained:
            hiding.add(explained[record.id])
        for by in sorted(hiding - record.alarm.suppressed_by):
            yield record, Act(Suppress(by, now_ms), now_ms, reason=by)
        for by in sorted(record.alarm.suppressed_by - hiding):
            if by.startswith(COVER_PREFIXES) or _gone(by_id.get(by), now_ms, grace_ms):
                yield record, Act(Unsuppress(by), now_ms, reason=by)
        yield from _service(record, [cover.mark for cover in mine if cover.out_of_service], now_ms)


def _service(record: AlarmRecord, marks: Sequence[str], now_ms: int) -> Iterator[tuple[AlarmRecord, Act]]:
    """Out of service while a window asks for it, and back when it shuts; what a person took out stays out."""
    taken_out = record.alarm.out_of_service
    if marks and taken_out is None:
        yield record, Act(RemoveFromService(marks[0]), now_ms, reason=marks[0])
    elif taken_out is not None and taken_out.startswith(WINDOW_PREFIX) and taken_out not in marks:
        yield record, Act(ReturnToService(), now_ms, reason=taken_out)


def _edges(register: Register, now_ms: int) -> Iterator[tuple[str, str]]:
    """(child, parent): supply between assets, sites at their gateway and the centre, devices at what they watch."""
    for entries in register.assets.values():
        for asset in entries:
            start_ms, end_ms = span_ms(asset)
            if asset.parent is not None and start_ms <= now_ms < end_ms:
                yield asset.id, asset.parent
    for site, asset_id in site_assets(register).items():
        yield f"site:{site}", asset_id
    for site in {entry.point.split("/", 1)[0]: None for entry in register.points.values()}:
        yield f"site:{site}", CENTRE
    for entry in register.points.values():
        site, name = entry.point.split("/", 1)
        device = name.split(".", 1)[0]
        if device != "gateway":
            yield f"device:{site}/{device}", f"site:{site}"
            yield f"device:{site}/{device}", entry.asset


def _causes(where: Places, records: Sequence[AlarmRecord], onset_ms: Mapping[str, int]) -> dict[str, str]:
    """Return alarm → the alarm at the root of it, for those that something explains."""
    gravest_first = sorted(records, key=lambda record: (-record.alarm.severity, record.id))
    standing = [
        (record, place)
        for record in gravest_first
        if record.alarm.condition
        and record.alarm.enabled
        and record.alarm.out_of_service is None
        and record.kind in NUMBER  # a class that is not known explains nothing, and nothing explains it
        and (place := where.of(record)) is not None
    ]
    if len(standing) < 2:
        return {}
    active = Active(
        np.array([place for _, place in standing], np.int64),
        np.array([NUMBER[record.kind] for record, _ in standing], np.int64),
        np.array([onset_ms.get(record.id, 0) for record, _ in standing], np.int64),
    )
    explained_by = explanations(where.graph, active, max_lags_ms(), skew_ms=SEEN_WITHIN_MS)
    roots = root_causes(where.graph, active, explained_by, skew_ms=SEEN_WITHIN_MS)
    ids = [record.id for record, _ in standing]
    return {ids[place]: ids[root] for place, root in enumerate(roots.tolist()) if root != place}


def _covers(where: Places, cover: Cover, record: AlarmRecord) -> bool:
    place, top = where.of(record), where.number.get(cover.asset)
    return record.kind in cover.kinds and place is not None and top is not None and where.is_above(top, place)


def _gone(cause: AlarmRecord | None, now_ms: int, grace_ms: int) -> bool:
    """Whether a cause has been over for its grace; one that stands but explains no more is gone at once."""
    if cause is None or cause.alarm.condition:
        return True
    return cause.alarm.fell_ms is None or now_ms - cause.alarm.fell_ms >= grace_ms
