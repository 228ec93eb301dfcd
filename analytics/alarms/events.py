"""What can happen to one alarm: readings, people, plans and time."""

import enum
from dataclasses import dataclass


class Severity(enum.IntEnum):
    """How bad it is, and so who is told how fast."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


@dataclass(frozen=True)
class Rose:
    """The condition came true after its on-delay, or became more severe."""

    at_ms: int
    severity: Severity


@dataclass(frozen=True)
class Fell:
    """The condition went, after its off-delay. Never sent for missing data."""

    at_ms: int


@dataclass(frozen=True)
class Doubted:
    """The readings behind the condition went BAD or stale, or are good again."""

    doubtful: bool


@dataclass(frozen=True)
class Acknowledge:
    """A person has seen it and takes it."""


@dataclass(frozen=True)
class Unacknowledge:
    """A person hands it back, the acknowledgement ran out, or the re-alarm time came."""


@dataclass(frozen=True)
class Reset:
    """A person clears a latched alarm whose condition has gone."""


@dataclass(frozen=True)
class Shelve:
    """A person hides it for a time, with a reason."""

    at_ms: int
    until_ms: int


@dataclass(frozen=True)
class Unshelve:
    """A person brings it back."""


@dataclass(frozen=True)
class ShelfExpired:
    """The shelf's end has come."""


@dataclass(frozen=True)
class Suppress:
    """A cause, a plan or a window explains it."""

    by: str
    at_ms: int


@dataclass(frozen=True)
class Unsuppress:
    """That cause has gone, and its grace has passed."""

    by: str


@dataclass(frozen=True)
class RemoveFromService:
    """Taken out for work, under a work order."""

    work_order: str


@dataclass(frozen=True)
class ReturnToService:
    """The work is done."""


@dataclass(frozen=True)
class Disable:
    """A change of configuration removes it from the list."""


@dataclass(frozen=True)
class Enable:
    """A change of configuration brings it back, as new."""


Event = (
    Rose
    | Fell
    | Doubted
    | Acknowledge
    | Unacknowledge
    | Reset
    | Shelve
    | Unshelve
    | ShelfExpired
    | Suppress
    | Unsuppress
    | RemoveFromService
    | ReturnToService
    | Disable
    | Enable
)
