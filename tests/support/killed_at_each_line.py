"""Kill a program at each line of ours in turn: `for _ in kills(action, folder_of_code): check()`.

For programs of their own with one thread only: each turn is a fork that ends without any clean-up at its line.
"""

import os
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

KILLED = 9


def kills(action: Callable[[], None], code: Path, *, every: int = 1) -> Iterator[int]:
    """Yield after each death, with the number of lines that were run; end when the action has run to its end."""
    for lines in count(step=every):
        child = os.fork()
        if child == 0:
            _run(action, str(code), lines)
        _, status = os.waitpid(child, 0)
        ended = os.waitstatus_to_exitcode(status)
        assert ended in (0, KILLED), f"ended with {ended} after {lines} lines"
        if ended == 0:
            return
        yield lines


def _run(action: Callable[[], None], code: str, lines: int) -> None:
    left = lines

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(code):
            return None
        if event == "line":
            if left == 0:
                os._exit(KILLED)
            left -= 1
        return trace

    sys.settrace(trace)
    try:
        action()
        os._exit(0)
    finally:
        os._exit(1)
