"""One timer for many answers: each fails at its own time, and those that came do not."""

import asyncio
import time

import pytest

from edge.deadlines import Deadlines


def test_answers_fail_in_the_order_of_their_deadlines_whatever_the_order_of_their_questions():
    async def scenario() -> list[str]:
        deadlines, failed = Deadlines(), []
        waits = {"late": 0.6, "first": 0.001, "middle": 0.3}
        answers = {name: asyncio.get_running_loop().create_future() for name in waits}
        for name, answer in answers.items():
            deadlines.begin(answer, waits[name])
            answer.add_done_callback(lambda _, name=name: failed.append(name))
        for answer in answers.values():
            with pytest.raises(TimeoutError):
                await answer
        return failed

    assert asyncio.run(scenario()) == ["first", "middle", "late"]


def test_answers_that_are_all_due_when_the_loop_comes_to_it_fail_in_the_same_order():
    async def scenario() -> list[float]:
        deadlines, failed = Deadlines(), []
        waits = [0.003, 0.001, 0.002]
        answers = [asyncio.get_running_loop().create_future() for _ in waits]
        for answer, wait in zip(answers, waits, strict=True):
            deadlines.begin(answer, wait)
            answer.add_done_callback(lambda _, wait=wait: failed.append(wait))
        busy_until_s = time.monotonic() + 0.05
        while time.monotonic() < busy_until_s:
            pass
        await asyncio.gather(*answers, return_exceptions=True)
        return failed

    assert asyncio.run(scenario()) == [0.001, 0.002, 0.003]


def test_an_answer_that_came_is_left_alone_and_the_next_question_has_a_deadline_again():
    async def scenario() -> None:
        deadlines, loop = Deadlines(), asyncio.get_running_loop()
        came, cancelled, later = loop.create_future(), loop.create_future(), loop.create_future()
        deadlines.begin(came, 0.001)
        deadlines.begin(cancelled, 0.001)
        came.set_result(b"x")
        cancelled.cancel()
        deadlines.end(came)
        deadlines.begin(later, 0.01)
        with pytest.raises(TimeoutError):
            await later
        assert came.result() == b"x"
        again = loop.create_future()
        deadlines.begin(again, 0.001)
        with pytest.raises(TimeoutError):
            await again

    asyncio.run(scenario())
