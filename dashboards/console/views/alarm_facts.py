"""How bad an alarm is: the reading behind it and its limits, who is without supply, what was lost. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analytics.limits import Setpoint
from dashboards.console.views.alarms_limits import NO_LIMITS, Limits, limits, points_behind
from dashboards.console.views.alarms_names import Words, place, unit_of
from dashboards.console.views.alarms_rows import AlarmRow
from edge.wire import Quality
from ingest.network import Network, network_at
from ingest.query import points_of
from ingest.register import Register
from ingest.store import Latest, Store

HOUR_MS = 3_600_000
FROZEN_AFTER_MS = 10 * 60_000
"""A reading of a standing alarm older than this is shown as old. [ms]"""


@dataclass(frozen=True)
class Measured:
    """A point's newest reading, with the limits that it should keep."""

    point: str
    unit: str
    value: float | None
    """None where the newest reading has no value."""
    t_ms: int
    is_bad: bool
    is_old: bool
    limits: Limits


@dataclass(frozen=True)
class Upstream:
    """The nearest asset above that measures its voltage: what it says tells where to look."""

    name: Words
    measured: Measured


@dataclass(frozen=True)
class HowBad:
    """The four facts."""

    measured: Measured | None
    """None where no reading decides it, or none came."""
    heard_ms: int | None
    """Of a device or site that is silent: its newest reading. [ms since 1970-01-01T00:00Z]"""
    transformers: int
    """At and behind the asset."""
    customers: int
    """At and behind the asset."""
    lost_customer_h: float | None
    """Customers times the time without supply so far; None where supply is not in question. [customer-h]"""
    upstream: Upstream | None


def how_bad(store: Store, register: Register, setpoints: Sequence[Setpoint], row: AlarmRow, *, now_ms: int) -> HowBad:
    """Return the facts of an alarm. Raises StoreDown or StoreRefused."""
    network = network_at(register, now_ms)
    behind = network.subtree(row.place.asset)
    customers = sum(one.customers for one in behind)
    points = points_behind(register, row.alarm)
    above = _nearest_meter(register, network, row.place.asset)
    of_subject = _points_of_subject(register, row.alarm)
    newest = store.latest(sorted({*(entry.point for entry in points), *above, *of_subject}))
    bounds = limits(register, setpoints, [register.points[name] for name in (*(e.point for e in points), *above)])
    known = [_measured(entry.point, newest, bounds, now_ms) for entry in points if entry.point in newest]
    heard = [newest[name].t_ms for name in of_subject if name in newest]
    is_outage = row.kind == "supply_lost"
    end_ms = now_ms if row.returned_ms is None else row.returned_ms
    return HowBad(
        measured=known[0] if known else None,
        heard_ms=max(heard, default=None),
        transformers=sum(one.kind == "transformer" for one in behind),
        customers=customers,
        lost_customer_h=customers * max(end_ms - row.since_ms, 0) / HOUR_MS if is_outage else None,
        upstream=_upstream(register, above, newest, bounds, now_ms) if is_outage else None,
    )


def _points_of_subject(register: Register, alarm: str) -> tuple[str, ...]:
    """All points of the device or site that an alarm is about."""
    subject = alarm.partition("#")[0]
    if subject in register.points:
        return (subject,)
    head = f"{subject}." if "/" in subject else f"{subject}/"
    return tuple(name for name in register.points if name.startswith(head))


def _nearest_meter(register: Register, network: Network, asset: str) -> tuple[str, ...]:
    """The voltage points of the nearest asset above that has any."""
    for above in network.supply_path(asset)[1:]:
        found = points_of(register, above.id, "voltage_v")
        if found:
            return found[:1]
    return ()


def _upstream(
    register: Register, above: Sequence[str], newest: Mapping[str, Latest], bounds: Mapping[str, Limits], now_ms: int
) -> Upstream | None:
    if not above or above[0] not in newest:
        return None
    entry = register.points[above[0]]
    return Upstream(place(register, entry.asset).name, _measured(entry.point, newest, bounds, now_ms))


def _measured(point: str, newest: Mapping[str, Latest], bounds: Mapping[str, Limits], now_ms: int) -> Measured:
    found = newest[point]
    is_bad = Quality(found.quality).is_bad
    return Measured(
        point,
        unit_of(point),
        None if is_bad else found.value,
        found.t_ms,
        is_bad,
        now_ms - found.t_ms > FROZEN_AFTER_MS,
        bounds.get(point, NO_LIMITS),
    )
