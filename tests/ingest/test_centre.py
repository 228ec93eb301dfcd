"""The supervisor: children are started again, stop together, and never outlive it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from support.centre import CentreUnderTest
from support.servers import wait_until
from support.site_line import SiteLine
from support.wire import batch_payload

from edge.clock import RealClock
from edge.errors import BadInput
from ingest.centre import Program, programs_of, supervise
from ingest.config import Broker, Centre, StoreSettings
from simulators.processes import free_port

SITE = "qingshui-wtp"


def program(name, code, *, needed=True):
    return Program(name, (sys.executable, "-P", "-c", code), needed=needed)


def test_a_child_that_ends_is_started_again(tmp_path):
    starts = tmp_path / "starts"
    noting = program("noting", f"open({str(starts)!r}, 'a').write('x')")
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(supervise, [noting], stop)
        wait_until(lambda: starts.exists() and len(starts.read_text()) >= 2, 15, "it was started twice")
        stop.set()
        running.result(timeout=10)


def test_a_child_that_needs_a_person_stops_all(tmp_path):
    """Code 2 is bad input: to start it again would only say the same again."""
    alive = tmp_path / "alive"
    waiting = program("waiting", f"import os, time; open({str(alive)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    wrong = program("wrong", f"import os, sys\nwhile not os.path.exists({str(alive)!r}): pass\nsys.exit(2)")
    with pytest.raises(BadInput, match="wrong cannot run as configured"):
        supervise([waiting, wrong], threading.Event())
    assert not psutil.pid_exists(int(alive.read_text()))


def test_the_road_goes_on_without_a_child_that_is_not_needed(tmp_path):
    """Numbers can wait for a register that a person must mend; readings cannot."""
    starts = tmp_path / "starts"
    wrong = program("numbers", "import sys; sys.exit(2)", needed=False)
    noting = program("noting", f"open({str(starts)!r}, 'a').write('x')")
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(supervise, [wrong, noting], stop)
        wait_until(lambda: starts.exists() and len(starts.read_text()) >= 2, 15, "the other one was started twice")
        stop.set()
        running.result(timeout=10)


def test_the_embedded_centre_runs_broker_ingest_numbers_alarms_and_console(tmp_path):
    names = [one.name for one in programs_of(Centre(), tmp_path / "centre.toml")]
    assert names == ["centre broker", "ingest run", "analytics run", "alarms run", "console run"]
    outside = [one.name for one in programs_of(Centre(broker=Broker(url="mqtt://b")), tmp_path / "centre.toml")]
    assert outside[0] == "ingest run"


def test_what_feeds_grafana_runs_where_grafana_can_ask_the_store(tmp_path):
    centre = Centre(store=StoreSettings(url="influxdb+http://127.0.0.1:8086/steppe"))
    assert programs_of(centre, tmp_path / "centre.toml")[-1].name == "dashboards feed"


@pytest.fixture
def port(tmp_path):
    chosen = free_port()
    (tmp_path / "centre.toml").write_text(f'[broker]\nurl = "embedded:{chosen}"\n', encoding="utf-8")
    return chosen


@pytest.fixture
def centre(tmp_path, port):
    """`steppe centre run`, as a person starts it."""
    command = [sys.executable, "-P", "-m", "steppe", "centre", "run", str(tmp_path / "centre.toml")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    yield process
    process.terminate()
    process.wait(30)


def child_of(process, word):
    """The child that runs a command with `word` in it; None while there is none."""
    for child in psutil.Process(process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if word in child.cmdline():
                return child
    return None


def now_batches(numbers):
    now_ms = RealClock().now_ms() - 60_000
    return {seq: batch_payload(seq, t0_ms=now_ms) for seq in numbers}


def test_a_killed_ingest_and_a_killed_broker_come_back_and_nothing_is_lost(tmp_path, port, centre):
    line = SiteLine(f"mqtt://127.0.0.1:{port}", SITE)
    batches = now_batches(range(30))
    line.deliver({seq: batches[seq] for seq in range(10)})
    child_of(centre, "ingest").kill()
    line.deliver({seq: batches[seq] for seq in range(10, 20)})
    child_of(centre, "broker").kill()
    line.deliver({seq: batches[seq] for seq in range(20, 30)})
    line.close()
    assert sorted(CentreUnderTest(tmp_path, "").kept()) == sorted(batches.values())


def test_children_stop_with_the_centre(centre):
    wait_until(lambda: child_of(centre, "ingest") is not None, 60, "ingest is running")
    children = psutil.Process(centre.pid).children()
    centre.send_signal(signal.SIGTERM)
    assert centre.wait(30) == 0
    assert not any(child.is_running() for child in children)


def test_children_end_when_the_centre_is_killed(centre):
    """They see the end of their standard input: a new centre finds port and journal free."""
    wait_until(lambda: child_of(centre, "ingest") is not None, 60, "ingest is running")
    children = psutil.Process(centre.pid).children()
    os.kill(centre.pid, signal.SIGKILL)
    wait_until(lambda: not any(alive(child) for child in children), 60, "they have ended")


def alive(child):
    try:
        return child.is_running() and child.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_child_that_cannot_run_says_so_by_its_code_while_its_parent_is_there(tmp_path):
    """The thread that watches the parent once aborted it at its end: code 134 and no word of what is wrong."""
    (tmp_path / "centre.toml").write_text("", encoding="utf-8")
    command = [sys.executable, "-P", "-m", "steppe", "alarms", "run", "--with-parent", str(tmp_path / "centre.toml")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.wait(60) == 2
        assert "regions.csv" in child.stderr.read()
