"""A gateway's delivery with readings from the test instead of meters, and a centre that commits what it gets."""

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from edge.agent import make_delivery
from edge.clock import Clock, RealClock
from edge.errors import LinkDown
from edge.mqtt import BrokerAddress, Connection, Lost, Received
from edge.site import Site
from edge.spool import Spool
from edge.timesync import ClockState
from edge.wire import Ack, Batch, PointInfo, Reading, decode, encode, site_and_leaf, topic

POINTS = (PointInfo("clearwell.turbidity_ntu", 10.0), PointInfo("gateway.mains_on", 60.0))


def make_site(url: str, **uplink: Any) -> Site:
    """Return a site that seals after 20 ms of clock time, so that a test need not wait."""
    meter = {"name": "clearwell", "url": "tcp://127.0.0.1:502", "profile": "simulated_works"}
    return msgspec.convert(
        {
            "site": "w1",
            "uplink": {"url": url, "backlog_batches_per_s": 10_000.0, **uplink},
            "devices": [meter],
            "seal": {"after_s": 0.02, "urgent": ["gateway.mains_on"]},
        },
        Site,
    )


class Gateway:
    """A delivery thread at work."""

    def __init__(
        self,
        site: Site,
        spool: Spool,
        *,
        clock: Clock | None = None,
        clock_state: Callable[[], ClockState] = lambda: "synced",
        flush_s: float = 0.1,
        clock_patience_s: float = 60.0,
    ) -> None:
        self.spool = spool
        self._delivery = make_delivery(
            site,
            Path("/"),
            clock or RealClock(),
            spool,
            POINTS,
            clock_state,
            flush_s=flush_s,
            clock_patience_s=clock_patience_s,
        )
        self._thread = threading.Thread(target=self._delivery.run, name="delivery")

    def emit(self, readings: Sequence[Reading]) -> None:
        self._delivery.emit(readings)

    def ask_to_stop(self) -> None:
        """Begin a clean stop."""
        self._delivery.stop()

    def stop(self) -> None:
        """Stop cleanly; fails where that takes longer than promised."""
        self._delivery.stop()
        self._thread.join(20)
        assert not self._thread.is_alive(), "the delivery thread does not end"

    def __enter__(self) -> "Gateway":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            self.stop()


class Centre:
    """Takes batches from a broker, keeps them, and acknowledges them, as ingest does; connects again when cut off."""

    def __init__(self, port: int) -> None:
        self.batches: dict[tuple[str, int], Batch] = {}
        self.repeats = 0
        self._port = port
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="centre")

    @property
    def readings(self) -> list[Reading]:
        """All that came, in the order of its instants."""
        return sorted((row for batch in self.batches.values() for row in rows(batch)), key=lambda row: row.sampled_ms)

    def __enter__(self) -> "Centre":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(20)

    def _run(self) -> None:
        while not self._ended.is_set():
            connection = Connection(
                BrokerAddress(f"mqtt://127.0.0.1:{self._port}"),
                client_id="steppe-ingest",
                clean_start=False,
                session_expiry_s=3600,
            )
            self._serve(connection)
            connection.close()

    def _serve(self, connection: Connection) -> None:
        subscribed = False
        while not self._ended.is_set():
            try:
                event = connection.events.get(timeout=0.05)
            except queue.Empty:
                continue
            if isinstance(event, Lost):
                self._ended.wait(0.05)
                return
            if not subscribed:
                connection.subscribe(["steppe/v1/+/batch"])
                subscribed = True
            if isinstance(event, Received):
                self._commit(event, connection)

    def _commit(self, message: Received, connection: Connection) -> None:
        site, _ = site_and_leaf(message.topic)
        batch = decode(message.payload, Batch)
        key = (batch.stream, batch.seq)
        self.repeats += key in self.batches
        self.batches[key] = batch
        connection.acknowledge(message.mid)
        held = [(seq, seq) for stream, seq in sorted(self.batches) if stream == batch.stream]
        with contextlib.suppress(LinkDown):
            connection.publish(topic(site, "ack"), encode(Ack(batch.stream, -1, held)), retain=True)


def rows(batch: Batch) -> list[Reading]:
    """Return a batch's rows as the readings they were."""
    qualities = batch.q if isinstance(batch.q, list) else [batch.q] * len(batch.p)
    columns = zip(batch.p, batch.dt, batch.x, qualities, strict=True)
    return [Reading(batch.points[p], batch.t0 + dt, x, q) for p, dt, x, q in columns]
