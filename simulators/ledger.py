"""A spool that leaves a trail: what it was asked to keep, and what it did keep, in a file that outlives every kill.

Before the spool's commit a line `I` (intent) with the batch, after it a line `S` (sealed). A kill between the two
leaves an intent alone: such a batch may be in the spool or not, both are right. So a checker can prove
sealed ⊆ stored ∪ reported drops, and stored ⊆ intent.
"""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.seal import Sealed
from edge.spool import Depth, Spool
from edge.wire import Ack, DroppedRange


@dataclass(frozen=True)
class Trail:
    """What a ledger file says of one batch."""

    stream: str
    seq: int
    payload: bytes
    """As last intended; a draft's final form replaces it."""
    sealed: bool
    """Whether the spool returned, so that it is promised."""


class RecordingSpool:
    """Any spool, with a ledger beside it."""

    def __init__(self, spool: Spool, ledger: Path) -> None:
        self._spool = spool
        self._file = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    @property
    def stream(self) -> str:
        return self._spool.stream

    @property
    def next_seq(self) -> int:
        return self._spool.next_seq

    @property
    def set_aside(self) -> str | None:
        return self._spool.set_aside

    def append(self, batches: Sequence[Sealed]) -> None:
        self._record("I", batches)
        self._spool.append(batches)
        self._record("S", batches)

    def oldest(self, start: int, end: int) -> Sealed | None:
        return self._spool.oldest(start, end)

    def drafts(self, limit: int) -> list[Sealed]:
        return self._spool.drafts(limit)

    def finish(self, batches: Sequence[Sealed]) -> None:
        self._record("I", batches)
        self._spool.finish(batches)
        self._record("S", batches)

    def forget(self, ack: Ack) -> int:
        return self._spool.forget(ack)

    def dropped(self, limit: int) -> list[DroppedRange]:
        return self._spool.dropped(limit)

    def depth(self) -> Depth:
        return self._spool.depth()

    def start_over(self, reason: str) -> None:
        self._spool.start_over(reason)

    def close(self) -> None:
        self._spool.close()
        os.close(self._file)

    def _record(self, mark: Literal["I", "S"], batches: Sequence[Sealed]) -> None:
        """One write for all lines: O_APPEND keeps it whole, and what the kernel has taken survives a kill."""
        lines = "".join(_line(mark, self._spool.stream, batch) for batch in batches)
        os.write(self._file, lines.encode())


def _line(mark: Literal["I", "S"], stream: str, batch: Sealed) -> str:
    """Mark, stream, number and readings; an intent carries the batch as well."""
    payload = f" {base64.b64encode(batch.payload).decode()}" if mark == "I" else ""
    return f"{mark} {stream} {batch.seq} {batch.readings}{payload}\n"


def read_ledger(path: Path) -> list[Trail]:
    """Every batch of a ledger file, in the order of first intent; a torn last line is left out."""
    intents: dict[tuple[str, int], bytes] = {}
    sealed: set[tuple[str, int]] = set()
    with path.open(encoding="ascii") as file:
        for line in file:
            if not line.endswith("\n"):
                break
            mark, stream, seq, _, *payload = line.split()
            if mark == "I":
                intents[stream, int(seq)] = base64.b64decode(payload[0])
            else:
                sealed.add((stream, int(seq)))
    return [Trail(stream, seq, payload, (stream, seq) in sealed) for (stream, seq), payload in intents.items()]
