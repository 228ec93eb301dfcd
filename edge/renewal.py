"""A gateway's new certificate, before the old one ends: asked for and taken over the link that the old one opened.

Whatever goes wrong leaves the gateway with the pair it has, and it asks again; the new pair serves from the next
connection on. The delivery thread waits for the child process, a second or two every few weeks.
"""

import logging
import subprocess
import sys
from dataclasses import astuple, dataclass
from pathlib import Path

from edge.clock import Clock

log = logging.getLogger(__name__)

ASK_EVERY_MS = 6 * 3_600_000
"""Between two looks at the certificate's age, and two requests while no answer comes. [ms]"""
ASK_AGAIN_MS = 30_000
"""After the first request that nobody heard, for the centre's authority was away; twice as long after each. [ms]"""
CHILD_S = 60.0


@dataclass(frozen=True)
class PaperFiles:
    """The gateway's name, and where its certificate, its key and its authority's certificate stand."""

    name: str
    certificate: Path
    key: Path
    authority: Path


class Renewal:
    """Keeps one gateway's certificate from running out."""

    def __init__(self, files: PaperFiles, clock: Clock) -> None:
        self._files = files
        self._clock = clock
        self._ask_at_ms = clock.monotonic_ms()
        self._again_ms = ASK_AGAIN_MS
        if _next(files.certificate).exists():
            self._run("settle")

    def due_request(self) -> bytes:
        """Return a signing request if it is time to send one, else nothing."""
        now_ms = self._clock.monotonic_ms()
        if now_ms < self._ask_at_ms:
            return b""
        self._ask_at_ms = now_ms + ASK_EVERY_MS
        return self._run("request") or b""

    def nobody_heard(self) -> None:
        """Ask again soon, and ever later while nobody hears: the request reached the broker, and no authority."""
        self._ask_at_ms = self._clock.monotonic_ms() + self._again_ms
        self._again_ms = min(2 * self._again_ms, ASK_EVERY_MS)

    def take(self, answer: bytes) -> bool:
        """Put a certificate that came in place; return whether it is what was asked for.

        The last answer comes again with every connection; without an open question nothing is made of it.
        """
        if not _next(self._files.key).exists():
            return False
        taken = self._run("accept", answer) is not None
        if taken:
            self._again_ms = ASK_AGAIN_MS
            log.info("a new certificate is in place, and serves from the next connection on")
        return taken

    def _run(self, action: str, content: bytes = b"") -> bytes | None:
        """Return what the child says; None, with a word in the log, where it fails."""
        command = [sys.executable, "-P", "-m", "edge.papers", action, *map(str, astuple(self._files))]
        try:
            done = subprocess.run(command, input=content, capture_output=True, timeout=CHILD_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("the certificate cannot be renewed now: %s", error)
            return None
        if done.returncode != 0:
            log.warning("certificate, %s: %s", action, done.stderr.decode(errors="replace").strip()[-300:])
            return None
        return done.stdout


def _next(path: Path) -> Path:
    """Return where what is to replace a file waits."""
    return path.with_name(path.name + ".next")
