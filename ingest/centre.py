"""Run the centre's processes together: each is a program of its own, started again when it ends.

A child that ends is started again after a pause that doubles up to `LONGEST_PAUSE_S`; one that has run for
`STEADY_S` starts afresh. Code 2 says that a person must change something: without broker or ingest there is nothing
to run, so all stop; any other child is tried now and then, and the road goes on without it. Every child ends with
this process, however it ends, for it holds the other end of their standard input.
"""

import importlib.util
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
OTHERS = (
    ("analytics", "analytics.cli"),
    ("alarms", "analytics.alarms.cli"),
    ("console", "dashboards.console.cli"),
)
"""Words whose rooms may be missing, and where each would be found."""
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
    needed: bool = True
    """False: the others go on where this one cannot run as configured."""


def programs_of(centre: Centre, centre_file: Path) -> list[Program]:
    """Return what the centre of `centre_file` runs: its embedded broker, ingest, numbers, alarms, console.

    Where the store is one that Grafana can ask, also what feeds the dashboards.
    """
    file = str(centre_file.resolve())
    programs = [Program("ingest run", (*STEPPE, "ingest", "run", "--with-parent", file))]
    if is_embedded(centre.broker):
        programs.insert(0, Program("centre broker", (*STEPPE, "centre", "broker", "--with-parent", file)))
    if (Path(file).parent / "authority" / "ca.key").exists():
        programs.append(
            Program("centre authority", (*STEPPE, "centre", "authority", "--with-parent", file), needed=False)
        )
    for word, module in OTHERS:
        if importlib.util.find_spec(module) is not None:
            programs.append(Program(f"{word} run", (*STEPPE, word, "run", "--with-parent", file), needed=False))
    if centre.store.is_influxdb and importlib.util.find_spec("dashboards.grafana.cli") is not None:
        programs.append(
            Program("dashboards feed", (*STEPPE, "dashboards", "feed", "--with-parent", file), needed=False)
        )
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
        self._let_go()
        if code == BAD_INPUT and self._program.needed:
            raise BadInput(f"{self._program.name} cannot run as configured; it said why above")
        if now_s - self._started_s >= STEADY_S:
            self._pause_s = FIRST_PAUSE_S
        if code == BAD_INPUT:
            self._pause_s = LONGEST_PAUSE_S
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
        self._let_go()

    def _start(self, now_s: float) -> None:
        self._process = subprocess.Popen(self._program.command, stdin=subprocess.PIPE)  # noqa: S603
        self._started_s = now_s
        log.info("%s started, process %d", self._program.name, self._process.pid)

    def _let_go(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None
