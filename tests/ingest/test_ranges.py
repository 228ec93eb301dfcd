"""Sets of batch numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.ranges import add, count, holds, missing, union

numbers = st.sets(st.integers(0, 60))


def ranges_of(members):
    return union([(number, number) for number in members])


def test_neighbours_join_and_a_gap_stays():
    """0 to 2 and 4 arrive in any order: two ranges, and 3 is missing."""
    assert ranges_of([4, 1, 0, 2]) == ((0, 2), (4, 4))
    assert missing(((0, 2), (4, 4)), 6) == ((3, 3), (5, 6))


@given(numbers, numbers)
def test_union_holds_what_either_set_holds(left, right):
    """Also: sorted, disjoint, and with a gap between ranges."""
    both = union(ranges_of(left), ranges_of(right))
    assert {number for number in range(70) if holds(both, number)} == left | right
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(both))
    assert count(both) == len(left | right)


@given(numbers, st.integers(0, 60))
def test_adding_a_number_adds_just_that_number(members, number):
    assert add(ranges_of(members), number) == ranges_of(members | {number})


@given(numbers, st.integers(-1, 65))
def test_missing_is_what_the_set_does_not_hold(members, upto):
    assert set(_members(missing(ranges_of(members), upto))) == set(range(upto + 1)) - members


def _members(ranges):
    return [number for first, last in ranges for number in range(first, last + 1)]
