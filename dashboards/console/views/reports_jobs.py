"""Reports that are being made: one at a time, in a thread of their own, and how far each has come."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from dashboards.console.errors import Unusable
from edge.errors import SteppeError

MOST = 50
"""Jobs remembered; the oldest are forgotten."""


@dataclass(frozen=True)
class ReportJob:
    """One report as it is being made."""

    done: int = 0
    """Points whose readings have been read."""
    total: int = 0
    report_id: str = ""
    """Where it is whole; empty before."""
    trouble: str = ""
    """Why it broke off; empty where it did not."""
    is_running: bool = True


Told = Callable[[str, int, int], None]


class ReportJobs:
    """Makes reports behind the page. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, ReportJob] = OrderedDict()

    def start(self, make: Callable[[Told], str]) -> str:
        """Begin a report; return the word to ask for it by. Raises Unusable while another one is being made."""
        word = secrets.token_urlsafe(9)
        with self._lock:
            if any(job.is_running for job in self._jobs.values()):
                raise Unusable("reports.busy")
            self._jobs[word] = ReportJob()
            while len(self._jobs) > MOST:
                self._jobs.popitem(last=False)
        threading.Thread(target=self._run, args=(word, make), name=f"report {word}", daemon=True).start()
        return word

    def get(self, word: str) -> ReportJob | None:
        """Return how far a report has come; None where there is no such job."""
        with self._lock:
            return self._jobs.get(word)

    def _run(self, word: str, make: Callable[[Told], str]) -> None:
        ended = ReportJob(trouble="it ended before it was whole; the console's log says why", is_running=False)
        try:
            ended = ReportJob(report_id=make(lambda what, done, total: self._tell(word, what, done, total)))
        except SteppeError as error:
            ended = ReportJob(trouble=str(error))
        finally:
            with self._lock:
                self._jobs[word] = replace(ended, is_running=False)

    def _tell(self, word: str, what: str, done: int, total: int) -> None:
        if what == "readings":
            with self._lock:
                self._jobs[word] = ReportJob(done, total)
