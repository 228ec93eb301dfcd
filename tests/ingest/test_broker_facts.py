"""What the road relies on in Mosquitto, and what it must not rely on; each measured fact of the design is a test."""

import time
from contextlib import ExitStack, contextmanager

import pytest
from support.servers import mosquitto, wait_until
from support.site_line import SiteLine

from edge.mqtt import NO_MATCHING_SUBSCRIBERS, BrokerAddress, Connected, Connection, Received

OURS = "allow_anonymous true\nmax_inflight_messages 1000\nmax_queued_messages 100000000"
pytestmark = pytest.mark.server


@contextmanager
def broker(folder, lines):
    with mosquitto(folder, lines) as (_, port):
        yield f"mqtt://127.0.0.1:{port}"


@contextmanager
def centre(url):
    """A connection as ingest makes it, subscribed; its messages so far in a list that `messages` fills."""
    connection = Connection(BrokerAddress(url), client_id="centre", clean_start=False, session_expiry_s=3600)
    try:
        wait_until(lambda: isinstance(next_event(connection), Connected), 10, "the centre is connected")
        connection.subscribe(["steppe/v1/+/batch"])
        yield connection
    finally:
        connection.close()


def next_event(connection):
    return None if connection.events.empty() else connection.events.get()


def messages(connection, so_far):
    while not connection.events.empty():
        event = connection.events.get()
        if isinstance(event, Received):
            so_far.append(event)
    return so_far


def send(url, count):
    """Publish `count` messages and return the broker's answers."""
    line = SiteLine(url, "a-site")
    line.connect()
    for number in range(count):
        line.send(b"%d" % number)
    wait_until(lambda: line.listen() or len(line.answers) == count, 20, f"{count} answers")
    line.close()
    return set(line.answers.values())


def subscribed(url):
    """Let the centre have a session with its subscription, and leave."""
    with centre(url) as connection:
        send_until_received(url, connection)


def send_until_received(url, connection):
    seen = []
    line = SiteLine(url, "first-site")
    line.connect()

    def arrived():
        line.send(b"x")
        return messages(connection, seen)

    wait_until(arrived, 10, "the subscription works")
    for message in messages(connection, seen):
        connection.acknowledge(message.mid)
    line.close()


def received_after_return(url, at_least):
    """What waits for the centre when it comes back."""
    seen = []
    with centre(url) as connection:
        quiet_since_s = time.monotonic()

        def quiet():
            nonlocal quiet_since_s
            before = len(seen)
            for message in messages(connection, seen)[before:]:
                connection.acknowledge(message.mid)
                quiet_since_s = time.monotonic()
            return len(seen) >= at_least and time.monotonic() - quiet_since_s > 0.5

        wait_until(quiet, 20, f"at least {at_least} messages and then none")
    return {message.payload for message in seen if message.payload != b"x"}


def test_by_default_mosquitto_drops_what_is_beyond_its_queue_and_still_answers_success(tmp_path):
    """Why a PUBACK is not enough: of 1 500 some 1 000 stay, and all 1 500 were answered well."""
    with broker(tmp_path, "allow_anonymous true") as url:
        subscribed(url)
        assert all(code < 0x80 for code in send(url, 1500))
        assert len(received_after_return(url, 900)) < 1100


def test_with_our_settings_it_keeps_everything_while_ingest_is_away(tmp_path):
    with broker(tmp_path, OURS) as url:
        subscribed(url)
        send(url, 1500)
        assert received_after_return(url, 1500) == {b"%d" % number for number in range(1500)}


def test_a_batch_that_nobody_subscribes_to_is_answered_with_0x10(tmp_path):
    """A hint that ingest has never been here; the message is gone."""
    with broker(tmp_path, OURS) as url:
        assert send(url, 3) == {NO_MATCHING_SUBSCRIBERS}


def test_what_has_no_puback_comes_again_only_on_a_new_connection(tmp_path):
    """So ingest drops the connection when its journal takes nothing."""
    with ExitStack() as stack:
        url = stack.enter_context(broker(tmp_path, OURS))
        seen = []
        with centre(url) as connection:
            send_until_received(url, connection)
            send(url, 5)
            wait_until(lambda: len(messages(connection, seen)) >= 5, 10, "the five arrive")
        assert received_after_return(url, 5) == {b"%d" % number for number in range(5)}
