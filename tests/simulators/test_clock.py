"""Clocks: one that jumps, and others that follow it."""

import asyncio
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge.clock import RealClock, VirtualClock
from edge.errors import BadInput
from edge.profiles import load_profile
from simulators.child import write_whole
from simulators.clock import FollowClock, JumpClock, JumpLoop, describe, parse_clock
from simulators.serve import Meter, serve

NOON_MS = 1_764_000_000_000


def test_a_month_of_minutes_passes_in_seconds_and_no_tick_is_missed(tmp_path: Path) -> None:
    clock = JumpClock(NOON_MS, tmp_path / "clock")
    ticks: list[int] = []

    async def every_minute() -> None:
        while len(ticks) < 1440:
            ticks.append(clock.now_ms())
            await clock.sleep(60)

    began_s = time.monotonic()
    with asyncio.Runner(loop_factory=lambda: JumpLoop(clock)) as runner:
        runner.run(every_minute())
    assert ticks == [NOON_MS + minute * 60_000 for minute in range(1440)]
    assert time.monotonic() - began_s < 10.0


def test_sleepers_wake_in_the_order_of_their_instants(tmp_path: Path) -> None:
    clock = JumpClock(NOON_MS, tmp_path / "clock")
    woken: list[tuple[str, int]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic_ms()))

    async def scene() -> None:
        await asyncio.gather(sleeper("late", 10), sleeper("early", 1), sleeper("now", 0))

    with asyncio.Runner(loop_factory=lambda: JumpLoop(clock)) as runner:
        runner.run(scene())
    assert woken == [("now", 0), ("early", 1000), ("late", 10_000)]


def test_an_answer_on_its_way_holds_the_clock(tmp_path: Path) -> None:
    """A request over loopback is answered at the instant at which it was sent."""
    clock = JumpClock(NOON_MS, tmp_path / "clock")

    meter = Meter(load_profile("simulated_terminal").points, lambda _: {}, serial=False)
    request = struct.pack(">HHHBBHH", 1, 0, 6, 1, 4, 0, 1)

    async def scene() -> list[int]:
        instants = []
        async with serve({"bus": {1: meter}}, clock.now_ms) as ports:
            reader, writer = await asyncio.open_connection("127.0.0.1", ports["bus"])
            restless = asyncio.create_task(clock.sleep(86_400))
            for _ in range(200):
                writer.write(request)
                await reader.readexactly(11)
                instants.append(clock.monotonic_ms())
                await clock.sleep(60)
            restless.cancel()
            writer.close()
            await writer.wait_closed()
        return instants

    with asyncio.Runner(loop_factory=lambda: JumpLoop(clock)) as runner:
        instants = runner.run(scene())
    assert instants == [minute * 60_000 for minute in range(200)]


def test_another_process_follows_through_the_file(tmp_path: Path) -> None:
    leader = JumpClock(NOON_MS, tmp_path / "clock")
    follower = parse_clock(f"follow:{tmp_path / 'clock'}")
    assert isinstance(follower, FollowClock)

    async def scene() -> None:
        await leader.sleep(90)

    with asyncio.Runner(loop_factory=lambda: JumpLoop(leader)) as runner:
        runner.run(scene())
    assert (follower.now_ms(), follower.monotonic_ms()) == (NOON_MS + 90_000, 90_000)


def test_a_clock_survives_the_command_line() -> None:
    clock = VirtualClock(NOON_MS, 1234.567891234, 400.0)
    assert parse_clock(describe(clock)) == clock
    assert isinstance(parse_clock("real"), RealClock)


def test_a_late_clock_waits_until_somebody_names_it(tmp_path: Path) -> None:
    clock = VirtualClock(NOON_MS, 1234.5, 400.0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(parse_clock, f"late:{tmp_path / 'clock'}")
        assert not waiting.done()
        write_whole(tmp_path / "clock", describe(clock))
        assert waiting.result(10) == clock


@pytest.mark.parametrize("text", ["fast", "virtual:1:2", "virtual:a:b:c", "follow:/no/such/file", "real:1"])
def test_a_clock_that_is_none_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(BadInput, match="Write real, virtual"):
        parse_clock(text)
