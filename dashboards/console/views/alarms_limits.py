"""Between which limits the value behind an alarm should lie, by the set-points that the engine watches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from analytics.alarms.service import SETPOINTS_FILE
from analytics.alarms.watch import WatchedRule, point_rules
from analytics.limit_files import load_setpoints
from analytics.limits import Setpoint
from dashboards.console.views.alarms_names import is_measured
from ingest.register import PointEntry, Register


@dataclass(frozen=True)
class Limits:
    """The nearest set-point on each side; None where there is none. In the point's unit."""

    low: float | None
    high: float | None


NO_LIMITS = Limits(None, None)


def setpoints_of(register_folder: Path) -> tuple[Setpoint, ...]:
    """Return the set-points in force, read anew when the county's own file changes. Raises BadInput."""
    own = register_folder / SETPOINTS_FILE
    return _setpoints(own, own.stat().st_mtime_ns if own.exists() else 0)


def points_behind(register: Register, alarm: str) -> tuple[PointEntry, ...]:
    """Return the registered points that decide an alarm: the one in its name, or the voltages of its meter."""
    subject, _, what = alarm.partition("#")
    if subject in register.points:
        return (register.points[subject],) if is_measured(subject) else ()
    if what != "supply_lost":
        return ()
    names = (subject, f"{subject}.l1", f"{subject}.l2", f"{subject}.l3")
    return tuple(entry for name in names if (entry := register.points.get(f"{name}.voltage_v")) is not None)


def limits(register: Register, setpoints: Iterable[Setpoint], points: Sequence[PointEntry]) -> dict[str, Limits]:
    """Return point → its limits, of the points that have any."""
    rules: dict[str, list[WatchedRule]] = {}
    for rule in point_rules(register, points, setpoints):
        if not rule.of_answers and not rule.alarm.needs_all:
            rules.setdefault(rule.point, []).append(rule)
    return {point: _nearest(found) for point, found in rules.items()}


def _nearest(rules: Sequence[WatchedRule]) -> Limits:
    low = max((rule.setpoint for rule in rules if not rule.is_high), default=None)
    high = min((rule.setpoint for rule in rules if rule.is_high), default=None)
    return Limits(low, high)


@lru_cache(maxsize=8)
def _setpoints(own: Path, changed_ns: int) -> tuple[Setpoint, ...]:
    return load_setpoints(own) if changed_ns else load_setpoints()
