"""Front of house: the console of a demo with the numbers behind it, up while the county plays and as long as one looks.

Its time stands still where the play ends, so that what is on show then stays as fresh as it was.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

from dashboards.console.database import FILE, ConsoleDatabase
from edge.clock import RealClock
from simulators.cast import CLOCK_FILE
from simulators.processes import Child, free_port, listens

USUAL_PORT = 8080
GUEST = "demo"
NUMBERS_EVERY_REAL_S = 10.0
LEAVE_S = 5.0


def invite(data_dir: Path, port: int) -> str:
    """Return the address of a one-time link at which a guest comes in as administrator."""
    now_ms = RealClock().now_ms()
    data_dir.mkdir(parents=True, exist_ok=True)
    with closing(ConsoleDatabase(data_dir / FILE)) as database:
        database.users.add(GUEST, "Demo", "admin", now_ms=now_ms)
        word = database.users.new_link(GUEST, "enter", now_ms=now_ms)
    return f"http://127.0.0.1:{port}/welcome/{word}"


def console_port(usual: int = USUAL_PORT) -> int:
    """Return the console's usual port, or a free one where somebody has it."""
    return free_port() if listens(usual) else usual


@contextlib.asynccontextmanager
async def open_house(folder: Path, speed: float, until_ms: int, port: int) -> AsyncIterator[tuple[Child, ...]]:
    """Give console and numbers of the centre in `folder`, to be started; they are stopped when the block ends.

    They wait for time to begin like everybody on stage, and theirs ends at `until_ms`.
    """
    centre = str(folder / "centre.toml")
    time = ("--clock", f"late:{folder / CLOCK_FILE}", "--until", str(until_ms))
    period_s = str(NUMBERS_EVERY_REAL_S * speed)
    children = (
        Child("console", ["console", centre, "--port", str(port), *time], folder / "console.log"),
        Child("numbers", ["numbers", centre, "--period-s", period_s, *time], folder / "numbers.log"),
    )
    try:
        yield children
    finally:
        await asyncio.gather(*(asyncio.to_thread(child.stop, LEAVE_S) for child in children))
