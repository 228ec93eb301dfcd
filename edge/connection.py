"""One open connection to the meters: bytes go out, and a framer finds the one answer in what comes in."""

import asyncio
from typing import Generic, Protocol, TypeVar

from edge.deadlines import Deadlines

LARGEST_BUFFER = 2048
LARGEST_CHUNK = 512


class Question(Protocol):
    """What a meter is asked; `str` of it is what a person would call it."""

    @property
    def party(self) -> str:
        """Who is asked, such as `unit 7`."""


QuestionT = TypeVar("QuestionT", bound=Question)
QuestionIn = TypeVar("QuestionIn", bound=Question, contravariant=True)


class Framer(Protocol[QuestionIn]):
    """Looks for one answer at a time; forgets the question as soon as it has found it or is told to."""

    @property
    def numbers_answers(self) -> bool:
        """Whether an answer says to which question it belongs."""

    @property
    def is_broken(self) -> bool:
        """Whether the stream has lost its frames, so that only a new connection helps."""

    def build(self, question: QuestionIn) -> bytes:
        """Return the question as bytes, and remember it."""

    def forget(self) -> None:
        """The question is over: whatever comes now is late."""

    def take(self, data: bytes) -> tuple[int, bytes | None]:
        """Return how many bytes are done with, and the answer if it is among them."""


class LinkLost(Exception):
    """The connection went down, or its stream can no longer be understood."""


class Connection(asyncio.BufferedProtocol, Generic[QuestionT]):
    """Asks one question at a time. Ours reads into a small buffer: asyncio's own takes 256 KiB for each answer."""

    def __init__(self, framer: Framer[QuestionT], deadlines: Deadlines) -> None:
        self.framer = framer
        self.is_open = False
        self._loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self._deadlines = deadlines
        self._chunk = bytearray(LARGEST_CHUNK)
        self._came = b""
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None

    async def ask(self, question: QuestionT, *, timeout_s: float) -> bytes:
        """Return the answer. Raises TimeoutError or LinkLost."""
        if self._transport is None or not self.is_open:
            raise LinkLost
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._answer = answer
        self._transport.write(self.framer.build(question))
        self._deadlines.begin(answer, timeout_s)
        try:
            return await answer
        finally:
            self._deadlines.end(answer)
            self._answer = None
            self.framer.forget()
            if self._came and (not answer.done() or answer.cancelled() or answer.exception()):
                self._drop_half_an_answer()

    def close(self) -> None:
        """Hang up; who waits for an answer learns it at once."""
        self.is_open = False
        if self._transport is not None:
            self._transport.close()
        self._fail(LinkLost())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of an open link."""
        self._transport, self.is_open = transport, True  # type: ignore[assignment]
        if not self.opened.done():
            self.opened.set_result(None)

    def connection_lost(self, _error: Exception | None) -> None:
        """Let a question that waits fail now instead of at its time-out."""
        self.is_open = False
        self._fail(LinkLost())

    def get_buffer(self, _hint: int) -> bytearray:
        """Say where the next bytes go."""
        return self._chunk

    def buffer_updated(self, count: int) -> None:
        """Take bytes that are in the buffer."""
        self.data_received(bytes(self._chunk[:count]))

    def data_received(self, data: bytes) -> None:
        """Take bytes from a transport that brings its own buffer."""
        came = self._came + data
        used, answer = self.framer.take(came)
        self._came = came[used:][-LARGEST_BUFFER:]
        if self.framer.is_broken:
            self.close()
        elif answer is not None and self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def _drop_half_an_answer(self) -> None:
        """Let no later answer be joined to what came of one that was given up."""
        self._came = b""
        if self.framer.numbers_answers:
            self.close()  # its rest would be taken for the beginning of a frame

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
