"""From readings to conditions: each reading meets the rules of its point, all points at once.

Two memories are kept. What is live drives the alarms; what comes late, from a gateway that was cut off, is judged in a
memory of its own and only writes history: it never wakes anybody.
"""

import io
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analytics.alarms import chatter
from analytics.alarms.conditions import Changes, Memory, advance
from analytics.alarms.watch import Watch
from edge.wire import Quality
from ingest.store import Columns

LIVE_MS = 15 * 60_000
"""A reading that arrives later than this after it was sampled is history. [ms]"""
AHEAD_MS = 60_000
"""A site's clock may be ahead of the centre's by this much before its readings are moved back. [ms]"""


@dataclass(frozen=True)
class Turn:
    """One condition that changed."""

    rule: int
    rose: bool
    at_ms: int
    """Instant of the reading that decided it. [ms since 1970-01-01T00:00Z]"""
    since_ms: int
    """When the condition began, before its delay. [ms since 1970-01-01T00:00Z]"""
    value: float


@dataclass(eq=False)
class Evaluation:
    """The conditions of one watch, as the readings so far have left them."""

    watch: Watch
    live: Memory = field(init=False)
    late: Memory = field(init=False)

    def __post_init__(self) -> None:
        self.live = Memory.blank(len(self.watch.rules))
        self.late = Memory.blank(len(self.watch.rules))

    def take(self, rows: Columns, received_ms: int) -> tuple[list[Turn], list[Turn]]:
        """Take the readings of one batch; return the live changes and the late ones."""
        rule, row = self._rules_of_rows(rows)
        t_ms = instants_ms(rows, received_ms)[row]
        value = np.where(self.watch.of_answers[rule], _unanswered(rows)[row], rows.value[row])
        is_live = received_ms - t_ms <= LIVE_MS
        return (
            self._advance(self.live, rule[is_live], t_ms[is_live], value[is_live]),
            self._advance(self.late, rule[~is_live], t_ms[~is_live], value[~is_live]),
        )

    def snapshot(self) -> bytes:
        """Return both memories as bytes, for `restore`."""
        file = io.BytesIO()
        arrays = {
            f"{name}_{key}": array for name in ("live", "late") for key, array in vars(getattr(self, name)).items()
        }
        np.savez_compressed(file, marks=self.watch.marks, **arrays)
        return file.getvalue()

    def restore(self, snapshot: bytes) -> bool:
        """Take what a snapshot remembers of the rules that are still the same; others begin afresh.

        Return whether it was readable; nothing is taken from one of another version.
        """
        with np.load(io.BytesIO(snapshot), allow_pickle=False) as arrays:
            keys = vars(Memory.blank(0))
            if not {"marks", *(f"{name}_{key}" for name in ("live", "late") for key in keys)} <= set(arrays.files):
                return False
            _, here, there = np.intersect1d(self.watch.marks, arrays["marks"], return_indices=True)
            for name in ("live", "late"):
                for key in keys:
                    getattr(getattr(self, name), key)[here] = arrays[f"{name}_{key}"][there]
        return True

    def _rules_of_rows(self, rows: Columns) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (rule, row) pairs in the order of the rows; a row of an unwatched point has none."""
        none = np.empty(0, np.int64)
        of_point = [self.watch.rules_of.get(point, none) for point in rows.points]
        count = np.array([len(rules) for rules in of_point], np.int64)
        per_row = count[rows.index]
        row = np.repeat(np.arange(len(rows), dtype=np.int64), per_row)
        first = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.int64) if len(count) else none
        within = np.arange(len(row), dtype=np.int64) - np.repeat(np.cumsum(per_row) - per_row, per_row)
        flat = np.concatenate(of_point) if of_point else none
        return flat[first[rows.index[row]] + within] if len(row) else none, row

    def _advance(
        self, memory: Memory, rule: NDArray[np.int64], t_ms: NDArray[np.int64], value: NDArray[np.float64]
    ) -> list[Turn]:
        """Take the readings wave by wave: the first of each rule, then the second, each rule's in time order."""
        order = np.lexsort((t_ms, rule))
        rule, t_ms, value = rule[order], t_ms[order], value[order]
        turns: list[Turn] = []
        for wave in _waves(rule):
            changes = advance(self.watch.rules, memory, rule[wave], t_ms[wave], value[wave])
            chatter.damp(self.watch.rules, memory, changes)
            chatter.relax(memory, rule[wave])
            turns += _turns(changes)
        return sorted(turns, key=lambda turn: (turn.at_ms, turn.rule))


def instants_ms(rows: Columns, received_ms: int) -> NDArray[np.int64]:
    """Return when each reading of one batch was taken, shape (rows,). [ms since 1970-01-01T00:00Z]

    Readings from the future are moved back together so that the newest was read as it arrived: a site whose clock
    is set back later must not be deaf until that clock has caught up.
    """
    ahead_ms = int(rows.t_ms.max()) - received_ms if len(rows) else 0
    return rows.t_ms - (ahead_ms if ahead_ms > AHEAD_MS else 0)


def _unanswered(rows: Columns) -> NDArray[np.float64]:
    """1 where the device did not answer, 0 where it did."""
    return np.asarray(rows.quality == Quality.BAD_NO_ANSWER, np.float64)


def _waves(rule: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Split sorted rule numbers into rows that hold no rule twice, keeping each rule's order."""
    if len(rule) == 0:
        return []
    starts = np.flatnonzero(np.concatenate([[True], rule[1:] != rule[:-1]]))
    lengths = np.diff(np.concatenate([starts, [len(rule)]]))
    return [starts[lengths > wave] + wave for wave in range(int(lengths.max()))]


def _turns(changes: Changes) -> list[Turn]:
    columns = (changes.rule, changes.rose, changes.at_ms, changes.since_ms, changes.value)
    return [Turn(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
