"""How far each export has come: kept in memory, for the page that waits for it."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from dashboards.console.views.export import Told

MOST = 200
"""Exports remembered; the oldest are forgotten."""


@dataclass(frozen=True)
class Progress:
    """One export as it stands."""

    share: float
    """Of the time asked for. [0..1]"""
    readings: int
    is_done: bool = False
    trouble: str = ""
    """Why it broke off; empty where it did not."""


class ExportJobs:
    """Progress by the word that a page gave to its export. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._progress: OrderedDict[str, Progress] = OrderedDict()

    def begin(self, job: str) -> Told:
        """Return what to call after each piece."""
        self._keep(job, Progress(0.0, 0))

        def told(share: float, readings: int) -> None:
            self._keep(job, Progress(share, readings, is_done=share >= 1.0))

        return told

    def fail(self, job: str, trouble: str) -> None:
        """Note that an export broke off."""
        at = self.get(job) or Progress(0.0, 0)
        self._keep(job, Progress(at.share, at.readings, trouble=trouble))

    def get(self, job: str) -> Progress | None:
        """Return how far an export has come; None where it has not begun."""
        with self._lock:
            return self._progress.get(job)

    def _keep(self, job: str, progress: Progress) -> None:
        with self._lock:
            self._progress[job] = progress
            self._progress.move_to_end(job)
            while len(self._progress) > MOST:
                self._progress.popitem(last=False)
