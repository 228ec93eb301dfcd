"""Something loaded from files, and again when they change; what does not load leaves the old one standing."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from edge.errors import BadInput
from ingest.folder_signature import Signature

log = logging.getLogger(__name__)

T = TypeVar("T")


class Watched(Generic[T]):
    """What the files said when they could last be loaded. Threads may share it."""

    def __init__(self, load: Callable[[], T], signature: Callable[[], Signature], look_every_s: float) -> None:
        """Load it. Raises BadInput naming the file and the remedy."""
        self._load, self._signature, self._look_every_s = load, signature, look_every_s
        self._lock = threading.Lock()
        self._seen = signature()
        self._loaded = load()
        self._looked_s = time.monotonic()

    def now(self) -> T:
        """Return what is loaded, after a look at the files if the last one is some time ago."""
        if time.monotonic() - self._looked_s >= self._look_every_s and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._loaded

    def _look(self) -> None:
        self._looked_s = time.monotonic()
        signature = self._signature()
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self._loaded = self._load()
        except BadInput as error:
            log.warning("the register has changed and cannot be used, going on with the old one: %s", error)
