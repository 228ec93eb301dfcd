"""Judge what came in: a message that passes is well-formed, within bounds, and from the site its topic names.

The journal needs only the payload as received and the few facts in `Sealed`; the readings go along for a store writer
that keeps up.
"""

from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from edge.wire import PointList, Status, WireError, decode, site_and_leaf
from edge.wire_rules import check_instants
from ingest.batch import BatchRows, ReadBatch, read_batch

Kind = Literal["batch", "status", "points"]
S = TypeVar("S", Status, PointList, ReadBatch)
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
    rows: BatchRows | None = None
    """The readings of a batch; None where they were let go, or there are none."""


def check(topic: str, payload: bytes, *, received_ms: int) -> Checked:
    """Return the message, judged. Raises WireError with the reason a person reads beside the dead letter."""
    site, leaf = site_and_leaf(topic)
    if leaf == "batch":
        batch = _of_site(read_batch(payload), site)
        first_ms, last_ms = int(batch.rows.t_ms.min()), int(batch.rows.t_ms.max())
        check_instants(first_ms, last_ms, received_ms)
        hours = _hours(batch.rows, first_ms // HOUR_MS, last_ms // HOUR_MS)
        sealed = Sealed(batch.stream, batch.seq, batch.boot, hours)
        return Checked("batch", site, received_ms, payload, sealed, batch.rows)
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


def _hours(rows: BatchRows, first_hour: int, last_hour: int) -> tuple[HourCount, ...]:
    bad = np.isnan(rows.value)
    if first_hour == last_hour:
        return (HourCount(first_hour * HOUR_MS, len(rows), int(np.count_nonzero(bad))),)
    hour = rows.t_ms // HOUR_MS - first_hour
    counts, bad_counts = (
        np.bincount(hour).tolist(),
        np.bincount(hour[bad], minlength=last_hour - first_hour + 1).tolist(),
    )
    return tuple(
        HourCount((first_hour + number) * HOUR_MS, count, bad_counts[number])
        for number, count in enumerate(counts)
        if count
    )
