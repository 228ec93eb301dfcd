"""What the poll loop asks of a meter, whatever it speaks."""

from typing import NamedTuple, Protocol

from edge.clock import Clock
from edge.wire import Reading


class Sweep(NamedTuple):
    """One reading of all points of a meter."""

    readings: list[Reading]
    """One per point; those that could not be read are BAD."""
    answered: bool
    """False: nothing came back at all."""


class Meter(Protocol):
    """One meter on a bus. Fails by saying so in its readings, never by raising a DeviceError."""

    name: str
    period_s: float
    timeout_s: float

    async def read(self, clock: Clock) -> Sweep:
        """Read every point; each is stamped when its answer arrived."""

    async def probe(self) -> bool:
        """Ask for as little as possible; True if the meter answered, be it with a refusal."""

    def silent(self, now_ms: int) -> list[Reading]:
        """Return the rows of a meter that is not asked because it has been dead: BAD_NO_ANSWER, no values."""
