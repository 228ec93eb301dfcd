"""The alarm service of one centre: engine and sender, built from its files, running until told to stop.

The register's folder may hold `alarms.toml` (people, duties, channels) and `setpoints.csv` (rows in place of shipped
ones). When a file of the folder changes, the service is built anew from it; a file that no longer loads is reported
and the service goes on with what it had.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from analytics.alarms.channels.make import make_channel
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.engine import Engine
from analytics.alarms.heartbeat import plan_heartbeats
from analytics.alarms.planner import Planner
from analytics.alarms.sender import Sender
from analytics.alarms.settings import AlarmSettings, load_settings
from analytics.alarms.suppression import places
from analytics.alarms.watch import watch
from analytics.limit_files import load_setpoints
from edge.clock import Clock
from edge.errors import BadInput
from ingest.config import Centre
from ingest.journal import Journal
from ingest.register_files import load_register

log = logging.getLogger(__name__)

TICK_S = 1.0
DATABASE_FILE, SETTINGS_FILE, SETPOINTS_FILE = "alarms.db", "alarms.toml", "setpoints.csv"
Signature = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Service:
    """One engine and one sender over one `alarms.db`."""

    engine: Engine
    sender: Sender
    settings: AlarmSettings

    def round(self, *, now_ms: int) -> None:
        """Take what has come, do what time brings, send what is due."""
        while self.engine.step(now_ms=now_ms):
            pass
        self.engine.tick(now_ms=now_ms)
        with self.engine.database.transaction() as change:
            plan_heartbeats(change, self.settings, self.engine.planner.timezone, now_ms=now_ms)
        while self.sender.send_due(now_ms=now_ms):
            pass


def run(centre: Centre, clock: Clock, stop: threading.Event) -> None:
    """Serve until `stop` is set. Raises BadInput where the files cannot be loaded at the start."""
    while not stop.is_set():
        signature = _signature(Path(centre.register))
        with _opened(centre) as service:
            log.info(
                "watching %d conditions for %d alarms",
                len(service.engine.watch.rules),
                len(service.engine.watch.alarms),
            )
            while not stop.is_set() and not _has_changed(centre, signature):
                service.round(now_ms=clock.now_ms())
                stop.wait(clock.real_s(TICK_S))


@contextmanager
def _opened(centre: Centre) -> Iterator[Service]:
    """Build the service from the centre's files. Raises BadInput."""
    folder, data = Path(centre.register), Path(centre.data_dir)
    register = load_register(folder, centre.timezone)
    settings = _settings(folder)
    own = [folder / SETPOINTS_FILE] if (folder / SETPOINTS_FILE).exists() else []
    planner = Planner(settings, register, centre.timezone)
    channels = {one.name: make_channel(one, folder) for one in settings.channels}
    with (
        closing(AlarmDatabase(data / DATABASE_FILE)) as database,
        closing(Journal(data / centre.journal.path)) as journal,
    ):
        engine = Engine(journal, database, watch(register, load_setpoints(*own)), places(register), planner)
        yield Service(engine, Sender(database, channels, planner), settings)


def _has_changed(centre: Centre, signature: Signature) -> bool:
    """Whether the register's files are others than at the start, and can be used."""
    if _signature(Path(centre.register)) == signature:
        return False
    try:
        with _opened(centre):
            return True
    except BadInput as error:
        log.warning("the register has changed and cannot be used, going on with the old one: %s", error)
        return False


def _settings(folder: Path) -> AlarmSettings:
    path = folder / SETTINGS_FILE
    return load_settings(path) if path.exists() else AlarmSettings()


def _signature(folder: Path) -> Signature:
    return tuple(sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir() if path.is_file()))
