"""A meter behind a TCP port of its own that may answer late, in pieces or not at all; its kind decides what it says."""

import asyncio
import random

PIECE_PAUSE_S = 0.005


class TcpPeer:
    """Takes one question after the other from each caller, and spoils answers as it is told."""

    def __init__(self, *, seed: int, late_s: tuple[float, float]) -> None:
        self.rng = random.Random(seed)
        self.late_s = late_s
        self._server: asyncio.Server | None = None
        self._late: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Listen; return the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._late:
            task.cancel()

    async def read_question(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next question. Raises IncompleteReadError when the caller hangs up."""
        raise NotImplementedError

    async def answer(self, question: bytes, writer: asyncio.StreamWriter) -> None:
        """Say what there is to say."""
        raise NotImplementedError

    async def send(self, fault: str, answer: bytes, writer: asyncio.StreamWriter) -> bool:
        """Send `answer` late, in two pieces, or hang up; False for any other fault, which is not of the sending."""
        if fault == "late":
            self._later(answer, writer)
        elif fault == "split":
            place = self.rng.randrange(1, len(answer))
            writer.write(answer[:place])
            await writer.drain()
            await asyncio.sleep(PIECE_PAUSE_S)
            writer.write(answer[place:])
        elif fault == "reset":
            writer.transport.abort()
        else:
            return False
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self.answer(await self.read_question(reader), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _later(self, answer: bytes, writer: asyncio.StreamWriter) -> None:
        async def say() -> None:
            await asyncio.sleep(self.rng.uniform(*self.late_s))
            if not writer.is_closing():
                writer.write(answer)

        task = asyncio.get_running_loop().create_task(say())
        self._late.add(task)
        task.add_done_callback(self._late.discard)
