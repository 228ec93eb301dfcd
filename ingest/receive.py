"""Receive from the broker, and acknowledge only what is durable.

Messages are taken in groups: check, one journal transaction, PUBACK in order on the connection that delivered them,
then the commit acknowledgement per site. A crash between any two steps repeats messages and never loses one: the
broker redelivers what has no PUBACK, and the gateway resends what no acknowledgement covers.
When the journal does not take a group, nothing is acknowledged and the connection is dropped, for only on a new one
does a broker redeliver.
"""

import logging
import queue
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

from edge.clock import Clock
from edge.errors import LinkDown
from edge.mqtt import Answered, BrokerAddress, Connected, Connection, Event, Lost, Received
from edge.wire import Ack, encode, topic
from ingest import writer
from ingest.broker import address_of
from ingest.config import Centre
from ingest.deadletter import DeadLetters, dead_letters_path
from ingest.handover import Handover
from ingest.intake import Files, Intake
from ingest.journal import Journal
from ingest.journal_file import JournalDamaged, JournalError, JournalLock
from ingest.salvage import heal, set_aside_if_damaged
from ingest.sites import Sites
from ingest.stopping import stop_on_signals
from ingest.store import StoreRefused

log = logging.getLogger(__name__)

TOPICS = ("steppe/v1/+/batch", "steppe/v1/+/points", "steppe/v1/+/status")
RECEIVE_MAXIMUM = 1000
SESSION_EXPIRY_S = 30 * 86_400
"""The broker keeps what comes for us at least this long: longer than any maintenance. [s]"""
GROUP_MESSAGES = 500
GROUP_BYTES = 16 * 1024 * 1024
GROUP_WAIT_S = 0.03
IDLE_S = 0.5
ACK_WINDOW = 200
FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 30.0
STORE_RETRY_S = 60.0


def run(centre: Centre, clock: Clock, stop: threading.Event | None = None) -> None:
    """Be the centre's ingest, receiving and writing to the store, until `stop` is set or a signal asks for it.

    Raises JournalLocked where another one runs, ConfigError for a store that cannot be, JournalDamaged when the
    journal breaks under way: the next start saves what can be read.
    """
    stop = stop or stop_on_signals()
    folder = Path(centre.data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    journal_path = folder / centre.journal.path
    with ExitStack() as stack:
        stack.callback(JournalLock(journal_path).release)
        files = _open_files(centre, journal_path, clock.now_ms(), stack)
        handover = Handover()
        intake = Intake(files, clock, handover, keep_days=centre.journal.keep_days)
        pool = stack.enter_context(ThreadPoolExecutor(1, "store-writer"))
        stack.callback(stop.set)
        writing = pool.submit(_write, centre, stop, handover, clock)
        writing.add_done_callback(lambda _: stop.set())
        receive(address_of(centre.broker, folder), centre.broker.client_id, intake, stop)
        writing.result()


def receive(address: BrokerAddress, client_id: str, intake: Intake, stop: threading.Event) -> None:
    """Take what the broker delivers until `stop` is set, over as many connections as it needs."""
    delay_s = FIRST_RETRY_S
    while not stop.is_set():
        connection = Connection(
            address,
            client_id=client_id,
            clean_start=False,
            session_expiry_s=SESSION_EXPIRY_S,
            receive_maximum=RECEIVE_MAXIMUM,
        )
        session = Session(connection, intake)
        try:
            with closing(connection):
                session.serve(stop)
        except JournalDamaged:
            raise
        except (LinkDown, JournalError) as error:
            delay_s = FIRST_RETRY_S if session.committed else min(2 * delay_s, LONGEST_RETRY_S)
            wait_s = random.uniform(0.0, delay_s)  # noqa: S311
            log.warning("nothing is acknowledged, next try in %.1f s: %s", wait_s, error)
            stop.wait(wait_s)


class Session:
    """The life of one connection: groups of messages in, acknowledgements out."""

    def __init__(self, connection: Connection, intake: Intake) -> None:
        self._connection = connection
        self._intake = intake
        self._acks = AckSender(connection)
        self.committed = False
        """Whether the journal took at least one group on this connection."""

    def serve(self, stop: threading.Event) -> None:
        """Run until `stop`. Raises LinkDown when the connection is over, JournalError when nothing can be kept."""
        while not stop.is_set():
            group = self._collect()
            if group:
                committed = self._intake.take(group)
                for message in group:
                    if message.mid:  # 0: sent without a wish for an answer; a PUBACK would end the connection
                        self._connection.acknowledge(message.mid)
                self.committed = True
                self._acks.offer(self._intake.acks(committed.streams))
            replayed = self._intake.housekeep()
            if replayed is not None:
                self._acks.offer(self._intake.acks(replayed.streams))

    def _collect(self) -> list[Received]:
        """Wait for messages: for `IDLE_S`, or from the first one for `GROUP_WAIT_S` and up to the group's bounds."""
        group: list[Received] = []
        size = 0
        until_s = time.monotonic() + IDLE_S
        while len(group) < GROUP_MESSAGES and size < GROUP_BYTES:
            try:
                event = self._connection.events.get(timeout=max(until_s - time.monotonic(), 0.0))
            except queue.Empty:
                break
            if isinstance(event, Received):
                if not group:
                    until_s = time.monotonic() + GROUP_WAIT_S
                group.append(event)
                size += len(event.payload)
            else:
                self._on(event)
        return group

    def _on(self, event: Event) -> None:
        if isinstance(event, Connected):
            log.info("connected to the broker, session %s", "resumed" if event.session_present else "new")
            self._acks.window = min(event.receive_maximum, ACK_WINDOW)
            self._connection.subscribe(TOPICS)
        elif isinstance(event, Answered):
            self._acks.answered(event)
        elif isinstance(event, Lost):
            raise LinkDown(event.reason)


class AckSender:
    """Publishes commit acknowledgements within the broker's window; of a stream only the newest waits."""

    def __init__(self, connection: Connection) -> None:
        self.window = 1
        self._connection = connection
        self._waiting: dict[tuple[str, str], Ack] = {}
        self._under_way: dict[int, str] = {}

    def offer(self, acks: list[tuple[str, Ack]]) -> None:
        """Send `acks` now, or when the broker has answered for earlier ones."""
        self._waiting.update({(site, ack.stream): ack for site, ack in acks})
        self._send()

    def answered(self, answer: Answered) -> None:
        """Take the broker's answer to one of them."""
        site = self._under_way.pop(answer.mid, None)
        if answer.refused:
            log.warning(
                "the broker refused the ack of %s (0x%02x): let ingest write steppe/v1/+/ack", site, answer.code
            )
        self._send()

    def _send(self) -> None:
        while self._waiting and len(self._under_way) < self.window:
            site, stream = next(iter(self._waiting))
            ack = self._waiting.pop((site, stream))
            self._under_way[self._connection.publish(topic(site, "ack"), encode(ack), retain=True)] = site


def _open_files(centre: Centre, journal_path: Path, now_ms: int, stack: ExitStack) -> Files:
    letters_path = dead_letters_path(centre)
    heal(journal_path, now_ms=now_ms)
    set_aside_if_damaged(letters_path, now_ms=now_ms)
    return Files(
        stack.enter_context(closing(Journal(journal_path, max_bytes=int(centre.journal.max_mb * 1_000_000)))),
        stack.enter_context(closing(DeadLetters(letters_path))),
        stack.enter_context(closing(Sites(journal_path))),
    )


def _write(centre: Centre, stop: threading.Event, handover: Handover, clock: Clock) -> None:
    """Run the store writer; where a person must act first, try again now and then: the journal keeps everything."""
    while not stop.is_set():
        try:
            writer.run(centre, stop, handover, clock)
        except JournalDamaged:
            raise
        except (StoreRefused, JournalError) as error:
            log.error("the store is not written, next try in %.0f s: %s", STORE_RETRY_S, error)
            stop.wait(STORE_RETRY_S)
