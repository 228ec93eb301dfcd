"""Readings are handed to the delivery thread together, and an urgent one at once."""

import asyncio
from collections.abc import Sequence

from edge.clock import RealClock
from edge.delivery import Sampled
from edge.handover import Handover
from edge.wire import Reading


def handover(taken: list[Sequence[Sampled]], urgent: tuple[str, ...] = ()) -> Handover:
    return Handover(RealClock(), urgent, lambda readings: Sampled(readings, 0), taken.append)


def reading(point: str = "m.x_v") -> Reading:
    return Reading(point, 1_700_000_000_000, 1.0)


def test_polls_of_a_moment_go_together():
    taken: list[Sequence[Sampled]] = []

    async def scenario() -> None:
        polls = handover(taken)
        for _ in range(3):
            polls.emit([reading()])
        assert (taken, polls.polls) == ([], 3)
        async with asyncio.timeout(5):
            while not taken:
                await asyncio.sleep(0.01)

    asyncio.run(scenario())
    assert [len(polls) for polls in taken] == [3]


def test_an_urgent_reading_goes_at_once_and_takes_the_others_along():
    taken: list[Sequence[Sampled]] = []

    async def scenario() -> None:
        polls = handover(taken, urgent=("gateway.mains_on",))
        polls.emit([reading()])
        polls.emit([reading("gateway.mains_on")])
        assert [sampled.readings[0].point for sampled in taken[0]] == ["m.x_v", "gateway.mains_on"]

    asyncio.run(scenario())


def test_what_waits_at_the_end_is_not_forgotten():
    taken: list[Sequence[Sampled]] = []

    async def scenario() -> None:
        polls = handover(taken)
        polls.emit([reading()])
        polls.flush()

    asyncio.run(scenario())
    assert len(taken) == 1
