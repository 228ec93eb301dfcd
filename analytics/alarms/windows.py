"""Maintenance windows: hours in which alarms of an asset and all below it are kept back, once or again and again.

A window hides (nobody is told, everything is tracked), or takes out of service under a work order. It ends by itself,
and whoever manages the alarms is told what it kept back. What is never hidden is not hidden here either.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from dateutil.rrule import rrule, rrulestr
from msgspec import Meta

PREFIX = "window:"
FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One window, or a row of them."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    """Under which the console and the audit show it."""
    asset: Annotated[str, Meta(min_length=1)]
    """Its alarms and those of everything below it."""
    start: datetime
    """Local time at which the first one opens."""
    hours: Annotated[float, Meta(gt=0, le=24 * 31)]
    """How long each is open. [h]"""
    repeats: str = ""
    """RFC 5545 rule such as `FREQ=WEEKLY;BYDAY=TU`; empty for once."""
    effect: Literal["suppress", "out_of_service"] = "suppress"
    """`suppress`: nobody is told, everything is tracked. `out_of_service`: taken out under a work order."""
    work_order: str = ""
    """Needed to take out of service."""
    reason: str = ""
    """For people."""

    def __post_init__(self) -> None:
        if self.start.tzinfo is not None:
            raise ValueError(f"window {self.name}: start is local time, without an offset")
        if self.effect == "out_of_service" and not self.work_order:
            raise ValueError(f"window {self.name}: out_of_service needs work_order")
        if self.repeats:
            self._check_rule()

    def _check_rule(self) -> None:
        try:
            _openings(self.repeats, self.start).after(self.start)
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"window {self.name}: repeats {self.repeats!r} is no rule of RFC 5545 ({error})"
            ) from error
        parts = dict(part.split("=", 1) for part in self.repeats.upper().split(";"))
        if parts.get("FREQ") not in FREQUENCIES:
            raise ValueError(f"window {self.name}: repeats needs FREQ={' or '.join(FREQUENCIES)}")


@dataclass(frozen=True)
class Open:
    """A window as it is open at an instant."""

    window: Window
    start_ms: int
    end_ms: int

    @property
    def mark(self) -> str:
        """By which its alarms know it."""
        name = f"{PREFIX}{self.window.name}"
        return f"{name}/{self.window.work_order}" if self.window.effect == "out_of_service" else name


def open_at(window: Window, at_ms: int, timezone: str) -> Open | None:
    """Return the window as it is open at an instant; None where it is shut.

    The wall clock decides, also over a change of summer time.
    """
    zone = ZoneInfo(timezone)
    local = datetime.fromtimestamp(at_ms / 1000, zone).replace(tzinfo=None)
    opened = _openings(window.repeats, window.start).before(local, inc=True) if window.repeats else window.start
    if opened is None or not opened <= local < opened + timedelta(hours=window.hours):
        return None
    edges = (opened, opened + timedelta(hours=window.hours))
    start_ms, end_ms = (int(edge.replace(tzinfo=zone).timestamp() * 1000) for edge in edges)
    return Open(window, start_ms, end_ms)


@lru_cache(maxsize=256)
def _openings(repeats: str, start: datetime) -> rrule:
    """The instants at which a recurring window opens, each computed once."""
    return rrulestr(repeats, dtstart=start, cache=True)
