"""When to give up waiting: one timer for the questions of all lines, since nearly all of them are answered in time.

To set and to cancel a timer of the event loop for each question costs half as much as to ask it.
"""

import asyncio


class Deadlines:
    """Answers that are waited for, each until an instant of its own; all of one event loop."""

    def __init__(self) -> None:
        self._due_s: dict[asyncio.Future[bytes], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, answer: "asyncio.Future[bytes]", timeout_s: float) -> None:
        """Let `answer` fail with TimeoutError in `timeout_s`, unless `end` comes first."""
        due_s = answer.get_loop().time() + timeout_s
        self._due_s[answer] = due_s
        if self._timer is None or due_s < self._timer.when():
            self._ring_at(due_s, answer.get_loop())

    def end(self, answer: "asyncio.Future[bytes]") -> None:
        """Stop waiting for `answer`; the timer is left to ring for nothing."""
        self._due_s.pop(answer, None)

    def _ring_at(self, due_s: float, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(due_s, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now_s = loop.time()
        due = [answer for answer, due_s in self._due_s.items() if due_s <= now_s]
        for answer in sorted(due, key=self._due_s.__getitem__):
            del self._due_s[answer]
            if not answer.done():
                answer.set_exception(TimeoutError())
        if self._due_s:
            self._ring_at(min(self._due_s.values()), loop)
