"""When a process is asked to end: by SIGTERM or SIGINT, or by the end of the one that started it."""

import os
import signal
import sys
import threading
from collections.abc import Callable


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set; call it from the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def when_parent_ends(action: Callable[[], None]) -> None:
    """Call `action` when standard input closes: the parent holds the other end, and lets go however it ends.

    Read past Python's buffer: a thread that waits inside it aborts a process which ends by itself.
    """

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        action()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
