"""Who is on duty: weekly rotations with overrides, the hours nobody covers, and the steps of an escalation."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

WEEK_MS = 7 * 24 * 3600 * 1000


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Someone who can be told."""

    name: Annotated[str, Meta(min_length=1)]
    """As rotas, chains and `manager` name them."""
    channels: Annotated[list[str], Meta(min_length=1)]
    """Names of channels in the order of trying: messenger, SMS, voice."""
    phone: str = ""
    """For SMS, for a mention by robots, and to know whose SMS came back."""
    email: str = ""
    """For mail."""
    language: Literal["zh", "en"] = "zh"
    """Of the notices."""


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody stands in from `start` to `end`; an empty `person` leaves the hours to nobody."""

    start: datetime
    """Local time of the rota."""
    end: datetime
    """First local time at which the rota counts again."""
    person: str = ""
    """Who stands in."""

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError("an override ends after it starts")


class Rota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A weekly rotation: each person of `order` has the duty for a week in turn."""

    name: Annotated[str, Meta(min_length=1)]
    """As steps of the chains name it."""
    first_handover: datetime
    """Local time at which the first of `order` takes over; hand-overs follow weekly at that local hour."""
    order: Annotated[list[str], Meta(min_length=1)]
    """Names of people, one week each, again and again."""
    overrides: list[Override] = []


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of an escalation: whom to tell, how long after the onset."""

    after_min: Annotated[float, Meta(ge=0)]
    """Time since the onset, if nobody has acknowledged by then. [min]"""
    rota: str = ""
    """Whoever has this duty then; or a fixed `person`."""
    person: str = ""
    """Somebody fixed, instead of a `rota`."""

    def __post_init__(self) -> None:
        if bool(self.rota) == bool(self.person):
            raise ValueError("a step names a rota or a person, one of the two")


@dataclass(frozen=True)
class Gap:
    """Hours in which nobody has a duty."""

    rota: str
    start_ms: int
    end_ms: int


def on_duty(rota: Rota, at_ms: int, timezone: str) -> str | None:
    """Return who has the duty at an instant; None if nobody has.

    The last override that covers the instant counts. Before the first hand-over nobody has the duty.
    """
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timezone)).replace(tzinfo=None)
    for override in reversed(rota.overrides):
        if override.start <= local < override.end:
            return override.person or None
    if local < rota.first_handover:
        return None
    weeks = (local - rota.first_handover) // timedelta(weeks=1)
    return rota.order[weeks % len(rota.order)]


def gaps(rota: Rota, start_ms: int, end_ms: int, timezone: str, known: Sequence[str]) -> list[Gap]:
    """Return the stretches of [start, end) in which nobody, or nobody `known`, has the duty."""
    edges = sorted({start_ms, end_ms, *_changes(rota, start_ms, end_ms, timezone)})
    found: list[Gap] = []
    for first, last in itertools.pairwise(edges):
        if on_duty(rota, first, timezone) in known:
            continue
        if found and found[-1].end_ms == first:
            found[-1] = Gap(rota.name, found[-1].start_ms, last)
        else:
            found.append(Gap(rota.name, first, last))
    return found


def _changes(rota: Rota, start_ms: int, end_ms: int, timezone: str) -> list[int]:
    """The instants within (start, end) at which the duty may change hands."""
    zone = ZoneInfo(timezone)
    locals_ = [edge for override in rota.overrides for edge in (override.start, override.end)]
    weeks = (end_ms - start_ms) // WEEK_MS + 2
    began = datetime.fromtimestamp(start_ms / 1000, zone).replace(tzinfo=None)
    first = max((began - rota.first_handover) // timedelta(weeks=1), 0)
    locals_ += [rota.first_handover + timedelta(weeks=first + week) for week in range(weeks + 1)]
    instants = [int(local.replace(tzinfo=zone).timestamp() * 1000) for local in locals_]
    return [instant for instant in instants if start_ms < instant < end_ms]
