"""Every promise of a spool, asked of each adapter."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from support.delivery import ack, batch_for, fill, waiting

from edge.errors import SpoolError
from edge.seal import restamped
from edge.spool import MemorySpool, Policy, Spool, weight
from edge.spool_sqlite import SqliteSpool
from edge.wire import Ack, DroppedRange

Make = Callable[..., Spool]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """A maker of empty spools with room for `batches` of one row."""

    def new(*, batches: int = 1000, when_full: Policy = "oldest") -> Spool:
        max_bytes = batches * weight(batch_for(MemorySpool())).bytes + 40  # sequence numbers of two digits need room
        if request.param == "memory":
            return MemorySpool(max_bytes=max_bytes, when_full=when_full)
        return SqliteSpool(tmp_path / "spool.db", max_bytes=max_bytes, when_full=when_full)

    return new


def test_batches_come_back_oldest_first_and_unchanged(make: Make) -> None:
    spool = make()
    batches = []
    for _ in range(3):
        batches.append(batch_for(spool))
        spool.append(batches[-1:])
    assert [spool.oldest(seq, 3) for seq in range(3)] == batches
    assert spool.oldest(0, 0) is None


def test_only_an_acknowledgement_makes_a_spool_forget(make: Make) -> None:
    spool = make()
    fill(spool, 8)
    assert spool.forget(ack(spool, 2, (4, 4), (6, 9))) == 3 + 1 + 2
    assert waiting(spool) == [3, 5]
    assert spool.next_seq == 8


def test_the_same_acknowledgement_again_changes_nothing(make: Make) -> None:
    spool = make()
    fill(spool, 3)
    spool.forget(ack(spool, 1))
    assert spool.forget(ack(spool, 1)) == 0
    assert waiting(spool) == [2]


def test_an_acknowledgement_of_another_stream_is_not_for_us(make: Make) -> None:
    spool = make()
    fill(spool, 3)
    assert spool.forget(Ack("0" * 32, 2)) == 0
    assert waiting(spool) == [0, 1, 2]


def test_a_number_is_never_skipped_or_used_twice(make: Make) -> None:
    spool = make()
    first = batch_for(spool)
    spool.append([first])
    with pytest.raises(SpoolError, match="do not continue the stream at 1"):
        spool.append([first])
    assert waiting(spool) == [0]


def test_numbers_go_on_after_everything_is_forgotten(make: Make) -> None:
    spool = make()
    fill(spool, 2)
    spool.forget(ack(spool, 1))
    fill(spool, 1)
    assert waiting(spool) == [2]


def test_depth_tells_batches_bytes_and_age(make: Make) -> None:
    spool = make()
    assert (spool.depth().batches, spool.depth().oldest_ms) == (0, None)
    fill(spool, 3)
    spool.forget(ack(spool, 0))
    oldest = spool.oldest(0, 3)
    assert oldest is not None
    depth = spool.depth()
    assert (depth.batches, depth.oldest_ms) == (2, oldest.first_ms)
    assert depth.bytes == 2 * weight(oldest).bytes


def test_a_draft_is_not_sent_until_it_is_finished(make: Make) -> None:
    spool = make()
    draft = batch_for(spool, draft_offset_ms=0)
    spool.append([draft])
    fill(spool, 1)
    assert waiting(spool) == [1]
    assert spool.drafts(10) == [draft]
    final = restamped(draft, 60_000)
    spool.finish([final])
    assert spool.drafts(10) == []
    assert spool.oldest(0, 2) == final
    assert spool.depth().bytes == sum(weight(each).bytes for each in (final, batch_for(spool)))


def test_full_with_policy_oldest_lets_the_oldest_go_and_says_so(make: Make) -> None:
    spool = make(batches=4, when_full="oldest")
    fill(spool, 7, rows=1)
    assert waiting(spool) == [3, 4, 5, 6]
    (gap,) = spool.dropped(10)
    assert (gap.stream, gap.first_seq, gap.last_seq, gap.readings, gap.policy) == (spool.stream, 0, 2, 3, "oldest")
    assert gap.last_ms - gap.first_ms == 2000


def test_full_with_policy_newest_keeps_what_it_has(make: Make) -> None:
    spool = make(batches=4, when_full="newest")
    fill(spool, 7)
    assert waiting(spool) == [0, 1, 2, 3]
    assert [(gap.first_seq, gap.last_seq) for gap in spool.dropped(10)] == [(4, 6)]
    assert spool.next_seq == 7


def test_full_with_policy_thin_takes_every_second_of_the_older_half(make: Make) -> None:
    spool = make(batches=8, when_full="thin")
    fill(spool, 9)
    assert waiting(spool) == [1, 3, 4, 5, 6, 7, 8]
    assert [(gap.first_seq, gap.last_seq, gap.policy) for gap in spool.dropped(10)] == [(0, 0, "thin"), (2, 2, "thin")]


def test_a_loss_is_reported_until_the_centre_has_taken_note(make: Make) -> None:
    spool = make(batches=2)
    fill(spool, 4)
    spool.forget(ack(spool, 0))
    assert len(spool.dropped(10)) == 1
    spool.forget(ack(spool, 1))
    assert spool.dropped(10) == []


def test_starting_over_reports_what_waited(make: Make) -> None:
    spool = make()
    fill(spool, 3)
    old = spool.stream
    spool.forget(ack(spool, 0))
    spool.start_over("the centre knows numbers that were never given")
    assert (spool.next_seq, waiting(spool)) == (0, [])
    assert spool.stream != old
    assert [(gap.stream, gap.first_seq, gap.last_seq, gap.policy) for gap in spool.dropped(10)] == [
        (old, 1, 2, "damaged")
    ]


class SpoolMachine(RuleBasedStateMachine):
    """Whatever is appended waits until it is acknowledged, or is in a report of loss."""

    make: Callable[[Policy], Spool]

    @initialize(policy=st.sampled_from(["oldest", "thin", "newest"]))
    def begin(self, policy: Policy) -> None:
        self.spool = self.make(policy)
        self.acknowledged: set[int] = set()

    @rule(count=st.integers(1, 4), rows=st.integers(1, 3), draft=st.booleans())
    def append(self, count: int, rows: int, draft: bool) -> None:
        for _ in range(count):
            self.spool.append([batch_for(self.spool, rows=rows, draft_offset_ms=0 if draft else None)])

    @rule()
    def finish(self) -> None:
        self.spool.finish([restamped(draft, 5000) for draft in self.spool.drafts(3)])

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        below = self.spool.next_seq - 1
        upto = data.draw(st.integers(-1, max(below, -1)))
        first = data.draw(st.integers(0, max(below, 0)))
        heard = ack(self.spool, upto, *([(first, below)] if first <= below else []))
        self.spool.forget(heard)
        self.acknowledged |= {seq for seq in range(self.spool.next_seq) if heard.covers(seq)}

    @invariant()
    def every_number_is_accounted_for(self) -> None:
        held = {*waiting(self.spool), *(draft.seq for draft in self.spool.drafts(1000))}
        gaps = [(gap.first_seq, gap.last_seq) for gap in self.spool.dropped(1000)]
        lost = {seq for first, last in gaps for seq in range(first, last + 1)}
        assert held | lost | self.acknowledged == set(range(self.spool.next_seq))
        assert not held & (lost | self.acknowledged)

    @invariant()
    def it_stays_within_its_bound(self) -> None:
        assert self.spool.depth().bytes <= MACHINE_BYTES


MACHINE_BYTES = 3000


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_nothing_is_lost_but_by_reported_policy(kind: Literal["memory", "sqlite"], tmp_path: Path) -> None:
    opened: list[Spool] = []

    def make(policy: Policy) -> Spool:
        while opened:
            opened.pop().close()
        if kind == "memory":
            return MemorySpool(max_bytes=MACHINE_BYTES, when_full=policy)
        path = tmp_path / "spool.db"
        for leftover in tmp_path.iterdir():
            leftover.unlink()
        opened.append(SqliteSpool(path, max_bytes=MACHINE_BYTES, when_full=policy))
        return opened[-1]

    machine = type("Machine", (SpoolMachine,), {"make": staticmethod(make)})
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))
    for spool in opened:
        spool.close()


@given(st.lists(st.integers(0, 60), unique=True), st.lists(st.integers(0, 60), unique=True))
def test_what_two_spools_drop_alike_reads_alike(early: list[int], late: list[int]) -> None:
    """Ranges joined in two goes are the ranges joined in one."""
    from edge.spool import merged

    def one(seq: int) -> DroppedRange:
        return DroppedRange("0" * 32, seq, seq, 1, seq, seq, "thin")

    late = [seq for seq in late if seq not in early]
    assert merged([*merged(map(one, early)), *map(one, late)]) == merged(map(one, [*early, *late]))
