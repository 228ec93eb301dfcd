"""What the edge relies on in the real brokers, and the edge on the real brokers."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from support.brokers import client, embedded, next_message, production_mosquitto
from support.delivery import NOON_MS, reading
from support.gateway import Centre, Gateway, make_site
from support.servers import Server, mosquitto, wait_until

from edge.mqtt import Answered, BrokerAddress, Connected, Connection, Lost, Will
from edge.spool import MemorySpool
from edge.spool_sqlite import SqliteSpool
from edge.wire import Status, decode

pytestmark = pytest.mark.server

TESTS = Path(__file__).resolve().parents[1]
Run = Callable[..., AbstractContextManager[tuple[Server, int]]]


@pytest.fixture(params=[production_mosquitto, embedded], ids=["mosquitto", "embedded"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, int]]:
    run: Run = request.param
    folder = tmp_path / "broker"
    folder.mkdir()
    with run(folder) as running:
        yield running


def answer(connection: Connection) -> Answered:
    while True:
        event = connection.events.get(timeout=5)
        if isinstance(event, Answered):
            return event


def test_mosquitto_answers_success_to_messages_it_throws_away(tmp_path: Path) -> None:
    """By default it keeps 1 000 for a subscriber that is away: why a PUBACK forgets nothing."""
    with mosquitto(tmp_path) as (_, port):
        with client(port, "ingest", "steppe/#", clean_start=False, session_expiry_s=600):
            pass
        with client(port, "w1") as site:
            for number in range(1500):
                site.publish("steppe/v1/w1/batch", b"%d" % number)
            assert {answer(site).code for _ in range(1500)} == {0}
        with client(port, "ingest", clean_start=False, session_expiry_s=600) as ingest:
            kept = 0
            while kept < 1000:
                ingest.acknowledge(next_message(ingest).mid)
                kept += 1
            with client(port, "probe") as probe:
                probe.publish("steppe/end", b"the end")
                assert next_message(ingest).payload == b"the end"


def test_mosquitto_with_our_settings_keeps_them_all(tmp_path: Path) -> None:
    with production_mosquitto(tmp_path) as (_, port):
        with client(port, "ingest", "steppe/#", clean_start=False, session_expiry_s=600):
            pass
        with client(port, "w1") as site:
            for number in range(1500):
                site.publish("steppe/v1/w1/batch", b"%d" % number)
            assert {answer(site).code for _ in range(1500)} == {0}
        with client(port, "ingest", clean_start=False, session_expiry_s=600) as ingest:
            for number in range(1500):
                message = next_message(ingest)
                assert message.payload == b"%d" % number
                ingest.acknowledge(message.mid)


def test_mosquitto_says_when_nobody_subscribes(tmp_path: Path) -> None:
    with production_mosquitto(tmp_path) as (_, port), client(port, "w1") as site:
        site.publish("steppe/v1/w1/batch", b"{}")
        assert answer(site).code == 0x10


def test_mosquitto_answers_not_authorised_to_a_site_that_writes_anothers_topics(tmp_path: Path) -> None:
    """Under MQTT 5; under 3.1.1 it says success, which is why the road speaks 5 only."""
    (tmp_path / "acl").write_text("topic write steppe/v1/w1/batch\n")
    lines = f"user root\nallow_anonymous true\nacl_file {tmp_path / 'acl'}"
    with mosquitto(tmp_path, lines) as (_, port), client(port, "w1") as site:
        site.publish("steppe/v1/w2/batch", b"{}")
        assert answer(site).code == 0x87
        site.publish("steppe/v1/w1/batch", b"{}")
        assert not answer(site).refused


def test_mosquitto_announces_its_receive_maximum_and_its_packet_size(tmp_path: Path) -> None:
    lines = "allow_anonymous true\nmax_inflight_messages 7\nmax_packet_size 300000"
    with mosquitto(tmp_path, lines) as (_, port):
        connection = Connection(BrokerAddress(f"mqtt://127.0.0.1:{port}"), client_id="w1", clean_start=True)
        assert connection.events.get(timeout=5) == Connected(7, False, 300_000)
        connection.close()


def test_mosquitto_ends_the_connection_of_a_packet_that_is_too_large(tmp_path: Path) -> None:
    """So the gateway compares the announced size with the largest batch and warns at once."""
    with mosquitto(tmp_path, "allow_anonymous true\nmax_packet_size 1000") as (_, port), client(port, "w1") as site:
        site.publish("steppe/v1/w1/batch", bytes(2000))
        event = site.events.get(timeout=5)
        assert isinstance(event, Lost)


def test_a_newcomer_of_the_same_name_takes_the_session_over(broker: tuple[Server, int]) -> None:
    with client(broker[1], "steppe-w1") as first, client(broker[1], "steppe-w1"):
        assert isinstance(first.events.get(timeout=5), Lost)


def test_the_will_comes_when_a_site_vanishes(broker: tuple[Server, int]) -> None:
    topic = "steppe/v1/w1/status"
    with client(broker[1], "centre", topic) as centre:
        program = (
            "import sys; from edge.mqtt import *; import time\n"
            f"c = Connection(BrokerAddress('mqtt://127.0.0.1:{broker[1]}'), client_id='w1', clean_start=True,"
            f" will=Will('{topic}', b'dead'))\n"
            "assert isinstance(c.events.get(timeout=5), Connected)\nprint('up', flush=True)\nsys.stdin.read()"
        )
        command = [sys.executable, "-c", program]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=TESTS.parent) as site:
            assert site.stdout is not None
            assert site.stdout.readline() == b"up\n"
            site.send_signal(signal.SIGKILL)
        assert next_message(centre).payload == b"dead"


def test_the_will_does_not_come_when_a_site_says_goodbye(broker: tuple[Server, int]) -> None:
    topic = "steppe/v1/w1/status"
    with client(broker[1], "centre", topic) as centre:
        site = Connection(
            BrokerAddress(f"mqtt://127.0.0.1:{broker[1]}"), client_id="w1", clean_start=True, will=Will(topic, b"dead")
        )
        assert isinstance(site.events.get(timeout=5), Connected)
        site.close()
        with client(broker[1], "probe") as probe:
            probe.publish(topic, b"still here")
            assert next_message(centre).payload == b"still here"


def test_what_is_retained_waits_for_a_late_subscriber(broker: tuple[Server, int]) -> None:
    with client(broker[1], "centre") as centre:
        centre.publish("steppe/v1/w1/ack", b"old", retain=True)
        centre.publish("steppe/v1/w1/ack", b"new", retain=True)
        assert [answer(centre).refused for _ in range(2)] == [False, False]
    with client(broker[1], "w1", "steppe/v1/w1/ack") as site:
        message = next_message(site)
        assert (message.payload, message.retained) == (b"new", True)


def test_the_largest_batch_passes(broker: tuple[Server, int]) -> None:
    with client(broker[1], "centre", "steppe/v1/+/batch") as centre, client(broker[1], "w1") as site:
        site.publish("steppe/v1/w1/batch", bytes(256 * 1024))
        assert len(next_message(centre).payload) == 256 * 1024


def test_readings_travel_from_emit_to_the_centre_and_the_spool_empties(broker: tuple[Server, int]) -> None:
    spool = MemorySpool()
    with Centre(broker[1]) as centre, Gateway(make_site(f"mqtt://127.0.0.1:{broker[1]}"), spool) as gateway:
        for number in range(200):
            gateway.emit([reading(number)])
        wait_until(lambda: len(centre.readings) == 200 and spool.depth().batches == 0, 20, "all arrive")
        assert centre.readings == [reading(number) for number in range(200)]


def test_a_killed_broker_costs_nothing(broker: tuple[Server, int], tmp_path: Path) -> None:
    """The embedded one forgets all it had taken; the spool has not."""
    server, port = broker
    spool = SqliteSpool(tmp_path / "spool.db", max_bytes=10**8)
    with Centre(port) as centre, Gateway(make_site(f"mqtt://127.0.0.1:{port}"), spool) as gateway:
        for number in range(300):
            gateway.emit([reading(number)])
            if number in (100, 200):
                wait_until(lambda: len(centre.readings) > 0, 20, "something has arrived")
                server.restart()
        wait_until(lambda: len(centre.readings) == 300 and spool.depth().batches == 0, 60, "all arrive")
        assert centre.readings == [reading(number) for number in range(300)]
    spool.close()


def test_a_centre_that_comes_late_gets_everything(broker: tuple[Server, int]) -> None:
    spool = MemorySpool()
    with Gateway(make_site(f"mqtt://127.0.0.1:{broker[1]}"), spool) as gateway:
        for number in range(50):
            gateway.emit([reading(number)])
        wait_until(lambda: spool.next_seq > 0, 10, "readings are sealed")
        with Centre(broker[1]) as centre:
            wait_until(lambda: len(centre.readings) == 50 and spool.depth().batches == 0, 60, "all arrive")


AGENT = """
import asyncio, sys
sys.path[:0] = [{tests!r}, {root!r}]
from pathlib import Path
from support.delivery import reading
from support.gateway import POINTS, make_site
from edge.agent import run
from edge.clock import RealClock

async def acquire(site, clock, emit):
    number = int(sys.argv[2])
    while True:
        emit([reading(number)])
        number += 1
        await clock.sleep(0.002)

site = make_site(sys.argv[1])
asyncio.run(run(site, Path(sys.argv[3]), RealClock(), acquire=acquire, points=lambda site: POINTS,
                clock_state=lambda: "synced"))
"""


def start_agent(port: int, first: int, folder: Path) -> "subprocess.Popen[bytes]":
    program = AGENT.format(tests=str(TESTS), root=str(TESTS.parent))
    return subprocess.Popen(
        [sys.executable, "-c", program, f"mqtt://127.0.0.1:{port}", str(first), str(folder)], stderr=subprocess.PIPE
    )


def test_a_killed_gateway_loses_nothing_that_was_sealed(broker: tuple[Server, int], tmp_path: Path) -> None:
    """Killed while the centre is away; what the spool held arrives after the restart, then SIGTERM leaves in order."""
    spool = tmp_path / "spool.db"
    with start_agent(broker[1], 0, tmp_path) as agent:
        wait_until(lambda: spool.exists() and sealed_in(spool.with_name("spool.db-wal")), 20, "batches are sealed")
        agent.send_signal(signal.SIGKILL)
        agent.communicate()
    kept = numbers_in(spool)
    with Centre(broker[1]) as centre, start_agent(broker[1], 100_000, tmp_path) as agent:
        wait_until(lambda: {row.sampled_ms for row in centre.readings} >= kept, 30, "all that was sealed arrives")
        agent.send_signal(signal.SIGTERM)
        _, said = agent.communicate(timeout=20)
        assert (agent.returncode, said) == (0, b"")
        wait_until(lambda: not numbers_in(spool), 5, "a clean stop has flushed")


def sealed_in(log: Path) -> bool:
    return log.exists() and log.stat().st_size > 200_000


def numbers_in(spool: Path) -> set[int]:
    """Return the instants in a spool that nobody has open."""
    with sqlite3.connect(spool) as db:
        rows = db.execute("SELECT first_ms, last_ms FROM batch").fetchall()
    db.close()
    return {instant for first, last in rows for instant in range(first, last + 1, 1000)}


def test_a_site_that_leaves_says_so(broker: tuple[Server, int]) -> None:
    with client(broker[1], "centre", "steppe/v1/w1/status") as centre:
        with Gateway(make_site(f"mqtt://127.0.0.1:{broker[1]}"), MemorySpool(), flush_s=2.0):
            birth = decode(next_message(centre).payload, Status)
        farewell = decode(next_message(centre).payload, Status)
        assert (birth.online, farewell.online, farewell.boot) == (True, False, birth.boot)
        assert farewell.at_ms >= birth.at_ms > NOON_MS


def test_no_reading_is_received_twice_on_a_healthy_road(broker: tuple[Server, int]) -> None:
    with Centre(broker[1]) as centre, Gateway(make_site(f"mqtt://127.0.0.1:{broker[1]}"), MemorySpool()) as gateway:
        for number in range(100):
            gateway.emit([reading(number)])
        wait_until(lambda: gateway.spool.next_seq > 0 and gateway.spool.depth().batches == 0, 20, "all committed")
        assert centre.repeats == 0
