"""Ingest on a real Mosquitto: nothing is acknowledged before it is durable, and nothing is lost."""

import threading
from contextlib import ExitStack

import pytest
from support.centre import CentreUnderTest
from support.servers import mosquitto, wait_until
from support.site_line import SiteLine
from support.wire import NOW_MS, STREAM, batch_payload, make_status

from edge.wire import Ack, encode
from ingest.config import Centre, JournalSettings
from ingest.deadletter import DeadLetters
from ingest.journal import Journal
from ingest.journal_file import JournalLocked
from ingest.receive import run
from ingest.sites import Sites

SITE = "qingshui-wtp"
pytestmark = pytest.mark.server


@pytest.fixture
def stack():
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def road(tmp_path, stack):
    _, port = stack.enter_context(mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 100000000"))
    return CentreUnderTest(tmp_path, f"mqtt://127.0.0.1:{port}")


@pytest.fixture
def gateway(road, stack):
    opened = SiteLine(road.url, SITE)
    stack.callback(opened.close)
    opened.connect()
    return opened


def test_a_batch_is_journalled_acknowledged_and_stored(road, gateway):
    with road.ingest():
        gateway.deliver({0: batch_payload(0)})
        assert road.kept() == [batch_payload(0)]
        wait_until(lambda: road.stored() == 3, 10, "its three readings are in the store")


def test_the_ack_is_retained_for_a_gateway_that_comes_back(road, gateway, stack):
    with road.ingest():
        gateway.deliver({0: batch_payload(0)})
    later = SiteLine(road.url, SITE)
    stack.callback(later.close)
    later.connect()
    wait_until(lambda: later.holds(0), 10, "the retained ack arrives")
    assert later.ack == Ack(STREAM, 0)


def test_what_comes_while_ingest_is_down_is_taken_when_it_is_back(road, gateway):
    """The broker keeps the session: a fixed client id, and no clean start."""
    with road.ingest():
        gateway.deliver({0: batch_payload(0)})
    for seq in range(1, 1500):
        gateway.send(batch_payload(seq))
    with road.ingest():
        wait_until(lambda: gateway.holds(*range(1500)), 20, "all 1 500 are acknowledged")
    assert sorted(road.kept()) == sorted(batch_payload(seq) for seq in range(1500))


def test_a_wrong_message_becomes_a_dead_letter_and_the_road_stays_open(road, gateway):
    with road.ingest():
        gateway.deliver({7: batch_payload(7)})
        for payload in (b"{oops", batch_payload(1, site="another-site"), b""):
            gateway.send(payload)
        gateway.send(b"\x78not zlib", "status", retain=True)
        gateway.send(batch_payload(0))
        wait_until(lambda: gateway.holds(0), 10, "the good one is acknowledged")
        wait_until(lambda: len(road.letters()) == 4, 10, "the wrong ones are dead letters")
    with road.ingest():
        wait_until(lambda: [one.times for one in road.letters()] == [1, 1, 1, 2], 10, "the retained one came again")
    assert road.kept() == [batch_payload(7), batch_payload(0)]


def test_a_letter_is_replayed_while_ingest_runs(road, gateway):
    """A batch from 11 minutes ahead, refused; when its time has come it is taken and acknowledged."""
    early = batch_payload(0, t0_ms=NOW_MS + 5_000 + 11 * 60_000)
    with road.ingest():
        gateway.deliver({7: batch_payload(7)})
        gateway.send(early)
        wait_until(lambda: len(road.letters()) == 1, 10, "it is a dead letter")
        mark(road, 1)
        wait_until(lambda: not road.letters()[0].replay, 10, "it was looked at, and refused again")
    road.clock.at_ms = NOW_MS + 20 * 60_000
    with road.ingest():
        mark(road, 1)
        wait_until(lambda: gateway.holds(0), 10, "it is acknowledged")
        wait_until(lambda: road.letters() == [], 10, "and no dead letter any more")
    assert road.kept() == [batch_payload(7), early]


def mark(road, number):
    dead_letters = DeadLetters(road.folder / "deadletters.db")
    assert dead_letters.mark_for_replay([number]) == 1
    dead_letters.close()


def test_status_and_points_are_kept_too_and_once(road, gateway):
    """Retained: on each new connection the broker repeats them."""
    birth = encode(make_status(stream=STREAM, next_seq=0))
    gateway.send(birth, "status", retain=True)
    for _ in range(2):
        with road.ingest():
            wait_until(lambda: gateway.ack == Ack(STREAM, -1) or gateway.listen(), 10, "a birth is answered by an ack")
            gateway.ack = None
    assert road.kept() == [birth]
    sites = Sites(road.journal_path)
    assert sites.state(SITE).status.online
    sites.close()


def test_a_message_without_a_wish_for_an_answer_does_not_end_the_connection(road, gateway):
    """QoS 0 has message id 0; a PUBACK for it would be a protocol error, and the redelivery a loop."""
    with road.ingest():
        gateway.deliver({7: batch_payload(7)})
        gateway._connection._client.publish(f"steppe/v1/{SITE}/batch", batch_payload(0), qos=0)
        gateway.send(batch_payload(1))
        wait_until(lambda: gateway.holds(0, 1), 10, "both are acknowledged")


def test_a_killed_broker_costs_nothing_that_was_acknowledged(tmp_path, stack):
    server, port = stack.enter_context(mosquitto(tmp_path, "allow_anonymous true"))
    road = CentreUnderTest(tmp_path, f"mqtt://127.0.0.1:{port}")
    gateway = SiteLine(road.url, SITE)
    stack.callback(gateway.close)
    gateway.connect()
    with road.ingest():
        gateway.deliver({seq: batch_payload(seq) for seq in range(50)})
        server.restart()
        gateway.deliver({seq: batch_payload(seq) for seq in range(100)})
    assert sorted(road.kept()) == sorted(batch_payload(seq) for seq in range(100))


def test_a_full_journal_acknowledges_nothing_and_goes_on_when_there_is_room(tmp_path, stack, caplog):
    _, port = stack.enter_context(mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 100000000"))
    road = CentreUnderTest(tmp_path, f"mqtt://127.0.0.1:{port}", max_mb=1.5)
    gateway = SiteLine(road.url, SITE)
    stack.callback(gateway.close)
    gateway.connect()
    big = {"values": [0.123456] * 10_000, "t0_ms": NOW_MS - 10_000_000}
    reader = Journal(road.journal_path)
    reader.advance("archive", 0)
    reader.close()
    with road.ingest():
        gateway.deliver({0: batch_payload(0, **big)})
        for seq in range(1, 12):
            gateway.send(batch_payload(seq, **big))
        wait_until(lambda: "full" in caplog.text, 10, "ingest says that its journal is full")
        kept = set(road.kept())
        assert len(kept) < 12
        acknowledged = [seq for seq in range(12) if gateway.holds(seq)]
        assert {batch_payload(seq, **big) for seq in acknowledged} <= kept, "what is not durable is not acknowledged"
    road.centre = Centre(data_dir=str(tmp_path), broker=road.centre.broker, journal=JournalSettings(max_mb=100))
    with road.ingest():
        wait_until(lambda: gateway.holds(*range(12)), 30, "with room, all are acknowledged")
    assert len(road.kept()) == 12


def test_a_second_ingest_on_the_same_journal_is_refused(road):
    with road.ingest():
        wait_until(road.journal_path.exists, 10, "the first is running")
        with pytest.raises(JournalLocked):
            run(road.centre, road.clock, threading.Event())
