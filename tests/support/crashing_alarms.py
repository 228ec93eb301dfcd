"""An alarm service that kills itself with SIGKILL: `python crashing_alarms.py FOLDER STATEMENTS`.

It plays 20 minutes of a county whose feeder is lost and comes back, from the minute at which it died last, on a real
journal, with the real sender and one channel that writes to `sent.txt`. It ends before its STATEMENTS-th SQL
statement on `alarms.db`; 0 for never.
"""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from support.alarm_script import MINUTE_MS, SETTINGS, START_MS, county

from analytics.alarms.channels.port import Answer, Message, Recipient, Verdict
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.engine import Engine
from analytics.alarms.planner import Planner
from analytics.alarms.sender import Sender
from analytics.alarms.suppression import places
from analytics.alarms.watch import watch
from analytics.limit_files import load_setpoints
from edge.wire import Batch, Quality, encode, topic
from ingest.check import check
from ingest.journal import Journal

MINUTES, STATIONS = 20, 3


class CrashingDatabase(AlarmDatabase):
    """Ends the process, without any clean-up, before one of its statements."""

    def crash_before(self, statement: int) -> None:
        self._left = statement
        self._db.set_trace_callback(self._count)

    def _count(self, _: str) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class FileChannel:
    """Writes each message to a file, and takes every one."""

    path: Path
    name: str = "sms"

    def send(self, message: Message, recipient: Recipient, now_ms: int) -> Answer:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{message.title}|{recipient.name}\n")
        return Answer(Verdict.ACCEPTED, "ok")


def main(folder: Path, statements: int) -> None:
    register = county(STATIONS)
    journal = Journal(folder / "journal.db")
    database = CrashingDatabase(folder / "alarms.db")
    if statements:
        database.crash_before(statements)
    clock = folder / "minute.txt"
    first = int(clock.read_text()) if clock.exists() else 0
    now_ms = START_MS + first * MINUTE_MS
    planner = Planner(SETTINGS, register, "Asia/Shanghai")
    watched = watch(register, load_setpoints())
    engine = Engine(Journal(folder / "journal.db"), database, watched, places(register, now_ms=now_ms), planner)
    engine.start(now_ms=now_ms)
    sender = Sender(database, {"sms": FileChannel(folder / "sent.txt")}, planner)
    for minute in range(first, MINUTES):
        clock.write_text(str(minute))
        _speak(journal, minute)
        for second in (0, 35, 59):
            _round(engine, sender, START_MS + minute * MINUTE_MS + second * 1000)
    (folder / "done.txt").touch()


def _speak(journal: Journal, minute: int) -> None:
    """What the sites say in a minute; a batch said before is known to the journal and not kept twice."""
    volts = 0.0 if 3 <= minute < 11 else 230.0
    chlorine = 0.1 if 5 <= minute < 13 else 0.6
    at_ms = START_MS + minute * MINUTE_MS
    for site in ("head", *(f"st-{number}" for number in range(STATIONS))):
        values = {"meter.voltage_v": volts} | ({"outlet.free_chlorine_mg_l": chlorine} if site == "st-0" else {})
        rows = list(range(len(values)))
        batch = Batch(
            1,
            site,
            "0" * 32,
            minute,
            "boot",
            at_ms,
            list(values),
            rows,
            [0] * len(rows),
            list(values.values()),
            Quality.GOOD,
        )
        journal.commit([check(topic(site, "batch"), encode(batch), received_ms=at_ms)])


def _round(engine: Engine, sender: Sender, now_ms: int) -> None:
    while engine.step(now_ms=now_ms):
        pass
    engine.tick(now_ms=now_ms)
    while sender.send_due(now_ms=now_ms):
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
