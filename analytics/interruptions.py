"""From interruption records to interruptions: merged per unit, with every hour claimed by one record.

Records nest (a feeder's outage holds its transformer's) and touch (planned work that ends in a fault). Merging makes
*blocks*, what the customer lived through, which decide counts and classes; each block's time is cut into *pieces*,
each claimed by one record, which decide hours by nature and cause.
"""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.intervals import Ms, group_touching, interval_columns
from analytics.reliability import MS_PER_HOUR, Nature, Real

Mask = NDArray[np.bool_]

NO_UNIT = -1
"""The unit of an aggregated event: so many customers, names unknown."""
ALWAYS_FROM_MS, ALWAYS_TO_MS = -(2**62), 2**62


@dataclass(frozen=True)
class Ledger:
    """Interruption records as columns of shape (n,)."""

    unit: Ms
    """Number of the unit, 0 or more, or `NO_UNIT`."""
    customers: Real
    start_ms: Ms
    end_ms: Ms
    nature: NDArray[np.int8]
    external: Mask
    """Caused outside the own network."""
    shortage: Mask
    """Limiting because generation is short."""
    share_off: Real
    """Share of normal demand not served, 1 for a full interruption."""

    def __len__(self) -> int:
        return len(self.unit)

    def where(self, rows: Mask | Ms) -> Self:
        """The records picked by a mask or by index."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))


@dataclass(frozen=True)
class Blocks:
    """Merged interruptions as columns of shape (b,), by unit and start."""

    unit: Ms
    customers: Real
    start_ms: Ms
    end_ms: Ms
    nature: NDArray[np.int8]
    in_service: Mask
    """The block starts while its unit is in service."""

    def starting_in(self, start_ms: int, end_ms: int) -> Mask:
        """Blocks that count in a period: those that start in it (R3)."""
        return (self.start_ms >= start_ms) & (self.start_ms < end_ms) & self.in_service

    @property
    def seconds(self) -> Real:
        """Unclipped duration, which decides short or long (R2). [s]"""
        return (self.end_ms - self.start_ms) / 1000.0


@dataclass(frozen=True)
class Pieces:
    """The time of the blocks as columns of shape (p,), each piece claimed by one record."""

    block: Ms
    """Index into the blocks."""
    record: Ms
    """Index into the ledger, of the record that claims the piece."""
    customers: Real
    start_ms: Ms
    end_ms: Ms
    nature: NDArray[np.int8]
    external: Mask
    shortage: Mask
    share_off: Real

    def customer_hours(self, start_ms: int = ALWAYS_FROM_MS, end_ms: int = ALWAYS_TO_MS) -> Real:
        """Equivalent customer-hours of each piece within a period. [customer-hours]"""
        inside = np.minimum(self.end_ms, end_ms) - np.maximum(self.start_ms, start_ms)
        return np.asarray(np.clip(inside, 0, None) / MS_PER_HOUR * self.customers * self.share_off)


@dataclass(frozen=True)
class Merged:
    """A ledger after R1: what customers lived through, and whose time it was."""

    blocks: Blocks
    pieces: Pieces


def ledger_columns(
    unit: ArrayLike,
    start_ms: ArrayLike,
    end_ms: ArrayLike,
    *,
    customers: ArrayLike = 1.0,
    nature: ArrayLike = Nature.FAULT,
    external: ArrayLike = False,
    shortage: ArrayLike = False,
    share_off: ArrayLike = 1.0,
) -> Ledger:
    """Return a checked `Ledger` from columns and scalars.

    Parameters
    ----------
    unit : array_like of int, shape (n,)
        Unit of each record; `NO_UNIT` for an aggregated event.
    start_ms, end_ms : array_like of int, shape (n,)
        Half-open intervals. [ms since 1970-01-01T00:00Z]
    customers : array_like, shape (n,) or scalar
        Customers of each record. [customers]
    nature : array_like of Nature, shape (n,) or scalar
        Fault, limit or planned.
    external, shortage : array_like of bool, shape (n,) or scalar
        Caused outside the own network; limiting for want of generation.
    share_off : array_like, shape (n,) or scalar
        Share of normal demand not served, 0…1.

    Returns
    -------
    Ledger
        Columns of shape (n,).

    Raises
    ------
    ValueError
        If columns differ in length, an interval does not end after it starts (R8), customers are negative or
        a share lies outside 0…1.

    Examples
    --------
    >>> len(ledger_columns([0, 1], [0, 0], [60_000, 120_000], customers=[120, 80]))
    2
    """
    units, start, end = interval_columns(unit, start_ms, end_ms)
    count, share = (np.broadcast_to(np.asarray(c, np.float64), units.shape) for c in (customers, share_off))
    if not ((count >= 0).all() and (share >= 0).all() and (share <= 1).all()):
        raise ValueError("customers must not be negative or NaN, and share_off must lie in 0…1")
    foreign, short_of_power = (np.broadcast_to(np.asarray(c, np.bool_), units.shape) for c in (external, shortage))
    natures = np.broadcast_to(np.asarray(nature, np.int8), units.shape)
    return Ledger(units, count, start, end, natures, foreign, short_of_power, share)


def merge_ledger(
    ledger: Ledger, *, merge_gap_s: float = 0.0, service_from_ms: Ms | None = None, service_to_ms: Ms | None = None
) -> Merged:
    """Merge a ledger per unit, and share out the time of each block among its records (R1, R7, R11).

    Parameters
    ----------
    ledger : Ledger
        Of n records; aggregated events are never merged with one another (R6).
    merge_gap_s : float
        Interruptions of one unit closer than this are one block; the time between them is not out (R7). [s]
    service_from_ms, service_to_ms : ndarray of int64, shape (units,), optional
        When each unit came into service and left it. Time outside is dropped. [ms since 1970-01-01T00:00Z]

    Returns
    -------
    Merged
        Blocks and pieces.

    Notes
    -----
    Where records of a unit overlap, the time goes to the one with the largest share off, then by nature
    FAULT > LIMIT > PLANNED, whatever the order of the records. A block has the nature of its first record.

    Examples
    --------
    A fault in the second hour of three planned ones:

    >>> hour = 3_600_000
    >>> work = ledger_columns([0, 0], [0, hour], [3 * hour, 2 * hour], nature=[Nature.PLANNED, Nature.FAULT])
    >>> merged = merge_ledger(work)
    >>> len(merged.blocks.unit), merged.pieces.nature.tolist(), merged.pieces.customer_hours().tolist()
    (1, [2, 0, 2], [1.0, 1.0, 1.0])

    References
    ----------
    .. [1] DL/T 836, "Reliability evaluation rules of power supply system".
    """
    rows = np.arange(len(ledger))
    units = np.where(ledger.unit == NO_UNIT, -1 - rows, ledger.unit)
    order, first = group_touching(units, ledger.start_ms, ledger.end_ms, round(merge_gap_s * 1000))
    block = np.cumsum(first) - 1
    heads = np.flatnonzero(first)
    alone = np.diff(np.append(heads, len(order))) == 1
    shared = ~alone[block]
    lead = order[heads]
    lead[~alone] = _first_records(ledger, order[shared], block[shared])
    pieces = _joined(
        _pieces_of(ledger, order[~shared], block[~shared]), _claimed_pieces(ledger, order[shared], block[shared])
    )
    blocks = Blocks(
        ledger.unit[lead],
        np.maximum.reduceat(ledger.customers[order], heads) if len(heads) else ledger.customers,
        ledger.start_ms[lead],
        np.maximum.reduceat(ledger.end_ms[order], heads) if len(heads) else ledger.end_ms,
        ledger.nature[lead],
        np.ones(len(heads), dtype=np.bool_),
    )
    merged = Merged(blocks, pieces)
    if service_from_ms is None or service_to_ms is None or not len(service_from_ms):
        return merged
    return _within_service(merged, service_from_ms, service_to_ms)


def _claim_rank(ledger: Ledger, rows: Ms) -> Ms:
    """Rank of each of `rows` in the order in which they claim time: 0 claims first."""
    part = ledger.where(rows)
    keys = (part.end_ms, part.start_ms, -part.customers, part.shortage, part.external, part.nature, -part.share_off)
    rank = np.empty(len(rows), dtype=np.int64)
    rank[np.lexsort(keys)] = np.arange(len(rows))
    return rank


def _first_records(ledger: Ledger, rows: Ms, block: Ms) -> Ms:
    """The record that opens each block: the earliest, and among equals the one that claims first."""
    order = np.lexsort((_claim_rank(ledger, rows), ledger.start_ms[rows], block))
    opens: Mask = np.diff(block[order], prepend=-1) != 0
    return np.asarray(rows[order][opens])


def _claimed_pieces(ledger: Ledger, rows: Ms, block: Ms) -> Pieces:
    """Cut blocks of several records at every start and end, and give each cut to the record that claims it.

    Each record is written over the cuts it covers; the smallest rank stays.
    """
    n, rank = len(rows), _claim_rank(ledger, rows)
    time, owner = np.concatenate([ledger.start_ms[rows], ledger.end_ms[rows]]), np.concatenate([block, block])
    order = np.lexsort((time, owner))
    new = (np.diff(time[order], prepend=-1) != 0) | (np.diff(owner[order], prepend=-1) != 0)
    edge = np.empty(2 * n, dtype=np.int64)
    edge[order] = np.cumsum(new) - 1
    covers = edge[n:] - edge[:n]
    record = np.repeat(np.arange(n), covers)
    cut = np.arange(len(record)) - np.repeat(np.cumsum(covers) - covers, covers) + edge[:n][record]
    winner, customers = np.full(int(new.sum()), n), np.zeros(int(new.sum()))
    np.minimum.at(winner, cut, rank[record])
    np.maximum.at(customers, cut, ledger.customers[rows][record])
    used = np.flatnonzero(winner < n)
    at = time[order][new]
    claimed = np.argsort(rank)[winner[used]]
    return replace(
        _pieces_of(ledger, rows[claimed], block[claimed]),
        customers=customers[used],
        start_ms=at[used],
        end_ms=at[np.minimum(used + 1, len(at) - 1)],
    )


def _pieces_of(ledger: Ledger, rows: Ms, block: Ms) -> Pieces:
    """One piece per record."""
    part = ledger.where(rows)
    return Pieces(
        block,
        rows,
        part.customers,
        part.start_ms,
        part.end_ms,
        part.nature,
        part.external,
        part.shortage,
        part.share_off,
    )


def _joined(a: Pieces, b: Pieces) -> Pieces:
    return Pieces(*(np.concatenate([getattr(a, f.name), getattr(b, f.name)]) for f in fields(Pieces)))


def _within_service(merged: Merged, from_ms: Ms, to_ms: Ms) -> Merged:
    """Cut pieces to the service of their unit; blocks keep their unclipped times, which decide their class."""
    blocks, pieces = merged.blocks, merged.pieces
    known = blocks.unit != NO_UNIT
    begin = np.where(known, from_ms[blocks.unit], ALWAYS_FROM_MS)
    end = np.where(known, to_ms[blocks.unit], ALWAYS_TO_MS)
    starts_inside = (blocks.start_ms >= begin) & (blocks.start_ms < end)
    start, stop = np.maximum(pieces.start_ms, begin[pieces.block]), np.minimum(pieces.end_ms, end[pieces.block])
    return Merged(
        replace(blocks, in_service=starts_inside),
        replace(pieces, start_ms=start, end_ms=np.maximum(start, stop)),
    )
