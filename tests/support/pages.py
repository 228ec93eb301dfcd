"""The commands of a page, run as a reader would: block by block, in one folder."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from support.servers import wait_until

BLOCK = re.compile(
    r"^```sh(?P<window> title=\"in a window of its own\")?\n(?P<script>.*?)^```", re.MULTILINE | re.DOTALL
)
STEP_S = 240.0
UNTIL_SERVED_S = 60.0
"""How long a block is tried again: a server in another window may not be up yet."""


def section(text: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one of its level."""
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"no heading {heading!r}"
    level = heading.split()[0]
    return re.split(rf"^{level} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def follow(text: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Run a page's blocks in order; what it runs in a window of its own goes on until the page ends."""
    with ExitStack() as windows:
        for block in BLOCK.finditer(text):
            if block["window"]:
                windows.enter_context(window(block["script"], folder, environment))
            else:
                run_when_served(block["script"], folder, environment)


def run(script: str, folder: Path, environment: Mapping[str, str], *, within_s: float = STEP_S) -> str:
    """Run a block's lines once; return what they said, and fail where one of them fails."""
    answer = _answer(script, folder, environment, within_s)
    assert answer.returncode == 0, f"{script}\n{answer.stdout[-1000:]}{answer.stderr[-2000:]}"
    return answer.stdout


def run_when_served(script: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Run a block's lines; a line that fails because a server in another window is not up yet is tried again."""

    def done() -> bool:
        nonlocal answer
        answer = _answer(script, folder, environment, STEP_S)
        return answer.returncode == 0

    answer: subprocess.CompletedProcess[str] | None = None
    try:
        wait_until(done, UNTIL_SERVED_S, "the block ends well")
    except TimeoutError:
        assert answer is not None
        pytest.fail(f"{script}\n{answer.stdout[-1000:]}{answer.stderr[-2000:]}")


@contextmanager
def window(script: str, folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """A program that goes on running."""
    program = subprocess.Popen(
        shlex.split(script), cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
        assert program.poll() is None, f"{script.strip()} ended with {program.returncode}"
    finally:
        program.terminate()
        program.wait(30)


def with_first(programs: Path) -> dict[str, str]:
    """Return the machine's environment, with the folder `programs` searched first."""
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def _answer(
    script: str, folder: Path, environment: Mapping[str, str], within_s: float
) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-eu"]
    return subprocess.run(
        command, input=script, cwd=folder, env=environment, capture_output=True, text=True, timeout=within_s
    )
