"""Sets of batch numbers as ranges: a stream of a million batches without a gap is one pair of numbers.

A set is a tuple of ranges, both ends included, sorted, with a gap before each next one. Sets never change: each
function returns a new one, so a transaction that fails has nothing to undo.
"""

from bisect import bisect_right
from collections.abc import Iterable

Range = tuple[int, int]
Ranges = tuple[Range, ...]


def union(*sets: Iterable[Range]) -> Ranges:
    """Return the numbers that are in any of `sets`; here a set may also overlap itself and be out of order."""
    merged: list[Range] = []
    for first, last in sorted(one for ranges in sets for one in ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def add(ranges: Ranges, number: int) -> Ranges:
    """Return the set with `number` in it; quick where it follows the highest."""
    if ranges and number == ranges[-1][1] + 1:
        return (*ranges[:-1], (ranges[-1][0], number))
    return ranges if holds(ranges, number) else union(ranges, [(number, number)])


def holds(ranges: Ranges, number: int) -> bool:
    """Whether `number` is in the set."""
    at = bisect_right(ranges, number, key=_first) - 1
    return at >= 0 and number <= ranges[at][1]


def missing(ranges: Ranges, upto: int) -> Ranges:
    """Return the numbers from 0 to `upto` that are not in the set."""
    gaps: list[Range] = []
    expected = 0
    for first, last in ranges:
        if first > upto:
            break
        if first > expected:
            gaps.append((expected, first - 1))
        expected = last + 1
    if expected <= upto:
        gaps.append((expected, upto))
    return tuple(gaps)


def count(ranges: Iterable[Range]) -> int:
    """Return how many numbers the set holds."""
    return sum(last - first + 1 for first, last in ranges)


def _first(one: Range) -> int:
    return one[0]
