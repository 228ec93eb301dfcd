"""What `alarms.db` keeps and what is done to it, as frozen types."""

from dataclasses import dataclass

from analytics.alarms.events import Event, Severity
from analytics.alarms.state import Alarm, Effect

ENGINE = "engine"
"""Actor of what no person does."""


@dataclass(frozen=True)
class AlarmRecord:
    """One alarm as it stands."""

    id: str
    """`<point or asset>#<type>`, such as `qingshui-wtp/outlet.turbidity_ntu#high`."""
    asset: str
    """Id in the register; the site where the point is not in the register."""
    kind: str
    """Class by which causes are looked up, such as `supply_lost`."""
    alarm: Alarm


@dataclass(frozen=True)
class Occurrence:
    """One time that an alarm's condition came and went."""

    id: int
    alarm: str
    number: int
    onset_ms: int
    """When the condition began. [ms since 1970-01-01T00:00Z]"""
    severity: Severity
    """The gravest so far."""
    value: float | None
    """The reading that decided it, in the point's unit."""
    cause: str | None
    """The alarm that explains it; None for a cause of its own."""
    acked_ms: int | None
    """When the acknowledgement that counts now was given; None if nobody has it."""
    acked_by: str | None
    first_acked_ms: int | None
    """When somebody first took it, whatever became of that."""
    returned_ms: int | None
    closed_ms: int | None
    chatter: int
    """How often the condition came back within the merge window."""


@dataclass(frozen=True)
class LateSpan:
    """A time at which a condition held, told by a backlog; nobody was called."""

    alarm: str
    onset_ms: int
    returned_ms: int | None
    """None where no reading of the backlog told of its end."""
    severity: Severity


@dataclass(frozen=True)
class Act:
    """An event on one alarm, with who, when and why."""

    event: Event
    at_ms: int
    """Instant of the reading that decided it, or of the person's act. [ms since 1970-01-01T00:00Z]"""
    actor: str = ENGINE
    reason: str = ""
    value: float | None = None
    since_ms: int | None = None
    """When the condition began, before its on-delay; None where that is the instant itself."""


@dataclass(frozen=True)
class Applied:
    """What an act did."""

    record: AlarmRecord
    before: Alarm
    effects: tuple[Effect, ...]
    refused: str = ""
    """Why the event was not allowed; empty where it was."""
