"""When a process is asked to end: by SIGTERM or SIGINT, or by the end of the one that started it."""

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
    """Call `action` when standard input closes: the parent holds the other end, and lets go however it ends."""

    def watch() -> None:
        sys.stdin.buffer.read()
        action()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
