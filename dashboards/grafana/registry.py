"""Every measurement that a panel may ask for, with its tags and fields.

Readings lie in one measurement per quantity. The others are written by `steppe dashboards feed` (`feed.py`), row by
row checked against this table, and every name in a panel's query is checked against it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from edge.errors import SteppeError
from ingest.board import BoardRow

Kind = Literal["int", "float", "text"]


class NotRegistered(SteppeError):
    """A name or type that the table does not know; a fault of ours, caught by the tests."""


@dataclass(frozen=True)
class Measurement:
    """What stands under one name in the store."""

    name: str
    about: str
    tags: tuple[str, ...]
    fields: Mapping[str, Kind]

    @property
    def names(self) -> frozenset[str]:
        """Everything that a query may name in it."""
        return frozenset({"time", *self.tags, *self.fields})


QUANTITIES = (
    "voltage_v",
    "current_a",
    "active_power_kw",
    "frequency_hz",
    "mains_on",
    "turbidity_ntu",
    "free_chlorine_mg_l",
    "ph",
    "flow_m3_h",
    "level_m",
    "pressure_mpa",
    "pump_on",
    "dose_on",
    "pump1_on",
    "pump2_on",
    "ammonia_mg_l",
    "cod_mg_l",
)
_READING: dict[str, Kind] = {"value": "float", "quality": "int"}
_NAMES: dict[str, Kind] = {"name": "text", "name_zh": "text"}
_HOURS: dict[str, Kind] = {f"h{hour:02d}": "int" for hour in range(24)}

_FED = (
    Measurement(
        "site_state",
        "each gateway at each round: link, backlog, losses, how good its points are, its gravest alarm",
        ("site", "utility"),
        _NAMES
        | {
            "online": "int",
            "link": "int",
            "batch_age_s": "float",
            "old": "int",
            "waiting_batches": "int",
            "oldest_waiting_h": "float",
            "missing_batches": "int",
            "dropped_readings": "int",
            "duplicates": "int",
            "clock_steps": "int",
            "points": "int",
            "points_good": "int",
            "points_uncertain": "int",
            "points_bad": "int",
            "points_old": "int",
            "good_pct": "float",
            "alarm": "int",
            "lat": "float",
            "lon": "float",
            "version": "text",
        },
    ),
    Measurement(
        "site_hour",
        "expected and received readings of each gateway and hour",
        ("site", "utility"),
        {"expected": "float", "received": "int", "bad": "int", "complete_pct": "float"},
    ),
    Measurement(
        "point_state",
        "each point that is not good, at each round",
        ("site", "point"),
        {"why": "text", "why_zh": "text", "age_min": "float"},
    ),
    Measurement(
        "kpi_supply",
        "supply reliability RS-1 with its bounds; span day at its midnight, month and quarter as known at that time",
        ("region", "level", "name", "name_zh", "span"),
        {
            "low_pct": "float",
            "point_pct": "float",
            "high_pct": "float",
            "coverage_pct": "float",
            "target_pct": "float",
            "verdict": "int",
            "interruptions": "int",
        },
    ),
    Measurement(
        "kpi_voltage",
        "voltage compliance; span as in kpi_supply",
        ("region", "level", "name", "name_zh", "span"),
        {"pass_pct": "float", "coverage_pct": "float", "target_pct": "float"},
    ),
    Measurement(
        "alarm_occurrence",
        "each time an alarm came, at its onset; `id` is its number on the console",
        ("alarm", "site"),
        _NAMES
        | {
            "id": "int",
            "kind": "text",
            "title": "text",
            "title_zh": "text",
            "severity": "int",
            "open": "int",
            "state": "text",
            "unacked": "int",
            "hidden": "int",
            "chatter": "int",
            "value": "float",
            "cause": "text",
            "ack_min": "float",
            "lasted_min": "float",
        },
    ),
    Measurement(
        "alarm_now",
        "how many alarms stand at each round, by severity",
        ("severity",),
        {"open": "int", "unacked": "int", "shelved": "int", "suppressed": "int", "oldest_unacked_min": "float"},
    ),
    Measurement(
        "alarm_day",
        "how good the alarms were on each local day, at its midnight (IEC 62682)",
        (),
        {
            "annunciated": "int",
            "low": "int",
            "medium": "int",
            "high": "int",
            "critical": "int",
            "max_per_10_min": "int",
            "flood_pct": "float",
            "stale": "int",
            "chattering": "int",
            "top_10_pct": "float",
            "ack_median_min": "float",
        },
    ),
    Measurement("alarm_week", "alarms of the last 4 weeks by weekday and hour", ("weekday",), _HOURS),
)

MEASUREMENTS: Mapping[str, Measurement] = {
    one.name: one
    for one in (*(Measurement(name, "readings", ("site", "point"), _READING) for name in QUANTITIES), *_FED)
}
_TYPES: Mapping[Kind, type] = {"int": int, "float": float, "text": str}


def checked(row: BoardRow) -> BoardRow:
    """Return the row as it is. Raises NotRegistered where the table does not know it."""
    known = MEASUREMENTS.get(row.measurement)
    if known is None or not set(row.tags) <= set(known.tags):
        raise NotRegistered(f"{row.measurement}{sorted(row.tags)} is not in dashboards/grafana/registry.py")
    for name, value in row.fields.items():
        kind = known.fields.get(name)
        if kind is None or type(value) is not _TYPES[kind]:
            raise NotRegistered(f"{row.measurement}.{name}: {type(value).__name__}, registered as {kind}")
    return row
