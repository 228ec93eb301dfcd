"""A site reduced to its line: publishes payloads, and knows which batches the centre has acknowledged."""

import contextlib
import queue
import time
from collections.abc import Mapping
from pathlib import Path

from support.servers import wait_until

from edge.errors import LinkDown
from edge.mqtt import Answered, BrokerAddress, Connected, Connection, Lost, Received
from edge.wire import Ack, decode, topic

RESEND_S = 1.0


class SiteLine:
    """One site on one connection, opened anew after each loss of the line."""

    def __init__(self, url: str, site: str, **files: Path) -> None:
        """`files`: ca_file, cert_file, key_file where the broker wants to know who comes."""
        self.site = site
        self.ack: Ack | None = None
        self.answers: dict[int, int] = {}
        self._address = BrokerAddress(url, **files)
        self._connection: Connection | None = None
        self._connected = False

    def connect(self) -> None:
        """Be connected, whatever was before; waits until the broker is there."""

        def connected() -> bool:
            if self._connection is None:
                self._connection = Connection(self._address, client_id=self.site, clean_start=True)
            self.listen()
            return self._connected

        wait_until(connected, 20, f"{self.site} is connected")

    def send(self, payload: bytes, leaf: str = "batch", *, retain: bool = False) -> int:
        """Publish on the site's own topic; return the message id that `answers` will hold."""
        assert self._connection is not None
        return self._connection.publish(f"steppe/v1/{self.site}/{leaf}", payload, retain=retain)

    def deliver(self, batches: Mapping[int, bytes], *, timeout_s: float = 30.0) -> None:
        """Send batches by number until the centre has acknowledged each, again after a second without progress."""
        unsent_at_s = 0.0

        def delivered() -> bool:
            nonlocal unsent_at_s
            waiting = [seq for seq in batches if not self.holds(seq)]
            if waiting and time.monotonic() >= unsent_at_s:
                self.connect()
                unsent_at_s = time.monotonic() + RESEND_S
                with contextlib.suppress(LinkDown):
                    for seq in waiting:
                        self.send(batches[seq])
            return not waiting

        wait_until(delivered, timeout_s, f"{self.site}: {len(batches)} batches are acknowledged")

    def holds(self, *seqs: int) -> bool:
        """Whether the centre has acknowledged all these batches."""
        self.listen()
        return self.ack is not None and all(self.ack.covers(seq) for seq in seqs)

    def listen(self) -> None:
        """Take in what has come."""
        while self._connection is not None:
            try:
                event = self._connection.events.get_nowait()
            except queue.Empty:
                return
            if isinstance(event, Connected):
                self._connected = True
                self._connection.subscribe([topic(self.site, "ack")])
            elif isinstance(event, Received):
                self.ack = decode(event.payload, Ack)
                self._connection.acknowledge(event.mid)
            elif isinstance(event, Answered):
                self.answers[event.mid] = event.code
            elif isinstance(event, Lost):
                self._connection, self._connected = None, False

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
