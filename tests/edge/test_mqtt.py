"""What paho-mqtt does that would lose messages, and that a `Connection` does not: a test for each defect seen."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.scripted_broker import PUBACK, SUBSCRIBE, Packet, Peer, Publish, ScriptedBroker
from support.servers import wait_until

from edge.errors import ConfigError, LinkDown
from edge.mqtt import Answered, BrokerAddress, Connected, Connection, Event, Lost, Received, Will


@pytest.fixture
def broker() -> Iterator[ScriptedBroker]:
    with ScriptedBroker() as running:
        yield running


class Dialled:
    """A connection under test and the broker's end of it."""

    def __init__(self, broker: ScriptedBroker, *, receive_maximum: int | None = None, keepalive_s: int = 30) -> None:
        self.connection = Connection(
            BrokerAddress(broker.url), client_id="steppe-w1", clean_start=True, keepalive_s=keepalive_s
        )
        self.peer: Peer = broker.accept(receive_maximum=receive_maximum)
        self.connected = self.next(Connected)

    def next(self, kind: type[Event]) -> Event:  # type: ignore[valid-type]
        event = self.connection.events.get(timeout=5)
        assert isinstance(event, kind), event
        return event


def test_the_brokers_receive_maximum_is_read(broker: ScriptedBroker) -> None:
    dialled = Dialled(broker, receive_maximum=7)
    assert dialled.connected == Connected(7, session_present=False)
    dialled.connection.close()


def test_a_broker_that_names_no_receive_maximum_takes_65535(broker: ScriptedBroker) -> None:
    dialled = Dialled(broker)
    assert dialled.connected == Connected(65_535, session_present=False)
    dialled.connection.close()


def test_a_refused_publish_is_told_from_a_delivered_one(broker: ScriptedBroker) -> None:
    """paho calls a message published when its PUBACK says 0x87, not authorised."""
    dialled = Dialled(broker)
    answers = []
    for code in (0x00, 0x10, 0x87, 0x97):
        mid = dialled.connection.publish("steppe/v1/w1/batch", b"{}")
        dialled.peer.puback(dialled.peer.read_publish().mid, code)
        answers.append(dialled.next(Answered))
        assert answers[-1] == Answered(mid, code)
    assert [answer.refused for answer in answers if isinstance(answer, Answered)] == [False, False, True, True]
    dialled.connection.close()


def test_publishing_without_a_connection_is_an_error_and_queues_nothing(broker: ScriptedBroker) -> None:
    """paho answers "not connected" and keeps the message all the same, to be sent a second time later."""
    connection = Connection(BrokerAddress(broker.url), client_id="steppe-w1", clean_start=True)
    peer = broker.accept(answer=False)
    with pytest.raises(LinkDown, match="not connected"):
        connection.publish("steppe/v1/w1/batch", b"early")
    peer.connack()
    assert isinstance(connection.events.get(timeout=5), Connected)
    connection.publish("steppe/v1/w1/batch", b"on time")
    assert peer.read_publish().payload == b"on time"
    connection.close()


def test_a_new_connection_sends_nothing_of_an_old_one(broker: ScriptedBroker) -> None:
    """paho sends all it has kept at once after a reconnect, whatever the window."""
    dialled = Dialled(broker)
    for number in range(50):
        dialled.connection.publish("steppe/v1/w1/batch", b"%d" % number)
    dialled.peer.close()
    dialled.next(Lost)
    again = Dialled(broker)
    assert again.peer.sends_nothing_for(0.2)
    again.connection.publish("steppe/v1/w1/batch", b"new")
    assert again.peer.read_publish().payload == b"new"
    again.connection.close()


def test_a_lost_connection_never_comes_back_by_itself(broker: ScriptedBroker) -> None:
    dialled = Dialled(broker)
    dialled.peer.disconnect(0x8E)
    lost = dialled.next(Lost)
    assert isinstance(lost, Lost)
    assert "Session taken over" in lost.reason
    with pytest.raises(LinkDown):
        dialled.connection.publish("steppe/v1/w1/batch", b"{}")
    assert dialled.connection.events.empty(), "nothing follows the last event"


def test_a_lock_held_while_publishing_does_not_deadlock(broker: ScriptedBroker) -> None:
    """Callbacks only hand over, so an owner may hold its lock around publish() while answers come in."""
    dialled = Dialled(broker)
    lock = threading.Lock()
    answered = 0
    for _ in range(200):
        with lock:
            dialled.connection.publish("steppe/v1/w1/batch", b"x" * 1000)
        dialled.peer.puback(dialled.peer.read_publish().mid)
    for _ in range(200):
        with lock:
            dialled.next(Answered)
            answered += 1
    assert answered == 200
    dialled.connection.close()


def test_packets_of_the_owner_and_of_the_network_thread_do_not_mix(broker: ScriptedBroker) -> None:
    """Published and acknowledged from one thread while the other writes, every packet arrives whole."""
    dialled = Dialled(broker)
    sizes: list[int] = []

    def read_all() -> None:
        while len(sizes) < 300:
            packet = dialled.peer.read()
            if isinstance(packet, Publish):
                sizes.append(len(packet.payload))
                dialled.peer.publish("steppe/v1/w1/ack", b"{}")

    reader = threading.Thread(target=read_all)
    reader.start()
    for number in range(300):
        dialled.connection.publish("steppe/v1/w1/batch", bytes(20_000 + number))
        while not dialled.connection.events.empty():
            event = dialled.connection.events.get()
            if isinstance(event, Received):
                dialled.connection.acknowledge(event.mid)
    reader.join(20)
    assert sizes == [20_000 + number for number in range(300)]
    dialled.connection.close()


def test_an_answer_the_client_cannot_read_ends_the_connection(broker: ScriptedBroker) -> None:
    """A network thread that dies must not leave a connection that looks alive."""
    dialled = Dialled(broker)
    dialled.peer.send(3, 0x2, b"\x00\x50short")
    assert isinstance(dialled.next(Lost), Lost)
    with pytest.raises(LinkDown):
        dialled.connection.publish("steppe/v1/w1/batch", b"{}")


def test_a_broker_that_falls_silent_is_noticed(broker: ScriptedBroker) -> None:
    """The line is open and nothing comes back: after two keepalives the connection is over."""
    begin_s = time.monotonic()
    dialled = Dialled(broker, keepalive_s=1)
    lost = dialled.next(Lost)
    assert isinstance(lost, Lost)
    assert "Keep alive timeout" in lost.reason
    assert time.monotonic() - begin_s < 4


def test_an_acknowledgement_is_bound_to_its_connection(broker: ScriptedBroker) -> None:
    """paho sends the PUBACK of an old connection on the new one, where that number is another message."""
    first = Dialled(broker)
    first.peer.publish("steppe/v1/w1/ack", b"old")
    old = first.next(Received)
    assert isinstance(old, Received)
    first.peer.close()
    first.next(Lost)
    second = Dialled(broker)
    second.peer.publish("steppe/v1/w1/ack", b"new")
    second.next(Received)
    first.connection.acknowledge(old.mid)
    assert second.peer.sends_nothing_for(0.2)
    second.connection.acknowledge(1)
    assert second.peer.read() == Packet(PUBACK, b"\x00\x01")
    second.connection.close()


def test_a_message_is_acknowledged_only_when_its_owner_says_so(broker: ScriptedBroker) -> None:
    dialled = Dialled(broker)
    dialled.peer.publish("steppe/v1/w1/ack", b"{}")
    received = dialled.next(Received)
    assert isinstance(received, Received)
    assert dialled.peer.sends_nothing_for(0.2)
    dialled.connection.acknowledge(received.mid)
    assert dialled.peer.read() == Packet(PUBACK, b"\x00\x01")
    dialled.connection.close()


def test_closing_does_not_wait_for_unanswered_messages(broker: ScriptedBroker) -> None:
    """paho's loop_stop() blocks for ever while a QoS 1 message is unanswered."""
    dialled = Dialled(broker)
    dialled.connection.publish("steppe/v1/w1/batch", b"{}")
    begin_s = time.monotonic()
    dialled.connection.close()
    assert time.monotonic() - begin_s < 2
    assert isinstance(dialled.next(Lost), Lost)


def test_closing_a_connection_that_was_never_answered_is_quick(broker: ScriptedBroker) -> None:
    connection = Connection(BrokerAddress(broker.url), client_id="steppe-w1", clean_start=True)
    broker.accept(answer=False)
    begin_s = time.monotonic()
    connection.close(wait_s=0.5)
    assert time.monotonic() - begin_s < 2


@pytest.mark.parametrize("clean_start", [True, False])
def test_clean_start_is_what_the_owner_says_at_every_connection(broker: ScriptedBroker, clean_start: bool) -> None:
    """paho's default is clean at the first connection: a restarted process would wipe its session."""
    for _ in range(2):
        connection = Connection(BrokerAddress(broker.url), client_id="steppe-ingest", clean_start=clean_start)
        assert broker.accept().hello.clean_start is clean_start
        connection.close()


def test_everything_goes_with_qos_1(broker: ScriptedBroker) -> None:
    """QoS 2 is never used: paho does not complete a PUBREL of a message it does not know."""
    dialled = Dialled(broker)
    dialled.connection.publish("steppe/v1/w1/batch", b"{}")
    publish = dialled.peer.read_publish()
    dialled.connection.subscribe(["steppe/v1/w1/ack"])
    subscribe = dialled.peer.read()
    assert publish.qos == 1
    assert isinstance(subscribe, Packet)
    assert (subscribe.kind, subscribe.body[-1] & 3) == (SUBSCRIBE, 1)
    dialled.connection.close()


def test_a_refused_subscription_ends_the_connection(broker: ScriptedBroker) -> None:
    dialled = Dialled(broker)
    dialled.connection.subscribe(["steppe/v1/w1/ack"])
    packet = dialled.peer.read()
    assert isinstance(packet, Packet)
    dialled.peer.suback(packet.mid, 0x87)
    lost = dialled.next(Lost)
    assert isinstance(lost, Lost)
    assert "refused a subscription: Not authorized" in lost.reason


def test_a_refused_connection_says_why(broker: ScriptedBroker) -> None:
    connection = Connection(BrokerAddress(broker.url), client_id="steppe-w1", clean_start=True)
    broker.accept(code=0x87)
    assert connection.events.get(timeout=5) == Lost(f"{broker.url}: the broker refused the connection: Not authorized")


def test_where_nothing_listens_the_connection_is_lost_and_not_an_exception() -> None:
    with ScriptedBroker() as gone:
        url = gone.url
    connection = Connection(BrokerAddress(url), client_id="steppe-w1", clean_start=True)
    lost = connection.events.get(timeout=5)
    assert isinstance(lost, Lost)
    assert "Is the broker running and reachable?" in lost.reason


def test_connecting_does_not_block_its_owner() -> None:
    """The gateway must go on sealing while a far broker does not answer."""
    with ScriptedBroker() as broker:
        begin_s = time.monotonic()
        connection = Connection(BrokerAddress(broker.url), client_id="steppe-w1", clean_start=True)
        assert time.monotonic() - begin_s < 0.5
        connection.close(wait_s=0.1)


def test_the_will_and_the_owners_wishes_go_with_the_connect(broker: ScriptedBroker) -> None:
    will = Will("steppe/v1/w1/status", b"{}")
    connection = Connection(
        BrokerAddress(broker.url), client_id="steppe-w1", clean_start=True, will=will, keepalive_s=17
    )
    hello = broker.accept().hello
    assert (hello.client_id, hello.will_topic, hello.keepalive_s) == ("steppe-w1", "steppe/v1/w1/status", 17)
    connection.close()


def test_no_thread_is_left_when_a_connection_is_over(broker: ScriptedBroker) -> None:
    before = threading.active_count()
    for _ in range(5):
        Dialled(broker).connection.close()
    wait_until(lambda: threading.active_count() <= before, 2, "network threads end")


def test_certificate_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """One line says which three files, instead of a traceback that names none."""
    (tmp_path / "ca.crt").write_text("not a certificate")
    address = BrokerAddress("mqtts://127.0.0.1:1", tmp_path / "ca.crt", tmp_path / "site.crt", tmp_path / "site.key")
    with pytest.raises(ConfigError, match=r"ca\.crt.*site\.crt.*site\.key cannot be used"):
        Connection(address, client_id="steppe-w1", clean_start=True)
