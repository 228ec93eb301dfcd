"""One connection's life, step by step, with a scripted connection in place of the broker."""

import queue
import threading

import pytest
from support.wire import STREAM, batch_payload

from edge.errors import LinkDown
from edge.mqtt import Answered, Connected, Lost, Received
from edge.wire import Ack, decode, topic
from ingest.intake import Intake
from ingest.journal import Committed
from ingest.journal_file import JournalFull
from ingest.receive import GROUP_BYTES, TOPICS, AckSender, Session

SITE = "qingshui-wtp"


class ScriptedConnection:
    """Delivers the events it was given, and notes in order what is asked of it."""

    def __init__(self, *events):
        self.events = queue.SimpleQueue()
        self.log = []
        for event in events:
            self.events.put(event)

    def subscribe(self, topics):
        self.log.append(("subscribe", *topics))

    def acknowledge(self, mid):
        self.log.append(("puback", mid))

    def publish(self, name, payload, *, retain=False):
        self.log.append(("publish", name, decode(payload, Ack), retain))
        return len(self.log)


class NotingIntake(Intake):
    """Takes everything into memory, noting when in the connection's log."""

    def __init__(self, connection, error=None):
        self._connection = connection
        self._error = error
        self.groups = []

    def take(self, messages):
        if self._error is not None:
            raise self._error
        self.groups.append(list(messages))
        self._connection.log.append(("commit", len(messages)))
        return Committed((), 0, 0, ((SITE, STREAM),))

    def acks(self, streams):
        return [(site, Ack(stream, 7)) for site, stream in streams]

    def housekeep(self):
        return None


def received(mid, size=None):
    return Received(topic(SITE, "batch"), b"x" * size if size else batch_payload(mid), mid, retained=False)


def serve(*events, error=None):
    """Run a session until its script ends in a lost line; return what it did."""
    connection = ScriptedConnection(*events, Lost("end of the script"))
    intake = NotingIntake(connection, error)
    with pytest.raises(LinkDown, match="end of the script"):
        Session(connection, intake).serve(threading.Event())
    return connection.log, intake.groups


def full_group():
    return [received(mid) for mid in range(1, 501)]


def test_commit_then_puback_in_order_then_the_commit_ack():
    log, _ = serve(Connected(100, session_present=True), *full_group())
    assert log[:2] == [("subscribe", *TOPICS), ("commit", 500)]
    assert log[2:502] == [("puback", mid) for mid in range(1, 501)]
    assert log[502:] == [("publish", topic(SITE, "ack"), Ack(STREAM, 7), True)]


def test_a_group_ends_at_500_messages():
    _, groups = serve(Connected(100, session_present=True), *full_group(), *full_group())
    assert [len(group) for group in groups] == [500, 500]


def test_a_group_ends_at_its_bytes():
    quarter = GROUP_BYTES // 4
    _, groups = serve(Connected(100, session_present=True), *[received(mid, quarter) for mid in range(1, 9)])
    assert [len(group) for group in groups] == [4, 4]


def test_a_line_that_is_lost_takes_its_unfinished_group_along():
    """Their PUBACKs would go out on the next connection and acknowledge other messages there."""
    log, groups = serve(Connected(100, session_present=True), received(1), received(2))
    assert groups == []
    assert log == [("subscribe", *TOPICS)]


def test_a_journal_that_is_full_acknowledges_nothing():
    connection = ScriptedConnection(*full_group())
    with pytest.raises(JournalFull):
        Session(connection, NotingIntake(connection, JournalFull("full"))).serve(threading.Event())
    assert connection.log == []


def test_a_message_without_an_id_gets_no_puback():
    log, _ = serve(*[received(0)] * 500)
    assert [entry for entry in log if entry[0] == "puback"] == []


def test_acks_keep_to_the_brokers_receive_maximum():
    """Of three sites' acks two go out; the third goes when the broker has answered for one."""
    connection = ScriptedConnection()
    sender = AckSender(connection)
    sender.window = 2
    sender.offer([(site, Ack(STREAM, 1)) for site in ("a", "b", "c")])
    assert published(connection) == ["a", "b"]
    sender.answered(Answered(1, 0))
    assert published(connection) == ["a", "b", "c"]


def test_of_a_stream_only_the_newest_ack_waits():
    connection = ScriptedConnection()
    sender = AckSender(connection)
    sender.window = 1
    for upto in range(5):
        sender.offer([("a", Ack(STREAM, upto))])
    sender.answered(Answered(1, 0))
    assert [entry[2].upto for entry in connection.log] == [0, 4]


def test_a_refused_ack_is_said_and_frees_its_place(caplog):
    connection = ScriptedConnection()
    sender = AckSender(connection)
    sender.offer([("a", Ack(STREAM, 1)), ("b", Ack(STREAM, 1))])
    sender.answered(Answered(1, 0x87))
    assert "refused the ack of a (0x87)" in caplog.text
    assert published(connection) == ["a", "b"]


def published(connection):
    return [entry[1].split("/")[2] for entry in connection.log]
