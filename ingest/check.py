"""Judge what came in: a message that passes is well-formed, within bounds, and from the site its topic names.

The decoded columns are not kept: a group of 500 messages may hold ten million readings, and the journal needs only
the payload as received and the few facts in `Sealed`.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeVar

from edge.wire import Batch, PointList, Status, WireError, check_batch, decode, site_and_leaf

Kind = Literal["batch", "status", "points"]
S = TypeVar("S", Status, PointList)
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class HourCount:
    """How many readings were sampled within one hour."""

    hour_ms: int
    """Begin of the hour. [ms since 1970-01-01T00:00Z]"""
    readings: int
    """Rows, with a value or without."""
    bad: int
    """Rows without a value: the instrument did not answer."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the centre must know of a batch to keep it once: its key, and what to count."""

    stream: str
    seq: int
    boot: str
    hours: tuple[HourCount, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """A message that may be kept, with its payload exactly as received."""

    kind: Kind
    site: str
    received_ms: int
    """By the centre's clock. [ms since 1970-01-01T00:00Z]"""
    payload: bytes
    said: Sealed | Status | PointList


def check(topic: str, payload: bytes, *, received_ms: int) -> Checked:
    """Return the message, judged. Raises WireError with the reason a person reads beside the dead letter."""
    site, leaf = site_and_leaf(topic)
    if leaf == "batch":
        batch = decode(payload, Batch)
        first_ms, last_ms = check_batch(batch, site=site, received_ms=received_ms)
        hours = _hours(batch, first_ms // HOUR_MS, last_ms // HOUR_MS)
        sealed = Sealed(batch.stream, batch.seq, batch.boot, hours)
        return Checked("batch", site, received_ms, payload, sealed)
    if leaf == "status":
        return Checked("status", site, received_ms, payload, _of_site(decode(payload, Status), site))
    if leaf == "points":
        return Checked("points", site, received_ms, payload, _distinct(_of_site(decode(payload, PointList), site)))
    raise WireError(f"topic {topic[:80]!r}: a site sends batch, status and points")


def _of_site(message: S, site: str) -> S:
    if message.site != site:
        raise WireError(f"message of site {message.site!r} came on the topic of {site!r}")
    return message


def _distinct(announced: PointList) -> PointList:
    if len({point.name for point in announced.points}) != len(announced.points):
        raise WireError("the point list repeats a name")
    return announced


def _hours(batch: Batch, first_hour: int, last_hour: int) -> tuple[HourCount, ...]:
    if first_hour == last_hour:
        return (HourCount(first_hour * HOUR_MS, len(batch.x), batch.x.count(None)),)
    hour_of_row = [(batch.t0 + dt) // HOUR_MS for dt in batch.dt]
    bad = Counter(hour for hour, value in zip(hour_of_row, batch.x, strict=True) if value is None)
    return tuple(HourCount(hour * HOUR_MS, rows, bad[hour]) for hour, rows in sorted(Counter(hour_of_row).items()))
