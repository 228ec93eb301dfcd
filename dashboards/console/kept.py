"""What was last read of each page: shown again, marked old, while the store does not answer or takes too long.

A reading that takes too long goes on in its own thread and is kept for the next visitor; nobody waits for it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ingest.store import StoreDown, StoreError

READERS = 4
"""Pages that read the store at once; more of them wait for their turn within the same time."""
MOST = 500
"""Views kept; those longest unseen are forgotten."""

T = TypeVar("T")


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A view, and whether it is what is now."""

    view: T
    read_ms: int
    """When it was read, by the centre's time. [ms since 1970-01-01T00:00Z]"""
    trouble: str = ""
    """Why it is an old one; empty where it is not."""


class KeptViews:
    """The last good view of each question. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._views: OrderedDict[Hashable, Kept[Any]] = OrderedDict()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")

    def read(self, question: Hashable, ask: Callable[[], T], *, wait_s: float, now_ms: int) -> Kept[T]:
        """Return what `ask` answers within `wait_s`, or else its last answer to the same question.

        Raises StoreError where the store fails or is slow and there is no earlier answer.
        """

        def keep() -> Kept[T]:
            return self._keep(question, Kept(ask(), now_ms))

        reading = self._readers.submit(keep)
        try:
            return reading.result(wait_s)
        except NotInTime:
            reading.cancel()
            return self._last(question, StoreDown(f"the store took more than {wait_s:g} s"))
        except StoreError as error:
            return self._last(question, error)

    def close(self) -> None:
        """Wait for no reading that has not begun."""
        self._readers.shutdown(cancel_futures=True)

    def _keep(self, question: Hashable, kept: Kept[T]) -> Kept[T]:
        with self._lock:
            self._views[question] = kept
            self._views.move_to_end(question)
            while len(self._views) > MOST:
                self._views.popitem(last=False)
        return kept

    def _last(self, question: Hashable, error: StoreError) -> Kept[Any]:
        with self._lock:
            kept = self._views.get(question)
        if kept is None:
            raise error
        return Kept(kept.view, kept.read_ms, str(error))
