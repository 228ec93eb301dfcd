"""The delivery thread against a broker that says what the test wants: each answer, and none."""

import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from support.delivery import NOON_MS, HandClock, ack, fill, reading, waiting
from support.gateway import POINTS, Gateway, make_site, rows
from support.scripted_broker import DISCONNECT, Peer, Publish, ScriptedBroker
from support.servers import wait_until

from edge.clock import RealClock, VirtualClock
from edge.errors import SpoolError
from edge.seal import MAX_PENDING, Sealed
from edge.spool import MemorySpool, Spool
from edge.timesync import ClockState
from edge.wire import Ack, Batch, PointList, Quality, Reading, Status, decode, encode


@pytest.fixture
def broker() -> Iterator[ScriptedBroker]:
    with ScriptedBroker() as running:
        yield running


def batch(publish: Publish) -> Batch:
    return decode(publish.payload, Batch)


def status(publish: Publish) -> Status:
    assert (publish.leaf, publish.retain) == ("status", True)
    return decode(publish.payload, Status)


def take_batch(peer: Peer, code: int = 0) -> Batch:
    """Read the next batch and answer it."""
    publish = peer.read_batch()
    peer.puback(publish.mid, code)
    return batch(publish)


def commit(peer: Peer, spool: Spool, upto: int) -> None:
    """Be the centre: everything up to `upto` is held."""
    peer.publish("steppe/v1/w1/ack", encode(ack(spool, upto)), retain=True)


def empties(spool: Spool) -> None:
    wait_until(lambda: spool.depth().batches == 0, 5, "the spool is empty")


def test_a_site_introduces_itself_with_its_points_and_its_birth(broker: ScriptedBroker) -> None:
    with Gateway(make_site(broker.url), MemorySpool()):
        peer = broker.accept()
        assert (peer.hello.client_id, peer.hello.clean_start) == ("steppe-w1", True)
        assert peer.hello.will_topic == "steppe/v1/w1/status"
        points = peer.read_publish()
        assert (points.leaf, points.retain) == ("points", True)
        assert decode(points.payload, PointList).points == list(POINTS)
        birth = status(peer.read_publish())
        assert (birth.online, birth.next_seq, birth.clock, birth.dropped) == (True, 0, "synced", [])


def test_readings_go_out_sealed_and_stay_until_the_centre_acknowledges(broker: ScriptedBroker) -> None:
    spool = MemorySpool()
    with Gateway(make_site(broker.url), spool) as gateway:
        peer = broker.accept()
        gateway.emit([reading(1), reading(2)])
        assert rows(take_batch(peer)) == [reading(1), reading(2)]
        assert waiting(spool) == [0]
        commit(peer, spool, 0)
        empties(spool)


def test_with_a_receive_maximum_of_one_there_is_one_message_under_way(broker: ScriptedBroker) -> None:
    spool = MemorySpool()
    fill(spool, 3)
    with Gateway(make_site(broker.url, window=200), spool):
        peer = broker.accept(receive_maximum=1)
        leaves = []
        for _ in range(5):
            publish = peer.read_publish()
            assert peer.sends_nothing_for(0.1), "the answer to the first is still owed"
            peer.puback(publish.mid)
            leaves.append(publish.leaf)
        assert leaves == ["points", "status", "batch", "batch", "batch"]


def test_a_batch_that_the_broker_refuses_is_sent_again(broker: ScriptedBroker) -> None:
    """0x87: the access list was wrong for a moment. Nothing is lost, nothing is hurried."""
    spool = MemorySpool()
    fill(spool, 1)
    with Gateway(make_site(broker.url), spool):
        peer = broker.accept()
        assert take_batch(peer, 0x87) == take_batch(peer, 0x97) == take_batch(peer, 0x10) == take_batch(peer)
        commit(peer, spool, 0)
        empties(spool)


def test_without_an_acknowledgement_the_same_batches_go_again_from_the_lowest(broker: ScriptedBroker) -> None:
    spool = MemorySpool()
    fill(spool, 3)
    with Gateway(make_site(broker.url), spool):
        peer = broker.accept()
        assert [take_batch(peer).seq for _ in range(3)] == [2, 0, 1]
        begin_s = time.monotonic()
        assert [take_batch(peer).seq for _ in range(3)] == [0, 1, 2]
        assert time.monotonic() - begin_s > 1.5
        commit(peer, spool, 2)
        empties(spool)


def test_a_late_acknowledgement_comes_in_time(broker: ScriptedBroker) -> None:
    """The centre answers after the batch has gone a second time: once is enough to forget."""
    spool = MemorySpool()
    fill(spool, 1)
    with Gateway(make_site(broker.url), spool):
        peer = broker.accept()
        assert take_batch(peer) == take_batch(peer)
        commit(peer, spool, 0)
        empties(spool)


def test_when_the_line_is_cut_what_was_not_acknowledged_goes_on_the_next_one(broker: ScriptedBroker) -> None:
    spool = MemorySpool()
    fill(spool, 2)
    with Gateway(make_site(broker.url), spool) as gateway:
        peer = broker.accept()
        first = [take_batch(peer) for _ in range(2)]
        peer.close()
        gateway.emit([reading(9)])
        again = broker.accept()
        after = [take_batch(again) for _ in range(3)]
        assert sorted(each.seq for each in after) == [0, 1, 2]
        assert all(each in after for each in first), "sealed once, never changed"


def test_a_session_taken_over_is_tried_again(broker: ScriptedBroker) -> None:
    spool = MemorySpool()
    fill(spool, 1)
    with Gateway(make_site(broker.url), spool):
        broker.accept().disconnect(0x8E)
        assert take_batch(broker.accept()).seq == 0


def test_a_connection_refused_is_tried_again(broker: ScriptedBroker) -> None:
    with Gateway(make_site(broker.url), MemorySpool()):
        broker.accept(code=0x88)
        assert broker.accept().read_publish().leaf == "points"


def test_an_acknowledgement_that_makes_no_sense_is_ignored(broker: ScriptedBroker) -> None:
    spool = MemorySpool()
    fill(spool, 1)
    with Gateway(make_site(broker.url), spool):
        peer = broker.accept()
        take_batch(peer)
        for nonsense in (b"", b"{}", b"\x78\x9c broken", b'{"stream":"x","upto":9}', bytes(1000)):
            peer.publish("steppe/v1/w1/ack", nonsense)
        peer.publish("steppe/v1/w1/ack", encode(Ack("0" * 32, 99)))
        commit(peer, spool, 0)
        empties(spool)


def test_an_old_copy_of_a_spool_starts_a_new_stream_and_says_so(broker: ScriptedBroker) -> None:
    spool = MemorySpool()
    fill(spool, 2)
    before = spool.stream
    with Gateway(make_site(broker.url), spool):
        peer = broker.accept()
        peer.read_batch()
        commit(peer, spool, 50)
        again = broker.accept()
        again.puback(again.read_publish().mid)
        birth = status(again.read_publish())
        assert birth.stream == spool.stream != before
        assert [(gap.stream, gap.first_seq, gap.last_seq) for gap in birth.dropped] == [(before, 0, 1)]


def test_losses_are_in_the_status_until_the_centre_has_noted_them(broker: ScriptedBroker) -> None:
    spool = MemorySpool(max_bytes=1000)
    fill(spool, 10)
    kept = waiting(spool)
    with Gateway(make_site(broker.url), spool):
        peer = broker.accept()
        peer.puback(peer.read_publish().mid)
        (gap,) = status(peer.read_publish()).dropped
        assert (gap.first_seq, gap.last_seq) == (0, kept[0] - 1)
        commit(peer, spool, 9)
        wait_until(lambda: spool.dropped(1) == [], 5, "the loss is noted")


def test_the_status_is_repeated_each_minute_of_the_clock(broker: ScriptedBroker) -> None:
    clock = VirtualClock(NOON_MS, time.monotonic(), speed=300.0)
    with Gateway(make_site(broker.url), MemorySpool(), clock=clock):
        peer = broker.accept()
        instants = []
        while len(instants) < 3:
            publish = peer.read_publish()
            peer.puback(publish.mid)
            if publish.leaf == "status":
                instants.append(status(publish).at_ms)
        assert 50_000 < instants[2] - instants[1] < 360_000


def test_a_clean_stop_flushes_says_farewell_and_leaves_without_a_will(broker: ScriptedBroker) -> None:
    spool = MemorySpool()
    with Gateway(make_site(broker.url), spool, flush_s=5.0) as gateway:
        peer = broker.accept()
        gateway.emit([reading(1)])
        assert take_batch(peer).seq == 0
        gateway.emit([reading(2)])
        gateway.ask_to_stop()
        assert take_batch(peer).seq == 1
        commit(peer, spool, 1)
        publish = peer.read_publish()
        while status(publish).online:
            peer.puback(publish.mid)
            publish = peer.read_publish()
        peer.puback(publish.mid)
        packet = peer.read()
        while isinstance(packet, Publish) or packet.kind != DISCONNECT:
            packet = peer.read()
        assert packet.body[:1] in (b"", b"\x00"), "normal disconnection: the will is not sent"


def test_a_stop_without_a_broker_is_quick_and_keeps_what_was_read() -> None:
    with ScriptedBroker() as gone:
        site = make_site(gone.url)
    spool = MemorySpool()
    with Gateway(site, spool) as gateway:
        gateway.emit([reading(1)])
        begin_s = time.monotonic()
        gateway.stop()
        assert time.monotonic() - begin_s < 3
    assert waiting(spool) == [0]


def test_a_burst_larger_than_memory_allows_unsealed_is_kept_whole() -> None:
    """Hours of readings handed over at once are no reason to let any go: only a spool that fails is."""
    with ScriptedBroker() as gone:
        site = make_site(gone.url)
    spool = MemorySpool(max_bytes=10**9)
    with Gateway(site, spool) as gateway:
        for start in range(0, 3 * MAX_PENDING, 5000):
            gateway.emit([reading(number) for number in range(start, start + 5000)])
    assert sum(decode_rows(spool, seq) for seq in waiting(spool)) == 3 * MAX_PENDING


def decode_rows(spool: Spool, seq: int) -> int:
    sealed = spool.oldest(seq, seq + 1)
    assert sealed is not None
    return sealed.readings


class FullSpool(MemorySpool):
    """A spool on a disk that has no room until somebody makes some."""

    full = True

    def append(self, batches: Sequence[Sealed]) -> None:
        if self.full:
            raise SpoolError("spool.db: no space left on device")
        super().append(batches)


def test_a_full_disk_keeps_readings_in_memory_and_lets_the_rest_go_on(
    broker: ScriptedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    spool = FullSpool()
    with Gateway(make_site(broker.url), spool) as gateway:
        peer = broker.accept()
        gateway.emit([reading(1)])
        wait_until(lambda: "no space left" in caplog.text, 5, "the error is logged")
        assert peer.read_publish().leaf == "points"
        gateway.emit([reading(2)])
        spool.full = False
        assert rows(take_batch(peer)) == [reading(1), reading(2)]
    assert caplog.text.count("no space left") == 1


def test_a_gateway_that_boots_in_the_past_sends_its_readings_with_the_true_time(broker: ScriptedBroker) -> None:
    """A Pi without a battery clock: the broker is there at once, the time comes later."""
    clock = HandClock(offset_ms=NOON_MS - 10**10)
    state: list[ClockState] = ["unsynced"]
    spool = MemorySpool()
    with Gateway(make_site(broker.url), spool, clock=clock, clock_state=lambda: state[-1]) as gateway:
        peer = broker.accept()
        gateway.emit([reading_now(clock, 1.0)])
        seals(clock, lambda: bool(spool.drafts(1)))
        second_ms = clock.elapsed_ms
        gateway.emit([reading_now(clock, 2.0)])
        seals(clock, lambda: len(spool.drafts(2)) == 2)
        assert waiting(spool) == [], "durable, and not sent"
        clock.offset_ms = NOON_MS
        state.append("synced")
        found = [row for _ in range(2) for row in rows(take_batch(peer))]
        assert [(row.value, row.sampled_ms, row.quality) for row in sorted(found, key=lambda row: row.sampled_ms)] == [
            (1.0, NOON_MS, Quality.GOOD),
            (2.0, NOON_MS + second_ms, Quality.GOOD),
        ]


def test_where_no_time_comes_readings_go_out_marked_after_a_while(broker: ScriptedBroker) -> None:
    """A closed network without a time server must not keep its readings for ever."""
    site = make_site(broker.url)
    with Gateway(site, MemorySpool(), clock_state=lambda: "unsynced", clock_patience_s=0.3) as gateway:
        peer = broker.accept()
        sampled_ms = RealClock().now_ms()
        gateway.emit([Reading("clearwell.turbidity_ntu", sampled_ms, 0.5)])
        marked = Reading("clearwell.turbidity_ntu", sampled_ms, 0.5, Quality.UNCERTAIN_CLOCK)
        assert rows(take_batch(peer)) == [marked]
        gateway.emit([Reading("clearwell.turbidity_ntu", sampled_ms + 1, 0.5)])
        assert take_batch(peer).q is Quality.UNCERTAIN_CLOCK, "and those after it at once"


def seals(clock: HandClock, condition: Callable[[], bool]) -> None:
    """Let clock time pass until `condition` holds."""

    def holds() -> bool:
        clock.elapsed_ms += 10
        return condition()

    wait_until(holds, 5, "readings are sealed")


def reading_now(clock: HandClock, value: float) -> Reading:
    return Reading("clearwell.turbidity_ntu", clock.now_ms(), value)
