"""The store port: where readings and partial sums live, whatever keeps them.

One contract suite (`tests/ingest/test_store_contract.py`) runs against every adapter on the real thing.

StoreError
├── StoreDown         out of reach or overloaded: keep the rows, try again with back-off
├── StoreRefused      bad token, no such bucket, disk full: stop this writer, a person must act
└── RowsRefused       these rows will never be taken: set them aside with their reasons, go on
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import SteppeError

MAX_BUCKETS = 20_000
"""Steps in one answer of `Store.buckets`: ten times what a screen can show."""


class StoreError(SteppeError):
    """The store did not take or give what was asked."""


class StoreDown(StoreError):
    """Out of reach or overloaded; the same call may work later."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        """How long the store itself asked us to wait; None if it did not say. [s]"""


class StoreRefused(StoreError):
    """The store says no for good until a person acts: token, bucket, permission, disk."""


class RowsRefused(StoreError):
    """Some rows will never be taken; all others of the same call are stored."""

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__(f"{len(reasons)} rows refused, the first: {next(iter(reasons.values()))}")
        self.reasons = dict(reasons)
        """Row number in the call → why."""


@dataclass(frozen=True, eq=False)
class Columns:
    """Readings as columns; all arrays have one entry per row."""

    points: tuple[str, ...]
    """Full point names, such as `qingshui-wtp/clearwell.turbidity_ntu`."""
    index: NDArray[np.int32]
    """Per row: which of `points`."""
    t_ms: NDArray[np.int64]
    """Per row: acquisition instant at the edge. [ms since 1970-01-01T00:00Z]"""
    value: NDArray[np.float64]
    """Per row: the value in the unit that ends the point's name; NaN where quality is BAD."""
    quality: NDArray[np.uint8]
    """Per row: `edge.wire.Quality`."""

    def __len__(self) -> int:
        return len(self.t_ms)


@dataclass(frozen=True, eq=False)
class Buckets:
    """A point's readings summed up in equal steps of time; only steps that hold a reading, in time order."""

    start_ms: NDArray[np.int64]
    """First instant of each step. [ms since 1970-01-01T00:00Z]"""
    low: NDArray[np.float64]
    """Smallest value of the step, exactly: no spike is lost; NaN where all its readings are BAD."""
    high: NDArray[np.float64]
    """Largest value of the step, exactly; NaN as `low`."""
    mean: NDArray[np.float64]
    valued: NDArray[np.int64]
    """Readings with a value."""
    bad: NDArray[np.int64]
    """Readings of BAD quality, which have none."""
    worst: NDArray[np.uint8]
    """The worst `edge.wire.Quality` of the step."""

    def __len__(self) -> int:
        return len(self.start_ms)


@dataclass(frozen=True)
class Latest:
    """A point's newest reading."""

    t_ms: int
    value: float
    """NaN where quality is BAD."""
    quality: int


@dataclass(frozen=True)
class Partial:
    """One mergeable partial sum: a number's ingredients for one subject and one local day."""

    kpi: str
    """Which number it belongs to, such as `voltage` or `supply`."""
    subject: str
    """Point, asset or unit it is about."""
    day: str
    """Local day, `YYYY-MM-DD`."""
    sums: Mapping[str, float]
    """Named sums; adding them over days and subjects gives the sums of the whole."""
    computed_ms: int
    """When it was computed. [ms since 1970-01-01T00:00Z]"""


@dataclass(frozen=True)
class StoreHealth:
    """A store that answers. As a text it is one line."""

    product: str
    """Kind and version, such as `SQLite 3.45.1`."""
    place: str
    size_mb: float | None
    """None where the store does not tell. [MB]"""
    points: int

    def __str__(self) -> str:
        size = "" if self.size_mb is None else f"{self.size_mb:.1f} MB, "
        return f"{self.product}, {self.place}, {size}{self.points} points"


class Store(Protocol):
    """Readings by (point, instant), and partial sums by (kpi, subject, day); writing again is safe, the last wins."""

    def append(self, rows: Columns) -> None:
        """Keep `rows`, durable on return. Raises StoreDown, StoreRefused, or RowsRefused (the others are stored)."""

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> Columns:
        """Return the readings with start <= t < end, by point and then by time. Unknown points have none."""

    def stream(self, points: Sequence[str], start_ms: int, end_ms: int) -> Iterator[Columns]:
        """Yield the same readings piece by piece, in bounded memory, in the same order."""

    def buckets(self, point: str, start_ms: int, end_ms: int, step_ms: int) -> Buckets:
        """Return the readings with start <= t < end summed up in steps that count from `start_ms`.

        Raises ValueError for a step that is not positive or for more than `MAX_BUCKETS` steps.
        """

    def latest(self, points: Sequence[str]) -> dict[str, Latest]:
        """Return the newest reading of each point that has one."""

    def points(self) -> list[str]:
        """Return every point that has a reading, sorted."""

    def coverage(self, points: Sequence[str], start_ms: int, end_ms: int, period_ms: int) -> NDArray[np.float64]:
        """Return per point the share of the period's slots that hold a reading that is not BAD. [0..1]"""

    def write_kpi(self, partials: Sequence[Partial]) -> None:
        """Keep `partials`, durable on return; an earlier one of the same (kpi, subject, day) is replaced.

        Raises StoreDown, StoreRefused, or RowsRefused (a sum that is not finite; the others are stored).
        """

    def read_kpi(self, kpi: str, from_day: str, to_day: str, subjects: Sequence[str] | None = None) -> list[Partial]:
        """Return the partial sums with from_day <= day < to_day, by subject and day; all subjects if None."""

    def kpis(self) -> list[str]:
        """Return every kpi of which there are partial sums, sorted."""

    def first_hour_ms(self) -> int | None:
        """Return the start of the oldest reading's hour, None for an empty store. [ms since 1970-01-01T00:00Z]"""

    def pack(self, before_ms: int) -> bool:
        """Make a bounded part of what is older than `before_ms` smaller; return whether there is more. Rows stay."""

    def forget(self, rows: Columns) -> int:
        """Delete the rows that still are exactly these, durable on return; return how many. Changed ones stay.

        Raises StoreRefused where the store cannot promise that; its own retention is then what deletes.
        """

    def health(self) -> StoreHealth:
        """Return what answers, and how much it holds. Raises StoreDown or StoreRefused."""

    def close(self) -> None:
        """Let go of files and connections."""
