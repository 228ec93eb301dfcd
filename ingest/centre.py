"""Run the centre's processes together: each is a program of its own, started again when it ends.

A child that ends is started again after a pause that doubles up to `LONGEST_PAUSE_S`; one that has run for
`STEADY_S` starts afresh. A child that ends with code 2 says that a person must change something: then all stop.
Children end with this process, however it ends, for it holds the other end of their standard input.
"""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadInput
from ingest.broker import is_embedded
from ingest.config import Centre

log = logging.getLogger(__name__)

STEPPE = (sys.executable, "-P", "-m", "steppe")
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
STEADY_S = 60.0
STOP_S = 20.0
LOOK_EVERY_S = 0.2
BAD_INPUT = 2


@dataclass(frozen=True)
class Program:
    """A child to keep running."""

    name: str
    command: tuple[str, ...]


def programs_of(centre: Centre, centre_file: Path) -> list[Program]:
    """Return what the centre of `centre_file` runs: the embedded broker if it has one, ingest, and analytics."""
    file = str(centre_file.resolve())
    programs = [_program("ingest", "run", "--with-parent", file)]
    if is_embedded(centre.broker):
        programs.insert(0, _program("centre", "broker", "--with-parent", file))
    if _exists("analytics", "run"):
        programs.append(_program("analytics", "run", file))
    return programs


def supervise(programs: Sequence[Program], stop: threading.Event) -> None:
    """Keep `programs` running until `stop` is set. Raises BadInput where one of them says that a person must act."""
    children = [_Child(program) for program in programs]
    try:
        while not stop.is_set():
            for child in children:
                child.look(time.monotonic())
            stop.wait(LOOK_EVERY_S)
    finally:
        for child in reversed(children):
            child.stop()


class _Child:
    """A program and its process, if it has one now."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._pause_s = FIRST_PAUSE_S
        self._started_s = 0.0
        self._start_at_s = 0.0

    def look(self, now_s: float) -> None:
        """Start it if it is time to, and see whether it has ended."""
        if self._process is None:
            if now_s >= self._start_at_s:
                self._start(now_s)
            return
        code = self._process.poll()
        if code is None:
            return
        self._process = None
        if code == BAD_INPUT:
            raise BadInput(f"{self._program.name} cannot run as configured; it said why above")
        if now_s - self._started_s >= STEADY_S:
            self._pause_s = FIRST_PAUSE_S
        log.warning("%s ended with %d, started again in %.0f s", self._program.name, code, self._pause_s)
        self._start_at_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def stop(self) -> None:
        """Ask it to end, and end it by force after `STOP_S`."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            log.warning("%s did not end in %.0f s and is killed", self._program.name, STOP_S)
            self._process.kill()
            self._process.wait()
        self._process = None

    def _start(self, now_s: float) -> None:
        self._process = subprocess.Popen(self._program.command, stdin=subprocess.PIPE)  # noqa: S603
        self._started_s = now_s
        log.info("%s started, process %d", self._program.name, self._process.pid)


def _program(room: str, command: str, *arguments: str) -> Program:
    return Program(f"{room} {command}", (*STEPPE, room, command, *arguments))


def _exists(*words: str) -> bool:
    """Whether this installation has the command, asked of the command itself: importing a room costs memory."""
    asked = subprocess.run((*STEPPE, *words, "--help"), capture_output=True, check=False)  # noqa: S603
    return asked.returncode == 0
