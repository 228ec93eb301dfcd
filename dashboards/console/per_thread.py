"""One thing per thread, made when the thread first asks, closed together."""

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """Anything that holds a file or a connection."""

    def close(self) -> None:
        """Let go of it."""


T = TypeVar("T", bound=Closable)


class PerThread(Generic[T]):
    """SQLite and HTTP connections that threads do not wait for each other with."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._local = threading.local()
        self._made: list[T] = []

    def here(self) -> T:
        """Return this thread's. Raises what making it raises."""
        mine: T | None = getattr(self._local, "mine", None)
        if mine is None:
            mine = self._local.mine = self._make()
            self._made.append(mine)
        return mine

    def close(self) -> None:
        """Close everything that was made; no thread may ask afterwards."""
        while self._made:
            self._made.pop().close()
