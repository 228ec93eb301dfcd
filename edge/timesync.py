"""Whether this machine's clock can be trusted, and what to do with readings made before it could.

A Pi without a battery clock boots in the past, and after a power cut it may poll for hours before a network brings
the time. Its readings are kept as *drafts*: durable in the spool and numbered, but not sent, marked UNCERTAIN_CLOCK
and filed with the difference between wall and monotonic time under which they were stamped. When the clock is set,
that difference has changed by exactly the error of the drafts of this boot: they are stamped anew and become final.

A draft becomes final with its mark and its doubtful stamps when nothing better can come: its boot is over, or the
link has been up for `PATIENCE_S` and still nobody has set the clock. While there is no link, waiting costs nothing.
"""

import ctypes
import functools
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import msgspec

from edge.clock import Clock
from edge.seal import Sealed, restamped
from edge.wire import Reading

ClockState = Literal["synced", "unsynced", "unknown"]

PATIENCE_S = 60.0
"""With the network back, time synchronisation takes less than this."""
STRAY_MS = 60_000
"""A reading handed over so far from its own stamp was stamped by a clock that has been set meanwhile."""
STEP_MS = 1000
TIME_ERROR = 5
STA_UNSYNC = 0x40
SYNCED_FILE = Path("/run/systemd/timesync/synchronized")
BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


class _Timex(ctypes.Structure):
    """The head of the kernel's `struct timex`; `rest` leaves room for what follows."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def machine_clock_state(synced_file: Path = SYNCED_FILE) -> ClockState:
    """Return what the kernel says of its clock, or systemd-timesyncd where the kernel does not say."""
    if synced_file.exists():
        return "synced"
    adjtimex = _adjtimex()
    if adjtimex is None:
        return "unknown"
    told = _Timex()
    state = adjtimex(ctypes.byref(told))
    if state < 0:
        return "unknown"
    return "unsynced" if state == TIME_ERROR or told.status & STA_UNSYNC else "synced"


@functools.cache
def _adjtimex() -> Callable[..., int] | None:
    try:
        return ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None


def boot_id(file: Path = BOOT_ID_FILE) -> str:
    """Return the name of this boot of the machine; a random one where the kernel has none."""
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return str(uuid.uuid4())


def offset_ms(clock: Clock) -> int:
    """Return how far wall time is ahead of monotonic time: constant until somebody sets the clock. [ms]"""
    before, wall, after = clock.monotonic_ms(), clock.now_ms(), clock.monotonic_ms()
    return wall - (before + after) // 2


class Trust:
    """Whether the clock has been known good in this boot: once set it runs on well enough by itself."""

    def __init__(self, clock: Clock, boot: str, ask: Callable[[], ClockState]) -> None:
        self._clock = clock
        self.boot = boot
        self._ask = ask
        self.state: ClockState = ask()

    @property
    def given(self) -> bool:
        """Whether readings may be sealed for good. Where nobody can tell ("unknown"), the clock is taken as it is."""
        return self.state != "unsynced"

    def look(self) -> bool:
        """Ask again while the clock is not trusted; return whether it has just become so."""
        if self.given:
            return False
        self.state = self._ask()
        return self.given

    def steady(self, readings: Sequence[Reading]) -> Sequence[Reading]:
        """Return `readings` with any stamp replaced that was made just before the clock was set."""
        if self.given:
            return readings
        now_ms = self._clock.now_ms()
        return [
            reading
            if abs(now_ms - reading.sampled_ms) <= STRAY_MS
            else msgspec.structs.replace(reading, sampled_ms=now_ms)
            for reading in readings
        ]

    def finished(self, drafts: Sequence[Sealed], *, patience_over: bool) -> list[Sealed]:
        """Return those of `drafts` that can become final now, as final batches."""
        final = []
        for draft in drafts:
            if self.given and draft.boot == self.boot:
                final.append(restamped(draft, offset_ms(self._clock)))
            elif self.given or patience_over or draft.boot != self.boot:
                final.append(replace(draft, offset_ms=None))
        return final
