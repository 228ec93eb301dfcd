"""One line to the meters, whatever they speak: opened when needed, one question at a time, no answer given twice.

Questions are never repeated in here (the one that polls decides), a link that is lost is opened again with growing
pauses, and a late answer never reaches the question after it: a framer that numbers its answers sees to that, and
with one that does not the line is left alone for a while after a question without an answer.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic

from edge.connection import Connection, Framer, LinkLost, QuestionT
from edge.deadlines import Deadlines
from edge.dial_in import DialIn
from edge.errors import DeviceTimeout
from edge.linestats import LineStatistics

CONNECT_TIMEOUT_S = 3.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
TURNS_TO_TAKE_WHAT_CAME = 2
"""The event loop sees bytes that are there in its next turn and hands them over in the one after."""

MakeProtocol = Callable[[], asyncio.BaseProtocol]
Open = Callable[[MakeProtocol], Awaitable[object]]
"""Opens a connection for the protocol that it makes. Raises OSError."""


@dataclass
class Backoff:
    """When to try a lost link again: after 0.5 s, 1 s, 2 s … at most 30 s."""

    pause_s: float = FIRST_PAUSE_S
    not_before_s: float = field(default=0.0)
    """On the machine's monotonic clock."""

    def failed(self) -> None:
        self.not_before_s = time.monotonic() + self.pause_s
        self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)

    def succeeded(self) -> None:
        self.pause_s, self.not_before_s = FIRST_PAUSE_S, 0.0

    @property
    def is_waiting(self) -> bool:
        return time.monotonic() < self.not_before_s


class Line(Generic[QuestionT]):
    """One bus, used by one task: each question waits for the answer to the one before."""

    def __init__(
        self,
        url: str,
        open_connection: Open,
        make_framer: Callable[[LineStatistics], Framer[QuestionT]],
        deadlines: Deadlines,
        dial_in: DialIn | None = None,
    ) -> None:
        self.url = url
        self.statistics = LineStatistics()
        self.backoff = Backoff()
        self._open, self._make_framer, self._dial_in = open_connection, make_framer, dial_in
        self._deadlines = deadlines
        self._connection: Connection[QuestionT] | None = None
        self._quiet_until_s = 0.0
        self._party_quiet_until_s: dict[str, float] = {}
        """Who was asked last without an answer, and until when that answer may still come."""

    async def ask(self, question: QuestionT, *, timeout_s: float) -> bytes:
        """Return the answer. Raises DeviceTimeout."""
        connection = self._open_connection() or await self._connect()
        if not connection.framer.numbers_answers:
            await self._drain(question.party)
        self.statistics.requests += 1
        began_s, answer = time.perf_counter(), None
        try:
            answer = await connection.ask(question, timeout_s=timeout_s)
        except TimeoutError as error:
            self.statistics.timeouts += 1
            raise DeviceTimeout(
                f"{self.url} {question.party}: no answer to {question} in {timeout_s} s. "
                "Check power and wiring; the next poll tries again"
            ) from error
        except LinkLost as error:
            raise DeviceTimeout(f"{self.url} {question.party}: the link broke. The next poll opens it again") from error
        finally:
            if answer is None:  # also when cancelled
                self._expect_late_answer(connection, question.party, timeout_s)
        self._party_quiet_until_s.pop(question.party, None)
        self.statistics.answered(time.perf_counter() - began_s)
        return answer

    def close(self) -> None:
        """Hang up and stop listening; the next question opens the line again."""
        self._hang_up()
        if self._dial_in is not None:
            self._dial_in.close()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _open_connection(self) -> Connection[QuestionT] | None:
        """Return the connection if it can be used: it is open, and no modem has dialled in anew."""
        if self._connection is None or not self._connection.is_open:
            return None
        superseded = self._dial_in is not None and self._dial_in.has_caller()
        return None if superseded else self._connection

    async def _connect(self) -> Connection[QuestionT]:
        self._hang_up()
        if self.backoff.is_waiting:
            raise DeviceTimeout(f"{self.url}: not connected, waiting before the next attempt")
        connection = Connection(self._make_framer(self.statistics), self._deadlines)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._open(lambda: connection)
                await connection.opened
        except OSError as error:  # TimeoutError is one
            connection.close()
            self.backoff.failed()
            raise DeviceTimeout(
                f"{self.url}: no connection. Check the address, the cable and the far end's power"
            ) from error
        self.backoff.succeeded()
        self.statistics.connects += 1
        self._connection = connection
        return connection

    async def _drain(self, party: str) -> None:
        """Wait until no late answer is due any more, then let what came meanwhile be taken and dropped."""
        wait_s = max(self._quiet_until_s, self._party_quiet_until_s.get(party, 0.0)) - time.monotonic()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        for _ in range(TURNS_TO_TAKE_WHAT_CAME):
            await asyncio.sleep(0)

    def _expect_late_answer(self, connection: Connection[QuestionT], party: str, timeout_s: float) -> None:
        """Where answers carry no number, listen for one more time-out before the same meter is asked again.

        The others wait too, for it may talk into their answers, unless it has been silent before.
        """
        if connection.framer.numbers_answers:
            return
        quiet_until_s = time.monotonic() + timeout_s
        if party not in self._party_quiet_until_s:
            self._quiet_until_s = quiet_until_s
        self._party_quiet_until_s[party] = quiet_until_s
