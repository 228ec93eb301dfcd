"""Interruptions of a region by what was cut off: what used up the allowance, and what RS-2 and RS-3 leave out.

Readings tell where a supply was cut and whether it had been announced, not why. What a person found out stands in the
judgements.
"""

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analytics.kpi.database import InterruptionRow
from ingest.register import Register

MS_PER_H = 3_600_000


class Cause(enum.StrEnum):
    """Where and how a supply was cut."""

    PLANNED = "planned"
    LIMIT = "limit"
    UPSTREAM = "upstream"
    """At what stands at the top of the register, such as a substation: outside the 10 kV network (DL/T 836)."""
    FEEDER = "feeder"
    TRANSFORMER = "transformer"
    BEYOND = "beyond"
    """Below the transformer."""


@dataclass(frozen=True)
class CauseShare:
    """What one cause came to in a period."""

    cause: Cause
    events: int
    """Assets cut off, each time counted once."""
    interruptions: int
    """Interruptions of units that began in the period."""
    transformer_h: float
    """Outage of transformers, the customers of the 10 kV level. [h]"""
    transformer_error_h: float
    """By which their starts and ends are uncertain. [h]"""
    customer_h: float
    """Outage of low-voltage customers. [customer-hours]"""
    customer_error_h: float


def cause_of(row: InterruptionRow, register: Register) -> Cause:
    """Return where and how the supply of an interruption was cut."""
    if row.nature in (Cause.PLANNED, Cause.LIMIT):
        return Cause(row.nature)
    stays = register.assets.get(row.event_asset, ())
    if not stays or stays[-1].parent is None or stays[-1].kind == "substation":
        return Cause.UPSTREAM
    return {"feeder": Cause.FEEDER, "transformer": Cause.TRANSFORMER}.get(stays[-1].kind, Cause.BEYOND)


def by_cause(rows: Iterable[InterruptionRow], register: Register, start_ms: int, end_ms: int) -> list[CauseShare]:
    """Return what each cause came to between two instants, the longest outage first; rows are clipped to it."""
    groups: dict[Cause, list[InterruptionRow]] = defaultdict(list)
    for row in rows:
        if _clipped_ms(row, start_ms, end_ms) > 0:
            groups[cause_of(row, register)].append(row)
    shares = [_share(cause, group, register, start_ms, end_ms) for cause, group in groups.items()]
    return sorted(shares, key=lambda share: (-share.transformer_h, -share.customer_h, share.cause))


def hours_by_unit(
    rows: Iterable[InterruptionRow], causes: Iterable[Cause], register: Register, start_ms: int, end_ms: int
) -> Mapping[str, float]:
    """Return asset → its outage by some causes between two instants, as RS-2 and RS-3 leave it out. [h]"""
    wanted, hours = frozenset(causes), defaultdict[str, float](float)
    for row in rows:
        if cause_of(row, register) in wanted:
            hours[row.asset] += _clipped_ms(row, start_ms, end_ms) / MS_PER_H
    return dict(hours)


def _share(cause: Cause, rows: Sequence[InterruptionRow], register: Register, start_ms: int, end_ms: int) -> CauseShare:
    hours = [_clipped_ms(row, start_ms, end_ms) / MS_PER_H for row in rows]
    errors = [(row.start_error_ms + row.end_error_ms) / MS_PER_H for row in rows]
    is_transformer = [register.assets[row.asset][-1].kind == "transformer" for row in rows]
    customers = [row.customers for row in rows]
    return CauseShare(
        cause,
        events=len({(row.event_asset, row.start_ms // MS_PER_H) for row in rows}),
        interruptions=sum(start_ms <= row.start_ms < end_ms for row in rows),
        transformer_h=sum(h for h, counts in zip(hours, is_transformer, strict=True) if counts),
        transformer_error_h=sum(e for e, counts in zip(errors, is_transformer, strict=True) if counts),
        customer_h=sum(h * n for h, n in zip(hours, customers, strict=True)),
        customer_error_h=sum(e * n for e, n in zip(errors, customers, strict=True)),
    )


def _clipped_ms(row: InterruptionRow, start_ms: int, end_ms: int) -> int:
    return max(min(row.end_ms, end_ms) - max(row.start_ms, start_ms), 0)
