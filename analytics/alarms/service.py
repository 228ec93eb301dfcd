"""The alarm service of one centre: engine and sender, built from its files, running until told to stop.

The register's folder may hold `alarms.toml` (people, duties, channels) and `setpoints.csv` (rows in place of shipped
ones). When a file of the folder changes, and at each midnight, the service is built anew from it; a file that no
longer loads is reported once, and the service goes on with what it had. Notices are sent by a thread of their own, so
that a robot that does not answer holds up nobody's alarm; replies by SMS come in on threads of their own.
"""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from analytics.alarms.answering import answer
from analytics.alarms.channels.make import make_channel, make_inboxes
from analytics.alarms.channels.port import Channel
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.engine import GAP_MS, Engine
from analytics.alarms.heartbeat import plan_heartbeats
from analytics.alarms.planner import Planner
from analytics.alarms.sender import Sender
from analytics.alarms.settings import AlarmSettings, load_settings
from analytics.alarms.suppression import Places, places
from analytics.alarms.watch import Watch, watch
from analytics.limit_files import load_setpoints
from edge.clock import Clock
from edge.config import read_secret
from edge.errors import BadInput, ConfigError
from ingest.config import Centre
from ingest.folder_signature import Signature, folder_signature
from ingest.journal import Journal
from ingest.register_files import load_register

if TYPE_CHECKING:
    from analytics.alarms.channels.smpp_inbox import SmppInbox, Sms

log = logging.getLogger(__name__)

TICK_S, SEND_S = 1.0, 0.25
SHORTEST_S = 0.02
"""However fast a virtual clock runs, the machine rests this long between two looks. [s of real time]"""
LEAST_PAUSE_S = 0.1
"""A virtual clock does not make the rounds follow each other faster than this. [s of real time]"""
PAUSE_S = 5.0
"""A machine may be too busy for a round this long before that counts as a pause. [s of real time]"""
DATABASE_FILE, SETTINGS_FILE, SETPOINTS_FILE = "alarms.db", "alarms.toml", "setpoints.csv"
DayAndFiles = tuple[str, Signature]


@dataclass(frozen=True, eq=False)
class Plant:
    """Everything that is read from files: a plant that loads is one that can run."""

    planner: Planner
    watch: Watch
    where: Places
    channels: Mapping[str, Channel]
    inboxes: "Sequence[SmppInbox]"


def run(centre: Centre, clock: Clock, stop: threading.Event) -> None:
    """Serve until `stop` is set. Raises BadInput where the files cannot be loaded at the start."""
    seen = _day_and_files(centre, clock.now_ms())
    plant: Plant | None = load_plant(centre, now_ms=clock.now_ms())
    while plant is not None:
        with _opened(centre, plant, clock) as (engine, sender):
            log.info("watching %d conditions for %d alarms", len(plant.watch.rules), len(plant.watch.alarms))
            # What fell due while nothing ran waits for what came in meanwhile: its cause may be among it.
            round_(engine, now_ms=clock.now_ms())
            with _receiving(centre, plant, clock), _sending(sender, clock) as sending:
                plant, seen = _serve(engine, sending, centre, seen, clock, stop)
            sending.result()


def load_plant(centre: Centre, *, now_ms: int) -> Plant:
    """Build what the centre's files describe. Raises BadInput naming the file and the remedy."""
    folder = Path(centre.register)
    planner = load_planner(centre)
    register, settings = planner.register, planner.settings
    unknown = next((window for window in settings.windows if window.asset not in register.assets), None)
    if unknown is not None:
        raise ConfigError(f"{folder / SETTINGS_FILE}: window {unknown.name}: no asset {unknown.asset!r} in assets.csv")
    strange = next((one.asset for one in settings.lift_stations if one.asset not in register.assets), None)
    if strange is not None:
        raise ConfigError(f"{folder / SETTINGS_FILE}: lift station {strange}: no asset {strange!r} in assets.csv")
    own = [folder / SETPOINTS_FILE] if (folder / SETPOINTS_FILE).exists() else []
    channels = {one.name: make_channel(one, folder) for one in settings.channels}
    watched, where = watch(register, load_setpoints(*own)), places(register, now_ms=now_ms)
    return Plant(planner, watched, where, channels, make_inboxes(settings.channels, folder))


def load_planner(centre: Centre) -> Planner:
    """Build what notices need from the register and `alarms.toml`, if there is one. Raises BadInput."""
    folder = Path(centre.register)
    path = folder / SETTINGS_FILE
    settings = load_settings(path) if path.exists() else AlarmSettings()
    key = read_secret(folder / settings.link_key_file) if settings.link_key_file else ""
    return Planner(settings, load_register(folder, centre.timezone), centre.timezone, key.encode())


def _serve(
    engine: Engine, sending: Future[None], centre: Centre, seen: DayAndFiles, clock: Clock, stop: threading.Event
) -> tuple[Plant | None, DayAndFiles]:
    """Follow the journal and the clock until there is another plant to serve; None where it was told to stop."""
    while not stop.is_set() and not sending.done():
        now_ms = clock.now_ms()
        signature = _day_and_files(centre, now_ms)
        if signature != seen:
            seen = signature
            try:
                return load_plant(centre, now_ms=now_ms), seen
            except BadInput as error:
                log.warning("the register has changed and cannot be used, going on with the old one: %s", error)
        round_(engine, now_ms=now_ms)
        stop.wait(max(clock.real_s(TICK_S), LEAST_PAUSE_S))
    return None, seen


def round_(engine: Engine, *, now_ms: int) -> None:
    """Take what has come in, and do what time brings."""
    while engine.step(now_ms=now_ms):
        pass
    engine.tick(now_ms=now_ms)
    planner = engine.planner
    with engine.database.transaction() as change:
        plan_heartbeats(change, planner.settings, planner.timezone, now_ms=now_ms)


@contextmanager
def _opened(centre: Centre, plant: Plant, clock: Clock) -> Iterator[tuple[Engine, Sender]]:
    """Open the databases, each of the two with its own connection, and bring the alarms in line with the plant."""
    data = Path(centre.data_dir)
    data.mkdir(parents=True, exist_ok=True)
    gap_ms = max(GAP_MS, int(PAUSE_S * 1000 * TICK_S / clock.real_s(TICK_S)))
    with (
        closing(AlarmDatabase(data / DATABASE_FILE)) as database,
        closing(AlarmDatabase(data / DATABASE_FILE)) as senders,
        closing(Journal(data / centre.journal.path)) as journal,
    ):
        engine = Engine(journal, database, plant.watch, plant.where, plant.planner, gap_ms)
        engine.start(now_ms=clock.now_ms())
        yield engine, Sender(senders, plant.channels, plant.planner)


@contextmanager
def _sending(sender: Sender, clock: Clock) -> Iterator[Future[None]]:
    """Send what is due in a thread of its own while the block lasts; its result is there early only where it failed."""
    stop = threading.Event()
    with ThreadPoolExecutor(1, "alarm-sender") as pool:
        try:
            yield pool.submit(_send, sender, clock, stop)
        finally:
            stop.set()


def _send(sender: Sender, clock: Clock, stop: threading.Event) -> None:
    while not stop.is_set():
        if sender.send_due(now_ms=clock.now_ms()) == 0:
            stop.wait(max(clock.real_s(SEND_S), LEAST_PAUSE_S))


@contextmanager
def _receiving(centre: Centre, plant: Plant, clock: Clock) -> Iterator[None]:
    """Do what replies ask while the block lasts, each inbox on a thread of its own; what fails rises at the end."""
    stop = threading.Event()
    with ThreadPoolExecutor(max(len(plant.inboxes), 1), "alarm-replies") as pool:
        inboxes = [pool.submit(_receive, inbox, centre, plant.planner, clock, stop) for inbox in plant.inboxes]
        try:
            yield
        finally:
            stop.set()
    for inbox in inboxes:
        inbox.result()


def _receive(inbox: "SmppInbox", centre: Centre, planner: Planner, clock: Clock, stop: threading.Event) -> None:
    with closing(AlarmDatabase(Path(centre.data_dir) / DATABASE_FILE)) as database:

        def handle(sms: "Sms") -> None:
            answered = answer(database, planner, sms.phone, sms.text, now_ms=clock.now_ms())
            log.info("a reply over %s: %s%s", inbox.name, "" if answered.done else "nothing done, ", answered.detail)

        inbox.receive(handle, stop)


def _day_and_files(centre: Centre, now_ms: int) -> DayAndFiles:
    """The local day, for assets that move on a date, and every file's last change."""
    day = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(centre.timezone)).date().isoformat()
    return day, folder_signature(Path(centre.register))


def _pause_s(clock: Clock, seconds: float) -> float:
    return max(clock.real_s(seconds), SHORTEST_S)
