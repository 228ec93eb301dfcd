"""What was worked out once: given to every thread again until what it was worked out from has changed."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ingest.register import Register

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Answer(Generic[T]):
    """An answer, and what it was worked out from."""

    register: Register
    state: object
    found: T


class Unchanged(Generic[T]):
    """The answers to the questions asked last. Threads may share it; two that ask at once may both work it out."""

    def __init__(self, most: int) -> None:
        """Keep so many answers; those longest not asked for are forgotten."""
        self._most = most
        self._answers: OrderedDict[Hashable, _Answer[T]] = OrderedDict()

    def of(self, question: Hashable, register: Register, state: object, work_out: Callable[[], T]) -> T:
        """Return the answer, worked out anew where the register is another one or `state` differs from the last."""
        held = self._answers.pop(question, None)
        if held is None or held.register is not register or held.state != state:
            held = _Answer(register, state, work_out())
        self._answers[question] = held
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
        return held.found

    def forget(self, question: Hashable) -> None:
        """Work it out anew the next time."""
        self._answers.pop(question, None)
