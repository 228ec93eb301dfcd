"""Ingest that kills itself with SIGKILL at a named step: `python crashing_ingest.py FOLDER URL STEP AFTER`.

STEP: check (nothing kept yet), commit (kept, no PUBACK), puback (PUBACKs sent, no commit ack), never.
It takes AFTER groups unharmed first.
"""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from support.centre import StoppedClock
from support.wire import NOW_MS

from edge.mqtt import BrokerAddress, Received
from edge.wire import Ack
from ingest.deadletter import DeadLetters
from ingest.handover import Handover
from ingest.intake import Files, Intake
from ingest.journal import Committed, Journal
from ingest.journal_file import JournalLock
from ingest.receive import receive
from ingest.sites import Sites
from ingest.stopping import stop_on_signals


class CrashingIntake(Intake):
    """Ends the process, without any clean-up, at one step of one group."""

    def crash_at(self, step: str, after: int) -> None:
        self._step, self._left = step, after

    def take(self, messages: Sequence[Received]) -> Committed:
        self._left -= 1
        self._die_at("check")
        committed = super().take(messages)
        self._die_at("commit")
        return committed

    def acks(self, streams: Sequence[tuple[str, str]]) -> list[tuple[str, Ack]]:
        self._die_at("puback")
        return super().acks(streams)

    def _die_at(self, step: str) -> None:
        if step == self._step and self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path, url: str, step: str, after: int) -> None:
    path = folder / "journal.db"
    with ExitStack() as stack:
        stack.callback(JournalLock(path).release)
        files = Files(
            stack.enter_context(closing(Journal(path, max_bytes=100_000_000))),
            stack.enter_context(closing(DeadLetters(folder / "deadletters.db"))),
            stack.enter_context(closing(Sites(path))),
        )
        intake = CrashingIntake(files, StoppedClock(NOW_MS + 5_000), Handover(), keep_days=30.0)
        intake.crash_at(step, after)
        receive(BrokerAddress(url), "steppe-ingest", intake, stop_on_signals())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
