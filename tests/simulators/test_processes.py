"""Child processes: ready or a clear failure, gone when they are killed, and never left behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulators.processes import Child, ChildFailed, free_port, listens


def wait_until_gone(pid: int, within_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + within_s
    while Path(f"/proc/{pid}/stat").exists():
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
        if state == "Z":
            return
        assert time.monotonic() < deadline_s, f"process {pid} is still there"


@pytest.fixture
def child(tmp_path: Path):
    """A broker of its own, which is as good a child as any."""
    port = free_port()
    one = Child("broker", ["broker", "--port", str(port)], tmp_path / "broker.log")
    one.port = port  # type: ignore[attr-defined]
    yield one
    one.kill()


def test_a_child_is_ready_can_be_killed_and_started_again(child: Child) -> None:
    for start in (1, 2):
        child.start()
        child.wait_until(lambda: listens(child.port), 20.0)  # type: ignore[attr-defined]
        assert child.is_alive
        child.kill()
        assert not child.is_alive
        assert child.starts == start


def test_a_child_that_ends_early_says_why(tmp_path: Path) -> None:
    child = Child("edge", ["edge", str(tmp_path / "none")], tmp_path / "log")
    child.start()
    with pytest.raises(ChildFailed, match=r"edge ended before it was ready:\n(.|\n)*site.toml"):
        child.wait_until(lambda: False, 20.0)
    child.kill()


def test_a_child_that_never_gets_ready_is_given_up(child: Child) -> None:
    child.start()
    with pytest.raises(ChildFailed, match="not ready within"):
        child.wait_until(lambda: False, 0.1)


def test_children_end_with_their_parent_even_if_it_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from simulators.processes import Child, free_port, listens\n"
        "port = free_port()\n"
        "child = Child('broker', ['broker', '--port', str(port)], Path(sys.argv[1]))\n"
        "child.start()\n"
        "child.wait_until(lambda: listens(port), 20.0)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "log")], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
    wait_until_gone(pid)
