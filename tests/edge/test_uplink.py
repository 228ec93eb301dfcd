"""The window, the lanes and the resending, with a broker and a centre made of plain calls."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.delivery import ack, batch_for, fill, waiting

from edge.errors import LinkDown, SpoolError
from edge.mqtt import Answered
from edge.seal import Sealed
from edge.spool import MemorySpool
from edge.uplink import (
    AHEAD_WINDOWS,
    MAX_BACK_OFF_S,
    PATIENCE_S,
    SPOOL_REST_S,
    STALLED_S,
    Uplink,
    full_jitter_s,
)
from edge.wire import Ack


class Road:
    """A spool, its uplink, and the numbers that went out."""

    def __init__(
        self, *, waiting: int = 0, window: int = 100, backlog_per_s: float = 1e6, spool: MemorySpool | None = None
    ) -> None:
        self.spool = spool or MemorySpool()
        fill(self.spool, waiting)
        self.uplink = Uplink(self.spool, window=window, backlog_per_s=backlog_per_s, now_s=0.0)
        self.sent: list[int] = []

    def seal(self) -> None:
        """One more batch is in the spool."""
        self.spool.append([batch_for(self.spool)])
        self.uplink.offer(self.spool.next_seq - 1)

    def send(self, now_s: float = 0.0, *, slots_taken: int = 0) -> list[int]:
        """Publish all that may go; a message id is the position in `sent`."""
        before = len(self.sent)
        while (batch := self.uplink.next_batch(now_s, slots_taken=slots_taken)) is not None:
            self.uplink.published(len(self.sent), batch.seq, now_s)
            self.sent.append(batch.seq)
        return self.sent[before:]

    def puback(self, seq: int, code: int = 0, now_s: float = 0.0) -> None:
        """The broker answers the last publish of `seq`."""
        mid = max(mid for mid, sent in enumerate(self.sent) if sent == seq)
        self.uplink.answered(Answered(mid, code), now_s)

    def ack(self, upto: int, *also: tuple[int, int], now_s: float = 0.0) -> int:
        """The centre acknowledges."""
        return self.uplink.acknowledged(ack(self.spool, upto, *also), now_s)


def test_after_an_outage_the_newest_goes_first_and_then_the_backlog_oldest_first() -> None:
    assert Road(waiting=5).send() == [4, 0, 1, 2, 3]


def test_what_is_sealed_now_overtakes_the_backlog() -> None:
    road = Road(waiting=4, window=2)
    assert road.send() == [3, 0]
    road.seal()
    road.seal()
    road.puback(3)
    road.puback(0)
    assert road.send() == [5, 4]
    road.puback(5)
    assert road.send() == [1]


def test_the_backlog_is_capped_and_what_is_live_is_not() -> None:
    road = Road(waiting=100, backlog_per_s=2.0)
    assert road.send(0.0) == [99, 0, 1]
    assert road.send(0.4) == []
    road.seal()
    assert road.send(0.4) == [100]
    assert road.send(1.0) == [2, 3]
    assert road.send(60.0) == [4, 5], "no burst after a pause of the link"


def test_the_window_bounds_what_is_under_way_and_a_puback_frees_it() -> None:
    road = Road(waiting=9, window=3)
    assert len(road.send()) == 3
    assert road.send() == []
    road.puback(8)
    assert len(road.send()) == 1


def test_messages_beside_the_batches_count_in_the_window() -> None:
    road = Road(waiting=9, window=3)
    assert len(road.send(slots_taken=2)) == 1


def test_a_puback_forgets_nothing() -> None:
    """Ingest down for 5 s: Mosquitto said success to 1 428 readings that nobody ever got."""
    road = Road(waiting=3)
    for seq in road.send():
        road.puback(seq)
    assert waiting(road.spool) == [0, 1, 2]
    assert road.ack(1) == 2
    assert waiting(road.spool) == [2]


def test_never_more_than_twenty_windows_ahead_of_the_acknowledgement() -> None:
    road = Road(waiting=100, window=2)
    for _ in range(100):
        for seq in road.send():
            road.puback(seq)
    assert len(road.sent) == AHEAD_WINDOWS * 2
    road.ack(4)
    assert len(road.send()) == 2


@pytest.mark.parametrize("code", [0x10, 0x87, 0x97, 0x80])
def test_a_refused_batch_is_put_back_and_tried_alone_after_a_pause(code: int) -> None:
    road = Road(waiting=3, window=10)
    assert road.send(0.0) == [2, 0, 1]
    for seq in (2, 0, 1):
        road.puback(seq, code, now_s=0.0)
    assert road.send(MAX_BACK_OFF_S) == [0], "one batch tries the ice"
    road.puback(0, now_s=MAX_BACK_OFF_S)
    assert road.send(MAX_BACK_OFF_S) == [1, 2]
    assert waiting(road.spool) == [0, 1, 2]


def test_while_it_backs_off_nothing_goes_out() -> None:
    held = 0
    for _ in range(20):
        road = Road(waiting=1)
        road.send(0.0)
        road.puback(0, 0x97, now_s=0.0)
        held += road.send(0.0) == []
    assert held >= 19, "full jitter: only now and then is the pause (almost) nothing"


def test_an_acknowledgement_ends_the_back_off_at_once() -> None:
    """It proves that the centre is back."""
    road = Road(waiting=2)
    road.send(0.0)
    road.puback(1, 0x10, now_s=0.0)
    road.puback(0, 0x10, now_s=0.0)
    road.ack(-1, now_s=0.001)
    assert road.send(0.001) == [0]


def test_without_progress_everything_goes_again_from_the_lowest() -> None:
    road = Road(waiting=3)
    for seq in road.send(0.0):
        road.puback(seq)
    assert road.uplink.send_overdue_again(PATIENCE_S - 0.1) == 0
    assert road.uplink.send_overdue_again(PATIENCE_S) == 3
    assert road.send(PATIENCE_S) == [0, 1, 2]


def test_patience_grows_with_the_usual_delay_of_an_acknowledgement() -> None:
    """A link with a round trip of a second must not send everything twice."""
    road = Road(waiting=0)
    for number in range(100):
        road.seal()
        road.send(float(number))
        road.puback(number, now_s=float(number))
        road.ack(number, now_s=number + 0.9)
    road.seal()
    road.send(100.0)
    road.puback(100, now_s=100.0)
    assert road.uplink.send_overdue_again(102.5) == 0
    assert road.uplink.send_overdue_again(103.0) == 1


def test_patience_doubles_while_nobody_acknowledges() -> None:
    """Ingest is away for hours: the broker's queue must not fill with repeats."""
    road = Road(waiting=1)
    sent_s, gaps = 0.0, []
    for _ in range(6):
        road.send(sent_s)
        road.puback(0, now_s=sent_s)
        due_s = next(sent_s + half / 2 for half in range(1000) if road.uplink.send_overdue_again(sent_s + half / 2))
        gaps.append(due_s - sent_s)
        sent_s = due_s
    assert gaps == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_one_lost_batch_goes_again_while_others_are_acknowledged() -> None:
    road = Road(waiting=3)
    for seq in road.send(0.0):
        road.puback(seq)
    road.ack(-1, (0, 0), (2, 2), now_s=0.1)
    assert road.uplink.send_overdue_again(3.0) == 1
    assert road.send(3.0) == [1]


def test_a_late_acknowledgement_of_what_was_sent_again_is_enough() -> None:
    road = Road(waiting=2)
    for seq in road.send(0.0):
        road.puback(seq)
    road.uplink.send_overdue_again(5.0)
    assert road.ack(1, now_s=5.0) == 2
    assert road.send(5.0) == []


def test_a_batch_that_the_broker_has_not_answered_is_not_sent_a_second_time() -> None:
    """MQTT forbids it on the same connection; a broker silent for long is taken for dead instead."""
    road = Road(waiting=1)
    road.send(0.0)
    assert road.uplink.send_overdue_again(STALLED_S - 1) == 0
    with pytest.raises(LinkDown, match="has not answered a publish"):
        road.uplink.send_overdue_again(STALLED_S + 1)


def test_a_finished_draft_is_sent_though_the_backlog_is_past_it() -> None:
    road = Road(waiting=0)
    road.spool.append([batch_for(road.spool, draft_offset_ms=0)])
    fill(road.spool, 3)
    road.uplink = Uplink(road.spool, window=100, backlog_per_s=1e6, now_s=0.0)
    assert road.send() == [3, 1, 2]
    draft = road.spool.drafts(1)[0]
    road.spool.finish([type(draft)(draft.seq, draft.payload, 1, draft.first_ms, draft.last_ms)])
    road.uplink.offer(0)
    assert road.send() == [0]


def test_an_acknowledgement_of_numbers_never_given_starts_a_new_stream() -> None:
    """The card is an old copy: going on would give the same numbers to new readings, and lose them as repeats."""
    road = Road(waiting=2)
    before = road.spool.stream
    with pytest.raises(LinkDown, match="old copy"):
        road.ack(10)
    assert (road.spool.stream != before, road.spool.next_seq) == (True, 0)
    assert [(gap.first_seq, gap.last_seq, gap.policy) for gap in road.spool.dropped(9)] == [(0, 1, "damaged")]


def test_an_acknowledgement_of_another_stream_moves_nothing() -> None:
    road = Road(waiting=2)
    road.send()
    assert road.uplink.acknowledged(Ack("0" * 32, 99), 0.0) == 0
    assert waiting(road.spool) == [0, 1]


def test_it_asks_to_be_woken_when_something_is_due() -> None:
    road = Road(waiting=9, window=2, backlog_per_s=4.0)
    road.send(0.0)
    assert road.uplink.wait_s(0.0) == 1.0, "the window is full: only an answer changes anything"
    for seq in road.sent[-2:]:
        road.puback(seq)
    road.send(0.0)
    for seq in road.sent[-2:]:
        road.puback(seq)
    road.send(0.0)
    assert 0.0 < road.uplink.wait_s(0.0) <= 0.25


class WornSpool(MemorySpool):
    """A spool on a card that cannot be read until it can again."""

    is_readable = True

    def oldest(self, start: int, end: int) -> Sealed | None:
        if not self.is_readable:
            raise SpoolError("spool.db: disk I/O error")
        return super().oldest(start, end)


def test_a_spool_that_cannot_be_read_is_left_in_peace_for_a_while_and_costs_no_batch() -> None:
    spool = WornSpool()
    road = Road(spool=spool, waiting=3)
    spool.is_readable = False
    with pytest.raises(SpoolError):
        road.send(0.0)
    assert road.uplink.wait_s(0.0) == SPOOL_REST_S, "not at once: the delivery thread would do nothing else"
    spool.is_readable = True
    assert road.send(0.0) == []
    assert road.send(SPOOL_REST_S) == [2, 0, 1], "the newest was not forgotten when it could not be read"


def test_jitter_is_full_and_bounded() -> None:
    pauses = [full_jitter_s(attempt, cap_s=60.0) for attempt in range(1, 1000)]
    assert 0.0 <= min(pauses) < 5.0
    assert 55.0 < max(pauses) <= 60.0


chance = st.integers(0, 99)


@given(
    st.integers(1, 8),
    st.lists(st.tuples(st.sampled_from(["seal", "send", "puback", "refuse", "ack", "wait"]), chance), max_size=120),
)
def test_whatever_broker_and_centre_do_everything_arrives_and_no_bound_breaks(
    window: int, script: list[tuple[str, int]]
) -> None:
    road = Road(waiting=3, window=window)
    under_way: dict[int, int] = {}
    committed: set[int] = set()
    now_s = 0.0

    def send() -> None:
        before = len(road.sent)
        road.send(now_s)
        under_way.update(dict(enumerate(road.sent[before:], before)))

    def answer(which: int, code: int) -> None:
        if under_way:
            mid = sorted(under_way)[which % len(under_way)]
            seq = under_way.pop(mid)
            road.uplink.answered(Answered(mid, code), now_s)
            if code == 0:
                committed.add(seq)

    def acknowledge() -> None:
        road.uplink.acknowledged(ack(road.spool, -1, *[(seq, seq) for seq in sorted(committed)]), now_s)

    steps: dict[str, Callable[[int], None]] = {
        "seal": lambda _: road.seal(),
        "send": lambda _: send(),
        "puback": lambda which: answer(which, 0),
        "refuse": lambda which: answer(which, 0x97),
        "ack": lambda _: acknowledge(),
        "wait": lambda _: None,
    }
    for step, which in script:
        now_s += which / 50
        if step == "wait":
            under_way = {mid: seq for mid, seq in under_way.items() if which % 2}  # answers that come too late
            road.uplink = Uplink(road.spool, window=window, backlog_per_s=1e6, now_s=now_s)
            under_way.clear()
        steps[step](which)
        road.uplink.send_overdue_again(now_s)
        assert len(under_way) <= window
        assert {*waiting(road.spool)} >= set(range(road.spool.next_seq)) - committed, "forgotten without a word"
    for _ in range(400):
        now_s += 1.0
        road.uplink.send_overdue_again(now_s)
        send()
        while under_way:
            answer(0, 0)
        acknowledge()
    assert waiting(road.spool) == []
