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
    """SQLite and HTTP connections that threads do not wait for each other with.

    A server's threads come and go; what one leaves behind when it ends is the next new one's. So there are never more
    things than threads at one time.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._things: dict[threading.Thread, T] = {}

    def here(self) -> T:
        """Return this thread's. Raises what making it raises."""
        me = threading.current_thread()
        mine = self._things.get(me)
        if mine is None:
            mine = self._left_behind() or self._make()
            with self._lock:
                self._things[me] = mine
        return mine

    def close(self) -> None:
        """Close everything that was made; no thread may ask afterwards."""
        while self._things:
            self._things.popitem()[1].close()

    def _left_behind(self) -> T | None:
        with self._lock:
            ended = next((thread for thread in self._things if not thread.is_alive()), None)
            return None if ended is None else self._things.pop(ended)
