"""SIGKILL of ingest between any two steps: messages repeat, none is lost, none is kept twice."""

import os
import random
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import support
from support.centre import CentreUnderTest
from support.servers import mosquitto, wait_until
from support.site_line import SiteLine
from support.wire import batch_payload

from ingest.journal import Journal

SITE = "qingshui-wtp"
TESTS = Path(support.__path__[0]).parent
pytestmark = pytest.mark.server


@contextmanager
def ingest(folder, url, step="never", after=0):
    """Ingest in a process of its own that dies at `step`."""
    program = TESTS / "support" / "crashing_ingest.py"
    environment = {**os.environ, "PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"}
    process = subprocess.Popen([sys.executable, str(program), str(folder), url, step, str(after)], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def road(tmp_path):
    with ExitStack() as stack:
        _, port = stack.enter_context(mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 100000000"))
        yield CentreUnderTest(tmp_path, f"mqtt://127.0.0.1:{port}")


@pytest.fixture
def line(road):
    opened = SiteLine(road.url, SITE)
    yield opened
    opened.close()


def batches(count):
    return {seq: batch_payload(seq) for seq in range(count)}


@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("step", ["check", "commit", "puback"])
def test_a_kill_at_any_step_loses_nothing_and_keeps_nothing_twice(road, line, step, after):
    with ingest(road.folder, road.url, step, after) as dying:
        send_until(line, batches(40), lambda: dying.poll() is not None)
    with ingest(road.folder, road.url):
        line.deliver(batches(60))
    assert sorted(road.kept()) == sorted(batches(60).values())


def send_until(line, messages, ended):
    """Send everything again and again, in random pieces, until `ended`."""
    rng = random.Random(1)

    def sent_enough():
        line.connect()
        for seq in rng.sample(sorted(messages), 7):
            line.send(messages[seq])
        line.listen()
        return ended()

    wait_until(sent_enough, 20, "ingest has killed itself")


def test_what_was_acknowledged_before_a_kill_is_in_the_journal(road, line):
    """Kills at random instants: after each, every batch that the gateway saw acknowledged is there."""
    rng = random.Random(7)
    for _ in range(4):
        with ingest(road.folder, road.url) as running:
            give_up_s = time.monotonic() + rng.uniform(0.3, 1.2)
            seqs = iter(range(10_000))
            while time.monotonic() < give_up_s:
                line.connect()
                seq = next(seqs)
                line.send(batch_payload(seq))
                line.listen()
            running.kill()
            running.wait()
        line.listen()
        acknowledged = [seq for seq in range(seq + 1) if line.ack is not None and line.ack.covers(seq)]
        kept = set(road.kept())
        assert all(batch_payload(seq) in kept for seq in acknowledged)
        assert len(road.kept()) == len(kept)


def test_the_broker_redelivers_what_a_killed_ingest_had_not_acknowledged(road, line):
    """Sent once, and ingest dies before its PUBACK: the next ingest gets it without the gateway's help."""
    with ingest(road.folder, road.url):
        line.deliver({0: batch_payload(0)})
    with ingest(road.folder, road.url, "check") as dying:
        for seq in range(1, 20):
            line.send(batch_payload(seq))
        wait_until(lambda: dying.poll() is not None, 10, "ingest has killed itself")
    with ingest(road.folder, road.url):
        wait_until(lambda: line.holds(*range(20)), 20, "all are acknowledged")
    journal = Journal(road.journal_path)
    assert journal.newest() == 20
    journal.close()
