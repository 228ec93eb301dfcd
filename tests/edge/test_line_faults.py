"""On the worst of lines no wrong value is ever taken for a good one, and the line recovers at once."""

import asyncio
import logging
import random
from collections import Counter

import pytest
from support.fault_peer import CLEAN, FaultPeer, content

from edge.errors import DeviceError
from edge.lines import open_line

TIMEOUT_S = 0.1
CLEAN_TRIES = 4
"""A busy machine may be late with a clean answer too, but not so often in a row."""
LATE_S = (1.1 * TIMEOUT_S, 1.4 * TIMEOUT_S)
MENDED_BY_THE_FRAMER = {"garbage_before", "zero_before", "garbage_after", "split", "echo", "other_then_ours", "doubled"}


async def exchange(peer: FaultPeer, url: str, unit: int, exchanges: int, outcomes: Counter[tuple[str, bool]]) -> None:
    """Read random blocks of one unit; compare each with what the peer gave to that very request."""
    line, rng, failed_clean = open_line(url), random.Random(unit), 0
    try:
        for _ in range(exchanges):
            register, count = rng.randrange(1000), rng.randrange(1, 5)
            try:
                found = await line.read_block(unit, "holding_register", register, count, timeout_s=TIMEOUT_S)
            except DeviceError:
                found = None
            fault = peer.last_fault[unit]
            outcomes[fault, found is not None] += 1
            assert found is None or found == content(register, count, peer.serials[unit]), fault
            failed_clean = failed_clean + 1 if fault == CLEAN and found is None else 0
            assert failed_clean < CLEAN_TRIES, "a clean line was not used again"
    finally:
        line.close()


async def run_faults(*, rtu: bool, exchanges: int, lines: int, seed: int) -> Counter[tuple[str, bool]]:
    """Run so many lines side by side on one peer; return how often each fault ended in an answer, and in none."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a decoder that gives up says so with a traceback
    peer = FaultPeer(rtu=rtu, seed=seed, fault_share=0.3, late_s=LATE_S)
    url = f"{'rtu+tcp' if rtu else 'tcp'}://127.0.0.1:{await peer.start()}"
    outcomes: Counter[tuple[str, bool]] = Counter()
    try:
        async with asyncio.TaskGroup() as tasks:
            for unit in range(1, lines + 1):
                tasks.create_task(exchange(peer, url, unit, exchanges // lines, outcomes))
    finally:
        await peer.stop()
    return outcomes


@pytest.mark.parametrize("rtu", [True, False], ids=["rtu", "tcp"])
def test_a_thousand_exchanges_on_a_bad_line_bring_no_wrong_value(rtu):
    outcomes = asyncio.run(run_faults(rtu=rtu, exchanges=1000, lines=10, seed=1))
    assert {fault for fault, _ in outcomes} == {CLEAN, *FaultPeer(rtu=rtu, seed=0, fault_share=0, late_s=(0, 0)).faults}
    assert outcomes[CLEAN, True] > 50 * outcomes[CLEAN, False]
    if rtu:
        assert all(outcomes[fault, True] > outcomes[fault, False] for fault in MENDED_BY_THE_FRAMER)


@pytest.mark.soak
@pytest.mark.parametrize("rtu", [True, False], ids=["rtu", "tcp"])
def test_fifty_thousand_exchanges_on_a_bad_line_bring_no_wrong_value(rtu):
    asyncio.run(run_faults(rtu=rtu, exchanges=50_000, lines=20, seed=2))


def test_an_answer_after_a_cancelled_request_is_not_given_to_the_next():
    """The peer answers 20 ms late; the request is cancelled before, and the next one asks for other registers."""

    async def scenario() -> None:
        peer = FaultPeer(rtu=True, seed=3, fault_share=1.0, late_s=(0.02, 0.02))
        peer.faults = ("late",)
        line = open_line(f"rtu+tcp://127.0.0.1:{await peer.start()}")
        try:
            for round_number in range(10):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(line.read_block(1, "holding_register", 0, 2, timeout_s=0.2), 0.005)
                found = await line.read_block(1, "holding_register", 100 + round_number, 2, timeout_s=5.0)
                assert found == content(100 + round_number, 2, peer.serials[1])
        finally:
            line.close()
            await peer.stop()

    asyncio.run(scenario())


def test_a_cancel_that_meets_the_answer_is_not_swallowed():
    """Python 3.11's wait_for loses a cancel that arrives together with the result; a poll task would never end."""

    async def scenario() -> None:
        peer = FaultPeer(rtu=False, seed=4, fault_share=0.0, late_s=(0, 0))
        line = open_line(f"tcp://127.0.0.1:{await peer.start()}")

        async def poll_for_ever() -> None:
            while True:
                await line.read_block(1, "holding_register", 0, 2, timeout_s=0.5)

        try:
            for _ in range(60):
                task = asyncio.get_running_loop().create_task(poll_for_ever())
                for _ in range(random.Random(peer.serials[1]).randrange(1, 40)):
                    await asyncio.sleep(0)
                task.cancel()
                _, pending = await asyncio.wait([task], timeout=2)
                assert not pending
        finally:
            line.close()
            await peer.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize("fault", ["false_length", "truncated"])
def test_half_an_answer_is_not_joined_to_the_next(fault):
    """What came before the time-out would swallow the answers that follow: they are read from a new connection."""

    async def scenario() -> None:
        peer = FaultPeer(rtu=False, seed=5, fault_share=1.0, late_s=(0, 0))
        peer.faults = (fault,)
        line = open_line(f"tcp://127.0.0.1:{await peer.start()}")
        try:
            with pytest.raises(DeviceError):
                await line.read_block(1, "holding_register", 0, 120, timeout_s=0.1)
            peer.fault_share = 0.0
            found = await line.read_block(1, "holding_register", 7, 3, timeout_s=5.0)
            assert found == content(7, 3, peer.serials[1])
        finally:
            line.close()
            await peer.stop()

    asyncio.run(scenario())
